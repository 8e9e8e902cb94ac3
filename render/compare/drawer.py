"""Heads and their errors, drawn alike in every cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.params import Frames
from singinghead.render.heat import ColorScale, heat_scene
from singinghead.render.painter import Frame, Painter
from singinghead.render.rasterizer import Rasterizer
from singinghead.render.scene import Scene
from singinghead.render.software import SoftwareRasterizer
from singinghead.render.views import Rig
from singinghead.render.yuv import to_yuv420p


@dataclass(frozen=True)
class Look:
    """How heads are shown.

    Attributes:
        scene: the head.
        rig: from where, for all of them.
        scale: of the errors' colours.
        painter: makes what paints heads with a rasterizer, where more is drawn than the head alone; else None.
    """

    scene: Scene
    rig: Rig
    scale: ColorScale
    painter: Callable[[Rasterizer], Painter] | None = None


class Drawer:
    """Draws heads and their errors as a look says, in as many threads as it allows.

    Args:
        look: of them.
        size: of each view, pixels.
    """

    def __init__(self, look: Look, size: int) -> None:
        self._look = look
        self._heads = SoftwareRasterizer(look.scene, look.rig.camera, size)
        self._heat = SoftwareRasterizer(heat_scene(look.scene), look.rig.camera, size)
        self._painter = look.painter(self._heads) if look.painter else None
        self.threads = self._heads.threads

    def head(self, head: Frame) -> NDArray[np.uint8]:
        """The picture (size, views * size, 3).

        Raises:
            InputError: the head cannot be drawn.
        """
        if self._painter is not None:
            return self._painter.paint(head).picture
        return self._seen(self._heads, head, None)

    def error(self, head: Frame, error: Frames) -> NDArray[np.uint8]:
        """The picture (size, views * size, 3) of a head in the colours of its errors (V,) in mm.

        Raises:
            InputError: the head cannot be drawn.
        """
        return self._seen(self._heat, head, self._look.scale.colors(error))

    def planes(self, head: Frame, error: Frames | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Both as video stores them; see :func:`~singinghead.render.yuv.to_yuv420p`. No error has no picture."""
        cameras = self._look.rig.cameras(head.index)
        if self._painter is None and len(cameras) == 1 and error is not None:
            colors = self._look.scale.colors(error)
            return self._heads.draw_yuv_twice(head.vertices, self._heat, colors, cameras[0])
        return to_yuv420p(self.head(head)), None if error is None else to_yuv420p(self.error(head, error))

    def close(self) -> None:
        """Give the rasterizers' memory back."""
        self._heads.close()
        self._heat.close()

    def _seen(self, rasterizer: SoftwareRasterizer, head: Frame, colors: Frames | None) -> NDArray[np.uint8]:
        cameras = self._look.rig.cameras(head.index)
        return np.concatenate([rasterizer.draw(head.vertices, colors, camera) for camera in cameras], axis=1)
