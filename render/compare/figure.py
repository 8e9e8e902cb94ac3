"""Stills of a comparison as a figure for a paper: white, two columns wide, 300 dots an inch; in PDF, text stays text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.render.compare.compose import Moment
from singinghead.render.compare.drawer import Drawer, Look
from singinghead.render.heat import color_table

SUFFIXES = (".png", ".pdf")
DPI = 300

_WIDTH = 7.0  # inches: both columns of a page
_LEFT, _BAR, _TOP, _GAP = 0.3, 0.5, 0.24, 0.03
_LEGIBLE = 7  # points
_NOTES = {".png": "Description", ".pdf": "Subject"}
"""What each format calls words about a picture."""


def check_figure(out: Path) -> None:
    """Refuse what cannot be written, before work is put into it.

    Raises:
        InputError: another suffix, or no such folder.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise InputError("a figure must be named .png or .pdf", file=out)
    if not out.parent.is_dir():
        raise InputError("its folder does not exist", file=out, remedy=f"mkdir -p {out.parent}")


def write_figure(
    out: Path, names: Sequence[str], moments: Sequence[Moment], look: Look, facts: str = "", label: str = ""
) -> None:
    """Write a figure: a row of heads for each moment, and below it a row of errors; a column for each name.

    Args:
        out: ``.png`` or ``.pdf``.
        names: of the columns.
        moments: of the rows.
        look: of the heads.
        facts: about it, for the file's own notes.
        label: in small type in the corner; of a head that is none of the dataset's, its name.

    Raises:
        InputError: a head cannot be drawn.
        EncodingError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.figure import Figure

    side = (_WIDTH - _LEFT - _BAR) / len(names)
    tall = side / len(look.rig.views)
    height = _TOP + 2 * tall * len(moments)
    drawer = Drawer(look, max(64, round(tall * DPI)))
    settings: Any = {"pdf.fonttype": 42, "font.family": "DejaVu Sans", "font.size": _LEGIBLE, "text.parse_math": False}
    with mpl.rc_context(settings):
        page = Figure(figsize=(_WIDTH, height), dpi=DPI, facecolor="white")

        def place(row: int, column: int) -> tuple[float, float, float, float]:
            x, y = _LEFT + column * side, height - _TOP - (row + 1) * tall
            return x / _WIDTH, y / height, (side - _GAP) / _WIDTH, (tall - _GAP) / height

        for row, moment in enumerate(moments):
            for column, (head, error) in enumerate(zip(moment.heads, moment.errors, strict=True)):
                axes = page.add_axes(place(2 * row, column))
                axes.imshow(drawer.head(head), interpolation="none")
                axes.set_axis_off()
                if row == 0:
                    axes.set_title(names[column], fontsize=_LEGIBLE + 1, pad=3)
                if column == 0:
                    axes.text(
                        -0.04, 0.5, f"{moment.seconds:.2f} s", rotation=90, ha="right", va="center", transform=axes.transAxes
                    )
                if error is not None:
                    axes = page.add_axes(place(2 * row + 1, column))
                    axes.imshow(drawer.error(head, error), interpolation="none")
                    axes.set_axis_off()
        bottom, top = 0.1 * tall / height, (height - _TOP - 0.15 * tall) / height
        bar = page.add_axes(((_WIDTH - 0.8 * _BAR) / _WIDTH, bottom, 0.08 / _WIDTH, top - bottom))
        colors = ScalarMappable(Normalize(0, look.scale.maximum), ListedColormap(color_table()))
        page.colorbar(colors, cax=bar, extend="max")
        bar.set_title(f"error\n{look.scale.unit}", fontsize=_LEGIBLE, loc="left")
        page.text(0.002, 0.998, label, fontsize=4, color="0.55", ha="left", va="top")
        partial = out.absolute().with_name(f".{out.stem}.{os.getpid()}.partial{out.suffix}")
        try:
            page.savefig(partial, dpi=DPI, metadata={"Title": facts, _NOTES[out.suffix.lower()]: facts})
            partial.replace(out)
        except OSError as problem:
            raise EncodingError(f"the figure cannot be written: {problem.strerror or problem}", file=out) from problem
        finally:
            partial.unlink(missing_ok=True)
