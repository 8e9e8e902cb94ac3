"""How far a face's landmarks lie from the true ones, and how alike two faces are.

Conventions:
    Landmarks are (T, 68, 2) pixels in iBUG order, NaN where no face was found in a frame; such frames are left out, of both
    sides. Each face is centred on the mean of its points first: where it is in the picture does not count, how large it is
    and how it is turned does. Lower is better; 0 is the least.

* F-LMD, M-LMD: mean distance of all 68 points, and of the mouth's 20 (48 to 67) about their own mean; in pixels of the
  frame, so it grows with the picture's size, or divided, frame by frame, by the distance between the true face's outer
  corners of the eyes (36, 45), as is usual on 300-W. After Chen et al. 2018, "Lip movements generation at a glance".
* CSIM: cosine of the angle between embeddings of both faces, from -1 to 1, higher is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import check_shape
from singinghead.metrics.faces.backends import N_LANDMARKS

MOUTH = slice(48, 68)
_OUTER_CORNERS = (36, 45)


@dataclass(frozen=True)
class LandmarkDistance:
    """Means over the frames in which both have a face.

    Attributes:
        full_px: F-LMD in pixels.
        mouth_px: M-LMD in pixels.
        full_iod: F-LMD as a share of the inter-ocular distance.
        mouth_iod: M-LMD likewise.
    """

    full_px: float
    mouth_px: float
    full_iod: float
    mouth_iod: float


def landmark_distance(landmarks: Floats, truth: Floats) -> LandmarkDistance | None:
    """Compare two videos, frame by frame.

    Args:
        landmarks: (T, 68, 2) of the generated one.
        truth: (T, 68, 2) of the true one.

    Returns:
        None where no frame has a face in both.

    Raises:
        InputError: the shapes differ.
    """
    found, true = _where_both(landmarks, truth)
    if not len(found):
        return None
    full = distances(centred(found), centred(true))
    mouth = distances(centred(found[:, MOUTH]), centred(true[:, MOUTH]))
    corners = true[:, list(_OUTER_CORNERS)]
    eyes_apart = np.linalg.norm(corners[:, 0] - corners[:, 1], axis=-1)
    return LandmarkDistance(
        float(full.mean()), float(mouth.mean()), float((full / eyes_apart).mean()), float((mouth / eyes_apart).mean())
    )


def seed_landmark_distance(landmarks: Floats, truth: Floats) -> tuple[float, float] | None:
    """The seed's F-LMD and M-LMD in pixels.

    Its mouth is a view of the whole face, so that centring it moves the mouth within the face before F-LMD is taken: what
    the mouth does as a whole is lost from it. And a frame without a face adds nothing, but is counted: every miss improves
    the mean.

    Args:
        landmarks: (T, 68, 2) of the generated one.
        truth: (T, 68, 2) of the true one.

    Returns:
        None where no frame has a face in both, for which the seed says 0.

    Raises:
        InputError: the shapes differ.
    """
    found, true = (centred(faces) for faces in _where_both(landmarks, truth))
    if not len(found):
        return None
    for faces in (found, true):
        faces[:, MOUTH] = centred(faces[:, MOUTH])
    full, mouth = distances(found, true), distances(found[:, MOUTH], true[:, MOUTH])
    return float(full.sum() / len(landmarks)), float(mouth.sum() / len(landmarks))


def centred(points: Floats) -> Floats:
    """(T, N, 2) about the mean of each frame's points."""
    return np.asarray(points - points.mean(axis=1, keepdims=True))


def distances(points: Floats, others: Floats) -> Floats:
    """(T,) mean over points of the distance."""
    return np.asarray(np.linalg.norm(points - others, axis=-1).mean(axis=-1))


def has_face(landmarks: Floats) -> NDArray[np.bool_]:
    """(T,) whether a face was found in each frame."""
    return np.asarray(np.isfinite(landmarks).all(axis=(1, 2)))


def identity_similarity(embeddings: Floats, truth: Floats) -> float | None:
    """CSIM: the mean over frames of the cosine between (T, D) embeddings, NaN rows left out; None where none are left."""
    (n_frames, size) = check_shape("embeddings", embeddings, "T", "D")
    check_shape("true embeddings", truth, n_frames, size)
    both = np.isfinite(embeddings).all(axis=1) & np.isfinite(truth).all(axis=1)
    if not both.any():
        return None
    a, b = embeddings[both], truth[both]
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    if not (lengths > 0).all():
        raise InputError("an embedding is zero: it points nowhere")
    return float(((a * b).sum(axis=1) / lengths).mean())


def _where_both(landmarks: Floats, truth: Floats) -> tuple[Floats, Floats]:
    (n_frames,) = check_shape("landmarks", landmarks, "T", N_LANDMARKS, 2)
    check_shape("true landmarks", truth, n_frames, N_LANDMARKS, 2)
    both = has_face(landmarks) & has_face(truth)
    return landmarks[both], truth[both]
