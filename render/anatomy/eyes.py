"""Irises: a cap over the front of an eyeball, round where the eyeball's own triangles are not."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.model import Subject
from singinghead.render.anatomy.piece import Piece, sheet

_SEGMENTS = 40
_RINGS = np.radians([0.0, 6.0, 10.2, 10.9, 13.0, 17.0, 21.0, 24.5, 26.4, 27.4])
"""As seen from the eyeball's centre: an iris of 12 mm on an eyeball of 24 mm, a pupil of 4.5 mm."""
_PUPIL, _WHITE = np.array([0.012, 0.012, 0.014]), np.ones(3)
_IRIS = np.array([[0.30, 0.25, 0.17], [0.24, 0.30, 0.32], [0.19, 0.28, 0.34], [0.13, 0.20, 0.26], [0.04, 0.06, 0.08]])
"""From the pupil to the dark ring around."""
_ABOVE = 0.00018
"""Metres over the eyeball."""


def sphere_of(points: Floats) -> tuple[Floats, float]:
    """The centre (3,) and radius of the sphere nearest to points (N, 3)."""
    known = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    found = np.linalg.lstsq(known, (points**2).sum(axis=1), rcond=None)[0]
    return found[:3], float(np.sqrt(max(found[3] + found[:3] @ found[:3], 0)))


def iris(subject: Subject, ball: Indices, bone: int) -> Piece:
    """The iris and pupil of an eyeball that looks ahead (along z) in the neutral head."""
    points = subject.template[ball]
    centre, radius = sphere_of(points)
    offset = points - centre
    distance = np.linalg.norm(offset, axis=1)
    from_gaze = np.arccos(np.clip(offset[:, 2] / distance, -1, 1))
    highest = [max(distance[np.abs(from_gaze - angle) < 0.15].max(initial=0.0), radius) for angle in _RINGS]
    height = np.array(highest) + _ABOVE * np.linspace(1, 0.3, len(_RINGS))
    turn = np.linspace(0, 2 * np.pi, _SEGMENTS, endpoint=False)
    angle, around = np.meshgrid(_RINGS, turn, indexing="ij")
    direction = np.stack([np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.cos(angle)], axis=-1)
    rest = (centre + height[:, None, None] * direction).reshape(-1, 3)
    streaks = 1 + 0.22 * np.sin(11 * around + 2 * np.sin(3 * around)) * np.sin(5 * around + 1)
    colors = np.ones((*angle.shape, 3)) * _PUPIL
    colors[3:8] = _IRIS[:, None] * streaks[3:8, :, None]
    colors[8] = 0.35 * _WHITE
    colors[9] = 0.9 * _WHITE
    nearest = ball[np.linalg.norm(rest[:, None] - points, axis=2).argmin(axis=1)]
    return Piece.on(bone, "eyes", rest, sheet(len(_RINGS), _SEGMENTS, closed=True), colors.reshape(-1, 3), nearest)
