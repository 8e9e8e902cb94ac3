"""Colours are the numbers that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.model import FlameModel
from singinghead.render.surface_colors import errors, region_colors, speeds, vertex_regions


def test_speeds_are_millimetres_a_second_across_chunks() -> None:
    steps = np.cumsum(np.full((7, 2, 1), 0.001, np.float32) * [[[1.0]], *[[[n]] for n in range(1, 7)]], axis=0)
    vertices = np.concatenate([steps, 0 * steps, 0 * steps], axis=-1).astype(np.float32)
    found = np.concatenate(list(speeds([vertices[:3], vertices[3:4], vertices[4:]], 30)))
    assert found[:, 0] == pytest.approx(30 * np.array([1.0, 1, 2, 3, 4, 5, 6]), rel=1e-4)


def test_one_frame_stands_still() -> None:
    assert next(speeds([np.ones((1, 4, 3), np.float32)], 30)).tolist() == [[0, 0, 0, 0]]


def test_errors_are_millimetres() -> None:
    own = np.zeros((2, 3, 3), np.float32)
    (found,) = errors([own], [own + np.array([0.003, 0.004, 0], np.float32)])
    assert found == pytest.approx(np.full((2, 3), 5.0))


def test_each_vertex_is_of_its_smallest_region() -> None:
    arrays = FlameModel.load().arrays
    labels, names = vertex_regions(arrays)
    assert (labels[arrays.regions["lips"]] == names.index("lips")).mean() > 0.9, "though the face holds them, too"
    assert -1 in labels
    colors = region_colors(arrays)
    assert len(np.unique(colors, axis=0)) == len(names) + 1
    assert ((colors >= 0) & (colors <= 1)).all()
