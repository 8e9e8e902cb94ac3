"""Stills of a comparison as a figure for a paper: white, two columns wide, 300 dots an inch; in PDF, text stays text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.render.compare.compose import Look, Moment
from singinghead.render.compare.heat import color_table, heat_scene
from singinghead.render.software import SoftwareRasterizer

SUFFIXES = (".png", ".pdf")
DPI = 300

_WIDTH = 7.0  # inches: both columns of a page
_LEFT, _BAR, _TOP, _GAP = 0.3, 0.5, 0.24, 0.03
_LEGIBLE = 7  # points


def check_figure(out: Path) -> None:
    """Refuse what cannot be written, before work is put into it.

    Raises:
        InputError: another suffix, or no such folder.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise InputError("a figure must be named .png or .pdf", file=out)
    if not out.parent.is_dir():
        raise InputError("its folder does not exist", file=out, remedy=f"mkdir -p {out.parent}")


def write_figure(out: Path, names: Sequence[str], moments: Sequence[Moment], look: Look) -> None:
    """Write a figure: a row of heads for each moment, and below it a row of errors; a column for each name.

    Args:
        out: ``.png`` or ``.pdf``.
        names: of the columns.
        moments: of the rows.
        look: of the heads; the background becomes white.

    Raises:
        InputError: a head cannot be drawn.
        EncodingError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure

    side = (_WIDTH - _LEFT - _BAR) / len(names)
    height = _TOP + 2 * side * len(moments)
    scene = replace(look.scene, background=np.full(3, 255, np.uint8))
    size = max(64, round(side * DPI))
    heads = SoftwareRasterizer(scene, look.camera, size)
    heat = SoftwareRasterizer(heat_scene(scene), look.camera, size)
    settings: Any = {"pdf.fonttype": 42, "font.family": "DejaVu Sans", "font.size": _LEGIBLE, "text.parse_math": False}
    with mpl.rc_context(settings):
        page = Figure(figsize=(_WIDTH, height), dpi=DPI, facecolor="white")

        def place(row: int, column: int) -> tuple[float, float, float, float]:
            x, y = _LEFT + column * side, height - _TOP - (row + 1) * side
            return x / _WIDTH, y / height, (side - _GAP) / _WIDTH, (side - _GAP) / height

        for row, moment in enumerate(moments):
            for column, (head, error) in enumerate(zip(moment.heads, moment.errors, strict=True)):
                axes = page.add_axes(place(2 * row, column))
                axes.imshow(heads.draw(head), interpolation="none")
                axes.set_axis_off()
                if row == 0:
                    axes.set_title(names[column], fontsize=_LEGIBLE + 1, pad=3)
                if column == 0:
                    axes.text(
                        -0.04, 0.5, f"{moment.seconds:.2f} s", rotation=90, ha="right", va="center", transform=axes.transAxes
                    )
                if error is not None:
                    axes = page.add_axes(place(2 * row + 1, column))
                    axes.imshow(heat.draw(head, look.scale.colors(error)), interpolation="none")
                    axes.set_axis_off()
        bottom, top = 0.1 * side / height, (height - _TOP - 0.15 * side) / height
        bar = page.add_axes(((_WIDTH - 0.8 * _BAR) / _WIDTH, bottom, 0.08 / _WIDTH, top - bottom))
        colors = ScalarMappable(Normalize(0, look.scale.most_mm), ListedColormap(color_table()))
        page.colorbar(colors, cax=bar, extend="max")
        bar.set_title("error\nmm", fontsize=_LEGIBLE, loc="left")
        partial = out.absolute().with_name(f".{out.stem}.{os.getpid()}.partial{out.suffix}")
        try:
            page.savefig(partial, dpi=DPI)
            partial.replace(out)
        except OSError as problem:
            raise EncodingError(f"the figure cannot be written: {problem.strerror or problem}", file=out) from problem
        finally:
            partial.unlink(missing_ok=True)
