"""Frames of a comparison: pictures of heads, of errors and of the recording, put into a page that was drawn once.

Frames are composed as video stores them (yuv420p), where a picture that is put into another is copied and never converted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import Frames
from singinghead.render.compare.bar import draw_bar
from singinghead.render.compare.captions import FAINT, PAPER, Color, write
from singinghead.render.compare.drawer import Drawer, Look
from singinghead.render.compare.layout import Box, Grid
from singinghead.render.compare.strip import Strip, Timeline, draw_strip
from singinghead.render.painter import Frame
from singinghead.render.yuv import to_yuv420p

Planes = NDArray[np.uint8]
"""(H * 3 / 2, W) uint8, as :func:`~singinghead.render.yuv.to_yuv420p` makes them."""


@dataclass(frozen=True)
class Panel:
    """What is written around one cell's pictures.

    Attributes:
        name: above the upper picture.
        color: of the method's curves; None without a chip.
        note: above the lower picture.
        lines: in the place of the lower picture.
    """

    name: str
    color: Color | None = None
    note: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moment:
    """What one frame shows.

    Attributes:
        seconds: its time.
        heads: one for each cell.
        errors: (V,) mm, one for each cell; None where none are shown.
        recording: planes of the real video, of a view's size, below the first cell; or None.
    """

    seconds: float
    heads: tuple[Frame, ...]
    errors: tuple[Frames | None, ...]
    recording: Planes | None = None


class Composer:
    """Draws moments, several at once in as many threads. A frame depends on its moment alone.

    Args:
        grid: where things lie.
        panels: one for each cell.
        look: of the heads.
        title: of the whole.
        strip: along the bottom, where the grid has one.

    Attributes:
        size: width and height of the frames, pixels.
        threads: in how many threads moments may be drawn at once.
        timeline: where the playhead runs; None without a strip.
    """

    def __init__(
        self, grid: Grid, panels: tuple[Panel, ...], look: Look, title: str = "", strip: Strip | None = None
    ) -> None:
        if len(panels) != len(grid.cells):
            raise InputError(f"{len(panels)} panels for {len(grid.cells)} cells")
        self._grid = grid
        self._drawer = Drawer(look, grid.picture_size)
        self.size = grid.width, grid.height
        self.threads = self._drawer.threads
        page = Image.new("RGB", (grid.width, grid.height), PAPER)
        write(page, title, grid.title, bold=True)
        for cell, panel in zip(grid.cells, panels, strict=True):
            write(page, panel.name, cell.caption, chip=panel.color)
            if cell.note is not None:
                write(page, panel.note, cell.note)
                _write_lines(page, panel.lines, cell.note, cell.picture.height)
        if grid.bar is not None:
            draw_bar(page, grid.bar, look.scale)
        self.timeline: Timeline | None = None
        if grid.strip is not None and strip is not None:
            self.timeline = draw_strip(page, grid.strip, strip)
        self._page = np.asarray(page)
        self._planes = to_yuv420p(self._page)

    def draw_yuv(self, moment: Moment) -> Planes:
        """One frame, (height * 3 / 2, width) uint8, a new array.

        Raises:
            InputError: a head cannot be drawn.
        """
        frame = self._planes.copy()
        for cell, head, error in zip(self._grid.cells, moment.heads, moment.errors, strict=True):
            picture, below = self._drawer.planes(head, error if cell.below is not None else None)
            put(frame, cell.picture, picture)
            if cell.below is not None and below is not None:
                put(frame, cell.below, below)
        first = self._grid.cells[0]
        if first.below is not None and moment.recording is not None:
            put(frame, first.below.middle, moment.recording)
        if self.timeline is not None:
            box, line = self.timeline.mark(self._page, moment.seconds)
            put(frame, box, to_yuv420p(line))
        return frame

    def close(self) -> None:
        """Give the rasterizers' memory back."""
        self._drawer.close()


def _write_lines(page: Image.Image, lines: tuple[str, ...], above: Box, height: int) -> None:
    """Write the sentences that there is room for, to their ends."""
    shown = list(lines[: height // above.height - 1])
    while shown and not shown[-1].endswith("."):
        shown.pop()
    for number, line in enumerate(shown, start=1):
        write(page, line, replace(above, y=above.y + number * above.height), FAINT)


def put(frame: Planes, box: Box, picture: Planes) -> None:
    """Copy a picture's planes into a box of a frame's.

    Args:
        frame: changed in place.
        box: as large as the picture, on even pixels.
        picture: what to put there.
    """
    for target, source in zip(_three(frame), _three(picture), strict=True):
        shift = int(target.shape[1] != frame.shape[1])
        rows, columns = slice(box.y >> shift, box.bottom >> shift), slice(box.x >> shift, box.right >> shift)
        target[rows, columns] = source


def _three(planes: Planes) -> tuple[Planes, Planes, Planes]:
    """Views of luma and of both colour differences."""
    height, width = len(planes) * 2 // 3, planes.shape[1]
    blue, red = planes.reshape(-1)[height * width :].reshape(2, height // 2, width // 2)
    return planes[:height], blue, red


TRUTH_COLOR: Color = (40, 42, 46)
_METHOD_COLORS: tuple[Color, ...] = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
    (130, 90, 60), (110, 110, 200),
)  # fmt: skip


def method_color(index: int) -> Color:
    """A method's colour, distinct for eight of them, by most kinds of colour vision (after Okabe and Ito)."""
    return _METHOD_COLORS[index % len(_METHOD_COLORS)]
