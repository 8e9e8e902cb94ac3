"""FLAME-layout files that the tests write: the licensed ones cannot be here."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
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
