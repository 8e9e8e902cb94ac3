"""Errors in millimetres as colours: one fixed scale, so that frames, methods and clips compare.

The colour map is perceptually uniform: equal differences of error look equally different. It runs from pale to dark, so that
a face without error still shows its features. What a lamp at the camera meets squarely has exactly the bar's colour; what
turns away is the same colour, dimmed a little: the ratio of red, green and blue alone tells the millimetres.
"""

from __future__ import annotations

import functools
import math
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

_MAP, _MAP_END = "magma_r", 0.9
"""Of matplotlib's; its last tenth is black, which no light shows the shape of."""
_STEPS = 1024
_LAMP = 0.3
"""The share of the light that comes from the camera."""


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
        return np.round(255 * color_table()[self._step(errors)]).astype(np.uint8)

    def millimetres(self, pixels: NDArray[np.uint8]) -> Floats:
        """(...) the errors whose colours (..., 3) pixels have, dimmed or not: what a reader does with the bar."""
        wanted = (pixels.reshape(-1, 3).astype(np.float64) / 255) ** GAMMA
        known = _linear().astype(np.float64)
        alike = wanted @ (known / np.linalg.norm(known, axis=1, keepdims=True)).T
        return np.asarray((alike.argmax(axis=1) / (_STEPS - 1) * self.most_mm).reshape(pixels.shape[:-1]))

    def _step(self, errors: Floats | Frames) -> NDArray[np.int64]:
        share = np.clip(np.asarray(errors, np.float64) / self.most_mm, 0, 1)
        return np.asarray(np.round(share * (_STEPS - 1)), np.int64)


def heat_scene(scene: Scene) -> Scene:
    """The same head for colours of its own, chalk under a light that leaves these as they are."""
    rough = tuple(replace(part, material=replace(part.material, roughness=1.0)) for part in scene.parts)
    lamp = Light(np.array([0.0, 0.0, 1.0]), np.full(3, _LAMP * math.pi))
    return replace(scene, parts=rough, lights=(lamp,), ambient=np.full(3, 1 - _LAMP))


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
    top, bottom = box.y + round(3.2 * type_size), box.bottom - round(0.8 * type_size)
    rows = scale.srgb(np.linspace(scale.most_mm, 0, bottom - top))
    picture.paste(Image.fromarray(np.repeat(rows[:, None], width, axis=1)), (x, top))
    draw.rectangle((x, top, x + width - 1, bottom - 1), outline=FAINT, width=max(1, round(0.012 * box.width)))
    draw.multiline_text((x, box.y), "error\nmm", fill=INK, font=letters)
    for share in np.linspace(0, 1, 6):
        y = bottom - share * (bottom - top)
        mark = f"{'≥ ' * int(share == 1)}{share * scale.most_mm:g}"
        draw.line((x + width, y, x + 1.2 * width, y), fill=INK, width=max(1, round(0.02 * box.width)))
        draw.text((x + 1.4 * width, y), mark, fill=INK, font=letters, anchor="lm")


@functools.cache
def color_table() -> Floats:
    """(1024, 3) the colours from 0 to the end of the scale as they stand in the picture, 0 to 1."""
    import matplotlib as mpl

    position = np.linspace(0, 255 * _MAP_END, _STEPS)
    table = mpl.colormaps[_MAP](np.arange(256))[:, :3]
    return np.stack([np.interp(position, np.arange(256), channel) for channel in table.T], axis=1)


@functools.cache
def _linear() -> Frames:
    return (color_table() ** GAMMA).astype(np.float32)
