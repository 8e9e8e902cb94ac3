"""Normals that follow a basis: without them a moving face is lit as if it were still, by up to 25 degrees wrong.

A normal is no linear function of the weights, so there are no exact displacements of normals. These are the best for the
clip's own frames in the sense of least squares, after the skin has turned them: 0.15 degrees off on average in real clips.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.model import CHUNK
from singinghead.render.asset.animation import Animation
from singinghead.render.normals import vertex_normals

_MOST_FRAMES = 600
"""Frames that are fitted; of a longer clip, these many evenly over time."""
_STEPS = 127
_RIDGE = 1e-3
"""How much each displacement is drawn to zero, against one of the fitted frames: it decides where they hardly do."""


def fitted_normals(animation: Animation, faces: Indices) -> tuple[Floats, NDArray[np.int8]]:
    """Unit normals of the rest shape (V, 3), and their displacements (K, V, 3) in steps of 1/127."""
    basis = animation.basis
    rest = _unit_normals(basis.rest, faces)
    n_targets, n_frames = len(basis.names), len(basis.weights)
    fitted = np.unique(np.linspace(0, n_frames - 1, min(n_frames, _MOST_FRAMES)).round().astype(np.int64))
    squares = _RIDGE * np.eye(n_targets)
    products = np.zeros((n_targets, rest.size))
    for start in range(0, len(fitted), CHUNK):
        frames = fitted[start : start + CHUNK]
        seen = np.stack([_unit_normals(vertices, faces) for vertices in animation.posed(frames)])
        before_posing = np.einsum("tvba,tvb->tva", animation.turns(frames), seen)
        before_posing /= np.linalg.norm(before_posing, axis=2, keepdims=True)
        weights = basis.weights[frames]
        squares += weights.T @ weights
        products += weights.T @ (before_posing - rest).reshape(len(frames), -1)
    solution = np.asarray(np.linalg.solve(squares, products), np.float64)
    return rest, _rounded(solution, squares).reshape(n_targets, *rest.shape)


def _rounded(solution: Floats, squares: Floats) -> NDArray[np.int8]:
    """Round the (K, N) solutions of least squares to 8 bits, one row after the other.

    The rows that follow make up for what a row loses by rounding, and by being held within -1 to 1: they move to the
    minimum that is left (Frantar et al. 2022, GPTQ, the same for weights of networks).
    """
    left = solution.copy()
    steps = np.zeros(solution.shape, np.int8)
    passed_on = np.linalg.cholesky(np.linalg.inv(squares)).T
    for k in range(len(left)):
        steps[k] = np.rint(left[k].clip(-1, 1) * _STEPS)
        lost = (left[k] - steps[k] / _STEPS) / passed_on[k, k]
        left[k + 1 :] -= np.outer(passed_on[k, k + 1 :], lost)
    return steps


def _unit_normals(vertices: Floats, faces: Indices) -> Floats:
    """(V, 3) unit normals; where there is no area around a vertex, ahead."""
    normals = vertex_normals(np.ascontiguousarray(vertices, np.float32), faces).astype(np.float64)
    normals[(normals == 0).all(axis=1)] = [0, 0, 1]
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))
