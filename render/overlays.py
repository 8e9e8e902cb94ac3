"""Lines and points over a drawn surface, where they are visible: antialiased, by both rasterizers' depth alike."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats, Indices

Picture = NDArray[np.uint8]

_SLACK = 0.002
"""Metres by which a line may lie behind the surface next to it: it is straight between two points of it."""


def unique_edges(faces: Indices) -> tuple[Indices, Indices]:
    """The edges of a mesh.

    Args:
        faces: (F, 3).

    Returns:
        (E, 2) vertices, and (E, 2) the first and the last face at each edge; the same face where there is one only.
    """
    ends = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    owners = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    ends, owners = ends[order], owners[order]
    first = np.flatnonzero(np.r_[True, np.any(ends[1:] != ends[:-1], axis=1)])
    last = np.r_[first[1:], len(ends)] - 1
    return ends[first], np.stack([owners[first], owners[last]], axis=1)


def facing(projected: Floats, faces: Indices) -> NDArray[np.bool_]:
    """(F,) whether triangles are seen from their front; ``projected`` (V, 3) is that of a camera."""
    a, b, c = (projected[faces[:, corner], :2] for corner in range(3))
    sides, other = b - a, c - a
    return np.asarray(sides[:, 0] * other[:, 1] - sides[:, 1] * other[:, 0] < 0)


def behind(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) the largest depth of a surface in a pixel and the eight around it; 0 where there is none."""
    from scipy.ndimage import maximum_filter

    found: NDArray[np.float32] = maximum_filter(np.where(np.isfinite(depth), depth, 0), size=3, mode="nearest")
    return found


def draw_lines(
    picture: Picture, ends: Floats, limit: NDArray[np.float32], width: float, color: tuple[int, int, int], opacity: float
) -> None:
    """Draw lines into a picture, where they are not hidden.

    Args:
        picture: (H, W, 3), changed.
        ends: (N, 2, 3) of two ends each: column and row in pixels from the upper left corner, and depth in metres.
        limit: (H, W) depth; see :func:`behind`.
        width: pixels.
        color: as it stands in the picture.
        opacity: 0 to 1.
    """
    cover = np.zeros(limit.shape, np.float32)
    _cover_lines(np.ascontiguousarray(ends, np.float64), limit, width / 2, cover)
    _blend(picture, cover, np.array(color, np.float32), np.float32(opacity))


def draw_points(
    picture: Picture, points: Floats, limit: NDArray[np.float32], radius: float, color: tuple[int, int, int]
) -> None:
    """Draw discs into a picture, whole or not at all: where their middle is not hidden.

    Args:
        picture: (H, W, 3), changed.
        points: (N, 3) column and row in pixels from the upper left corner, and depth in metres.
        limit: (H, W) depth; see :func:`behind`.
        radius: pixels.
        color: as it stands in the picture.
    """
    cover = np.zeros(limit.shape, np.float32)
    _cover_points(np.ascontiguousarray(points, np.float64), limit, radius, cover)
    _blend(picture, cover, np.array(color, np.float32), np.float32(1))


@numba.njit(cache=True, nogil=True)
def _cover_lines(ends, limit, half, cover):  # type: ignore[no-untyped-def]
    """Raise ``cover`` (H, W) to the share of each pixel that a visible line covers."""
    height, width = limit.shape
    for n in range(len(ends)):
        x, y, dx, dy = ends[n, 0, 0] - 0.5, ends[n, 0, 1] - 0.5, ends[n, 1, 0] - ends[n, 0, 0], ends[n, 1, 1] - ends[n, 0, 1]
        if not min(ends[n, 0, 2], ends[n, 1, 2]) > 0:
            continue
        close, step = 1 / ends[n, 0, 2], 1 / ends[n, 1, 2] - 1 / ends[n, 0, 2]  # linear on the screen, as depth is not
        is_steep = abs(dy) > abs(dx)
        if is_steep:
            x, y, dx, dy = y, x, dy, dx
        if abs(dx) < 1e-6:
            continue
        along, across = (height, width) if is_steep else (width, height)
        shrink = 1 / np.sqrt(1 + (dy / dx) ** 2)  # from a distance along an axis to one from the line
        reach = (half + 0.5) / shrink
        low, high = min(x, x + dx), max(x, x + dx)
        for a in range(max(0, int(np.ceil(low))), min(along - 1, int(np.floor(high))) + 1):
            t = (a - x) / dx
            middle, depth = y + t * dy, 1 / (close + t * step)
            for b in range(max(0, int(np.ceil(middle - reach))), min(across - 1, int(np.floor(middle + reach))) + 1):
                row, column = (a, b) if is_steep else (b, a)
                share = min(1.0, 2 * half, half + 0.5 - abs(b - middle) * shrink)
                if share > cover[row, column] and depth <= limit[row, column] + _SLACK:
                    cover[row, column] = share


@numba.njit(cache=True, nogil=True)
def _cover_points(points, limit, radius, cover):  # type: ignore[no-untyped-def]
    """Raise ``cover`` (H, W) to the share of each pixel that a visible disc covers."""
    height, width = limit.shape
    for n in range(len(points)):
        x, y = points[n, 0] - 0.5, points[n, 1] - 0.5
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        if not (0 <= column < width and 0 <= row < height) or points[n, 2] > limit[row, column] + _SLACK:
            continue
        reach = int(np.ceil(radius + 1))
        for r in range(max(0, row - reach), min(height, row + reach + 1)):
            for c in range(max(0, column - reach), min(width, column + reach + 1)):
                share = min(1.0, radius + 0.5 - np.sqrt((c - x) ** 2 + (r - y) ** 2))
                cover[r, c] = max(cover[r, c], share)


@numba.njit(cache=True, nogil=True)
def _blend(picture, cover, color, opacity):  # type: ignore[no-untyped-def]
    for row in range(len(cover)):
        for column in range(cover.shape[1]):
            share = cover[row, column] * opacity
            if share > 0:
                for channel in range(3):
                    value = np.float32(picture[row, column, channel])
                    picture[row, column, channel] = np.uint8(value + share * (color[channel] - value) + np.float32(0.5))
