"""Cut a part out of MakeHuman's base mesh along a plane, with a clean edge."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse

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

    def weights(self, n_base: int) -> scipy.sparse.csr_array:
        """(V, n_base) what each base vertex counts for at each vertex."""
        row = np.arange(len(self.ends))
        entries = np.concatenate([1 - self.share, self.share])
        places = (np.concatenate([row, row]), self.ends.T.ravel())
        return scipy.sparse.coo_array((entries, places), shape=(len(row), n_base)).tocsr()

    def corner_uvs(self, uvs: Floats, quads: Indices, uv_quads: Indices) -> Floats:
        """(F, 3, 2) texture coordinates of every triangle's corners from those of the base quads."""
        of_quad = quads[self.quads]  # (F, 4) base vertices
        coordinates = uvs[uv_quads[self.quads]]  # (F, 4, 2)
        first, second = self.ends[self.faces].swapaxes(0, 2).swapaxes(1, 2)  # (F, 3) each
        share = self.share[self.faces]
        at_first, has_first = _looked_up(of_quad, coordinates, first)
        at_second, has_second = _looked_up(of_quad, coordinates, second)
        # A snapped vertex has moved towards one that may lie in another quad: it keeps the place it came from.
        share = np.where(has_first & has_second, share, np.where(has_first, 0.0, 1.0))[..., None]
        return np.asarray((1 - share) * at_first + share * at_second)


def _looked_up(of_quad: Indices, coordinates: Floats, wanted: Indices) -> tuple[Floats, Indices]:
    """Texture coordinates (F, 3, 2) of the wanted vertices (F, 3) in their quads, and whether they are in them."""
    match = of_quad[:, None, :] == wanted[:, :, None]  # (F, 3, 4)
    at = match.argmax(axis=2)
    return np.take_along_axis(coordinates, at[..., None], axis=1), match.any(axis=2)


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
