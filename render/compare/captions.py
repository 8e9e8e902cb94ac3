"""Names and numbers in a picture, in DejaVu Sans, which matplotlib ships: Latin, Greek and Cyrillic letters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from singinghead.render.compare.layout import Box

Color = tuple[int, int, int]

PAPER: Color = (250, 250, 251)
INK: Color = (28, 30, 34)
FAINT: Color = (120, 126, 134)

_FILL = 0.58
"""The type's size as a share of its line's height."""


def write(
    picture: Image.Image, text: str, box: Box, color: Color = INK, chip: Color | None = None, bold: bool = False
) -> None:
    """Write one line into a box, shortened in the middle if it is too long for it.

    Args:
        picture: written upon.
        text: of any length.
        box: whose height decides the type's size.
        color: of the letters.
        chip: a square of this colour before the text, the same as that of its curves.
        bold: heavier letters.
    """
    draw = ImageDraw.Draw(picture)
    type_size = box.height * _FILL
    letters = font(type_size, bold)
    x, middle, room = float(box.x), box.y + box.height / 2, float(box.width)
    if chip is not None:
        side = 0.62 * type_size
        draw.rectangle((x, middle - side / 2, x + side, middle + side / 2), fill=chip)
        x, room = x + 1.6 * side, room - 1.6 * side
    draw.text((x, middle), shortened(text, room, letters.getlength), fill=color, font=letters, anchor="lm")


def shortened(text: str, room: float, length: Callable[[str], float]) -> str:
    """The text, or as much of its beginning and its end as fits around an ellipsis.

    Methods' names often differ only at their end: what is left out is the middle.

    Args:
        text: one line.
        room: how long it may be.
        length: of a text, in the unit of ``room``.
    """
    if length(text) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        front = text[: -(-kept // 2)]
        back = text[len(text) - kept // 2 :]
        if length(candidate := f"{front}…{back}") <= room:
            return candidate
    return "…"


@functools.cache
def font(size: float, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of that many pixels."""
    import matplotlib as mpl

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)
