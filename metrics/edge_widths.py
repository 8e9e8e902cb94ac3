"""Edges of a picture and how wide each is along its row, compiled: what :mod:`sharpness` judges."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

_LONGEST = 100
_TAN_22_5 = math.sqrt(2) - 1


@numba.njit(cache=True, nogil=True)
def edge_widths(gray: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels from the nearest local extremum on the left to that on the right of every upright edge.

    Everything is counted in whole numbers, so that it equals the reference's floating point to the last bit.

    Args:
        gray: (H, W) uint8 luminance, of at least 2 x 2 pixels.

    Returns:
        (H, W), 0 where there is no edge.
    """
    height, width = gray.shape
    picture = gray.astype(np.int64)
    widths = np.zeros((height, width), np.int64)
    if not _is_sloped(picture):
        return widths  # the reference's own exception: all angles are zero
    strength = _strength(picture)
    # Strengths are 64 times those of Sobel over 8.
    threshold = 64 * 2 * math.sqrt(strength.sum() / 64 / strength.size)
    for y in range(height):
        for x in range(width):
            if strength[y, x] <= threshold:
                strength[y, x] = 0
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            own = strength[y, x]
            is_edge = (own > strength[y, x - 1] and own > strength[y, x + 1]) or (
                own > strength[y - 1, x] and own > strength[y + 1, x]
            )
            if is_edge:
                slope_x = picture[y, x + 1] - picture[y, x - 1]
                # As the reference: without a slope along its row an edge passes for an upright one, unless it lies along it.
                slope_y = picture[y + 1, x] - picture[y - 1, x] if slope_x else 0
                if abs(slope_y) <= _TAN_22_5 * abs(slope_x):
                    widths[y, x] = _width(picture[y], x, 1 if slope_x >= 0 else -1)
    return widths


@numba.njit(cache=True, nogil=True)
def _is_sloped(picture: NDArray[np.int64]) -> bool:
    """Whether any pixel falls along its row, or has a slope both along and across it."""
    height, width = picture.shape
    for y in range(height):
        for x in range(width):
            slope = picture[y, min(x + 1, width - 1)] - picture[y, max(x - 1, 0)]
            if slope < 0 or (slope and picture[min(y + 1, height - 1), x] != picture[max(y - 1, 0), x]):
                return True
    return False


@numba.njit(cache=True, nogil=True)
def _strength(picture: NDArray[np.int64]) -> NDArray[np.int64]:
    """(H, W): the square of Sobel's slope along the rows; beyond the picture it is mirrored."""
    height, width = picture.shape
    strength = np.zeros((height, width), np.int64)
    for y in range(height):
        above, own, below = picture[max(y - 1, 0)], picture[y], picture[min(y + 1, height - 1)]
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            slope = above[right] - above[left] + 2 * (own[right] - own[left]) + below[right] - below[left]
            strength[y, x] = slope * slope
    return strength


@numba.njit(cache=True, nogil=True)
def _width(row: NDArray[np.int64], x: int, direction: int) -> int:
    """How many pixels rise (or fall, for -1) around pixel ``x``, up to 100 on either side, which counts for both."""
    left = 0
    while left < _LONGEST and x - 2 - left >= 0 and direction * (row[x - 1 - left] - row[x - 2 - left]) > 0:
        left += 1
    right = 0
    while right < _LONGEST and x + 2 + right < len(row) and direction * (row[x + 2 + right] - row[x + 1 + right]) > 0:
        right += 1
    return left + right + 2
