"""Edges that are split leave the mesh whole."""

from __future__ import annotations

import numpy as np
import pytest
from grids import grid
from hypothesis import given
from hypothesis import strategies as st

from singinghead.flame_model.stand_in.refine import edges_of, refine

ACROSS = 6
PLANE, FACES = grid(ACROSS)
EDGES = edges_of(FACES)


def areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = points[faces].swapaxes(0, 1)
    return ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


@given(chosen=st.lists(st.integers(0, len(EDGES) - 1), unique=True))
def test_whatever_is_split_a_plane_stays_that_plane(chosen: list[int]) -> None:
    fine = refine(FACES, len(PLANE), EDGES[chosen])
    points = fine.weights @ PLANE
    assert fine.weights.shape == (len(PLANE) + len(chosen), len(PLANE))
    np.testing.assert_array_equal(points[: len(PLANE)], PLANE)
    np.testing.assert_allclose(points[len(PLANE) :], PLANE[EDGES[chosen]].mean(axis=1), atol=1e-12)
    assert areas(points, fine.faces).min() > 0, "none is turned over"
    assert areas(points, fine.faces).sum() == pytest.approx((ACROSS - 1) ** 2)
    split = {tuple(edge) for edge in EDGES[chosen].tolist()}
    assert not split & {tuple(edge) for edge in edges_of(fine.faces).tolist()}, "each chosen edge is gone"
    in_source = np.einsum("fck,fkx->fcx", fine.corners, PLANE[FACES[fine.sources]])
    np.testing.assert_allclose(in_source, points[fine.faces], atol=1e-12)


def test_nothing_is_split_when_nothing_is_chosen() -> None:
    fine = refine(FACES, len(PLANE), EDGES[:0])
    np.testing.assert_array_equal(fine.faces, FACES)


def test_new_vertices_lie_on_a_smooth_surface() -> None:
    """On a cylinder the middles of its edges lie inside, the new vertices all but on it."""
    angle = PLANE[:, 0] * 0.3
    cylinder = np.stack([np.cos(angle), np.sin(angle), PLANE[:, 1] * 0.3], axis=1)
    inner = EDGES[(PLANE[EDGES] > 0).all(axis=(1, 2)) & (PLANE[EDGES] < ACROSS - 1).all(axis=(1, 2))]
    turning = inner[PLANE[inner[:, 0], 1] == PLANE[inner[:, 1], 1]]
    radii = np.hypot(*(refine(FACES, len(PLANE), turning).weights @ cylinder)[len(PLANE) :, :2].T)
    middles = np.hypot(*cylinder[turning].mean(axis=1)[:, :2].T)
    assert np.abs(radii - 1).max() < 0.5 * np.abs(middles - 1).max()
