"""What explains colours in a picture: a colour bar with its unit, or names beside their colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import HeadArrays
from singinghead.render.heat import ColorScale
from singinghead.render.surface_colors import palette, vertex_regions

_INK = (32, 36, 42, 255)
_PLATE = (250, 250, 252, 215)
_SMALLEST_TEXT = 9
_MOST_WIDE, _MOST_HIGH = 0.36, 0.75
"""Of a picture: beyond, it would hide the head."""


@dataclass(frozen=True, eq=False)
class Legend:
    """A picture with opacity, in the upper left corner of frames.

    Attributes:
        plate: (H, W, 4) uint8, straight alpha.
    """

    plate: NDArray[np.uint8]

    def fits(self, size: int) -> bool:
        """Whether it leaves most of a square picture free."""
        height, width, _ = self.plate.shape
        return bool(height <= _MOST_HIGH * size and width <= _MOST_WIDE * size)

    def drawn_on(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of a picture (H, W, 3) with it, which has room for it."""
        plate = self.plate.astype(np.float32)
        out, share = picture.copy(), plate[..., 3:] / np.float32(255)
        corner = out[: plate.shape[0], : plate.shape[1]]
        corner[:] = np.round(corner + share * (plate[..., :3] - corner)).astype(np.uint8)
        return out


def color_bar(scale: ColorScale, size: int) -> Legend:
    """A vertical bar from 0 to the scale's maximum, for pictures of that height."""
    from PIL import Image, ImageDraw

    text, font = _font(size)
    gap, height, width = max(3, size // 64), size * 9 // 32, max(6, size // 48)
    labels = [f"{value:g}" for value in (scale.maximum, scale.maximum / 2, 0)]
    wide = int(max(font.getlength(words) for words in [*labels, scale.unit]))
    plate = Image.new("RGBA", (gap + width + gap + wide + gap + gap, height + text * 2 + 4 * gap))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((gap // 2, gap // 2, plate.width - 1, plate.height - 1), gap, fill=_PLATE)
    pen.text((2 * gap, gap), scale.unit, font=font, fill=_INK)
    top = text + 3 * gap
    levels = scale.srgb(np.linspace(scale.maximum, 0, height))
    plate.paste(Image.fromarray(np.repeat(levels[:, None], width, axis=1)), (2 * gap, top))
    for label, share in zip(labels, (0.0, 0.5, 1.0), strict=True):
        pen.text((2 * gap + width + gap, top + share * height), label, font=font, fill=_INK, anchor="lm")
    return Legend(np.asarray(plate))


def region_names(arrays: HeadArrays, size: int) -> Legend:
    """The names of the regions beside their colours, for pictures of that height."""
    from PIL import Image, ImageDraw

    _, names = vertex_regions(arrays)
    text, font = _font(size)
    gap, line = max(3, size // 64), text + text // 4 + 1
    shown: Sequence[str] = [name.replace("_", " ") for name in names]
    wide = int(max((font.getlength(words) for words in shown), default=0))
    plate = Image.new("RGBA", (4 * gap + text + wide, line * len(names) + 2 * gap))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((gap // 2, gap // 2, plate.width - 1, plate.height - 1), gap, fill=_PLATE)
    for row, (words, color) in enumerate(zip(shown, palette(names), strict=True)):
        y = gap + row * line
        pen.rectangle(
            (2 * gap, y + 1, 2 * gap + text - 2, y + text - 1), fill=(*np.round(255 * color).astype(int).tolist(), 255)
        )
        pen.text((2 * gap + text + gap // 2, y + text / 2), words, font=font, fill=_INK, anchor="lm")
    return Legend(np.asarray(plate))


def _font(size: int):  # type: ignore[no-untyped-def]
    """Height in pixels, and Pillow's own font of it."""
    from PIL import ImageFont

    text = max(_SMALLEST_TEXT, size // 44)
    return text, ImageFont.load_default(text)
