"""Flat triangle meshes."""

from __future__ import annotations

import numpy as np


def grid(across: int) -> tuple[np.ndarray, np.ndarray]:
    """(across², 2) points at whole numbers, row by row, and (F, 3) triangles, counter-clockwise with y up."""
    rows, columns = np.meshgrid(np.arange(across - 1), np.arange(across - 1), indexing="ij")
    corner = (rows * across + columns).ravel()
    lower = np.stack([corner, corner + 1, corner + across + 1], axis=1)
    upper = np.stack([corner, corner + across + 1, corner + across], axis=1)
    row, column = np.divmod(np.arange(across**2), across)
    return np.stack([column, row], axis=1).astype(float), np.concatenate([lower, upper])
