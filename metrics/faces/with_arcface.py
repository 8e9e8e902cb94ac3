"""ArcFace (Deng et al. 2019) through onnxruntime: the network of insightface's packs, given as a file.

Input: the face turned, scaled and moved so that eyes, nose and corners of the mouth come nearest to their places in a
112 x 112 picture; RGB, (value - 127.5) / 127.5, so -1 to 1. Output: 512 numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.metrics.faces.backends import Frame
from singinghead.metrics.weights import require_weights

SIZE = 112
PLACES = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""(5, 2) pixels of the left and right eye (as seen), the tip of the nose, and the mouth's corners in the aligned picture."""


class ArcFaceIdentity:
    """A 512-d embedding; see :class:`~singinghead.metrics.faces.backends.IdentityEncoder`.

    Args:
        weights: the folder that is searched first for the network.

    Raises:
        UnavailableError: onnxruntime or the network is not on this machine.
        InputError: the file is no network of this kind.
    """

    name = "arcface"

    def __init__(self, weights: Path | None = None) -> None:
        network = require_weights("arcface", weights)
        self._session = _session(network.path)
        (self._input,) = (entry.name for entry in self._session.get_inputs())
        self.version = f"{network.path.name}, {network.sha256[:8]}"

    def encode(self, frame: Frame, landmarks: Floats) -> Floats:
        """(512,) of the face whose (68, 2) landmarks these are."""
        picture = aligned(frame, landmarks)
        values = ((picture.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]
        (embedding,) = self._session.run(None, {self._input: values})
        return np.asarray(embedding, np.float64).reshape(-1)


def aligned(frame: Frame, landmarks: Floats) -> Frame:
    """(112, 112, 3) uint8: the face in the middle and upright, bilinear, black beyond the frame."""
    scale_cos, scale_sin, x, y = similarity(PLACES, five_points(landmarks))
    # Pillow counts from the corner of the first pixel, we from its middle.
    half = 0.5
    x += half - half * (scale_cos - scale_sin)
    y += half - half * (scale_sin + scale_cos)
    coefficients = (scale_cos, -scale_sin, x, scale_sin, scale_cos, y)
    picture = Image.fromarray(frame).transform((SIZE, SIZE), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(picture)


def five_points(landmarks: Floats) -> Floats:
    """(5, 2) of (68, 2): middles of the eyes, tip of the nose, corners of the mouth."""
    return np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0), landmarks[30], landmarks[48], landmarks[54]])


def similarity(source: Floats, target: Floats) -> tuple[float, float, float, float]:
    """The turn, scale and shift that bring (n, 2) points nearest to others: (s cos, s sin, x, y), least squares."""
    middle, goal = source.mean(0), target.mean(0)
    a, b = source - middle, target - goal
    square = float((a * a).sum())
    scale_cos = float((a * b).sum()) / square
    scale_sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / square
    x = float(goal[0] - scale_cos * middle[0] + scale_sin * middle[1])
    y = float(goal[1] - scale_sin * middle[0] - scale_cos * middle[1])
    return scale_cos, scale_sin, x, y


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise UnavailableError(
            f"onnxruntime is not in this environment: {error}",
            remedy="pip install -c constraints.txt -e '.[metrics2d]'",
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # worker processes share the cores
    options.use_deterministic_compute = True
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"is not a network: {error}", file=path) from None
    shape = session.get_inputs()[0].shape
    if len(session.get_inputs()) != 1 or list(shape[1:]) != [3, SIZE, SIZE]:
        raise InputError(f"takes {shape}, not faces of 3 x {SIZE} x {SIZE}", file=path)
    return session
