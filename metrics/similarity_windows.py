"""Structural similarity in windows of one frame, compiled: what :mod:`image_quality` averages."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True)
def mean_similarity(
    frame: NDArray[np.uint8], truth: NDArray[np.uint8], taps: NDArray[np.float64], sample: float, c1: float, c2: float
) -> float:
    """The mean over channels and over every window that lies within the frames.

    Window means are taken along each row first and then across as many rows as there are taps, of which only those are in
    memory. Each sum has the same order on every machine.

    Args:
        frame: (H, W, C) uint8.
        truth: (H, W, C) uint8.
        taps: (2 n + 1,) the window along one axis, symmetric, of sum 1; H and W are 2 n + 1 at least.
        sample: the factor from population to sample covariance.
        c1: that keeps the quotient of means finite, squared grey levels.
        c2: that of variances.

    Returns:
        1 for identical frames.
    """
    height, width, channels = frame.shape
    n = len(taps) // 2
    n_taps = len(taps)
    n_values = (width - n_taps + 1) * channels
    middle = n * channels
    rows = np.zeros((n_taps, 4, n_values))
    row = np.zeros((4, width * channels))
    means = np.zeros((4, n_values))
    similar = np.zeros(n_values)
    total = 0.0
    for y in range(height):
        x_values, y_values = frame[y].ravel(), truth[y].ravel()
        for i in range(width * channels):
            a, b = float(x_values[i]), float(y_values[i])
            row[0, i] = a
            row[1, i] = b
            row[2, i] = a * a + b * b
            row[3, i] = a * b
        along = rows[y % n_taps]
        for plane in range(4):
            _smooth_row(row[plane], taps, channels, middle, along[plane])
        if y < n_taps - 1:
            continue
        first = y - n_taps + 1
        for plane in range(4):
            values = means[plane]
            center = rows[(first + n) % n_taps, plane]
            for i in range(n_values):
                values[i] = taps[n] * center[i]
            for k in range(n):
                above, below = rows[(first + k) % n_taps, plane], rows[(y - k) % n_taps, plane]
                tap = taps[k]
                for i in range(n_values):
                    values[i] += tap * (above[i] + below[i])
        mean_x, mean_y, squares, products = means[0], means[1], means[2], means[3]
        for i in range(n_values):
            both = mean_x[i] * mean_y[i]
            squared = mean_x[i] * mean_x[i] + mean_y[i] * mean_y[i]
            upper = (2 * both + c1) * (2 * sample * (products[i] - both) + c2)
            similar[i] = upper / ((squared + c1) * (sample * (squares[i] - squared) + c2))
        total += float(similar.sum())
    return float(total / (n_values * (height - n_taps + 1)))


@numba.njit(cache=True, nogil=True)
def _smooth_row(
    row: NDArray[np.float64], taps: NDArray[np.float64], step: int, middle: int, smoothed: NDArray[np.float64]
) -> None:
    """Window means along one row whose neighbours are ``step`` values apart."""
    n_values = len(smoothed)
    n = len(taps) // 2
    for i in range(n_values):
        smoothed[i] = taps[n] * row[i + middle]
    for k in range(n):
        left, right = k * step, (2 * n - k) * step
        tap = taps[k]
        for i in range(n_values):
            smoothed[i] += tap * (row[i + left] + row[i + right])
