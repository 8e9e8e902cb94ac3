"""Distances between parameters: of a prediction to the ground truth, and of samples among themselves.

Conventions:
    Parameters are (T, 59) vectors: expression 50, global 3, neck 3, jaw 3, rotations as vectors in radians; the pose is
    columns 50 to 55. Predictions may have leading axes. Distances are from 0. Lower is better, but for diversity, whose best
    value is unknown where each song was sung once: read it beside the errors.

Source:
    The SingingHead benchmark (MeanDist, MinDist, Diversity). Rotation vectors are no distance where they wrap, and global
    and neck can cancel, hence the angle between heads as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.rotations import matrix_from_axis_angle
from singinghead.metrics.numpy_or_torch import Array, length, to_numpy

HEAD = slice(50, 56)
"""Global and neck rotation among the 59 parameters."""


def vector_distance(prediction: Array, truth: Array) -> Array:
    """Mean over t of ||p - g||.

    Args:
        prediction: (..., T, D).
        truth: (T, D). ``dist_params`` is of all 59 columns, ``dist_pose_rad`` of :data:`HEAD`.

    Returns:
        (...,) in the columns' unit.
    """
    if tuple(prediction.shape[-2:]) != tuple(truth.shape):
        raise InputError(
            f"prediction must have shape (..., {', '.join(map(str, truth.shape))}); got {tuple(prediction.shape)}"
        )
    return length(prediction - truth).mean(-1)


def head_rotation(params: FlameParams) -> Floats:
    """(T, 3, 3) rotation of the head: global times neck."""
    turns = (matrix_from_axis_angle(turn.astype(np.float64)) for turn in (params.global_pose, params.neck))
    rotation: Floats = next(turns) @ next(turns)
    return rotation


def rotation_between_deg(first: Floats, second: Floats) -> Floats:
    """(...,) angles in degrees, 0 to 180, of the turns between (..., 3, 3) rotations: 2 asin(||A - B|| / sqrt(8))."""
    difference = np.linalg.norm(first - second, axis=(-2, -1))
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(difference / np.sqrt(8), 0, 1))))


def head_rotation_error(prediction: FlameParams, truth: FlameParams) -> float:
    """``head_rotation_deg``: mean over t of the angle between the heads' rotations, degrees, 0 to 180."""
    return float(rotation_between_deg(head_rotation(prediction), head_rotation(truth)).mean())


def pairs(n_samples: int) -> Iterator[tuple[int, int]]:
    """All pairs of samples.

    Raises:
        InputError: there are fewer than two samples.
    """
    if n_samples < 2:
        raise InputError(f"diversity needs at least 2 samples; got {n_samples}")
    return combinations(range(n_samples), 2)


def vector_diversity(samples: Array) -> Array:
    """``diversity_params``, ``diversity_pose_rad``: mean over pairs of samples and over t of ||a - b||; (S, T, D) in."""
    return _mean([length(samples[a] - samples[b]).mean() for a, b in pairs(len(samples))])


def point_diversity(samples: Array) -> Array:
    """``diversity_*_mm``: mean over pairs of samples, t and points of the distance between the two, in mm.

    Args:
        samples: (S, T, N, 3) points in metres.
    """
    return 1000.0 * _mean([length(samples[a] - samples[b]).mean() for a, b in pairs(len(samples))])


def _mean(values: list[Array]) -> Array:
    return sum(values[1:], start=values[0]) / len(values)


def largest_turn_deg(vertices: Array, neutral: Array) -> float:
    """By how many degrees (T, V, 3) vertices are turned at most, each frame as one stiff body, from (V, 3) neutral ones.

    The angle of the rotation that fits best in least squares (Kabsch 1976). A face alone turns it by little.
    """
    fixed = to_numpy(neutral - neutral.mean(0)).astype(np.float64)
    moved = to_numpy(vertices - vertices.mean(-2)[..., None, :]).astype(np.float64)
    u, _, v = np.linalg.svd(np.einsum("tvx,vy->txy", moved, fixed))
    turn = u @ (np.eye(3) * [1, 1, 0] + np.linalg.det(u @ v)[:, None, None] * np.diag([0, 0, 1])) @ v
    return float(rotation_between_deg(turn, np.eye(3)).max())
