"""How much of the sky each vertex of a head sees: soft shadow under chin and nose, in the sockets and in the mouth.

It is baked once a subject into the colours of vertices, so that both rasterizers draw it alike, and no frame pays for it.
The head casts its shadow on itself from many directions, each by a map of depth. What only an open mouth lets light into is
baked with the mouth open, or shut lips would leave their shadow on open ones.
"""

from __future__ import annotations

import hashlib

import numba
import numpy as np

from singinghead.flame_model.arrays import JOINTS, Floats, Indices
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import Frames
from singinghead.flame_model.rotations import matrix_from_axis_angle
from singinghead.render.normals import vertex_normals

_N_DIRECTIONS = 96
_PIXEL = 0.002
"""Metres a pixel of a map of depth."""
_MOST_PIXELS = 512
"""Of a map's side, about: a head of other units than metres must not take hours."""
_OFF, _SLACK = 0.0015, 0.0025
"""Metres: vertices are looked at from that far off the surface, and what lies less than that before them hides nothing."""
_JAW_OPEN = 0.22
"""Radians."""
_SKYWARD = 0.12
"""From 0, where only what is hidden from the sky is dark, to 1, where what is turned away from it is dark, too."""
_KEPT = 8
"""Subjects whose shadow is remembered."""


_baked: dict[bytes, Floats] = {}


def occlusion(subject: Subject) -> Floats:
    """(V,) the share of the light from above that reaches each vertex, 0 to 1; the same for the same head."""
    faces, jaw = subject.faces, subject.arrays.skinning[:, JOINTS.index("jaw")]
    key = hashlib.sha256(b"".join(each.tobytes() for each in (subject.template, faces, jaw))).digest()
    shadow = _baked.get(key)
    if shadow is None:
        shut, opened = (_openness(points, faces) for points in (subject.template, _with_open_jaw(subject)))
        shadow = np.clip(softened(np.maximum(shut, opened), faces), 0, 1)
        shadow.setflags(write=False)
        if len(_baked) >= _KEPT:
            _baked.pop(next(iter(_baked)), None)
        _baked[key] = shadow
    return shadow


def softened(values: Floats, faces: Indices, rounds: int = 2) -> Floats:
    """(V,) values that fade over their borders: each round replaces them by the mean of their faces' means."""
    corners = faces.ravel()
    n_faces = np.maximum(np.bincount(corners, minlength=len(values)), 1)
    for _ in range(rounds):
        face_means = values[faces].mean(axis=1)
        values = np.bincount(corners, weights=np.repeat(face_means, 3), minlength=len(values)) / n_faces
    return np.asarray(values)


def _with_open_jaw(subject: Subject) -> Floats:
    """(V, 3) the neutral head, its jaw turned."""
    jaw = JOINTS.index("jaw")
    joint, weight = subject.neutral_joints[jaw], subject.arrays.skinning[:, jaw, None]
    turn = matrix_from_axis_angle(np.array([_JAW_OPEN, 0.0, 0.0]))
    offset = subject.template - joint
    return np.asarray(subject.template + weight * (offset @ turn.T - offset))


def _directions() -> tuple[Floats, Floats]:
    """(D, 3) unit vectors, evenly over the sphere, and (D,) how much light comes from there: most from above."""
    height = 1 - (2 * np.arange(_N_DIRECTIONS) + 1) / _N_DIRECTIONS
    turn = np.pi * (3 - 5**0.5) * np.arange(_N_DIRECTIONS)
    ring = np.sqrt(1 - height**2)
    towards = np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)
    return towards, np.maximum(0.3 + 0.8 * towards[:, 1] + 0.2 * towards[:, 2], 0.03)


def _openness(points: Floats, faces: Indices) -> Floats:
    """(V,) the share of the light that arrives."""
    normals = vertex_normals(points.astype(np.float32), faces).astype(np.float64)
    towards, light = _directions()
    pixel = max(_PIXEL, float(np.ptp(points, axis=0).max()) / _MOST_PIXELS)
    arrived, sent = np.zeros(len(points)), np.full(len(points), 1e-9)
    for direction, strength in zip(towards, light, strict=True):
        across = np.cross(direction, [1.0, 0.0, 0.0] if abs(direction[0]) < 0.9 else [0.0, 1.0, 0.0])
        across /= np.linalg.norm(across)
        frame = np.stack([across, np.cross(direction, across), direction], axis=1)
        placed, looking = points @ frame, (points + _OFF * normals) @ frame
        corner = placed.min(axis=0) - 2 * pixel
        width, height, _ = ((placed.max(axis=0) - corner) / pixel).astype(np.int64) + 3
        nearest = np.full((width, height), -np.inf, np.float32)
        _fill(placed - corner, faces, pixel, nearest)
        cosine = np.maximum(normals @ direction, 0)
        _look(looking - corner, cosine * strength, pixel, _SLACK, nearest, arrived)
        sent += cosine * strength
    return np.asarray(arrived / ((1 - _SKYWARD) * sent + _SKYWARD * sent.max()))


@numba.njit(cache=True, nogil=True)
def _fill(placed: Floats, faces: Indices, pixel: float, nearest: Frames) -> None:
    """Fill ``nearest`` (W, H) with how far each pixel's nearest triangle reaches towards the light."""
    for f in range(len(faces)):
        i, j, k = faces[f]
        ax, ay, az = placed[i, 0] / pixel, placed[i, 1] / pixel, placed[i, 2]
        bx, by, bz = placed[j, 0] / pixel - ax, placed[j, 1] / pixel - ay, placed[j, 2] - az
        cx, cy, cz = placed[k, 0] / pixel - ax, placed[k, 1] / pixel - ay, placed[k, 2] - az
        area = bx * cy - by * cx
        if abs(area) < 1e-9:
            continue
        for x in range(int(np.ceil(ax + min(0.0, bx, cx))), int(np.floor(ax + max(0.0, bx, cx))) + 1):
            for y in range(int(np.ceil(ay + min(0.0, by, cy))), int(np.floor(ay + max(0.0, by, cy))) + 1):
                u = ((x - ax) * cy - (y - ay) * cx) / area
                v = ((y - ay) * bx - (x - ax) * by) / area
                if u >= 0 and v >= 0 and u + v <= 1:
                    nearest[x, y] = max(nearest[x, y], np.float32(az + u * bz + v * cz))


@numba.njit(cache=True, nogil=True)
def _look(looking: Floats, light: Floats, pixel: float, slack: float, nearest: Frames, arrived: Floats) -> None:
    """Add to ``arrived`` (V,) what share of ``light`` the four pixels around each point let pass."""
    width, height = nearest.shape
    for v in range(len(looking)):
        if light[v] <= 0:
            continue
        x, y = looking[v, 0] / pixel, looking[v, 1] / pixel
        column, row = int(np.floor(x)), int(np.floor(y))
        for right in range(2):
            for up in range(2):
                share = abs(1 - right - (x - column)) * abs(1 - up - (y - row))
                p, q = min(max(column + right, 0), width - 1), min(max(row + up, 0), height - 1)
                if nearest[p, q] <= looking[v, 2] + slack:
                    arrived[v] += share * light[v]
