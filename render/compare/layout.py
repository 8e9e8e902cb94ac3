"""Where everything lies in a comparison: a grid of cells, a bar that explains colours, a strip along the bottom.

A cell is a picture under a caption and, where there are errors to show, another picture under a caption of its own below it.
All pictures are of one size. Lengths are given for a video 1080 pixels high, and grow with it: at 2160 the same picture has
twice the pixels. Everything lies on even pixels, as yuv420p stores two by two of them in one colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from singinghead.flame_model.errors import InputError

LOWEST, HIGHEST = 360, 4320
"""Heights of a video, in pixels, between which there is anything to read, and to encode."""

CAPTION, SMALL_CAPTION = 34, 28
_MARGIN, _GAP = 16, 8
_TITLE, _STRIP, _BAR = 36, 268, 88
_STRIP_GROWS = 1.7  # times, where pictures leave room
_SMALLEST_PICTURE = 64


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; all four numbers are even."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beside it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def middle(self) -> Box:
        """The square in the middle, as high as it is."""
        return Box(self.x + _even((self.width - self.height) / 2), self.y, self.height, self.height)


@dataclass(frozen=True)
class Cell:
    """Where one method, or the ground truth, is shown.

    Attributes:
        caption: above the picture.
        picture: a square, or one square a view, side by side.
        note: above the lower picture; None in a grid without these.
        below: as large; None likewise.
    """

    caption: Box
    picture: Box
    note: Box | None
    below: Box | None


@dataclass(frozen=True)
class Grid:
    """The whole layout.

    Attributes:
        width: of the video, pixels.
        height: of the video, pixels.
        title: the line at the top.
        cells: in reading order.
        bar: beside the cells; None without errors.
        strip: along the bottom; None without.
    """

    width: int
    height: int
    title: Box
    cells: tuple[Cell, ...]
    bar: Box | None
    strip: Box | None

    @property
    def picture_size(self) -> int:
        """Height of every picture, and width of each view in it."""
        return self.cells[0].picture.height

    @classmethod
    def of(cls, n_cells: int, height: int = 1080, errors: bool = True, strip: bool = True, n_views: int = 1) -> Grid:
        """Lay out that many cells in a video of 16:9, with the largest pictures that fit.

        Args:
            n_cells: how many, at least one.
            height: of the video, pixels.
            errors: a second picture below each, and a bar for its colours.
            strip: along the bottom.
            n_views: side by side in each picture.

        Raises:
            InputError: the height is odd or out of range, or so many cells would be smaller than one can see.
        """
        if not LOWEST <= height <= HIGHEST or height % 2:
            raise InputError(f"a height of {height} is not an even number of pixels, {LOWEST} to {HIGHEST}")
        unit = height / 1080
        width = _even(height * 16 / 9)
        margin, gap = _even(_MARGIN * unit), _even(_GAP * unit)
        caption, note = _even(CAPTION * unit), _even(SMALL_CAPTION * unit) if errors else 0
        title = Box(margin, 0, width - 2 * margin, _even(_TITLE * unit))
        bar_width, strip_height = (_even(_BAR * unit) if errors else 0), (_even(_STRIP * unit) if strip else 0)
        area = Box(margin, title.bottom, width - 2 * margin - bar_width, height - title.bottom - strip_height - gap)

        def picture_size(n_columns: int) -> int:
            n_rows = -(-n_cells // n_columns)
            across = (area.width - (n_columns - 1) * gap) / n_columns / n_views
            down = (area.height / n_rows - caption - note - gap) / (2 if errors else 1)
            return _even(min(across, down))

        n_columns = max(range(1, n_cells + 1), key=picture_size)
        size = picture_size(n_columns)
        if size < _SMALLEST_PICTURE * unit:
            raise InputError(f"{n_cells} pictures do not fit into one video", remedy="compare fewer methods at a time")
        cell_height = caption + size + (note + size if errors else 0) + gap
        wide = n_views * size
        used = n_columns * (wide + gap) - gap
        first = Box(area.x + _even((area.width - used) / 2), area.y, 0, 0)
        cells = []
        for index in range(n_cells):
            row, column = divmod(index, n_columns)
            x, y = first.x + column * (wide + gap), first.y + row * cell_height
            picture = Box(x, y + caption, wide, size)
            cells.append(
                Cell(
                    caption=Box(x, y, wide, caption),
                    picture=picture,
                    note=Box(x, picture.bottom, wide, note) if errors else None,
                    below=Box(x, picture.bottom + note, wide, size) if errors else None,
                )
            )
        bottom = cells[-1].below or cells[-1].picture
        top = cells[0].picture.y
        bar = Box(first.x + used, top, bar_width, bottom.bottom - top) if errors else None
        room = min(height - bottom.bottom - 2 * gap, _even(_STRIP_GROWS * strip_height))
        under = Box(margin, height - room, width - 2 * margin, room - gap) if strip else None
        return cls(width, height, title, tuple(cells), bar, under)


def _even(length: float) -> int:
    """The largest even number of pixels that is not longer."""
    return 2 * int(length // 2)
