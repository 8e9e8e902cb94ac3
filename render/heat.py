"""Numbers as colours on a head: one map and one light for all, so that frames, methods, clips and commands compare.

The colour map is perceptually uniform: equal differences look equally different. It runs from pale to dark, so that a face
without error still shows its features. What a lamp at the camera meets squarely has exactly the bar's colour; what turns
away is the same colour, dimmed a little: the ratio of red, green and blue alone tells the number.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import Frames
from singinghead.render.scene import Light, Scene
from singinghead.render.texture import GAMMA

_MAP, _MAP_END = "magma_r", 0.9
"""Of matplotlib's; its last tenth is black, which no light shows the shape of."""
_STEPS = 1024
_LAMP = 0.3
"""The share of the light that comes from the camera."""


@dataclass(frozen=True)
class ColorScale:
    """From numbers to colours, from 0.

    Attributes:
        maximum: whatever is as large, or larger, has the last colour.
        unit: of the numbers.
    """

    maximum: float
    unit: str

    def __post_init__(self) -> None:
        if not 0.01 <= self.maximum <= 1e6:
            raise InputError(f"a scale to {self.maximum:g} {self.unit} is not within 0.01..1000000 {self.unit}")

    def colors(self, values: NDArray[np.floating]) -> Frames:
        """(..., 3) linear colours of values (...), for the rasterizers."""
        return _linear()[self._step(values)]

    def srgb(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """(..., 3) the same as they stand in the picture."""
        return np.round(255 * color_table()[self._step(values)]).astype(np.uint8)

    def values(self, pixels: NDArray[np.uint8]) -> Floats:
        """(...) the numbers whose colours (..., 3) pixels have, dimmed or not: what a reader does with the bar."""
        wanted = (pixels.reshape(-1, 3).astype(np.float64) / 255) ** GAMMA
        known = _linear().astype(np.float64)
        alike = wanted @ (known / np.linalg.norm(known, axis=1, keepdims=True)).T
        return np.asarray((alike.argmax(axis=1) / (_STEPS - 1) * self.maximum).reshape(pixels.shape[:-1]))

    def _step(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        share = np.clip(np.asarray(values, np.float64) / self.maximum, 0, 1)
        return np.asarray(np.round(share * (_STEPS - 1)), np.int64)


def heat_scene(scene: Scene) -> Scene:
    """The same head for colours of its own, chalk under a light that leaves these as they are."""
    rough = tuple(replace(part, material=replace(part.material, roughness=1.0)) for part in scene.parts)
    lamp = Light(np.array([0.0, 0.0, 1.0]), np.full(3, _LAMP * math.pi))
    return replace(scene, parts=rough, lights=(lamp,), ambient=np.full(3, 1 - _LAMP))


@functools.cache
def color_table() -> Floats:
    """(1024, 3) the colours from 0 to the end of a scale as they stand in the picture, 0 to 1."""
    import matplotlib as mpl

    position = np.linspace(0, 255 * _MAP_END, _STEPS)
    table = mpl.colormaps[_MAP](np.arange(256))[:, :3]
    return np.stack([np.interp(position, np.arange(256), channel) for channel in table.T], axis=1)


@functools.cache
def _linear() -> Frames:
    return (color_table() ** GAMMA).astype(np.float32)
