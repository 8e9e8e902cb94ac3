"""What numpy arrays and torch tensors spell differently, so that one formula serves both.

Torch tensors stay on their device, and gradients flow. Torch is never imported for numpy's sake.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A numpy array or a torch tensor; what comes out is of the kind that went in."""


def length(vectors: Array) -> Array:
    """(...,) L2 norms over the last axis. The gradient of a zero vector is zero."""
    if getattr(vectors, "requires_grad", False):
        import torch

        return torch.linalg.vector_norm(vectors, dim=-1)
    # Torch's own norm is many times slower where the last axis is not the one that lies together in memory.
    return (vectors * vectors).sum(-1) ** 0.5


def largest(values: Array) -> Array:
    """Over the last axis."""
    return values.max(-1) if isinstance(values, np.ndarray) else values.amax(-1)


def smallest(values: Array, axis: int) -> Array:
    """Over one axis."""
    return values.min(axis) if isinstance(values, np.ndarray) else values.amin(axis)


def deviation(values: Array, axis: int, ddof: int) -> Array:
    """Standard deviation over one axis, divided by n - ``ddof``."""
    return values.std(axis, ddof=ddof) if isinstance(values, np.ndarray) else values.std(axis, correction=ddof)


def rows(vertices: Array, chosen: Array | None) -> Array:
    """(..., N, 3) those vertices of (..., V, 3); all of them for None."""
    if chosen is None:
        return vertices
    if not isinstance(vertices, np.ndarray) and isinstance(chosen, np.ndarray):
        import torch

        chosen = torch.from_numpy(chosen).to(vertices.device)
    return vertices[..., chosen, :]


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """A numpy array of the same numbers, in main memory."""
    return array if isinstance(array, np.ndarray) else np.asarray(array.detach().cpu())
