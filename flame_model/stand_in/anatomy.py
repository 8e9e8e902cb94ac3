"""Eyeballs and teeth of our own construction, for heads that have none or poor ones. Metres, y up, z forward.

Sizes are those of an adult: crowns after Ash and Nelson, *Wheeler's Dental Anatomy*, rounded; iris 12 mm, pupil 4 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices


@dataclass(frozen=True)
class Shell:
    """A small mesh of its own.

    Attributes:
        points: (n, 3) metres.
        faces: (f, 3) triangles, counter-clockwise seen from outside.
        uvs: (n, 2) texture coordinates, 0 to 1.
        colors: (n, 3) linear colours, to be multiplied with the material's.
    """

    points: Floats
    faces: Indices
    uvs: Floats
    colors: Floats


# ** Eyes

IRIS_RADIUS, PUPIL_RADIUS, _CORNEA_RADIUS = 0.0060, 0.0020, 0.0125
_EYE_SEGMENTS = 20
# Rings between the pupil's centre and the back, in degrees beyond the iris: few where no one looks.
_SCLERA_RINGS = (8.0, 24.0, 46.0, 76.0, 115.0)
_PUPIL, _LIMBUS, _SCLERA = 0.012, np.array([0.07, 0.09, 0.11]), np.array([1.0, 1.0, 1.0])
_IRIS_INNER, _IRIS_OUTER = np.array([0.30, 0.25, 0.17]), np.array([0.13, 0.21, 0.27])
_VEINED = np.array([0.86, 0.70, 0.66])


def eyeball(radius: float) -> Shell:
    """A ball that looks along +z from the origin, with vertices where pupil, iris and limbus end."""
    iris, pupil = (np.degrees(np.arcsin(r / radius)) for r in (IRIS_RADIUS, PUPIL_RADIUS))
    inside = [pupil, pupil + 1.2, 0.5 * (pupil + iris), iris - 2.2, iris, iris + 1.2]
    angles = np.radians([*inside, *(iris + np.array(_SCLERA_RINGS))])
    turn = 2 * np.pi * np.arange(_EYE_SEGMENTS) / _EYE_SEGMENTS
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rings = np.concatenate([_tilted(ring, angle) for angle in angles])
    points = radius * np.concatenate([[[0, 0, 1]], rings, [[0, 0, -1]]])
    points[:, 2] += _cornea(np.hypot(points[:, 0], points[:, 1]), radius) * (points[:, 2] > 0)
    around = np.concatenate([[0.0], np.repeat(angles, _EYE_SEGMENTS), [np.pi]])
    streak = np.concatenate([[0.0], np.tile(_streaks(), len(angles)), [0.0]])
    disc = np.concatenate([[[0.0, 0.0]], np.tile(ring, (len(angles), 1)), [[0.0, -1.0]]])
    colors = _eye_colors(np.degrees(around), pupil, iris, streak)
    return Shell(points, _ball_faces(len(angles)), 0.5 + 0.5 * disc * around[:, None] / np.pi, colors)


def _cornea(distance: Floats, radius: float) -> Floats:
    """How far the cornea bulges out of the ball, at a distance from the axis: what a highlight slides over."""
    limbus = IRIS_RADIUS + 0.0004
    near = np.minimum(distance, limbus)
    cap = np.sqrt(_CORNEA_RADIUS**2 - near**2) - np.sqrt(_CORNEA_RADIUS**2 - limbus**2)
    ball = np.sqrt(radius**2 - near**2) - np.sqrt(radius**2 - limbus**2)
    return np.asarray(cap - ball)


def _tilted(ring: Floats, angle: float) -> Floats:
    return np.concatenate([np.sin(angle) * ring, np.full((len(ring), 1), np.cos(angle))], axis=1)


def _streaks() -> Floats:
    """(segments,) how light the iris is in each direction, about -1 to 1."""
    turn = 2 * np.pi * np.arange(_EYE_SEGMENTS) / _EYE_SEGMENTS
    return np.asarray(0.5 * np.sin(5 * turn + 0.7) + 0.3 * np.sin(7 * turn + 2.1) + 0.2 * np.cos(9 * turn))


def _eye_colors(degrees: Floats, pupil: float, iris: float, streak: Floats) -> Floats:
    inward = np.clip((iris - degrees) / (iris - pupil), 0, 1)[:, None]
    of_iris = (inward * _IRIS_INNER + (1 - inward) * _IRIS_OUTER) * (1 + 0.35 * streak[:, None])
    white = np.clip((degrees - iris - 8) / 40, 0, 1)[:, None]
    colors = (1 - white) * _SCLERA + white * _VEINED
    colors[degrees < iris + 0.5] = _LIMBUS
    within = degrees < iris - 1
    colors[within] = of_iris[within]
    colors[degrees < pupil + 0.5] = _PUPIL
    return np.asarray(colors)


def _ball_faces(n_rings: int) -> Indices:
    """Triangles between a pole (vertex 0), rings of vertices and the other pole (the last vertex)."""
    n = _EYE_SEGMENTS
    here = np.arange(n)
    after = (here + 1) % n
    fans = [np.stack([np.zeros(n, np.int64), 1 + here, 1 + after], axis=1)]
    for ring in range(n_rings - 1):
        inner, outer = 1 + ring * n, 1 + (ring + 1) * n
        fans.append(np.stack([inner + here, outer + here, outer + after], axis=1))
        fans.append(np.stack([inner + here, outer + after, inner + after], axis=1))
    last = 1 + (n_rings - 1) * n
    fans.append(np.stack([last + here, np.full(n, last + n), last + after], axis=1))
    return np.concatenate(fans)


# ** Teeth

# Width and height of crowns from the middle outwards, millimetres: incisors, canine, premolars, first molar.
_UPPER_CROWNS = ((8.5, 10.0), (6.5, 9.0), (7.5, 10.0), (7.0, 8.5), (6.8, 8.0), (10.0, 7.5))
_LOWER_CROWNS = ((5.3, 9.0), (5.8, 9.0), (6.9, 10.5), (7.0, 8.5), (7.1, 8.0), (10.5, 7.5))
# Half the width and the depth of the arch through the fronts of the crowns, millimetres; the lower lies inside.
_UPPER_ARCH, _LOWER_ARCH = (25.5, 37.0), (23.5, 35.0)
_ARCH_POWER = 2.3
# A crown across: its two sides, where it dips towards its neighbour, and its front.
_ACROSS = (0.0, 0.13, 0.87)
# A crown from gum to tip and back: place along its height (0 gum, 1 tip; below 0 lies gum), and its thickness there.
_DOWN = ((-0.45, 2.2), (0.0, 2.5), (0.5, 3.3), (0.93, 2.6), (1.0, 1.4), (0.0, -4.2))
# Millimetres: how far a tooth stands out before its gaps, the tip dips between two teeth, and the gum fills in there.
_BULGE, _EMBRASURE, _GUM_BETWEEN = 0.6, 0.7, 0.8
_GUM, _DENTIN, _ENAMEL, _GAP = np.array([0.50, 0.18, 0.17]), np.array([0.86, 0.78, 0.66]), np.ones(3), 0.45


def dental_arch(upper: bool) -> Shell:
    """One row of twelve teeth with its gums, on the arch's curve; (0, 0, 0) is the tip between the middle incisors."""
    crowns = np.array(_UPPER_CROWNS if upper else _LOWER_CROWNS)
    half_width, depth = _UPPER_ARCH if upper else _LOWER_ARCH
    starts = np.cumsum(crowns[:, 0]) - crowns[:, 0]
    half_along = (starts[:, None] + crowns[:, :1] * _ACROSS).ravel()
    side = np.concatenate([-half_along[:0:-1], half_along])
    gap = _mirrored(np.tile(np.equal(_ACROSS, 0), len(crowns)).astype(np.float64))
    height = _mirrored(np.repeat(crowns[:, 1], len(_ACROSS))) - _GUM_BETWEEN * gap
    bulge = _BULGE * (1 - gap)
    curve, outward = _arch(side, half_width, depth)
    rows = []
    for down, thick in _DOWN:
        front = thick + bulge * np.clip(1 - abs(down - 0.45), 0, 1) if thick > 0 else np.full(len(side), thick)
        place = curve + outward * (front - 3.0)[:, None]
        tip = _EMBRASURE * max(down, 0) * gap
        rows.append(np.stack([place[:, 0], (1 - down) * height + tip, place[:, 1]], axis=1))
    points = np.concatenate(rows) / 1000
    n_columns, n_rows = len(side), len(_DOWN)
    colors = np.concatenate([_crown_colors(down, gap) for down, _ in _DOWN])
    u = (side - side[0]) / (side[-1] - side[0])
    uvs = np.stack([np.tile(u, n_rows), np.repeat(np.linspace(1, 0, n_rows), n_columns)], axis=1)
    faces = _grid_faces(n_rows, n_columns)
    if not upper:
        points, faces = points * [1, -1, 1], faces[:, ::-1]
    return Shell(points, faces, uvs, colors)


def _mirrored(half: Floats) -> Floats:
    """Values from the middle outwards, on both sides."""
    return np.concatenate([half[:0:-1], half])


def _arch(along: Floats, half_width: float, depth: float) -> tuple[Floats, Floats]:
    """(n, 2) x and z of points at an arc length from the middle of the curve z = -depth |x / half_width|^power.

    And (n, 2) outward unit normals there.
    """
    x = np.linspace(-1.02 * half_width, 1.02 * half_width, 4001)
    z = -depth * np.abs(x / half_width) ** _ARCH_POWER
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    length -= length[len(x) // 2]
    at = np.interp(along, length, x)
    slope = -depth * _ARCH_POWER / half_width * np.sign(at) * np.abs(at / half_width) ** (_ARCH_POWER - 1)
    normal = np.stack([-slope, np.ones_like(at)], axis=1)
    curve = np.stack([at, -depth * np.abs(at / half_width) ** _ARCH_POWER], axis=1)
    return curve, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _crown_colors(down: float, gap: Floats) -> Floats:
    if down < 0:
        return np.tile(_GUM, (len(gap), 1))
    tone = _DENTIN + min(down / 0.6, 1.0) * (_ENAMEL - _DENTIN)
    return np.asarray(tone * (1 - (1 - _GAP) * gap[:, None]))


def _grid_faces(n_rows: int, n_columns: int) -> Indices:
    row, column = np.meshgrid(np.arange(n_rows - 1), np.arange(n_columns - 1), indexing="ij")
    a = (row * n_columns + column).ravel()
    b, c, d = a + 1, a + n_columns, a + n_columns + 1
    return np.concatenate([np.stack([a, c, d], axis=1), np.stack([a, d, b], axis=1)])
