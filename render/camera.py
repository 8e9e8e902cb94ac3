"""Where the picture is taken from.

One fixed camera by default, the same for every clip and method of a subject, so that pictures compare; it never follows
the head. The framing is the peers' (VOCA, FaceFormer, CodeTalker on FLAME): focal length 2377 pixels for an 800 pixel
image, one metre in front of a point a little below and behind the eyes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import JOINTS, Floats
from singinghead.flame_model.model import Subject

FOCAL_LENGTH = 2377 / 800
"""In image sizes: the image of something as far away as it is large fills 2.97 images."""

DISTANCE = 1.0
"""Metres from the camera to what it looks at."""

_TARGET_FROM_EYES = np.array([0.0, -0.051, -0.025])
_FIT_MARGIN = 0.05
"""Share of the image left free on each side by :func:`fitted_camera`."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along -z, y up, and sees a square.

    Attributes:
        position: (3,) metres, in the head's coordinates.
        focal_length: in image sizes.
        name: what results call it: ``fixed`` or ``fit``.
    """

    position: Floats
    focal_length: float = FOCAL_LENGTH
    name: str = "fixed"

    def project(self, points: NDArray[np.floating], size: int) -> Floats:
        """Pixels of points.

        Args:
            points: (..., 3) metres.
            size: of the image, pixels.

        Returns:
            (..., 3) x to the right, y down, (0, 0) the upper left corner of the image; and the distance in front of the
            camera in metres, negative behind it.
        """
        from_camera = np.asarray(points, np.float64) - self.position
        depth = -from_camera[..., 2]
        scale = self.focal_length * size / depth
        x = size / 2 + scale * from_camera[..., 0]
        y = size / 2 - scale * from_camera[..., 1]
        return np.stack([x, y, depth], axis=-1)


def fixed_camera(subject: Subject) -> Camera:
    """The default: one metre in front of the point 51 mm below and 25 mm behind the middle of the neutral eye joints."""
    joints = subject.neutral_joints
    eyes = (joints[JOINTS.index("left_eye")] + joints[JOINTS.index("right_eye")]) / 2
    return Camera(eyes + _TARGET_FROM_EYES + [0, 0, DISTANCE])


def fitted_camera(chunks: Iterable[NDArray[np.floating]]) -> Camera:
    """The camera of the same lens, placed so that it sees the whole motion.

    Args:
        chunks: (T, V, 3) vertices, T free.
    """
    lows, highs = zip(*((chunk.min(axis=(0, 1)), chunk.max(axis=(0, 1))) for chunk in chunks), strict=True)
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    centre = (low + high) / 2
    half_width = max(high[0] - low[0], high[1] - low[1]) / 2
    distance = half_width * 2 * FOCAL_LENGTH / (1 - 2 * _FIT_MARGIN)
    return Camera(np.array([centre[0], centre[1], high[2] + distance], np.float64), name="fit")
