"""The software rasterizer's first passes, compiled: which triangle does each pixel see, and where do several share one.

Kernels that call each other stand in one file, because numba's cache does not notice edits to callees elsewhere. They are
serial, because whole frames run in parallel (two threads that enter ``prange`` kernels abort the process), and let go of
the interpreter's lock.

Words: a *key* is a triangle and its part in one number, ``part << 24 | triangle``; a negative one is :data:`NOTHING`, or
``FIRST_EDGE - n`` for the n-th pixel on an edge. *Closeness* is 1 / depth, which is linear on the screen. *Units* are 1 /
256 of a pixel: vertices are rounded to them, so that which side of an edge a point lies on is computed without error, and
triangles that share an edge share it to the sample.
"""

from __future__ import annotations

import math

import numba
import numpy as np

UNITS = 256
NOTHING, FIRST_EDGE = -1, -2
PART_SHIFT, TRIANGLE_MASK = 24, (1 << 24) - 1
TILE_SHIFT = 3  # tiles of 8 x 8 pixels

NEAR = 0.05
"""Metres from the camera at which triangles are clipped."""
GUARD = 2.0
"""Image sizes from the image's middle beyond which triangles are clipped, so that units stay exact in float64."""
CREASE = 1.0
"""Slope, metres of depth a metre across, whose sudden change may be a border between surfaces."""
_JUMP = 10.0
"""Times more, and it is no border where surfaces cut each other, but an outline."""
_HIDDEN = 1.003
"""An edge this much farther away than all around it is hidden."""

# A rotated grid, the usual pattern of GL drivers for four samples a pixel; in units.
_SAMPLES = ((96.0, 224.0), (224.0, 160.0), (32.0, 96.0), (160.0, 32.0))
N_SAMPLES = len(_SAMPLES)


@numba.njit(cache=True, nogil=True)
def place(vertices, normals, colors, eye, focal, size, screen, attributes):  # type: ignore[no-untyped-def]
    """Project vertices, and divide what is interpolated by depth.

    Fills ``screen`` (V, 2) units, and ``attributes`` (V, 8): normal, colour and 1, each times closeness; and 0.

    Returns:
        Whether all lie where no clipping is needed.
    """
    fits = True
    for v in range(len(vertices)):
        depth = eye[2] - vertices[v, 2]
        fits = fits and depth >= NEAR
        close = 1 / max(depth, NEAR)
        x = focal * (vertices[v, 0] - eye[0]) * close
        y = focal * (eye[1] - vertices[v, 1]) * close
        fits = fits and max(abs(x), abs(y)) <= GUARD
        screen[v, 0] = np.floor((x + 0.5) * size * UNITS + 0.5)
        screen[v, 1] = np.floor((y + 0.5) * size * UNITS + 0.5)
        for axis in range(3):
            attributes[v, axis] = normals[v, axis] * close
            attributes[v, 3 + axis] = colors[v, axis] * close
        attributes[v, 6] = close
    return fits


@numba.njit(cache=True, nogil=True)
def find_box(screen, size):  # type: ignore[no-untyped-def]
    """The pixels that vertices can touch and one more around: top, bottom, left, right; the ends excluded."""
    left = right = screen[0, 0]
    top = bottom = screen[0, 1]
    for v in range(1, len(screen)):
        left, right = min(left, screen[v, 0]), max(right, screen[v, 0])
        top, bottom = min(top, screen[v, 1]), max(bottom, screen[v, 1])
    left, top = max(0, left // UNITS - 1), max(0, top // UNITS - 1)
    right, bottom = min(size, right // UNITS + 2), min(size, bottom // UNITS + 2)
    return int(top), int(max(top, bottom)), int(left), int(max(left, right))


@numba.njit(cache=True, nogil=True)
def _pixel(units):  # type: ignore[no-untyped-def]
    return math.floor(units / UNITS)


@numba.njit(cache=True, nogil=True)
def _sides(screen, i, j, k):  # type: ignore[no-untyped-def]
    """For each corner, a, b, c of the opposite side: a x + b y + c in units is 0 there, positive inside; and their sum."""
    xi, yi, xj, yj, xk, yk = screen[i, 0], screen[i, 1], screen[j, 0], screen[j, 1], screen[k, 0], screen[k, 1]
    # Twice the area: negative when counter-clockwise on a screen whose y points down, that is, seen from its front.
    area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
    sign = -1.0 if area > 0 else 1.0
    ai, bi = sign * (yk - yj), sign * (xj - xk)
    aj, bj = sign * (yi - yk), sign * (xk - xi)
    ak, bk = sign * (yj - yi), sign * (xi - xj)
    return area, ai, bi, -ai * xj - bi * yj, aj, bj, -aj * xk - bj * yk, ak, bk, -ak * xi - bk * yi


@numba.njit(cache=True, nogil=True)
def _bias(a, b):  # type: ignore[no-untyped-def]
    """Added to a side's value, makes it positive inside and never 0: points on a left or top side are inside."""
    return 0.5 if a > 0 or (a == 0 and b > 0) else -0.5


@numba.njit(cache=True, nogil=True)
def _crossing(a):  # type: ignore[no-untyped-def]
    """What times a side's value in the column 0 is the column where it changes sign; far away where it never does."""
    return -1 / (UNITS * a) if a != 0 else -1e30


@numba.njit(cache=True, nogil=True)
def see(screen, attributes, faces, part, two_sided, box, extents, keys, closeness, weights, facing):  # type: ignore[no-untyped-def]
    """Fill ``keys`` and ``closeness`` (H, W) of the nearest triangle in each pixel's middle.

    Fills also, by row, ``extents`` (H, 2): the columns from the first that sees any to behind the last; and, by triangle,
    ``facing``: 1 seen from its front, -1 from its back, 0 not drawn; and ``weights`` (F, 6): the first two corners' shares
    of a pixel, as coefficients of its column and row and a constant.
    """
    top, bottom, left, right = box
    keys[top:bottom, left:right] = NOTHING
    closeness[top:bottom, left:right] = 0
    extents[:, 0], extents[:, 1] = right, left
    middle = UNITS // 2
    for f in range(len(faces)):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        area, ai, bi, ci, aj, bj, cj, ak, bk, ck = _sides(screen, i, j, k)
        facing[f] = 0
        if area == 0 or (area > 0 and not two_sided[part[f]]):
            continue
        facing[f] = 1 if area < 0 else -1
        # Now the origin is the middle of the pixel (0, 0).
        ci, cj, ck = ci + (ai + bi) * middle, cj + (aj + bj) * middle, ck + (ak + bk) * middle
        whole = 1 / abs(area)
        pi, qi, ri = ai * UNITS * whole, bi * UNITS * whole, ci * whole
        pj, qj, rj = aj * UNITS * whole, bj * UNITS * whole, cj * whole
        weights[f, 0], weights[f, 1], weights[f, 2] = pi, qi, ri
        weights[f, 3], weights[f, 4], weights[f, 5] = pj, qj, rj
        low, high = min(screen[i, 1], screen[j, 1], screen[k, 1]), max(screen[i, 1], screen[j, 1], screen[k, 1])
        first, last = max(top, math.ceil((low - middle) / UNITS)), min(bottom - 1, math.floor((high - middle) / UNITS))
        zk = attributes[k, 6]
        zi, zj = attributes[i, 6] - zk, attributes[j, 6] - zk
        across, down, corner = pi * zi + pj * zj, qi * zi + qj * zj, ri * zi + rj * zj + zk
        key = part[f] << PART_SHIFT | f
        # A row's pixels end where a side's value, a half number of units squared, changes sign. That is found without
        # error: no pixel's value is nearer to 0 than a half, which is far more than the product's rounding.
        ci, cj, ck = ci + _bias(ai, bi), cj + _bias(aj, bj), ck + _bias(ak, bk)
        si, sj, sk = _crossing(ai), _crossing(aj), _crossing(ak)
        for row in range(first, last + 1):
            y = float(row * UNITS)
            xi, xj, xk = (bi * y + ci) * si, (bj * y + cj) * sj, (bk * y + ck) * sk
            begin = max(left - 1.0, xi if ai >= 0 else -np.inf, xj if aj >= 0 else -np.inf, xk if ak >= 0 else -np.inf)
            stop = min(float(right), xi if ai < 0 else np.inf, xj if aj < 0 else np.inf, xk if ak < 0 else np.inf)
            start, end = math.floor(min(begin, stop)) + 1, math.ceil(stop)
            if start >= end:
                continue
            extents[row, 0], extents[row, 1] = min(extents[row, 0], start), max(extents[row, 1], end)
            close, line, keys_line = corner + down * row, closeness[row], keys[row]
            for column in range(np.uint32(start), np.uint32(end)):  # unsigned: no check for indices from the end
                closer = np.float32(close + across * column)
                if closer > line[column]:
                    line[column] = closer
                    keys_line[column] = key


@numba.njit(cache=True, nogil=True)
def _mark(row, column, extents, keys, places, centres, tiles, follows, count):  # type: ignore[no-untyped-def]
    """Note a pixel as one that lies on an edge; returns how many do. One beyond the room there is, is counted only."""
    key = keys[row, column]
    if key <= FIRST_EDGE:
        return count
    if count < len(places):
        places[count, 0], places[count, 1] = row, column
        centres[count] = key
        keys[row, column] = FIRST_EDGE - count
        extents[row, 0], extents[row, 1] = min(extents[row, 0], column), max(extents[row, 1], column + 1)
        follows[count] = tiles[row >> TILE_SHIFT, column >> TILE_SHIFT]
        tiles[row >> TILE_SHIFT, column >> TILE_SHIFT] = count
    return count + 1


@numba.njit(cache=True, nogil=True)
def _seen(keys, centres, row, column):  # type: ignore[no-untyped-def]
    """What a pixel's middle sees, whether it has been marked or not."""
    key = keys[row, column]
    return key if key > FIRST_EDGE else centres[FIRST_EDGE - key]


@numba.njit(cache=True, nogil=True)
def _joined(faces, one, other):  # type: ignore[no-untyped-def]
    """Whether two triangles are of one part and share a corner: between such, nothing needs antialiasing."""
    if (one ^ other) >> PART_SHIFT:
        return False
    f, g = one & TRIANGLE_MASK, other & TRIANGLE_MASK
    for a in range(3):
        for b in range(3):
            if faces[f, a] == faces[g, b]:
                return True
    return False


@numba.njit(cache=True, nogil=True)
def _suspect(keys, closeness, row, left, right, slack, suspects):  # type: ignore[no-untyped-def]
    """Fill a row of ``suspects``: where depth bends, but does not jump; or the part changes to the right or below."""
    # Slices, each indexed by the loop's counter alone: only such loops become vectors.
    inside, after, before = slice(left + 1, right - 1), slice(left + 2, right), slice(left, right - 2)
    own, own_after, own_below = keys[row, inside], keys[row, after], keys[row + 1, inside]
    here, here_after, here_before = closeness[row, inside], closeness[row, after], closeness[row, before]
    above, below = closeness[row - 1, inside], closeness[row + 1, inside]
    out, jump = suspects[inside], np.float32(_JUMP)
    for t in range(len(out)):
        twice = here[t] + here[t]
        bend = max(abs(here_before[t] + here_after[t] - twice), abs(above[t] + below[t] - twice))
        least = slack * here[t]
        bends = (bend > least) & (bend < jump * least)
        other_part = ((own[t] ^ own_after[t]) | (own[t] ^ own_below[t])) >> PART_SHIFT
        out[t] = bends | ((other_part != 0) & ((own[t] | own_after[t] | own_below[t]) >= 0))


@numba.njit(cache=True, nogil=True)
def _mark_lines(  # type: ignore[no-untyped-def]
    screen, attributes, edges, facing, box, extents, keys, closeness, places, centres, tiles, follows
):
    """Mark pixels that an outline or a border of parts passes through, unless it is hidden; returns how many."""
    top, bottom, left, right = box
    count = 0
    for e in range(len(edges)):
        side, other = facing[edges[e, 2]], (facing[edges[e, 3]] if edges[e, 3] >= 0 else 0)
        if side == other and (side == 0 or not edges[e, 4]):
            continue
        a, b = edges[e, 0], edges[e, 1]
        if screen[a, 1] > screen[b, 1]:
            a, b = b, a
        xa, ya, xb, yb = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
        za, zb = attributes[a, 6], attributes[b, 6]
        height = max(yb - ya, 1.0)
        for row in range(max(top, _pixel(ya)), min(bottom - 1, _pixel(yb)) + 1):
            enter = max(row * UNITS - ya, 0.0) / height
            leave = min((row + 1) * UNITS - ya, yb - ya) / height if yb > ya else 1.0
            one, two = xa + enter * (xb - xa), xa + leave * (xb - xa)
            close = np.float32(_HIDDEN * max(za + enter * (zb - za), za + leave * (zb - za)))
            first, last = max(left, _pixel(min(one, two))), min(right - 1, _pixel(max(one, two)))
            for column in range(first, last + 1):
                around = min(
                    closeness[row, column],
                    closeness[row, max(column - 1, left)],
                    closeness[row, min(column + 1, right - 1)],
                    closeness[max(row - 1, top), column],
                    closeness[min(row + 1, bottom - 1), column],
                )
                if around <= close:
                    count = _mark(row, column, extents, keys, places, centres, tiles, follows, count)
    return count


@numba.njit(cache=True, nogil=True)
def _mark_crossings(  # type: ignore[no-untyped-def]
    faces, box, extents, slack, keys, closeness, places, centres, tiles, follows, count
):
    """Mark pixels between which two triangles cut each other; returns how many are marked now."""
    top, bottom, left, right = box
    suspects = np.zeros(keys.shape[1], np.uint8)
    for row in range(top + 1, bottom - 1):
        start, end = max(left, extents[row, 0]), min(right, extents[row, 1])
        _suspect(keys, closeness, row, start, end, slack, suspects)
        for column in range(start + 1, end - 1):
            if not suspects[column]:
                continue
            for down, across in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                if max(keys[row, column], keys[row + down, column + across]) <= FIRST_EDGE:
                    continue
                here = _seen(keys, centres, row, column)
                there = _seen(keys, centres, row + down, column + across)
                if here != there and here >= 0 and there >= 0 and not _joined(faces, here, there):
                    count = _mark(row, column, extents, keys, places, centres, tiles, follows, count)
                    count = _mark(row + down, column + across, extents, keys, places, centres, tiles, follows, count)
    return count


@numba.njit(cache=True, nogil=True)
def find_edges(  # type: ignore[no-untyped-def]
    screen, attributes, faces, edges, facing, box, extents, slack, keys, closeness, places, centres, tiles, follows
):
    """Find the pixels that more than one surface shares: on outlines, at borders of parts, where surfaces cut each other.

    Outlines and borders are edges of the mesh, drawn as lines: so are those that pass between the middles of pixels.
    Where the depth bends by more than ``slack`` (a pixel, relative) or the part changes, triangles that share no corner
    cut each other. ``edges`` (E, 5) is that of a :class:`~singinghead.render.clipping.Mesh`.

    Fills ``places`` (N, 2) with rows and columns, ``centres`` (N,) with the keys that ``keys`` had there, ``tiles`` with the
    last such pixel of each tile, and ``follows`` (N,) with that before in the same tile; and widens ``extents``.

    Returns:
        How many they are; when more than N, nothing else is of use.
    """
    tiles[:] = NOTHING
    count = _mark_lines(screen, attributes, edges, facing, box, extents, keys, closeness, places, centres, tiles, follows)
    if count <= len(places):
        count = _mark_crossings(faces, box, extents, slack, keys, closeness, places, centres, tiles, follows, count)
    return count


@numba.njit(cache=True, nogil=True)
def sample(  # type: ignore[no-untyped-def]
    screen, attributes, faces, part, facing, box, places, tiles, follows, samples, closeness
):
    """Fill ``samples`` and ``closeness`` (N, 4) with the keys that the samples of the pixels on edges see."""
    top, bottom, left, right = box
    samples[:] = NOTHING
    closeness[:] = 0
    for f in range(len(faces)):
        if facing[f] == 0:
            continue
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        xi, yi, xj, yj, xk, yk = screen[i, 0], screen[i, 1], screen[j, 0], screen[j, 1], screen[k, 0], screen[k, 1]
        first, last = max(left, _pixel(min(xi, xj, xk))), min(right - 1, _pixel(max(xi, xj, xk)))
        start, end = max(top, _pixel(min(yi, yj, yk))), min(bottom - 1, _pixel(max(yi, yj, yk)))
        if start > end or first > last:
            continue
        area, ai, bi, ci, aj, bj, cj, ak, bk, ck = _sides(screen, i, j, k)
        zk = attributes[k, 6]
        zi, zj = (attributes[i, 6] - zk) / abs(area), (attributes[j, 6] - zk) / abs(area)
        key = part[f] << PART_SHIFT | f
        # So that positive is inside.
        ei, ej, ek = _bias(ai, bi), _bias(aj, bj), _bias(ak, bk)
        for tile_row in range(start >> TILE_SHIFT, (end >> TILE_SHIFT) + 1):
            for tile_column in range(first >> TILE_SHIFT, (last >> TILE_SHIFT) + 1):
                pixel = tiles[tile_row, tile_column]
                while pixel != NOTHING:
                    row, column = places[pixel, 0], places[pixel, 1]
                    if start <= row <= end and first <= column <= last:
                        x, y = float(column * UNITS), float(row * UNITS)
                        wi, wj, wk = ai * x + bi * y + ci, aj * x + bj * y + cj, ak * x + bk * y + ck
                        for s in range(N_SAMPLES):
                            vi = wi + (ai * _SAMPLES[s][0] + bi * _SAMPLES[s][1])
                            vj = wj + (aj * _SAMPLES[s][0] + bj * _SAMPLES[s][1])
                            vk = wk + (ak * _SAMPLES[s][0] + bk * _SAMPLES[s][1])
                            if min(vi + ei, vj + ej, vk + ek) > 0:
                                closer = np.float32(vi * zi + vj * zj + zk)
                                if closer > closeness[pixel, s]:
                                    closeness[pixel, s] = closer
                                    samples[pixel, s] = key
                    pixel = follows[pixel]
