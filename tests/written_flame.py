"""FLAME-layout files that the tests write: the licensed ones cannot be here."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import scipy.spatial
import torch

V = 131


def flame_content(n_vertices: int = V, seed: int = 0) -> dict[str, Any]:
    """A small model under FLAME's keys: smooth nonsense of the right sizes and magnitudes."""
    rng = np.random.default_rng(seed)
    regressor = np.zeros((5, n_vertices))
    for row in regressor:
        row[rng.choice(n_vertices, 8, replace=False)] = 1 / 8
    weights = rng.random((n_vertices, 5)) ** 4
    return {
        "v_template": 0.1 * rng.standard_normal((n_vertices, 3)),
        "shapedirs": 0.003 * rng.standard_normal((n_vertices, 3, 400)),
        "posedirs": 0.002 * rng.standard_normal((n_vertices, 3, 36)),
        "J_regressor": scipy.sparse.csc_matrix(regressor),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "f": rng.integers(0, n_vertices, (200, 3)).astype(np.uint32),
        "bs_style": "lbs",
        "J": rng.standard_normal((5, 3)),
    }


def smooth_flame_content(n_vertices: int = 5023, seed: int = 0) -> dict[str, Any]:
    """A ball with as many vertices as FLAME's head, whose components are waves: every one moves every vertex."""
    rng = np.random.default_rng(seed)
    height = np.linspace(-1, 1, n_vertices)
    turn = np.pi * (3 - 5**0.5) * np.arange(n_vertices)
    ring = np.sqrt(1 - height**2)
    ball = np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)
    hull = scipy.spatial.ConvexHull(ball)
    outwards = (
        hull.equations[:, :3] * np.cross(*(ball[hull.simplices[:, i]] - ball[hull.simplices[:, 0]] for i in (1, 2)))
    ).sum(1)
    faces = np.where(outwards[:, None] > 0, hull.simplices, hull.simplices[:, ::-1])

    def waves(n: int, size: float) -> np.ndarray:
        phase = ball @ rng.normal(0, 3, (n, 3, 3)) + rng.uniform(0, 2 * np.pi, (n, 1, 3))
        return np.moveaxis(size * np.sin(phase), 0, 2)

    joints = 0.1 * np.array([[0, -0.8, 0], [0, -0.5, 0], [0, -0.2, 0.3], [0.3, 0.3, 0.7], [-0.3, 0.3, 0.7]])
    nearness = np.exp(-np.linalg.norm(0.1 * ball[:, None] - joints, axis=2) / 0.02)
    # Means of a ring at the joint's height, of a spot at an eye.
    far = np.where(
        np.arange(5)[:, None] < 3, abs(0.1 * height - joints[:, 1:2]), np.linalg.norm(0.1 * ball - joints[:, None], axis=2)
    )
    regressor = np.zeros((5, n_vertices))
    np.put_along_axis(regressor, np.argsort(far, axis=1)[:, :12], 1 / 12, axis=1)
    return flame_content(n_vertices, seed) | {
        "v_template": 0.1 * ball,
        "shapedirs": waves(400, 0.002) * 0.99 ** np.arange(400),
        "posedirs": waves(36, 0.004),
        "J_regressor": scipy.sparse.csc_matrix(regressor),
        "weights": nearness / nearness.sum(axis=1, keepdims=True),
        "f": faces.astype(np.uint32),
    }


def embeddings(n_faces: int = 200) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(1)
    shapes = {"static": (51,), "dynamic": (79, 17), "full": (1, 68)}
    return {name: (rng.integers(0, n_faces, shape), rng.dirichlet([1, 1, 1], shape)) for name, shape in shapes.items()}


def write_model(folder: Path) -> dict[str, Any]:
    """A model with DECA's landmark file beside it, torch tensors and all."""
    content = flame_content()
    (folder / "generic_model.pkl").write_bytes(pickle.dumps(content))
    deca = {
        key: value
        for name, (faces, weights) in embeddings().items()
        for key, value in (
            (f"{name}_lmk_faces_idx", torch.from_numpy(faces)),
            (f"{name}_lmk_bary_coords", torch.from_numpy(weights)),
        )
    }
    np.save(folder / "landmark_embedding.npy", np.array(deca, dtype=object), allow_pickle=True)
    return content
