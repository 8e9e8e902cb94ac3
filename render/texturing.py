"""The software rasterizer's passes over textures, compiled: what pixels, and samples of pixels on edges, take from them.

See :mod:`~singinghead.render.visibility` for the words and for why these stand in one file, and
:mod:`~singinghead.render.texture` for the rules. The level of detail is OpenGL's: of the two steps in a texture that one
pixel to the right and one down make, the longer, in texels; by the exact derivatives in the pixel's middle.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from singinghead.render.scene import Part
from singinghead.render.visibility import N_SAMPLES, PART_SHIFT, TRIANGLE_MASK

_MOST_LEVELS = 32
_LANES = 8  # pixels at once, the last of them perhaps behind a run's end
_LOG2 = (np.float32(-2.505615), np.float32(4.049617), np.float32(-2.099402), np.float32(0.635511), np.float32(-0.080011))
"""A polynomial of the logarithm of base 2 between 1 and 2, fitted to least largest error."""


class Textures:
    """All parts' textures in a form that compiled loops read.

    Attributes:
        texels: (N, 4) linear and 1, of all levels of all textures one after the other.
        levels: (P, 32, 3) where the first texel of a part's level lies in ``texels``, its height and its width.
        counts: (P,) how many levels a part's texture has, 0 without one.
    """

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.levels = np.zeros((len(parts), _MOST_LEVELS, 3), np.int32)
        self.counts = np.zeros(len(parts), np.int32)
        texels: list[NDArray[np.float32]] = []
        n_texels = 0
        for part, textured in enumerate(parts):
            for level, picture in enumerate(textured.texture.levels if textured.texture else ()):
                height, width, _ = picture.shape
                self.levels[part, level] = n_texels, height, width
                self.counts[part] = level + 1
                texels.append(picture.reshape(-1, 3))
                n_texels += height * width
        # A fourth value a texel, always 1: four are a vector.
        self.texels = np.ones((n_texels, 4), np.float32)
        np.concatenate(texels, out=self.texels[:, :3])


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _whole(value):  # type: ignore[no-untyped-def]
    """The largest whole number not above a value; the library's own costs a call."""
    whole = np.int32(value)
    return whole - np.int32(np.float32(whole) > value)


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _mixed(texels, first, height, width, u, v):  # type: ignore[no-untyped-def]
    """The colour, and 1, at a place in one level of a texture: mixed of four texels."""
    half = np.float32(0.5)
    x = (u - np.float32(_whole(u))) * np.float32(width) - half
    y = (np.float32(_whole(v)) - v) * np.float32(height) + (np.float32(height) - half)
    left, above = _whole(x), _whole(y)
    across, down = x - np.float32(left), y - np.float32(above)
    right, below = left + 1, above + 1
    left, right = left if left >= 0 else width - 1, right if right < width else 0
    above, below = above if above >= 0 else height - 1, below if below < height else 0
    above, below = first + above * width, first + below * width
    # Not negative, is what this says: no check for indices from the end.
    p, q, r, s = np.uint32(above + left), np.uint32(above + right), np.uint32(below + left), np.uint32(below + right)
    d = across * down
    b, c = across - d, down - d
    a = np.float32(1) - across - c
    return (
        a * texels[p, 0] + b * texels[q, 0] + c * texels[r, 0] + d * texels[s, 0],
        a * texels[p, 1] + b * texels[q, 1] + c * texels[r, 1] + d * texels[s, 1],
        a * texels[p, 2] + b * texels[q, 2] + c * texels[r, 2] + d * texels[s, 2],
        a * texels[p, 3] + b * texels[q, 3] + c * texels[r, 3] + d * texels[s, 3],
    )


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _take(texels, levels, count, us, vs, details, begin, end, out):  # type: ignore[no-untyped-def]
    """Fill ``out[begin:end]`` (..., 4) with the colours that a texture has at places and levels of detail."""
    for t in range(np.uint32(begin), np.uint32(end)):
        u, v = us[t], vs[t]
        finer = min(np.int32(details[t]), count - 1)
        red, green, blue, one = _mixed(texels, levels[finer, 0], levels[finer, 1], levels[finer, 2], u, v)
        share, coarser = details[t] - np.float32(finer), finer + 1
        if share > 0 and coarser < count:
            other = _mixed(texels, levels[coarser, 0], levels[coarser, 1], levels[coarser, 2], u, v)
            red += share * (other[0] - red)
            green += share * (other[1] - green)
            blue += share * (other[2] - blue)
            one += share * (other[3] - one)
        out[t, 0], out[t, 1], out[t, 2], out[t, 3] = red, green, blue, one


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _longer(steps, inverse, u, v, width, height):  # type: ignore[no-untyped-def]
    """The square of the longer step, in texels, that one pixel to the right or down makes in a texture."""
    width, height = width * inverse, height * inverse
    u_across, v_across = (steps[0] - u * steps[4]) * width, (steps[2] - v * steps[4]) * height
    u_down, v_down = (steps[1] - u * steps[5]) * width, (steps[3] - v * steps[5]) * height
    return max(u_across * u_across + v_across * v_across, u_down * u_down + v_down * v_down)


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _detail(longer):  # type: ignore[no-untyped-def]
    """Level of detail, from the square of the longer step: half its logarithm of base 2, within 0.0001, at least 0."""
    bits = np.float32(min(max(longer, np.float32(1)), np.float32(1e30))).view(np.int32)
    exponent = np.float32((bits >> 23) - 127)
    part = np.int32((bits & 0x7FFFFF) | 0x3F800000).view(np.float32)
    log = _LOG2[0] + part * (_LOG2[1] + part * (_LOG2[2] + part * (_LOG2[3] + part * _LOG2[4])))
    return max(np.float32(0.5) * (exponent + log), np.float32(0))


@numba.njit(cache=True, nogil=True)
def find_uv_slopes(attributes, faces, uvs, part, counts, weights, facing, slopes, uv_slopes):  # type: ignore[no-untyped-def]
    """Fill ``uv_slopes`` (F, 9) of the triangles that are drawn and textured: how coordinates vary on the screen.

    u, v and 1, each times closeness: of each the value in the anchor pixel of ``slopes``, the slope along a row, and that
    along a column.
    """
    values = np.ones((3, 3))
    for f in range(len(faces)):
        if facing[f] == 0 or counts[part[f]] == 0:
            continue
        column, row = slopes[f, 7], slopes[f, 15]
        wi = weights[f, 0] * column + weights[f, 1] * row + weights[f, 2]
        wj = weights[f, 3] * column + weights[f, 4] * row + weights[f, 5]
        for a in range(3):
            for corner in range(3):
                close = attributes[faces[f, corner], 6]
                values[corner, a] = (uvs[f, corner, a] if a < 2 else np.float32(1)) * close
            vk = values[2, a]
            vi, vj = values[0, a] - vk, values[1, a] - vk
            uv_slopes[f, 3 * a] = wi * vi + wj * vj + vk
            uv_slopes[f, 3 * a + 1] = weights[f, 0] * vi + weights[f, 3] * vj
            uv_slopes[f, 3 * a + 2] = weights[f, 1] * vi + weights[f, 4] * vj


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _place_run(slope, column, row, begin, end, height, width, us, vs, details):  # type: ignore[no-untyped-def]
    """Fill, and beyond the run's end spoil, coordinates and levels of detail of pixels of one triangle in one row.

    ``slope`` (9,) is the triangle's, for an anchor in that ``column`` and ``row``.
    """
    # Read once: as far as the compiler knows, what is filled might lie in the same memory.
    steps = slope[1], slope[2], slope[4], slope[5], slope[7], slope[8]
    u_step, _, v_step, _, step, _ = steps
    # Always so many pixels, whatever the run's length: they become one vector.
    for block in range(begin, end, _LANES):
        across = np.float32(block) - column
        u = slope[0] + across * u_step + row * slope[2]
        v = slope[3] + across * v_step + row * slope[5]
        close = slope[6] + across * step + row * slope[8]
        at = np.uint32(block)
        for t in range(np.uint32(_LANES)):
            inverse = np.float32(1) / (close + step * np.float32(t))
            u_here, v_here = (u + u_step * np.float32(t)) * inverse, (v + v_step * np.float32(t)) * inverse
            us[at + t], vs[at + t] = u_here, v_here
            details[at + t] = _detail(_longer(steps, inverse, u_here, v_here, width, height))


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def texture_pixels(texels, levels, counts, slopes, uv_slopes, box, extents, keys, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (H, W, 4) with what the pixels that lie on no edge take from textures; 1 where a part has none."""
    n = len(keys) + _LANES
    us, vs, details = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    for row in range(box[0], box[1]):
        line, out_line = keys[row], out[row]
        begin, stop = extents[row, 0], extents[row, 1]
        while begin < stop:
            part, end = line[begin] >> PART_SHIFT, begin
            is_textured = part >= 0 and counts[part] > 0
            # All pixels side by side of one part, triangle by triangle.
            while end < stop and line[end] >> PART_SHIFT == part:
                start, key = end, line[end]
                while end < stop and line[end] == key:
                    end += 1
                if is_textured:
                    f = key & TRIANGLE_MASK
                    down = np.float32(row) - slopes[f, 15]
                    height, width = np.float32(levels[part, 0, 1]), np.float32(levels[part, 0, 2])
                    _place_run(uv_slopes[f], slopes[f, 7], down, start, end, height, width, us, vs, details)
            if is_textured:
                _take(texels, levels[part], counts[part], us, vs, details, begin, end, out_line)
            elif part >= 0:
                out_line[begin:end] = 1
            begin = end


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def texture_edges(  # type: ignore[no-untyped-def]
    texels, levels, counts, attributes, faces, uvs, weights, uv_slopes, places, samples, out
):
    """Fill ``out`` (N, 4, 4) with what the samples of pixels on edges take from textures; 1 where a part has none.

    As for all that is lit there, it is taken in the pixel's middle, or as near to it as the triangle reaches.
    """
    us, vs, details = np.zeros(N_SAMPLES, np.float32), np.zeros(N_SAMPLES, np.float32), np.zeros(N_SAMPLES, np.float32)
    for pixel in range(len(places)):
        row, column = places[pixel, 0], places[pixel, 1]
        for s in range(N_SAMPLES):
            key = samples[pixel, s]
            out[pixel, s] = 1
            if key < 0 or counts[key >> PART_SHIFT] == 0:
                continue
            part, f = key >> PART_SHIFT, key & TRIANGLE_MASK
            wi = weights[f, 0] * column + weights[f, 1] * row + weights[f, 2]
            wj = weights[f, 3] * column + weights[f, 4] * row + weights[f, 5]
            wi, wj, wk = max(wi, 0.0), max(wj, 0.0), max(1 - wi - wj, 0.0)
            total = wi + wj + wk
            wi, wj, wk = wi * attributes[faces[f, 0], 6], wj * attributes[faces[f, 1], 6], wk * attributes[faces[f, 2], 6]
            whole = wi + wj + wk
            us[s] = (wi * uvs[f, 0, 0] + wj * uvs[f, 1, 0] + wk * uvs[f, 2, 0]) / whole
            vs[s] = (wi * uvs[f, 0, 1] + wj * uvs[f, 1, 1] + wk * uvs[f, 2, 1]) / whole
            height, width = np.float32(levels[part, 0, 1]), np.float32(levels[part, 0, 2])
            slope = uv_slopes[f]
            steps = slope[1], slope[2], slope[4], slope[5], slope[7], slope[8]
            details[s] = _detail(_longer(steps, np.float32(total / whole), us[s], vs[s], width, height))
            _take(texels, levels[part], counts[part], us, vs, details, s, s + 1, out[pixel])
