"""The software rasterizer's last passes, compiled: what light comes from the triangle that a pixel sees.

See :mod:`~singinghead.render.visibility` for the words and for why these stand in one file.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from singinghead.render.visibility import FIRST_EDGE, N_SAMPLES, NOTHING, PART_SHIFT, TRIANGLE_MASK, UNITS

_BATCH = 512  # pixels lit together: their rows of scratch fit into the first-level cache
_LANES = 8  # pixels written at once, the last of them perhaps behind a run's end
_ROW = _BATCH + 2 * _LANES
# Of scratch; the first seven are the attributes.
_NX, _NY, _NZ, _R, _G, _B, _C, _X, _Y, _NV, _VX, _VY, _VZ = (row * _ROW for row in range(13))
_OUT = 13 * _ROW  # three rows
_TEXEL = 16 * _ROW  # three rows
SCRATCH = 19 * _ROW

_DIELECTRIC = 0.04  # specular reflectance of what is no metal
_MIN_COSINE = 0.001


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _encode(value):  # type: ignore[no-untyped-def]
    """255 times the root of order 2.2, within 0.04: a polynomial of the fourth root, fitted to least largest error."""
    root = np.sqrt(np.sqrt(min(max(value, np.float32(0)), np.float32(1))))
    high = np.float32(-184.6862) + root * (np.float32(138.0049) + root * np.float32(-44.31370))
    return max(
        np.float32(-0.0369) + root * (np.float32(6.8771) + root * (np.float32(339.1178) + root * high)), np.float32(0)
    )


@numba.njit(cache=True, nogil=True)
def _tinted(scratch, t, material):  # type: ignore[no-untyped-def]
    """A pixel's albedo: the material's times the texel."""
    red, green, blue = scratch[_TEXEL + t], scratch[_TEXEL + _ROW + t], scratch[_TEXEL + 2 * _ROW + t]
    return material[0] * red, material[1] * green, material[2] * blue


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _light(scratch, n, material, lights, ambient, view, texels):  # type: ignore[no-untyped-def]
    """Light ``n`` pixels of one part: rows of ``scratch`` in, three rows of encoded colours (0 to 255) out.

    Where ``texels`` is None, the rows of texels are not read: that is known when this is compiled, and costs nothing.

    Lambert, and GGX with Smith's shadowing and Schlick's Fresnel term, rearranged so that a lamp costs one root and one
    division: with v and l unit vectors and q = |l + v|^2 = 2 + 2 l.v, the half vector's cosines are (n.l + n.v) / sqrt(q)
    with the normal and sqrt(q) / 2 with the view. Loops are free of branches, over rows a constant apart: LLVM makes them
    vectors.
    """
    one = np.float32(1)
    albedo_r, albedo_g, albedo_b = material[0], material[1], material[2]
    a2 = material[3] * material[3] * material[3] * material[3]
    k = (material[3] + one) * (material[3] + one) / np.float32(8)
    least = np.float32(_MIN_COSINE)
    for t in range(n):
        x, y = (scratch[_X + t] - view[0]) * view[1], (scratch[_Y + t] - view[0]) * view[1]
        inverse = one / np.sqrt(x * x + y * y + one)
        vx, vy, vz = -x * inverse, y * inverse, inverse
        nx, ny, nz = scratch[_NX + t], scratch[_NY + t], scratch[_NZ + t]
        inverse = one / np.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-30)))
        nx, ny, nz = nx * inverse, ny * inverse, nz * inverse
        scratch[_NX + t], scratch[_NY + t], scratch[_NZ + t] = nx, ny, nz
        scratch[_VX + t], scratch[_VY + t], scratch[_VZ + t] = vx, vy, vz
        scratch[_NV + t] = nx * vx + ny * vy + nz * vz
        if texels is not None:
            albedo_r, albedo_g, albedo_b = _tinted(scratch, t, material)
        scratch[_OUT + t] = albedo_r * ambient[0]
        scratch[_OUT + _ROW + t] = albedo_g * ambient[1]
        scratch[_OUT + 2 * _ROW + t] = albedo_b * ambient[2]
    for light in range(len(lights)):
        lx, ly, lz = lights[light, 0], lights[light, 1], lights[light, 2]
        light_r, light_g, light_b = lights[light, 3], lights[light, 4], lights[light, 5]
        for t in range(n):
            nl = scratch[_NX + t] * lx + scratch[_NY + t] * ly + scratch[_NZ + t] * lz
            nv = scratch[_NV + t]
            half = max(nl + nv, np.float32(0))
            nl, nv = max(nl, least), max(abs(nv), least)
            q = max(
                np.float32(2) + np.float32(2) * (scratch[_VX + t] * lx + scratch[_VY + t] * ly + scratch[_VZ + t] * lz),
                np.float32(1e-6),
            )
            miss = one - np.float32(0.5) * np.sqrt(q)
            fresnel = np.float32(_DIELECTRIC) + np.float32(1 - _DIELECTRIC) * (miss * miss) * (miss * miss) * miss
            spread = max(half * half * (a2 - one) + q, q * a2)
            below = (nv * (one - k) + k) * (nl * (one - k) + k) * (np.float32(4) * nl * nv + np.float32(0.001))
            specular = fresnel * nv * nl * q * q * (a2 / np.float32(math.pi)) / (below * spread * spread)
            diffuse = (one - fresnel) * np.float32((1 - _DIELECTRIC) / math.pi)
            if texels is not None:
                albedo_r, albedo_g, albedo_b = _tinted(scratch, t, material)
            scratch[_OUT + t] += nl * light_r * (diffuse * albedo_r + specular)
            scratch[_OUT + _ROW + t] += nl * light_g * (diffuse * albedo_g + specular)
            scratch[_OUT + 2 * _ROW + t] += nl * light_b * (diffuse * albedo_b + specular)
    for t in range(n):
        inverse = one / scratch[_C + t]
        scratch[_OUT + t] = _encode(scratch[_OUT + t] * scratch[_R + t] * inverse)
        scratch[_OUT + _ROW + t] = _encode(scratch[_OUT + _ROW + t] * scratch[_G + t] * inverse)
        scratch[_OUT + 2 * _ROW + t] = _encode(scratch[_OUT + 2 * _ROW + t] * scratch[_B + t] * inverse)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _finish(scratch, n, row, start, material, lights, ambient, view, texels, planes):  # type: ignore[no-untyped-def]
    """Light ``n`` pixels of a row side by side, and write them."""
    if texels is not None:
        line = texels[row, start : start + n]
        for t in range(n):
            scratch[_TEXEL + t] = line[t, 0]
            scratch[_TEXEL + _ROW + t] = line[t, 1]
            scratch[_TEXEL + 2 * _ROW + t] = line[t, 2]
    for t in range(n):
        scratch[_X + t] = np.float32(start + t)
        scratch[_Y + t] = np.float32(row)
    _light(scratch, n, material, lights, ambient, view, texels)
    for channel in range(3):
        line = planes[channel, row, start : start + n]
        for t in range(n):
            line[t] = np.uint8(np.int32(scratch[_OUT + channel * _ROW + t] + np.float32(0.5)))


@numba.njit(cache=True, nogil=True)
def find_slopes(screen, attributes, faces, weights, facing, slopes):  # type: ignore[no-untyped-def]
    """Fill ``slopes`` (F, 24) of the triangles that are drawn: how attributes vary on the screen.

    Eight values in an anchor pixel near the third corner, eight slopes along a row, and eight along a column. The last of
    the eight is not an attribute but the anchor's column and row. From nearby, single precision is enough for slivers.
    """
    for f in range(len(faces)):
        if facing[f] == 0:
            continue
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        column, row = math.floor(screen[k, 0] / UNITS), math.floor(screen[k, 1] / UNITS)
        wi = weights[f, 0] * column + weights[f, 1] * row + weights[f, 2]
        wj = weights[f, 3] * column + weights[f, 4] * row + weights[f, 5]
        for a in range(8):
            vk = attributes[k, a]
            vi, vj = attributes[i, a] - vk, attributes[j, a] - vk
            slopes[f, a] = wi * vi + wj * vj + vk
            slopes[f, 8 + a] = weights[f, 0] * vi + weights[f, 3] * vj
            slopes[f, 16 + a] = weights[f, 1] * vi + weights[f, 4] * vj
        slopes[f, 7], slopes[f, 15] = column, row


@numba.njit(cache=True, nogil=True)
def _find_runs(keys, first, stop, begins):  # type: ignore[no-untyped-def]
    """Fill ``begins`` with the columns where runs of the same key begin, and the stop; returns how many runs."""
    n, before = 0, NOTHING - len(keys) * len(keys)  # no key
    for column in range(first, stop):
        begins[n] = column  # overwritten unless a run begins: cheaper than a branch that is mispredicted
        n += keys[column] != before
        before = keys[column]
    begins[n] = stop
    return n


@numba.njit(cache=True, nogil=True)
def shade(  # type: ignore[no-untyped-def]
    slopes, materials, lights, ambient, view, background, box, extents, keys, texels, scratch, planes
):
    """Fill ``planes`` (3, H, W): background, and the light of pixels that lie on no edge.

    ``texels`` (H, W, 4) are what pixels take from textures, or None.
    """
    for channel in range(3):
        planes[channel] = background[channel]
    begins = np.zeros(len(keys) + 1, np.int32)
    for row in range(box[0], box[1]):
        n_runs = _find_runs(keys[row], extents[row, 0], extents[row, 1], begins)
        n, start, part = 0, 0, -1
        for run in range(n_runs):
            begin, end = begins[run], begins[run + 1]
            key = keys[row, begin]
            if n and key >> PART_SHIFT != part:  # or no part
                _finish(scratch, n, row, start, materials[part], lights, ambient, view, texels, planes)
                n = 0
            if key < 0:
                continue
            f, part = key & TRIANGLE_MASK, key >> PART_SHIFT
            while begin < end:
                if n == 0:
                    start = begin
                count = min(end - begin, _BATCH - n)
                down = np.float32(row) - slopes[f, 15]
                # Always so many pixels, whatever the run's length: they become one vector.
                for block in range(0, count, _LANES):
                    across = np.float32(begin + block) - slopes[f, 7]
                    for a in range(7):
                        step = slopes[f, 8 + a]
                        value = slopes[f, a] + across * step + down * slopes[f, 16 + a]
                        at = (a * _ROW + n + block) & 0xFFFF  # not negative, is what this says
                        for t in range(_LANES):
                            scratch[at + t] = value + step * np.float32(t)
                n, begin = n + count, begin + count
                if n == _BATCH:
                    _finish(scratch, n, row, start, materials[part], lights, ambient, view, texels, planes)
                    n = 0
        if n:
            _finish(scratch, n, row, start, materials[part], lights, ambient, view, texels, planes)


@numba.njit(cache=True, nogil=True)
def _add(scratch, n, owners, sums):  # type: ignore[no-untyped-def]
    """Give the lit pixels' colours to the pixels on edges."""
    for t in range(n):
        share = np.float32(owners[t, 1]) / np.float32(N_SAMPLES)
        for channel in range(3):
            sums[owners[t, 0], channel] += share * scratch[_OUT + channel * _ROW + t]


@numba.njit(cache=True, nogil=True)
def shade_edges(  # type: ignore[no-untyped-def]
    attributes, faces, weights, materials, lights, ambient, view, background, places, samples, texels, scratch, planes
):
    """Write the pixels on edges: each triangle that one sees is lit once, in its middle, and weighted by its samples.

    ``texels`` (N, 4, 4) are what samples take from textures, or None.
    """
    sums = np.zeros((len(places), 3), np.float32)
    owners = np.zeros((_BATCH, 2), np.int32)  # of lit pixels: the pixel on an edge, and how many samples
    n, part = 0, -1
    for pixel in range(len(places)):
        row, column = places[pixel, 0], places[pixel, 1]
        sums[pixel] = 0.5
        for s in range(N_SAMPLES):
            key = samples[pixel, s]
            count, is_first = 0, True
            for other in range(N_SAMPLES):
                if samples[pixel, other] == key:
                    count += 1
                    is_first = is_first and other >= s
            if not is_first:
                continue
            if key < 0:
                for channel in range(3):
                    sums[pixel, channel] += np.float32(count) / N_SAMPLES * background[channel]
                continue
            if n and (key >> PART_SHIFT != part or n == _BATCH):
                _light(scratch, n, materials[part], lights, ambient, view, texels)
                _add(scratch, n, owners, sums)
                n = 0
            part = key >> PART_SHIFT
            f = key & TRIANGLE_MASK
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            wi = max(weights[f, 0] * column + weights[f, 1] * row + weights[f, 2], 0.0)
            wj = max(weights[f, 3] * column + weights[f, 4] * row + weights[f, 5], 0.0)
            wk = max(
                1
                - (weights[f, 0] + weights[f, 3]) * column
                - (weights[f, 1] + weights[f, 4]) * row
                - (weights[f, 2] + weights[f, 5]),
                0.0,
            )
            total = wi + wj + wk
            wi, wj, wk = np.float32(wi / total), np.float32(wj / total), np.float32(wk / total)
            for a in range(7):
                scratch[a * _ROW + n] = wi * attributes[i, a] + wj * attributes[j, a] + wk * attributes[k, a]
            if texels is not None:
                for channel in range(3):
                    scratch[_TEXEL + channel * _ROW + n] = texels[pixel, s, channel]
            scratch[_X + n], scratch[_Y + n] = column, row
            owners[n, 0], owners[n, 1] = pixel, count
            n += 1
    if n:
        _light(scratch, n, materials[part], lights, ambient, view, texels)
        _add(scratch, n, owners, sums)
    for pixel in range(len(places)):
        for channel in range(3):
            planes[channel, places[pixel, 0], places[pixel, 1]] = np.uint8(np.int32(sums[pixel, channel]))


@numba.njit(cache=True, nogil=True)
def interleave(planes, picture):  # type: ignore[no-untyped-def]
    """Fill ``picture`` (H, W, 3) from ``planes`` (3, H, W)."""
    for row in range(len(picture)):
        line, red, green, blue = picture[row], planes[0, row], planes[1, row], planes[2, row]
        for column in range(len(line)):
            line[column, 0], line[column, 1], line[column, 2] = red[column], green[column], blue[column]


@numba.njit(cache=True, nogil=True)
def fill_layers(  # type: ignore[no-untyped-def]
    attributes, faces, weights, box, extents, keys, centres, samples, depth, normal, part, alpha
):
    """Fill the layers (H, W, ...) of what pixels' middles see, and ``alpha``, the share of samples that see anything."""
    for row in range(box[0], box[1]):
        for column in range(extents[row, 0], extents[row, 1]):
            key = keys[row, column]
            if key == NOTHING:
                continue
            alpha[row, column] = 1
            if key <= FIRST_EDGE:
                pixel = FIRST_EDGE - key
                alpha[row, column] = (samples[pixel] >= 0).sum() / N_SAMPLES
                key = centres[pixel]
                if key < 0:
                    continue
            f = key & TRIANGLE_MASK
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            wi = weights[f, 0] * column + weights[f, 1] * row + weights[f, 2]
            wj = weights[f, 3] * column + weights[f, 4] * row + weights[f, 5]
            wk = 1 - wi - wj
            depth[row, column] = 1 / (wi * attributes[i, 6] + wj * attributes[j, 6] + wk * attributes[k, 6])
            part[row, column] = key >> PART_SHIFT
            for axis in range(3):
                normal[row, column, axis] = wi * attributes[i, axis] + wj * attributes[j, axis] + wk * attributes[k, axis]
            x, y, z = normal[row, column, 0], normal[row, column, 1], normal[row, column, 2]
            normal[row, column] /= max(math.sqrt(x * x + y * y + z * z), 1e-30)
