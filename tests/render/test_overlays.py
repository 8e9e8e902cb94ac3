"""Lines and points: where they belong, as wide as asked, and hidden by what lies in front."""

from __future__ import annotations

import numpy as np
import pytest
from grids import grid

from singinghead.render.overlays import behind, draw_lines, draw_points, facing, unique_edges

WHITE = (255, 255, 255)
WALL = np.ones((20, 30), np.float32)


def lines(ends: list[list[list[float]]], depth: np.ndarray = WALL, width: float = 1.0) -> np.ndarray:
    picture = np.zeros((*depth.shape, 3), np.uint8)
    draw_lines(picture, np.array(ends, float).reshape(-1, 2, 3), behind(depth), width, WHITE, 1.0)
    return picture[..., 0] / 255


@pytest.mark.parametrize("y", [5.5, 6.0, 6.3])
def test_a_line_covers_its_width(y: float) -> None:
    drawn = lines([[[0, y, 1], [30, y, 1]]])
    assert drawn[:, 3:27].sum(axis=0) == pytest.approx(np.ones(24), abs=0.01)
    assert (drawn.argmax(axis=0)[3:27] == int(y - 1e-9)).all()
    assert lines([[[30, y, 1], [0, y, 1]]]) == pytest.approx(drawn), "from either end"
    assert lines([[[y, 0, 1], [y, 30, 1]]], np.ones((30, 20), np.float32)) == pytest.approx(drawn.T), "either way"


def test_a_thin_line_is_fainter() -> None:
    assert lines([[[0, 5.5, 1], [30, 5.5, 1]]], width=0.5)[:, 15].sum() == pytest.approx(0.5, abs=0.01)


def test_lines_that_meet_are_no_darker_where_they_do() -> None:
    once = lines([[[0, 5.3, 1], [30, 5.3, 1]]])
    assert np.array_equal(lines([[[0, 5.3, 1], [30, 5.3, 1]]] * 3), once)


def test_what_lies_in_front_hides() -> None:
    depth = np.full((20, 30), 2.0, np.float32)
    depth[:, 15:] = 1.0
    drawn = lines([[[0, 10.5, 2], [30, 10.5, 2]]], depth)
    assert drawn[10, 2:14].min() > 0.9
    assert drawn[10, 17:].max() == 0
    assert lines([[[0, 10.5, 0.9], [30, 10.5, 3.0]]]).max() > 0, "where it enters the wall"
    assert lines([[[0, 10.5, 0.9], [30, 10.5, 3.0]]])[10, 8:].max() == 0, "and not behind"
    assert lines([[[0, 10.5, -1], [30, 10.5, 1]]]).max() == 0, "nor behind the camera"


def test_lines_out_of_the_picture_do_no_harm() -> None:
    assert lines([[[-50, -90, 1], [-10, 40, 1]], [[90, 5, 1], [91, 5, 1]], [[5, 5, 1], [5, 5, 1]]]).max() == 0


def test_over_the_background_there_is_nothing_to_draw_on() -> None:
    assert lines([[[0, 10.5, 1], [30, 10.5, 1]]], np.full((20, 30), np.inf, np.float32)).max() == 0


def test_points_are_whole_or_hidden() -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    draw_points(picture, np.array([[10.5, 10.5, 1.0], [20.5, 10.5, 1.1], [99.0, 3.0, 1.0]]), behind(WALL), 3.0, WHITE)
    assert picture[..., 0].sum() / 255 == pytest.approx(np.pi * 9, rel=0.03)
    assert picture[:, 16:].max() == 0


def test_edges_are_each_there_once_with_both_faces() -> None:
    points, faces = grid(4)
    edges, sides = unique_edges(faces)
    assert len(edges) == len({tuple(edge) for edge in edges}) == 33
    for edge, owners in zip(edges, sides, strict=True):
        assert all(set(edge) <= set(faces[owner]) for owner in owners)
    assert (sides[:, 0] == sides[:, 1]).sum() == 12, "the outer ones"
    down = np.column_stack([points[:, 0], -points[:, 1], np.ones(len(points))])
    assert facing(down, faces).all()
    assert not facing(down, faces[:, ::-1]).any()
