"""Smooth normals."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.model import FlameModel
from singinghead.render.normals import vertex_normals


def reference(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = vertices.astype(float)[faces].swapaxes(0, 1)
    normals = np.zeros(vertices.shape)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def test_they_are_means_weighted_by_area() -> None:
    rng = np.random.default_rng(0)
    vertices, faces = rng.standard_normal((20, 3)).astype(np.float32), rng.permuted(np.tile(np.arange(20), (40, 1)), axis=1)
    normals = vertex_normals(vertices, faces[:, :3])
    assert normals.dtype == np.float32
    assert normals == pytest.approx(reference(vertices, faces[:, :3]), abs=1e-4)


def test_a_vertex_without_area_has_none() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 5, 5]], np.float32)
    assert not vertex_normals(vertices, np.array([[0, 1, 2]])).any()


def test_they_point_out_of_the_head() -> None:
    subject = FlameModel.load().with_shape()
    vertices = subject.template.astype(np.float32)
    normals = vertex_normals(vertices, subject.faces)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
    forehead = normals[subject.region("forehead")]
    assert forehead[:, 2].mean() > 0.5
