"""Styles: materials, lights and background of a whole picture. Both rasterizers draw each of them alike.

Colours are linear, 0 to 1, unless a name says sRGB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.render.texture import GAMMA


def linear(red: int, green: int, blue: int) -> Floats:
    """A linear colour (3,) from 8-bit numbers of the picture, by the gamma with which it will be encoded again."""
    return (np.array([red, green, blue]) / 255) ** GAMMA


@dataclass(frozen=True)
class Material:
    """How a surface reflects.

    Attributes:
        color: (3,) linear albedo.
        roughness: 0 a mirror, 1 chalk; glTF's perceptual roughness.
        double_sided: draw triangles seen from behind, too.
    """

    color: Floats
    roughness: float
    double_sided: bool = False


@dataclass(frozen=True)
class Light:
    """A lamp infinitely far away.

    Attributes:
        towards: (3,) from the head to the lamp, any length.
        color: (3,) linear colour times intensity.
    """

    towards: Floats
    color: Floats


@dataclass(frozen=True)
class Style:
    """What a head is made of, and what light it stands in.

    Attributes:
        name: for the command line and the record.
        materials: by name of the part: ``skin``, ``eyes``, ``teeth``, ``tongue``, ``mouth``.
        lights: lamps.
        ambient: (3,) light from everywhere.
        background: three 8-bit numbers, as they stand in the picture.
        shadow: (3,) powers of the occlusion that darken a vertex, one for each channel: larger is darker, 0 none.
        paint: how much of the colours of vertices (lips, brows, lids, irises) is seen, 0 to 1.
    """

    name: str
    materials: Mapping[str, Material]
    lights: tuple[Light, ...]
    ambient: Floats
    background: tuple[int, int, int]
    shadow: Floats
    paint: float = 1.0


def _lamp(towards: tuple[float, float, float], color: tuple[float, float, float], intensity: float) -> Light:
    return Light(np.array(towards), intensity * np.array(color))


_LIVING = {
    "skin": Material(linear(222, 182, 162), roughness=0.55),
    "eyes": Material(linear(228, 225, 221), roughness=0.16),
    "teeth": Material(linear(228, 221, 206), roughness=0.3),
    "tongue": Material(linear(172, 84, 82), roughness=0.42),
    "mouth": Material(linear(112, 44, 42), roughness=0.6),
}

HOUSE = Style(
    "house",
    _LIVING,
    (
        _lamp((-0.60, 0.52, 0.95), (1.0, 0.955, 0.90), 2.65),  # key, upper left of the picture, warm
        _lamp((0.95, 0.10, 0.60), (0.90, 0.95, 1.0), 0.85),  # fill, from the right, cool
        _lamp((0.55, 0.70, -0.85), (0.94, 0.97, 1.0), 2.2),  # rim, above and behind
    ),
    ambient=np.array([0.215, 0.205, 0.205]),
    background=(206, 209, 213),
    # Blood carries light into shadow: red is darkened least.
    shadow=np.array([1.0, 1.25, 1.35]),
)
"""Soft light from three sides on living skin: the default."""

_CLAY = linear(216, 214, 211)

PAPER = Style(
    "paper",
    {
        "skin": Material(_CLAY, roughness=0.8),
        "eyes": Material(linear(236, 235, 233), roughness=0.35),
        "teeth": Material(linear(238, 236, 232), roughness=0.5),
        "tongue": Material(linear(150, 142, 140), roughness=0.7),
        "mouth": Material(linear(84, 80, 80), roughness=0.9),
    },
    (
        _lamp((-0.50, 0.75, 0.90), (1.0, 1.0, 1.0), 2.05),
        _lamp((0.90, 0.20, 0.75), (1.0, 1.0, 1.0), 0.95),
        _lamp((0.0, -0.6, 0.80), (1.0, 1.0, 1.0), 0.2),
    ),
    ambient=np.array([0.32, 0.32, 0.325]),
    background=(255, 255, 255),
    shadow=np.array([1.35, 1.35, 1.35]),
    paint=0.24,
)
"""Pale clay in even light on white: shape, and nothing else, also in print."""

STUDIO = Style(
    "studio",
    _LIVING,
    (
        _lamp((-0.85, 0.70, 0.70), (1.0, 0.93, 0.85), 3.3),
        _lamp((0.95, 0.00, 0.45), (0.72, 0.84, 1.0), 0.34),
        _lamp((0.70, 0.50, -1.05), (0.80, 0.90, 1.0), 4.4),
    ),
    ambient=np.array([0.085, 0.085, 0.095]),
    background=(27, 28, 31),
    shadow=np.array([1.1, 1.35, 1.45]),
)
"""One strong lamp and a bright outline in a dark room."""

UNSHADED = replace(HOUSE, shadow=np.zeros(3))
"""For meshes that other programs light."""

STYLES = {style.name: style for style in (HOUSE, PAPER, STUDIO)}
"""By name."""


def style_named(name: str) -> Style:
    """The style of that name.

    Raises:
        InputError: there is none.
    """
    if name not in STYLES:
        raise InputError(f"no style '{name}'", remedy=f"styles are {', '.join(STYLES)}")
    return STYLES[name]
