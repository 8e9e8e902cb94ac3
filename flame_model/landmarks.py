"""The two sets of 68 landmarks.

``full``
    DECA's 68 fixed points in iBUG order. What metrics use: the points never slide.
``contour``
    17 points of the visible jaw line, which slide with the head's yaw, then the 51 static ones. For drawing.

Source: the FLAME landmark embeddings (Li et al. 2017; flame.is.tue.mpg.de) and DECA (Feng et al. 2021), ``FLAME.py``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from singinghead.flame_model.arrays import Floats, HeadArrays, Indices, Landmarks
from singinghead.flame_model.errors import UnavailableError
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.rotations import matrix_from_axis_angle
from singinghead.flame_model.shapes import check_shape

LandmarkSet = Literal["full", "contour"]

_LAST_YAW = 39
"""The contour table has a row a degree: 0..39 to one side, then 40..78 for -1..-39 to the other."""


def landmarks(arrays: HeadArrays, vertices: Frames, kind: LandmarkSet, params: FlameParams | None = None) -> Frames:
    """Points on posed vertices.

    Args:
        arrays: the model.
        vertices: (T, V, 3) metres.
        kind: ``full`` or ``contour``.
        params: T frames of parameters, whose head rotation chooses the contour; without, the head faces ahead.

    Returns:
        (T, 68, 3) metres.

    Raises:
        UnavailableError: the model has no such landmarks.
    """
    (n_frames,) = check_shape("vertices", vertices, "T", len(arrays.template), 3)
    if kind == "full":
        fixed = _embedding(arrays, "full")
        return _points(arrays, vertices, fixed.faces[None], fixed.weights[None])
    static, dynamic = _embedding(arrays, "static"), _embedding(arrays, "dynamic")
    row = contour_row(params if params is not None else FlameParams.zeros(n_frames))
    jaw_line = _points(arrays, vertices, dynamic.faces[row], dynamic.weights[row])
    return np.concatenate([jaw_line, _points(arrays, vertices, static.faces[None], static.weights[None])], axis=1)


def contour_row(params: FlameParams) -> Indices:
    """(T,) rows of the contour table: the head's yaw about the vertical axis in whole degrees, at most 39 either way.

    The head's rotation is global times neck, as in DECA; smplx 0.1.28 looks at the global rotation alone.
    """
    rotation = matrix_from_axis_angle(params.global_pose.astype(np.float64)) @ matrix_from_axis_angle(
        params.neck.astype(np.float64)
    )
    yaw = np.arctan2(-rotation[:, 2, 0], np.hypot(rotation[:, 0, 0], rotation[:, 1, 0]))
    degrees = np.clip(np.round(-np.degrees(yaw)), -_LAST_YAW, _LAST_YAW).astype(np.int64)
    return np.asarray(np.where(degrees < 0, _LAST_YAW - degrees, degrees))


def _embedding(arrays: HeadArrays, name: str) -> Landmarks:
    if name not in arrays.landmarks:
        remedy = "" if arrays.is_stand_in else "put landmark_embedding.npy beside the model file"
        raise UnavailableError(f"{arrays.name} has no {name} landmarks", remedy=remedy)
    return arrays.landmarks[name]


def _points(arrays: HeadArrays, vertices: Frames, faces: Indices, weights: Floats) -> Frames:
    """Barycentric points of (1 or T, L) faces."""
    frame = np.arange(len(vertices))[:, None, None]
    corners = vertices[frame, arrays.faces[faces]]  # (T, L, 3 corners, 3)
    return np.asarray(np.einsum("tlcx,tlc->tlx", corners, np.broadcast_to(weights, corners.shape[:3])), vertices.dtype)
