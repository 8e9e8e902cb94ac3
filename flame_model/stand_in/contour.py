"""The visible jaw line of the stand-in head for every degree of yaw, as FLAME's landmark embedding has it.

From each of the 17 points of the jaw line a path runs over the cheek towards the nose, straight in the front view. When the
head turns, the side that it turns away from bulges over its jaw line, and the point slides along its path to where the face
ends in the picture; on the other side the jaw line itself stays in view, and the point stays there.
"""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import LANDMARK_SHAPES, Floats, Indices, Landmarks

_Neighbours = dict[tuple[int, int], list[int]]

_LENGTH = 0.55
"""Paths end before nose and lips, at this share of the way to the nose in the front view."""

_FOLD = 1e-3
"""A face that leads back by this many metres in the front view is inside of the mouth: the path ends."""

_STEPS = 400
"""Places along a path that are looked at."""

_BUMP = 0.004
"""Metres along a path over which the surface is smoothed, so that no facet and no small bump holds the point."""

_DEGREES = 4
"""Degrees of yaw over which a point's place is smoothed: it slides, and does not jump."""


def contour(template: Floats, faces: Indices, jaw_line: Landmarks) -> Landmarks:
    """The points of the jaw line for yaws of 0..39 degrees to the subject's right, then 1..39 to the left.

    Args:
        template: (V, 3) the mean head, metres.
        faces: (F, 3) triangles.
        jaw_line: (17,) points on the surface, from the right ear over the chin to the left.

    Returns:
        (79, 17) points.
    """
    n_rows, n_points = LANDMARK_SHAPES["dynamic"]
    last = n_rows // 2
    # About the upward axis a positive angle turns the head to its left.
    angles = np.radians(np.arange(-last - _DEGREES, last + _DEGREES + 1))
    rows = np.r_[np.arange(last, -1, -1), np.arange(last + 1, n_rows)]
    corners = template[faces[jaw_line.faces]]
    starts = np.einsum("pc,pcx->px", jaw_line.weights, corners)
    nose = template[template[:, 2].argmax()]
    neighbours = _neighbours(faces)
    chosen = np.zeros((n_rows, n_points), np.int64)
    weights = np.zeros((n_rows, n_points, 3))
    for point, start in enumerate(starts):
        outward = (start - nose)[:2] / np.linalg.norm((start - nose)[:2])
        on_faces, on_weights = _path(
            template, faces, neighbours, start, outward, _LENGTH * np.dot(start - nose, [*outward, 0])
        )
        places = np.einsum("sc,scx->sx", on_weights, template[faces[on_faces]])
        reached = _slide(places, outward, angles)[rows]
        chosen[:, point], weights[:, point] = on_faces[reached], on_weights[reached]
    return Landmarks(chosen, weights)


def _slide(path: Floats, outward: Floats, angles: Floats) -> Indices:
    """(A - 2 * _DEGREES,) the step along a path (S, 3) where the face ends in the picture, but for the outermost yaws."""
    step = np.linalg.norm(np.diff(path, axis=0), axis=1).mean()
    reach = int(np.ceil(2 * _BUMP / step))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / _BUMP) ** 2)
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    smooth = np.stack([np.convolve(axis, bell / bell.sum(), mode="valid") for axis in padded.T], axis=1)
    x = np.cos(angles)[:, None] * smooth[:, 0] + np.sin(angles)[:, None] * smooth[:, 2]
    furthest = (outward[0] * x + outward[1] * smooth[:, 1]).argmax(axis=1)
    window = np.full(2 * _DEGREES + 1, 1 / (2 * _DEGREES + 1))
    return np.round(np.convolve(furthest, window, mode="valid")).astype(np.int64)


def _path(
    template: Floats,
    faces: Indices,
    neighbours: dict[tuple[int, int], list[int]],
    start: Floats,
    outward: Floats,
    length: float,
) -> tuple[Indices, Floats]:
    """(S,) faces and (S, 3) weights at even steps along the cut of the surface with a plane, from ``start`` inwards.

    The plane holds ``start``, the forward axis and ``outward`` (2,); the path ends at ``length`` metres inwards.
    """
    offsets = template[:, :2] - start[:2]
    inwards = -offsets @ outward
    # Turned by a hair, so that the plane meets edges and never a vertex.
    side = offsets @ np.array([-outward[1], outward[0]]) + 1e-9
    cut = np.flatnonzero(np.ptp(np.sign(side[faces]), axis=1) > 0)
    face = int(cut[np.linalg.norm(template[faces[cut]].mean(axis=1) - start, axis=1).argmin()])

    visited: list[int] = []
    ends: list[tuple[Floats, Floats]] = []
    came_from: tuple[int, int] | None = None
    while True:
        first, second = _crossings(faces[face], side)
        # The first face is crossed inwards, the others from where the path comes from.
        if first[0] != came_from and (came_from or first[1] @ inwards[faces[face]] > second[1] @ inwards[faces[face]]):
            first, second = second, first
        visited.append(face)
        ends.append((first[1], second[1]))
        came_from = second[0]
        beyond = [other for other in neighbours[came_from] if other != face]
        begun, ended = (end @ inwards[faces[face]] for end in ends[-1])
        if ended > length or ended < begun - _FOLD or not beyond:
            break
        face = beyond[0]

    corners = template[faces[visited]]
    weights = np.array(ends)
    points = np.einsum("kec,kcx->kex", weights, corners)
    lengths = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    reached = np.cumsum(lengths)
    # The face where the path sets out reaches a little further back than the landmark.
    begin = np.clip((start - points[0, 0]) @ (points[0, 1] - points[0, 0]) / max(lengths[0], 1e-12), 0, lengths[0])
    along = np.linspace(begin, reached[-1], _STEPS)
    segment = np.searchsorted(reached, along).clip(max=len(visited) - 1)
    share = ((along - reached[segment]) / lengths[segment] + 1).clip(0, 1)[:, None]
    return np.array(visited)[segment], (1 - share) * weights[segment, 0] + share * weights[segment, 1]


def _crossings(corners: Indices, side: Floats) -> list[tuple[tuple[int, int], Floats]]:
    """The two edges of a triangle whose ends lie on different sides, and where on them (3,) the plane passes."""
    found = []
    for one, other in ((0, 1), (1, 2), (2, 0)):
        start, end = int(corners[one]), int(corners[other])
        if (side[start] > 0) != (side[end] > 0):
            weights = np.zeros(3)
            weights[one] = side[end] / (side[end] - side[start])
            weights[other] = 1 - weights[one]
            found.append(((min(start, end), max(start, end)), weights))
    return found


def _neighbours(faces: Indices) -> _Neighbours:
    """The faces at each edge, whose ends are in ascending order."""
    found: _Neighbours = {}
    for face, (a, b, c) in enumerate(np.sort(faces, axis=1).tolist()):
        for edge in ((a, b), (b, c), (a, c)):
            found.setdefault(edge, []).append(face)
    return found
