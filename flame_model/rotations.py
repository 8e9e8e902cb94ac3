"""Axis-angle rotations in radians, as numpy arrays."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.params import Frames

Real = TypeVar("Real", bound=np.floating)


def rotation_angle(axis_angle: Frames) -> Frames:
    """The angles in radians, (...,), of axis-angle rotations (..., 3)."""
    with np.errstate(over="ignore"):
        return np.asarray(np.linalg.norm(axis_angle, axis=-1), np.float32)


def matrix_from_axis_angle(axis_angle: NDArray[Real]) -> NDArray[Real]:
    """Rotation matrices (..., 3, 3) of axis-angle rotations (..., 3), by Rodrigues' formula."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(axis_angle / np.maximum(angle[..., 0], 1e-12), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross), axis_angle.dtype)


def angle_between(start: Frames, end: Frames) -> NDArray[np.float64]:
    """The angles in radians, (T,), 0 to π, of the shortest rotations from ``start`` to ``end``, both (T, 3) axis-angle."""
    a, b = _quaternion(start), _quaternion(end)
    sign = np.where((a * b).sum(axis=1, keepdims=True) < 0, -1, 1)
    # From the chord and not the cosine, which knows no angle under 1e-8.
    return np.asarray(4 * np.arcsin(np.minimum(np.linalg.norm(a - sign * b, axis=1) / 2, 1)))


def slerp(start: Frames, end: Frames, weight: Frames) -> Frames:
    """Rotate evenly from ``start`` to ``end`` along the shorter way.

    Args:
        start: (T, 3) axis-angle.
        end: (T, 3) axis-angle.
        weight: (T, 1) 0 at start, 1 at end.

    Returns:
        (T, 3) axis-angle, as long as ``start`` and ``end`` are where the weight is 0 or 1.
    """
    a, b = _quaternion(start), _quaternion(end)
    cosine = (a * b).sum(axis=1, keepdims=True)
    b = np.where(cosine < 0, -b, b)
    half = np.arccos(np.clip(np.abs(cosine), 0, 1))
    still = half < 1e-6
    sine = np.where(still, 1, np.sin(half))
    mixed = np.where(still, a + weight * (b - a), (np.sin((1 - weight) * half) * a + np.sin(weight * half) * b) / sine)
    between = _axis_angle(mixed)
    # Exact at the ends: an angle over π would come back as its shorter equal.
    return np.asarray(np.where(weight == 0, start, np.where(weight == 1, end, between)), start.dtype)


def _quaternion(axis_angle: Frames) -> Frames:
    """(T, 4) unit quaternions, real part first."""
    rotation = axis_angle.astype(np.float64)
    angle = np.linalg.norm(rotation, axis=1, keepdims=True)
    return np.asarray(np.concatenate([np.cos(angle / 2), np.sinc(angle / 2 / np.pi) * rotation / 2], axis=1))


def _axis_angle(quaternion: Frames) -> Frames:
    quaternion = np.where(quaternion[:, :1] < 0, -quaternion, quaternion)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1, keepdims=True)
    angle = 2 * np.arctan2(sine, quaternion[:, :1])
    return np.asarray(np.where(sine < 1e-9, 2, angle / np.maximum(sine, 1e-9)) * quaternion[:, 1:])
