"""Sculpted shapes fold the skin over itself in places; these are evened out until none of it does."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.stand_in.refine import edges_of

# Cosines between the normals of two neighbouring triangles: folded below the first, and open above the second.
_FOLDED, _FLAT = -0.6, -0.2
_ROUNDS = 60


class Folds:
    """Where a mesh folds over itself.

    Args:
        template: (V, 3) the mesh at rest, metres.
        faces: (F, 3) its triangles.
    """

    def __init__(self, template: Floats, faces: Indices) -> None:
        self._template, self._faces = template, faces
        pairs = _neighbours(faces)
        # What is folded at rest, such as the rim of a lid, may stay so.
        self._pairs = pairs[_cosines(template, faces, pairs) > _FLAT]
        edges = edges_of(faces)
        ends = (edges.ravel(), edges[:, ::-1].ravel())
        links = scipy.sparse.coo_array((np.ones(edges.size), ends), shape=(len(template), len(template))).tocsr()
        self._mean_around = scipy.sparse.diags_array(1 / np.maximum(links.sum(axis=1), 1)) @ links

    def made_by(self, displacement: Floats) -> Indices:
        """(n, 2) neighbouring triangles that a displacement (V, 3) folds over each other."""
        return self._pairs[_cosines(self._template + displacement, self._faces, self._pairs) < _FOLDED]

    def evened_out(self, displacement: Floats) -> Floats:
        """(V, 3) a displacement like the given one that makes as few folds as it can be brought to.

        Vertices at a fold take on the mean displacement of their neighbours, again and again.
        """
        moved = displacement.copy()
        for _ in range(_ROUNDS):
            folds = self.made_by(moved)
            if not len(folds):
                break
            near = np.zeros(len(moved))
            near[self._faces[folds].ravel()] = 1
            near = np.maximum(near, 0.5 * (self._mean_around @ near > 0))[:, None]
            moved += 0.5 * near * (self._mean_around @ moved - moved)
        return moved


def _neighbours(faces: Indices) -> Indices:
    """(P, 2) triangles that share an edge."""
    edge = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    of_face = np.repeat(np.arange(len(faces)), 3)
    order = np.lexsort((of_face, edge[:, 1], edge[:, 0]))
    same = (edge[order][1:] == edge[order][:-1]).all(axis=1)
    return np.stack([of_face[order][:-1][same], of_face[order][1:][same]], axis=1)


def _cosines(vertices: Floats, faces: Indices, pairs: Indices) -> Floats:
    """(P,) cosines between the normals of neighbouring triangles."""
    a, b, c = vertices.T[:, faces.T].swapaxes(0, 1)  # (3 axes, F) each
    (ux, uy, uz), (vx, vy, vz) = b - a, c - a
    normals = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
    normals /= np.maximum(np.sqrt((normals**2).sum(axis=0)), 1e-15)
    return np.asarray((normals[:, pairs[:, 0]] * normals[:, pairs[:, 1]]).sum(axis=0))
