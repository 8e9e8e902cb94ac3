"""FLAME parameters by name: the only place that knows how the 59 numbers of a frame are ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.shapes import check_shape

Frames = NDArray[np.float32]

N_EXPRESSION = 50
N_PARAMS = 59
N_SHAPE = 100

_EXPRESSION = slice(0, 50)
_GLOBAL, _NECK, _JAW = slice(50, 53), slice(53, 56), slice(56, 59)


@dataclass(frozen=True)
class FlameParams:
    """The motion of one head: T frames of float32 parameters.

    Attributes:
        expression: (T, 50) expression coefficients, standard deviation near 1.
        global_pose: (T, 3) rotation of the whole head about the root joint, axis-angle in radians.
        neck: (T, 3) rotation of the head about the neck joint, axis-angle in radians.
        jaw: (T, 3) rotation of the jaw, axis-angle in radians; x opens.
        eyes: (T, 6) rotation of the left and the right eye, axis-angle in radians; zero in the dataset.
    """

    expression: Frames
    global_pose: Frames
    neck: Frames
    jaw: Frames
    eyes: Frames

    def __post_init__(self) -> None:
        (n_frames,) = check_shape("expression", self.expression, "T", N_EXPRESSION)
        for name, width in (("global_pose", 3), ("neck", 3), ("jaw", 3), ("eyes", 6)):
            check_shape(name, getattr(self, name), n_frames, width)

    @classmethod
    def from_vectors(cls, vectors: NDArray[np.floating]) -> FlameParams:
        """Name the columns of (T, 59) vectors: expression 50, global 3, neck 3, jaw 3. Eyes look ahead."""
        (n_frames,) = check_shape("params", vectors, "T", N_PARAMS)
        columns = np.asarray(vectors, np.float32)
        return cls(
            expression=columns[:, _EXPRESSION],
            global_pose=columns[:, _GLOBAL],
            neck=columns[:, _NECK],
            jaw=columns[:, _JAW],
            eyes=np.zeros((n_frames, 6), np.float32),
        )

    @classmethod
    def zeros(cls, n_frames: int) -> FlameParams:
        """A neutral, still face."""
        return cls.from_vectors(np.zeros((n_frames, N_PARAMS), np.float32))

    def to_vectors(self) -> Frames:
        """(T, 59) vectors; the eyes, which the dataset does not have, are left out."""
        return np.concatenate([self.expression, self.global_pose, self.neck, self.jaw], axis=1)

    def full_pose(self) -> Frames:
        """(T, 15) rotations of root, neck, jaw, left eye, right eye: FLAME's joint order."""
        return np.concatenate([self.global_pose, self.neck, self.jaw, self.eyes], axis=1)

    def __len__(self) -> int:
        return len(self.expression)

    def map(self, function: Callable[[Frames], Frames]) -> FlameParams:
        """Apply one function to every field, e.g. ``params.map(lambda x: x[:60])``."""
        return FlameParams(**{field.name: function(getattr(self, field.name)) for field in fields(self)})

    def with_head_pose(self, other: FlameParams | None) -> FlameParams:
        """These expressions and jaw under the head pose (global, neck, eyes) of ``other``, or under none."""
        pose = FlameParams.zeros(len(self)) if other is None else other
        return replace(self, global_pose=pose.global_pose, neck=pose.neck, eyes=pose.eyes)
