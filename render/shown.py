"""What a picture shows beside the plain head, as the user asked for it: views, overlays, colours, background, layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.landmarks import LandmarkSet
from singinghead.render.heat import ColorScale
from singinghead.render.styles import HOUSE, style_named
from singinghead.render.texture import Texture
from singinghead.render.views import check_views

ColourBy = Literal["region", "speed", "error"]

LAYERS = ("color", "depth", "normal", "part", "alpha")

_COLOUR_MAX = {"speed": 200.0, "error": 10.0}
"""What the end of the scale stands for by default: mm/s, mm."""


@dataclass(frozen=True)
class Shown:
    """What is drawn, where it is more than a head in front of a plain background.

    Attributes:
        views: names of :data:`~singinghead.render.views.VIEWS`, side by side in one picture.
        turntable: the camera goes once around the head while the clip lasts.
        wireframe: the mesh's visible edges over the surface.
        landmarks: which set of points is drawn where they are visible, or None.
        regions: borders of the model's named regions.
        colour_by: colours in the place of the head's own: named regions, speed in mm/s, or the distance from the ground
            truth in mm, with head pose zero and the ground truth's shape.
        colour_max: mm/s or mm at the end of the scale; None is 200 and 10.
        background: a colour (``#rrggbb`` or a name) or a picture's file; None is the style's.
        texture: a picture's file, or FLAME's albedo; None is the style's skin.
        style: name of one of :data:`~singinghead.render.styles.STYLES`.
        anatomy: whether a head without eyes, teeth and mouth of its own gets them.
        layers: of :data:`LAYERS`; those beside ``color``, the video itself, are written beside it.
        alpha_as: ``webm`` (VP9 with alpha) or ``png``.
    """

    views: tuple[str, ...] = ("front",)
    turntable: bool = False
    wireframe: bool = False
    landmarks: LandmarkSet | None = None
    regions: bool = False
    colour_by: ColourBy | None = None
    colour_max: float | None = None
    background: str | None = None
    texture: str | None = None
    style: str = HOUSE.name
    anatomy: bool = True
    layers: tuple[str, ...] = ("color",)
    alpha_as: Literal["webm", "png"] = "webm"

    def __post_init__(self) -> None:
        """Check what can be checked without the clip.

        Raises:
            InputError: an unknown view, layer or style, or options that contradict each other.
        """
        check_views(self.views)
        style_named(self.style)
        for layer in self.layers:
            if layer not in LAYERS:
                raise InputError(f"no layer '{layer}'", remedy=f"layers are {', '.join(LAYERS)}")
        if self.turntable and self.views != ("front",):
            raise InputError("--turntable contradicts --view: one camera goes around")
        if self.colour_max is not None and self.colour_by not in _COLOUR_MAX:
            raise InputError("--colour-max needs --colour-by speed or error")
        if self.colour_max is not None and not 0 < self.colour_max < np.inf:
            raise InputError(f"--colour-max {self.colour_max:g} is not above 0")
        if self.texture is not None and self.colour_by is not None:
            raise InputError("--texture contradicts --colour-by: only one can colour the head")

    @property
    def is_plain(self) -> bool:
        """Whether a rasterizer's picture of each frame is all there is to draw."""
        return not (self.needs_layers or self.turntable or self.colour_by or self.views != ("front",))

    @property
    def needs_layers(self) -> bool:
        """Whether what lies behind the colours has to be known."""
        has_image = self.background is not None and background_color(self.background) is None
        return bool(self.wireframe or self.landmarks or self.regions or has_image or self.extra_layers)

    @property
    def extra_layers(self) -> tuple[str, ...]:
        """The layers that are written beside the video, in a fixed order."""
        return tuple(layer for layer in LAYERS[1:] if layer in self.layers)

    def with_absolute_paths(self) -> Shown:
        """The same, wherever the working directory is."""
        is_file = self.background is not None and background_color(self.background) is None
        return replace(
            self,
            texture=str(Path(self.texture).absolute()) if self.texture else None,
            background=str(Path(str(self.background)).absolute()) if is_file else self.background,
        )

    @property
    def scale(self) -> ColorScale:
        """Of the colours, where they stand for numbers: mm/s of speed, mm of error."""
        by = "speed" if self.colour_by == "speed" else "error"
        return ColorScale(self.colour_max or _COLOUR_MAX[by], "mm/s" if by == "speed" else "mm")


def background_color(background: str) -> NDArray[np.uint8] | None:
    """(3,) of a colour's name or ``#rrggbb``; None if it is neither, and so is to be a file."""
    from PIL import ImageColor

    try:
        return np.array(ImageColor.getrgb(background)[:3], np.uint8)
    except ValueError:
        return None


def background_image(background: str, size: int) -> NDArray[np.uint8]:
    """(size, size, 3) of a picture's file: its middle, as large as fits.

    Raises:
        InputError: neither a colour nor a readable picture.
    """
    from PIL import Image, ImageOps

    try:
        image = Texture.read(background).image
    except InputError as error:
        raise InputError(f"--background: {error}", remedy="a colour such as white or #d0d4d8, or a PNG or JPEG") from None
    return np.asarray(ImageOps.fit(Image.fromarray(image), (size, size), Image.Resampling.LANCZOS))
