"""Boxes of a comparison: whatever is compared, nothing overlaps, all fits, and everything lies on even pixels."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from singinghead.flame_model.errors import InputError
from singinghead.render.compare.layout import Box, Grid

HEIGHTS = st.integers(180, 1080).map(lambda half: 2 * half)


def boxes(grid: Grid) -> list[Box]:
    cells = [box for cell in grid.cells for box in (cell.caption, cell.picture, cell.note, cell.below)]
    return [box for box in (grid.title, *cells, grid.bar, grid.strip) if box is not None]


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


@given(n_cells=st.integers(1, 14), height=HEIGHTS, errors=st.booleans(), strip=st.booleans(), n_views=st.integers(1, 3))
def test_boxes_fit_without_overlap_on_even_pixels(
    n_cells: int, height: int, errors: bool, strip: bool, n_views: int
) -> None:
    try:
        grid = Grid.of(n_cells, height, errors, strip, n_views)
    except InputError:  # so many views are smaller than one can see
        assume(False)
    assert len(grid.cells) == n_cells
    for box in boxes(grid):
        assert 0 <= box.x < box.right <= grid.width
        assert 0 <= box.y < box.bottom <= grid.height
        assert all(number % 2 == 0 for number in (box.x, box.y, box.width, box.height))
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes(grid), 2))
    assert grid.width % 2 == grid.height % 2 == 0


@given(n_cells=st.integers(1, 5), height=HEIGHTS, n_views=st.integers(1, 3))
def test_all_pictures_are_squares_of_one_size_one_a_view(n_cells: int, height: int, n_views: int) -> None:
    grid = Grid.of(n_cells, height, n_views=n_views)
    pictures = [box for cell in grid.cells for box in (cell.picture, cell.below)]
    assert {(box.width, box.height) for box in pictures} == {(n_views * grid.picture_size, grid.picture_size)}
    middle = pictures[0].middle
    assert (middle.width, middle.height) == (grid.picture_size, grid.picture_size)
    assert abs((middle.x - pictures[0].x) - (pictures[0].right - middle.right)) <= 2


@given(n_cells=st.integers(1, 14))
def test_4k_shows_the_same_with_twice_the_pixels(n_cells: int) -> None:
    small, large = Grid.of(n_cells, 1080), Grid.of(n_cells, 2160)
    assert (large.width, large.height) == (3840, 2160)
    for a, b in zip(boxes(small), boxes(large), strict=True):
        for one, other in zip((a.x, a.y, a.width, a.height), (b.x, b.y, b.width, b.height), strict=True):
            assert abs(2 * one - other) <= 32  # what rounding to even sizes leaves over, summed along a row


def test_more_methods_make_smaller_pictures_and_too_many_are_refused() -> None:
    sizes = [Grid.of(n, 1080).picture_size for n in range(1, 20)]
    assert sizes == sorted(sizes, reverse=True)
    with pytest.raises(InputError, match="do not fit"):
        Grid.of(500, 1080)


@pytest.mark.parametrize("height", [0, 100, 1081, 9000])
def test_a_height_that_no_video_has_is_refused(height: int) -> None:
    with pytest.raises(InputError, match=f"height of {height}"):
        Grid.of(3, height)
