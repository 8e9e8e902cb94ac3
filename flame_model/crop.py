"""Cut a part out of MakeHuman's base mesh along a plane, with a clean edge."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from singinghead.flame_model import makehuman
from singinghead.flame_model.arrays import Floats, Indices

# A vertex closer to the cut than this share of an edge is moved onto it, so that no sliver remains.
_SNAP = 0.3


@dataclass(frozen=True)
class Crop:
    """A part of the base mesh whose vertices lie on its vertices or, along the cut, on its edges.

    Attributes:
        ends: (V, 2) the base vertices that each vertex lies between.
        share: (V,) how far it lies from the first to the second.
        faces: (F, 3) triangles.
        quads: (F,) the base quad that each triangle comes from.
    """

    ends: Indices
    share: Floats
    faces: Indices
    quads: Indices

    def take(self, values: Floats) -> Floats:
        """(V, ...) values at the vertices from (N, ...) values at the base vertices."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return (1 - share) * values[self.ends[:, 0]] + share * values[self.ends[:, 1]]

    def displacements(self, target: makehuman.Target, n_base: int) -> Floats:
        """(3V,) displacements, metres, of a target over all the base mesh."""
        return makehuman.METRES * self.take(target.dense(n_base)).ravel()


def crop(quads: Indices, chosen: Indices, margin: Floats) -> Crop:
    """Triangulate the chosen quads and cut off where ``margin`` (N,), positive inside, is negative."""
    corners = quads[chosen]
    triangles = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
    origins = np.concatenate([chosen, chosen])
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    snapped = _snap(edges, margin)
    signs = np.sign(margin)
    signs[list(snapped)] = 0

    rows: dict[tuple[int, int], int] = {}
    ends: list[tuple[int, int]] = []
    share: list[float] = []

    def row(start: int, end: int) -> int:
        """The crop's vertex on the edge between two base vertices, or at one if both are the same."""
        key = (min(start, end), max(start, end))
        if key not in rows:
            rows[key] = len(ends)
            place = snapped.get(start, (start, 0.0)) if start == end else (key[1], _crossing(margin, *key))
            ends.append((key[0], place[0]))
            share.append(place[1])
        return rows[key]

    faces: list[list[int]] = []
    sources: list[int] = []
    for triangle, origin in zip(triangles.tolist(), origins.tolist(), strict=True):
        polygon: list[int] = []
        if all(signs[v] <= 0 for v in triangle):
            continue
        for start, end in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            if signs[start] >= 0:
                polygon.append(row(start, start))
            if signs[start] * signs[end] < 0:
                polygon.append(row(start, end))
        for second, third in pairwise(polygon[1:]):
            faces.append([polygon[0], second, third])
            sources.append(origin)
    return Crop(np.array(ends), np.array(share), np.array(faces), np.array(sources))


def _crossing(margin: Floats, start: int, end: int) -> float:
    return float(margin[start] / (margin[start] - margin[end]))


def _snap(edges: Indices, margin: Floats) -> dict[int, tuple[int, float]]:
    """Where each vertex near the cut moves to: along its edge to this vertex, by this share."""
    moves: dict[int, tuple[int, float]] = {}
    for start, end in edges[margin[edges[:, 0]] * margin[edges[:, 1]] < 0].tolist():
        share = _crossing(margin, start, end)
        for vertex, other, distance in ((start, end, share), (end, start, 1 - share)):
            if distance < moves.get(vertex, (0, _SNAP))[1]:
                moves[vertex] = (other, distance)
    return moves
