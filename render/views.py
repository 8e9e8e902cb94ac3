"""Where a clip is seen from: several sides at once, or all around. One rig: cameras of one lens, as far from one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import JOINTS, Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import Subject
from singinghead.render.camera import Camera

VIEWS = {"front": 0.0, "left": 90.0, "right": -90.0, "three-quarter": 40.0}
"""Degrees from the front to the side of the head's left ear."""

_AXIS_BEHIND_EYES = 0.065
"""Metres: about the middle of a head."""


@dataclass(frozen=True)
class Rig:
    """Cameras around a head.

    Attributes:
        camera: from the front.
        axis: (3,) a point of the vertical axis around which the others stand.
        views: names of :data:`VIEWS`, from left to right in the picture.
        frames_a_turn: of a camera that goes around the head, by the side of the left ear first; None stands still.
    """

    camera: Camera
    axis: Floats
    views: tuple[str, ...] = ("front",)
    frames_a_turn: int | None = None

    def cameras(self, index: int) -> list[Camera]:
        """Of the frame of that index, one a view."""
        turn = 2 * np.pi * index / self.frames_a_turn if self.frames_a_turn else 0.0
        return [self.camera.turned(np.radians(VIEWS[view]) + turn, self.axis) for view in self.views]


def check_views(views: Sequence[str]) -> None:
    """Refuse views that there are not.

    Raises:
        InputError: an unknown view, none, or one named twice.
    """
    for view in views:
        if view not in VIEWS:
            raise InputError(f"no view '{view}'", remedy=f"views are {', '.join(VIEWS)}")
    if not views or len(set(views)) < len(views):
        raise InputError(f"views '{','.join(views)}'", remedy="name each view once, separated by commas")


def axis_of(subject: Subject) -> Floats:
    """(3,) metres: the middle of the neutral head, behind the middle of its eyes."""
    joints = subject.neutral_joints
    axis: Floats = (joints[JOINTS.index("left_eye")] + joints[JOINTS.index("right_eye")]) / 2 - [0, 0, _AXIS_BEHIND_EYES]
    return axis
