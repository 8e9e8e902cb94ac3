"""Errors in millimetres as colours: one fixed scale, so that frames, methods and clips compare.

The colour map is perceptually uniform: equal differences of error look equally different. A head of these colours is drawn
without light and shadow, so that every pixel can be read off the bar.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import Frames
from singinghead.render.compare.captions import FAINT, INK, font
from singinghead.render.compare.layout import Box
from singinghead.render.scene import Light, Scene
from singinghead.render.texture import GAMMA

COLOR_MAP = "viridis"
_STEPS = 1024


@dataclass(frozen=True)
class HeatScale:
    """From millimetres to colours.

    Attributes:
        most_mm: whatever lies this far away, or farther, has the last colour.
    """

    most_mm: float = 10.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.most_mm <= 1000:
            raise InputError(f"a scale to {self.most_mm:g} mm is not within 0.01..1000 mm")

    def colors(self, errors: Floats | Frames) -> Frames:
        """(..., 3) linear colours of (...) millimetres, for the rasterizers."""
        return _linear()[self._step(errors)]

    def srgb(self, errors: Floats | Frames) -> NDArray[np.uint8]:
        """(..., 3) the same as they stand in the picture."""
        return np.round(255 * _encoded()[self._step(errors)]).astype(np.uint8)

    def millimetres(self, pixels: NDArray[np.uint8]) -> Floats:
        """(...) the errors whose colours are nearest to (..., 3) pixels: what a reader does with the bar."""
        flat = pixels.reshape(-1, 3).astype(np.float64) / 255
        nearest = np.array([np.square(_encoded() - pixel).sum(axis=1).argmin() for pixel in flat], np.float64)
        return np.asarray((nearest / (_STEPS - 1) * self.most_mm).reshape(pixels.shape[:-1]))

    def _step(self, errors: Floats | Frames) -> NDArray[np.int64]:
        share = np.clip(np.asarray(errors) / self.most_mm, 0, 1)
        return np.asarray(np.round(share * (_STEPS - 1)), np.int64)


def heat_scene(scene: Scene) -> Scene:
    """The same head for colours of its own: lit evenly from everywhere, so that these come out as they are."""
    dark = Light(np.array([0.0, 0.0, 1.0]), np.zeros(3))
    return replace(scene, lights=(dark,), ambient=np.ones(3))


def draw_bar(picture: Image.Image, box: Box, scale: HeatScale) -> None:
    """Draw the scale with its numbers: upwards, the largest error at the top.

    Args:
        picture: drawn upon.
        box: for all of it.
        scale: of the colours.
    """
    draw = ImageDraw.Draw(picture)
    type_size = 0.22 * box.width
    letters = font(type_size)
    x, width = box.x + round(0.2 * box.width), round(0.2 * box.width)
    top, bottom = box.y + round(1.6 * type_size), box.bottom - round(0.8 * type_size)
    rows = scale.srgb(np.linspace(scale.most_mm, 0, bottom - top))
    picture.paste(Image.fromarray(np.repeat(rows[:, None], width, axis=1)), (x, top))
    draw.rectangle((x, top, x + width - 1, bottom - 1), outline=FAINT, width=max(1, round(0.012 * box.width)))
    draw.text((x, box.y + 0.6 * type_size), "error, mm", fill=INK, font=letters, anchor="lm")
    for share in np.linspace(0, 1, 6):
        y = bottom - share * (bottom - top)
        mark = f"{share * scale.most_mm:g}" if share < 1 else f"≥ {scale.most_mm:g}"
        draw.line((x + width, y, x + 1.2 * width, y), fill=INK, width=max(1, round(0.02 * box.width)))
        draw.text((x + 1.4 * width, y), mark, fill=INK, font=letters, anchor="lm")


@functools.cache
def _encoded() -> Floats:
    """(N, 3) colours as they stand in the picture, 0 to 1."""
    import matplotlib

    table = matplotlib.colormaps[COLOR_MAP](np.arange(256))[:, :3]
    position = np.linspace(0, 255, _STEPS)
    return np.stack([np.interp(position, np.arange(256), channel) for channel in table.T], axis=1)


@functools.cache
def _linear() -> Frames:
    return (_encoded() ** GAMMA).astype(np.float32)
