"""Pictures as video stores them: yuv420p, BT.709, limited range."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError

# What red, green and blue contribute to luma (219 steps) and to the colour differences (224 steps), times 2^15.
_LUMA = (5983, 20127, 2032)
_BLUE = (-3298, -11095, 14393)
_RED = (14393, -13073, -1320)


def to_yuv420p(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert as ffmpeg does; a colour difference is that of the mean of four pixels.

    Args:
        picture: (H, W, 3) uint8 sRGB, H and W even. Fastest as a view of red, green and blue planes.

    Returns:
        (H * 3 / 2, W) uint8: H rows of luma; then the planes Cb and Cr of H/2 x W/2, one after the other.

    Raises:
        InputError: an odd size.
    """
    height, width, _ = picture.shape
    if height % 2 or width % 2:
        raise InputError(f"a picture of {width} x {height} pixels has no yuv420p", remedy="even sizes have")
    yuv = np.zeros(height * width * 3 // 2, np.uint8)
    luma, differences = yuv[: height * width].reshape(height, width), yuv[height * width :]
    _fill(np.moveaxis(picture, -1, 0), luma, *differences.reshape(2, height // 2, width // 2))
    return yuv.reshape(height * 3 // 2, width)


@numba.njit(cache=True, nogil=True)
def _fill(planes, luma, blue, red):  # type: ignore[no-untyped-def]
    half = 1 << 14
    for row in range(len(luma)):
        r, g, b, out = planes[0, row], planes[1, row], planes[2, row], luma[row]
        for t in range(len(out)):
            y = _LUMA[0] * np.int32(r[t]) + _LUMA[1] * np.int32(g[t]) + _LUMA[2] * np.int32(b[t])
            out[t] = np.uint8(np.int32(y + half + (16 << 15)) >> 15)
    for row in range(len(blue)):
        r, g, b = planes[0, 2 * row], planes[1, 2 * row], planes[2, 2 * row]
        r2, g2, b2 = planes[0, 2 * row + 1], planes[1, 2 * row + 1], planes[2, 2 * row + 1]
        out_blue, out_red = blue[row], red[row]
        for t in range(len(out_blue)):
            mean_r = np.int32(r[2 * t]) + np.int32(r[2 * t + 1]) + np.int32(r2[2 * t]) + np.int32(r2[2 * t + 1])
            mean_g = np.int32(g[2 * t]) + np.int32(g[2 * t + 1]) + np.int32(g2[2 * t]) + np.int32(g2[2 * t + 1])
            mean_b = np.int32(b[2 * t]) + np.int32(b[2 * t + 1]) + np.int32(b2[2 * t]) + np.int32(b2[2 * t + 1])
            cb = _BLUE[0] * mean_r + _BLUE[1] * mean_g + _BLUE[2] * mean_b
            cr = _RED[0] * mean_r + _RED[1] * mean_g + _RED[2] * mean_b
            out_blue[t] = np.uint8(np.int32(cb + 4 * half + (128 << 17)) >> 17)
            out_red[t] = np.uint8(np.int32(cr + 4 * half + (128 << 17)) >> 17)
