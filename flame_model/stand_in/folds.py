"""Sculpted shapes fold the skin over itself in places; these are evened out until none of it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.stand_in.refine import edges_of

# Cosines between the normals of two neighbouring triangles: folded below the first, and open above the second.
_FOLDED, _FLAT = -0.6, -0.2
_ROUNDS = 30
_STILL = 2e-5  # metres


class Folds:
    """Where a mesh folds over itself, in any of several people.

    Args:
        templates: (M, V, 3) the mesh at rest, metres.
        faces: (F, 3) its triangles.
    """

    def __init__(self, templates: Floats, faces: Indices) -> None:
        self._templates, self._faces = templates, faces
        pairs = _neighbours(faces)
        # What is folded at rest, such as the rim of a lid, may stay so.
        all_pairs = _Pairs.of(pairs, faces)
        self._pairs = [pairs[all_pairs.cosines(template) > _FLAT] for template in templates]
        template = templates[0]
        edges = edges_of(faces)
        ends = (edges.ravel(), edges[:, ::-1].ravel())
        links = scipy.sparse.coo_array((np.ones(edges.size), ends), shape=(len(template), len(template))).tocsr()
        self._mean_around = scipy.sparse.diags_array(1 / np.maximum(links.sum(axis=1), 1)) @ links

    def made_by(self, displacement: Floats) -> Indices:
        """(n, 2) neighbouring triangles that a displacement (V, 3) folds over each other."""
        return self._made_by(displacement, self._within(displacement))

    def evened_out(self, displacement: Floats) -> Floats:
        """(V, 3) a displacement like the given one that makes as few folds as it can be brought to.

        Vertices at a fold take on the mean displacement of their neighbours, again and again.
        """
        moved = displacement.copy()
        pairs = self._within(displacement)
        for _ in range(_ROUNDS):
            folds = self._made_by(moved, pairs)
            if not len(folds):
                break
            near = np.zeros(len(moved))
            near[self._faces[folds].ravel()] = 1
            near = np.maximum(near, 0.5 * (self._mean_around @ near > 0))[:, None]
            moved += 0.5 * near * (self._mean_around @ moved - moved)
        return moved

    def _within(self, displacement: Floats) -> list[_Pairs]:
        """Of each person, the pairs of triangles that a displacement can fold: most shapes move little of the face."""
        moving = (np.abs(displacement).max(axis=1) > _STILL)[self._faces].any(axis=1)
        return [_Pairs.of(pairs[moving[pairs].any(axis=1)], self._faces) for pairs in self._pairs]

    def _made_by(self, displacement: Floats, within: list[_Pairs]) -> Indices:
        of_each = zip(self._templates, within, strict=True)
        return np.concatenate([pairs.triangles[pairs.cosines(one + displacement) < _FOLDED] for one, pairs in of_each])


@dataclass(frozen=True)
class _Pairs:
    """Neighbouring triangles.

    Attributes:
        triangles: (P, 2) the pairs.
        corners: (3, F) vertices of those triangles that occur.
        rows: (2, P) which of these each pair is.
    """

    triangles: Indices
    corners: Indices
    rows: Indices

    @classmethod
    def of(cls, triangles: Indices, faces: Indices) -> _Pairs:
        used, rows = np.unique(triangles, return_inverse=True)
        return cls(triangles, faces[used].T, rows.reshape(-1, 2).T)

    def cosines(self, vertices: Floats) -> Floats:
        """(P,) cosines between the two normals."""
        a, b, c = vertices.T[:, self.corners].swapaxes(0, 1)  # (3 axes, F) each
        (ux, uy, uz), (vx, vy, vz) = b - a, c - a
        normals = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
        normals /= np.maximum(np.sqrt((normals**2).sum(axis=0)), 1e-15)
        first, second = self.rows
        return np.asarray((normals[:, first] * normals[:, second]).sum(axis=0))


def _neighbours(faces: Indices) -> Indices:
    """(P, 2) triangles that share an edge."""
    edge = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    of_face = np.repeat(np.arange(len(faces)), 3)
    order = np.lexsort((of_face, edge[:, 1], edge[:, 0]))
    same = (edge[order][1:] == edge[order][:-1]).all(axis=1)
    return np.stack([of_face[order][:-1][same], of_face[order][1:][same]], axis=1)
