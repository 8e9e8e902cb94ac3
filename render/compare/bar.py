"""The bar that tells which colour stands for which error."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from singinghead.render.compare.captions import FAINT, INK, font
from singinghead.render.compare.layout import Box
from singinghead.render.heat import ColorScale


def draw_bar(picture: Image.Image, box: Box, scale: ColorScale) -> None:
    """Draw a scale of errors with its numbers: upwards, the largest at the top.

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
    rows = scale.srgb(np.linspace(scale.maximum, 0, bottom - top))
    picture.paste(Image.fromarray(np.repeat(rows[:, None], width, axis=1)), (x, top))
    draw.rectangle((x, top, x + width - 1, bottom - 1), outline=FAINT, width=max(1, round(0.012 * box.width)))
    draw.multiline_text((x, box.y), f"error\n{scale.unit}", fill=INK, font=letters)
    for share in np.linspace(0, 1, 6):
        y = bottom - share * (bottom - top)
        mark = f"{'≥ ' * int(share == 1)}{share * scale.maximum:g}"
        draw.line((x + width, y, x + 1.2 * width, y), fill=INK, width=max(1, round(0.02 * box.width)))
        draw.text((x + 1.4 * width, y), mark, fill=INK, font=letters, anchor="lm")
