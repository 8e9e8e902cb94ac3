"""How steadily things move: jitter, velocity error, and how much the head moves at all.

Conventions:
    Vertices are (..., T, V, 3) in metres at zero head pose; differences are between neighbouring frames, times the rate.
    Jitter and head motion are read beside the ground truth's own; the velocity error is 0 at best, lower is better.
"""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.metrics.motion_distance import rotation_between_deg
from singinghead.metrics.numpy_or_torch import Array, length
from singinghead.metrics.vertex_errors import MM


def acceleration_curve(vertices: Array, fps: float) -> Array:
    """(..., T - 2) mm/s²: mean over v of ||x(t+1) - 2 x(t) + x(t-1)|| fps²."""
    _enough(vertices, 3)
    return MM * fps**2 * length(vertices[..., 2:, :, :] - 2 * vertices[..., 1:-1, :, :] + vertices[..., :-2, :, :]).mean(-1)


def jitter(vertices: Array, fps: float) -> Array:
    """``jitter_mm_s2``: mean over t of :func:`acceleration_curve`."""
    return acceleration_curve(vertices, fps).mean(-1)


def velocity_error_curve(prediction: Array, truth: Array, fps: float) -> Array:
    """(..., T - 1) mm/s: mean over v of ||(p(t+1) - p(t)) - (g(t+1) - g(t))|| fps; (T, V, 3) ``truth`` in metres."""
    _enough(truth, 2)
    error = prediction - truth
    return MM * fps * length(error[..., 1:, :, :] - error[..., :-1, :, :]).mean(-1)


def velocity_error(prediction: Array, truth: Array, fps: float) -> Array:
    """``velocity_error_mm_s``: mean over t of :func:`velocity_error_curve`."""
    return velocity_error_curve(prediction, truth, fps).mean(-1)


def head_motion(rotation: Floats) -> float:
    """``head_motion_deg``: root mean square over t of the angle to the mean rotation, degrees; 0 for a still head.

    Args:
        rotation: (T, 3, 3) the head's rotations. Their mean is the rotation nearest to the matrices' mean (Moakher 2002).
    """
    u, _, v = np.linalg.svd(rotation.mean(axis=0))
    mean = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    return float(np.sqrt((rotation_between_deg(rotation, mean) ** 2).mean()))


def _enough(vertices: Array, n_frames: int) -> None:
    if vertices.shape[-3] < n_frames:
        raise InputError(f"speed and acceleration need at least {n_frames} frames; got {vertices.shape[-3]}")
