"""Smooth normals of a moving mesh."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.params import Frames


@numba.njit(cache=True, nogil=True)
def vertex_normals(vertices: Frames, faces: NDArray[np.integer]) -> Frames:
    """Unit normals at vertices: the mean of the normals of the faces around, weighted by their area.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) triangles, counter-clockwise seen from outside.

    Returns:
        (V, 3) float32; the zero vector at a vertex without faces.
    """
    normals = np.zeros(vertices.shape, np.float32)
    for f in range(len(faces)):
        i, j, k = faces[f]
        # Scalars: a slice would cost an allocation a face.
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        ax, ay, az = vertices[j, 0] - x, vertices[j, 1] - y, vertices[j, 2] - z
        bx, by, bz = vertices[k, 0] - x, vertices[k, 1] - y, vertices[k, 2] - z
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        for corner in (i, j, k):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for v in range(len(normals)):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            for axis in range(3):
                normals[v, axis] /= length
    return normals
