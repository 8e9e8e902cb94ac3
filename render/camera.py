"""Where the picture is taken from.

One fixed camera by default, the same for every clip and method of a subject, so that pictures compare; it never follows
the head. The framing is the peers' (VOCA, FaceFormer, CodeTalker on FLAME): focal length 2377 pixels for an 800 pixel
image, one metre in front of a point a little below and behind the eyes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
    """A pinhole camera that sees a square. Lights turn with it, so that every view of a head is lit alike.

    Attributes:
        position: (3,) metres, in the head's coordinates.
        focal_length: in image sizes.
        name: what results call it: ``fixed`` or ``fit``.
        rotation: (3, 3) whose columns are the picture's right, its up, and the way back from what is looked at, in the
            head's coordinates; None is straight: x to the right, y up, looking along -z.
    """

    position: Floats
    focal_length: float = FOCAL_LENGTH
    name: str = "fixed"
    rotation: Floats | None = None

    def turned(self, yaw: float, about: Floats) -> Camera:
        """This camera, led around the vertical axis through a point.

        Args:
            yaw: radians; positive to the side of the head's left ear. Of 0, it is this very camera.
            about: (3,) metres.
        """
        if yaw == 0:
            return self
        cosine, sine = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
        rotation = turn if self.rotation is None else turn @ self.rotation
        return replace(self, position=about + turn @ (self.position - about), rotation=rotation)

    def seen(self, points: NDArray[np.floating]) -> Floats:
        """Points (..., 3) from the camera, in metres: to the right, up, and towards it, so that what is ahead has z < 0."""
        from_camera = np.asarray(points, np.float64) - self.position
        return from_camera if self.rotation is None else from_camera @ self.rotation

    def project(self, points: NDArray[np.floating], size: int) -> Floats:
        """Pixels of points.

        Args:
            points: (..., 3) metres.
            size: of the image, pixels.

        Returns:
            (..., 3) x to the right, y down, (0, 0) the upper left corner of the image; and the distance in front of the
            camera in metres, negative behind it.
        """
        from_camera = self.seen(points)
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


def fitted_camera(chunks: Iterable[NDArray[np.floating]], axis: Floats | None = None) -> Camera:
    """The camera of the same lens, placed so that it sees the whole motion.

    Args:
        chunks: (T, V, 3) vertices, T free.
        axis: (3,) a point of the vertical axis around which it is going to be turned: it sees the whole motion from all
            sides then; None is from the front alone.
    """
    if axis is not None:
        chunks = (_swept(chunk, axis) for chunk in chunks)
    lows, highs = zip(*((chunk.min(axis=(0, 1)), chunk.max(axis=(0, 1))) for chunk in chunks), strict=True)
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    centre = (low + high) / 2
    half_width = max(high[0] - low[0], high[1] - low[1]) / 2
    distance = half_width * 2 * FOCAL_LENGTH / (1 - 2 * _FIT_MARGIN)
    return Camera(np.array([centre[0], centre[1], high[2] + distance], np.float64), name="fit")


def _swept(vertices: NDArray[np.floating], axis: Floats) -> Floats:
    """(1, 2, 3) corners of the box around what vertices sweep over when they turn around a vertical axis."""
    x, y, z = np.moveaxis(vertices, -1, 0)
    radius = np.hypot(x - axis[0], z - axis[2]).max()
    reach = np.array([radius, 0, radius])
    middles = np.array([[axis[0], height, axis[2]] for height in (y.min(), y.max())])
    return np.stack([middles[0] - reach, middles[1] + reach])[None]
