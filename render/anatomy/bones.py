"""Rigid motions read off moving vertices: of the skull, the jaw and the eyeballs. Nothing but the vertices is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import JOINTS, Floats, HeadArrays, Indices
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import Frames

_N_SKULL, _N_JAW, _N_BALL = 160, 120, 80
"""Vertices that tell a motion; more tell it no better."""
_FEWEST = 12
_STIFF = 0.97
"""Share of the largest weight of a bone that counts as all of it."""


@dataclass(frozen=True)
class Motion:
    """A rotation (3, 3) and then a translation (3,)."""

    rotation: Floats
    translation: Floats

    def of(self, points: Floats) -> Floats:
        """(N, 3) points where they go."""
        return points @ self.rotation.T + self.translation

    def back(self, points: Floats) -> Floats:
        """(N, 3) points where they came from."""
        return (points - self.translation) @ self.rotation


@dataclass(frozen=True)
class Bone:
    """Vertices that move together.

    Attributes:
        vertices: (N,) indices.
        rest: (N, 3) where they are in the neutral head.
        joint: (3,) about which it turns on the skull, or None: it moves freely.
    """

    vertices: Indices
    rest: Floats
    joint: Floats | None = None

    def motion(self, vertices: Frames, skull: Motion | None = None) -> Motion:
        """Its motion from rest to a frame (V, 3), after Kabsch; on a joint, ``skull`` is what that is fixed to."""
        now = vertices[self.vertices].astype(np.float64)
        if self.joint is None or skull is None:
            middle, at_rest = now.mean(axis=0), self.rest.mean(axis=0)
            rotation = _rotation(self.rest - at_rest, now - middle)
            return Motion(rotation, middle - rotation @ at_rest)
        turned = skull.rotation @ _rotation(self.rest - self.joint, skull.back(now) - self.joint)
        return Motion(turned, skull.of(self.joint[None])[0] - turned @ self.joint)


def _rotation(start: Floats, end: Floats) -> Floats:
    """The rotation (3, 3) that brings ``start`` nearest to ``end``, both (N, 3)."""
    left, _, right = np.linalg.svd(end.T @ start)
    left[:, 2] *= np.sign(np.linalg.det(left) * np.linalg.det(right))
    return np.asarray(left @ right)


def skull_of(subject: Subject) -> Bone | None:
    """What never moves on a head: above the eyes, and least moved by expressions. None where there is too little."""
    arrays, joints = subject.arrays, subject.neutral_joints
    eyes = joints[[JOINTS.index("left_eye"), JOINTS.index("right_eye")]]
    weight = arrays.skinning[:, JOINTS.index("neck")]
    found = (weight >= _STIFF * weight.max()) & (subject.template[:, 1] > eyes[:, 1].mean() + 0.01)
    return _stillest(subject, np.flatnonzero(found), _N_SKULL)


def jaw_of(subject: Subject, lips: Floats) -> Bone | None:
    """The chin and the jaw's edge, which turn about its joint, without lips (N, 3) points around which all is left out."""
    weight = subject.arrays.skinning[:, JOINTS.index("jaw")]
    found = (weight >= _STIFF * weight.max()) & (subject.template[:, 1] < lips[:, 1].min() - 0.01)
    return _stillest(subject, np.flatnonzero(found), _N_JAW, subject.neutral_joints[JOINTS.index("jaw")])


def ball_of(subject: Subject, ball: Indices) -> Bone:
    """An eyeball."""
    some = ball[:: max(1, len(ball) // _N_BALL)]
    return Bone(some, subject.template[some])


def _stillest(subject: Subject, found: Indices, count: int, joint: Floats | None = None) -> Bone | None:
    if len(found) < _FEWEST:
        return None
    few = found[np.argsort(_moved_by_expression(subject.arrays, found), kind="stable")[:count]]
    return Bone(np.sort(few), subject.template[np.sort(few)], joint)


def _moved_by_expression(arrays: HeadArrays, vertices: Indices) -> Floats:
    return np.asarray(np.sqrt((arrays.expression_basis[vertices] ** 2).sum(axis=(1, 2))))
