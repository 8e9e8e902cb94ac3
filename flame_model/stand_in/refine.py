"""Split chosen edges of a triangle mesh in two, where it is too coarse for its outline or its colours."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from singinghead.flame_model.arrays import Floats, Indices


@dataclass(frozen=True)
class Refined:
    """A finer mesh: its vertices from 0 on are the old ones, then one for each edge that was split.

    Attributes:
        weights: (V', V) what each old vertex counts for.
        faces: (F', 3) triangles.
        sources: (F',) the old triangle that each lies in.
        corners: (F', 3, 3) where its corners are in that one, in barycentric coordinates.
    """

    weights: scipy.sparse.csr_array
    faces: Indices
    sources: Indices
    corners: Floats


def edges_of(faces: Indices) -> Indices:
    """(E, 2) undirected edges, the smaller vertex first, each once."""
    return np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)


def refine(faces: Indices, n_vertices: int, split: Indices) -> Refined:
    """Split edges.

    New vertices lie on the smooth surface through the old ones: the butterfly scheme of Dyn, Levin and Gregory (1990),
    and the middle of the edge where the surface ends nearby.

    Args:
        faces: (F, 3) triangles.
        n_vertices: V.
        split: (S, 2) edges, the smaller vertex first.
    """
    opposite: dict[tuple[int, int], list[int]] = defaultdict(list)
    for a, b, c in faces.tolist():
        for start, end, other in ((a, b, c), (b, c, a), (c, a, b)):
            opposite[min(start, end), max(start, end)].append(other)
    middles = {(a, b): n_vertices + row for row, (a, b) in enumerate(split.tolist())}
    rows, columns, values = list(range(n_vertices)), list(range(n_vertices)), [1.0] * n_vertices
    for (a, b), row in middles.items():
        for vertex, value in _butterfly(a, b, opposite).items():
            rows.append(row)
            columns.append(vertex)
            values.append(value)
    shape = (n_vertices + len(middles), n_vertices)
    weights = scipy.sparse.coo_array((np.array(values), (np.array(rows), np.array(columns))), shape=shape).tocsr()

    new_faces: list[list[int]] = []
    sources: list[int] = []
    corners: list[Floats] = []
    places = np.concatenate([np.eye(3), (np.eye(3) + np.roll(np.eye(3), -1, axis=0)) / 2])
    for index, triangle in enumerate(faces.tolist()):
        sides = [(min(triangle[i], triangle[i - 2]), max(triangle[i], triangle[i - 2])) for i in range(3)]
        points = [*triangle, *(middles.get(side, -1) for side in sides)]  # three corners, then the middles after each
        for local in _TEMPLATES[tuple(point >= 0 for point in points[3:])]:
            new_faces.append([points[i] for i in local])
            sources.append(index)
            corners.append(places[list(local)])
    return Refined(weights, np.array(new_faces), np.array(sources), np.array(corners))


# How a triangle 0 1 2 is cut when its sides 01, 12, 20 are split in 3, 4, 5.
_TEMPLATES: dict[tuple[bool, ...], tuple[tuple[int, int, int], ...]] = {
    (False, False, False): ((0, 1, 2),),
    (True, False, False): ((0, 3, 2), (3, 1, 2)),
    (False, True, False): ((1, 4, 0), (4, 2, 0)),
    (False, False, True): ((2, 5, 1), (5, 0, 1)),
    (True, True, False): ((3, 1, 4), (0, 3, 4), (0, 4, 2)),
    (False, True, True): ((4, 2, 5), (1, 4, 5), (1, 5, 0)),
    (True, False, True): ((5, 0, 3), (2, 5, 3), (2, 3, 1)),
    (True, True, True): ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
}


def _butterfly(a: int, b: int, opposite: dict[tuple[int, int], list[int]]) -> dict[int, float]:
    weights: dict[int, float] = defaultdict(float, {a: 0.5, b: 0.5})
    across = opposite[a, b]
    if len(across) != 2:
        return weights
    wings = []
    for c in across:
        for end, other in ((a, b), (b, a)):
            beyond = [vertex for vertex in opposite[min(end, c), max(end, c)] if vertex != other]
            if len(beyond) != 1:
                return weights
            wings += beyond
    for c in across:
        weights[c] += 1 / 8
    for wing in wings:
        weights[wing] -= 1 / 16
    return weights
