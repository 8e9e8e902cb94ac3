"""Where a model's mouth is: its landmarks, and the hole in the mesh between its lips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import JOINTS, Floats, Indices
from singinghead.flame_model.model import Subject

_INNER = slice(60, 68)
"""Of 68 landmarks in iBUG's order: from the right corner over the upper lip's inside, and back over the lower's."""
_NARROWEST, _WIDEST, _NEAR = 0.02, 0.1, 0.06
"""Metres."""


@dataclass(frozen=True)
class Lips:
    """A mouth that opens into nothing.

    Attributes:
        middle: (3,) metres: between the inner edges of shut lips.
        half_width: metres from there to a corner.
        rim: (R,) vertices around the hole, in order.
        angle: (R,) radians around the hole as seen from ahead: 0 at the head's left corner, positive over the upper lip.
        points: (R, 3) metres.
    """

    middle: Floats
    half_width: float
    rim: Indices
    angle: Floats
    points: Floats


def find_lips(subject: Subject) -> Lips | str:
    """A subject's mouth; or why it has none that is known and open."""
    inner = _inner_landmarks(subject)
    if inner is None:
        return "no landmarks"
    middle, corners = inner[[2, 6]].mean(axis=0), inner[[0, 4]]
    width = float(np.linalg.norm(corners[0] - corners[1]))
    if not _NARROWEST < width < _WIDEST:
        return f"lips {1000 * width:.0f} mm wide"
    hole = _hole_near(subject.template, subject.faces, middle)
    if hole is None:
        return "no opening between the lips"
    points = subject.template[hole]
    across = points[:, 0] - (points[:, 0].max() + points[:, 0].min()) / 2
    left, right = int(across.argmax()), int(across.argmin())
    order = np.roll(np.arange(len(hole)), -left)
    to_right = int(np.flatnonzero(order == right)[0])
    chains = order[1:to_right], order[to_right + 1 :]
    jaw = subject.arrays.skinning[hole, JOINTS.index("jaw")]
    if min(map(len, chains)) < 2:
        return "no opening between the lips"
    lower = max(chains, key=lambda chain: float(jaw[chain].mean() - 20 * points[chain, 1].mean()))
    angle = np.arccos(np.clip(across / np.abs(across).max(), -1, 1))
    angle[lower] *= -1
    return Lips(middle, width / 2, hole, angle, points)


def _inner_landmarks(subject: Subject) -> Floats | None:
    """(8, 3) of the lips' inner edges."""
    landmarks = subject.arrays.landmarks
    for name, shift in (("full", 0), ("static", 17)):
        if name in landmarks:
            found = slice(_INNER.start - shift, _INNER.stop - shift)
            corners = subject.template[subject.faces[landmarks[name].faces[found]]]
            return np.asarray((corners * landmarks[name].weights[found][..., None]).sum(axis=1))
    return None


def _hole_near(template: Floats, faces: Indices, middle: Floats) -> Indices | None:
    """The vertices around the hole in the mesh that lies there, in order."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in edges}
    near = np.linalg.norm(template - middle, axis=1) < _NEAR
    following = {b: a for a, b in known if (b, a) not in known and near[a] and near[b]}
    best: list[int] = []
    while following:
        start = next(iter(following))
        loop, at = [start], following.pop(start)
        while at != start and at in following:
            loop.append(at)
            at = following.pop(at)
        if at == start and len(loop) > len(best):
            best = loop
    points = template[best]
    if len(best) < 8 or not np.ptp(points[:, 0]) > _NARROWEST or np.linalg.norm(points.mean(axis=0) - middle) > _NEAR / 3:
        return None
    return np.array(best)
