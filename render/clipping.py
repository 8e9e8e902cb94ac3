"""Cut a mesh where it comes too near to the camera, or leads so far out of the picture that numbers would grow too large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats
from singinghead.render.camera import Camera

Corners = NDArray[np.int32]


@dataclass(frozen=True)
class Mesh:
    """What the compiled loops need to know of a mesh that moves.

    Attributes:
        faces: (F, 3) triangles.
        part: (F,) the part that each is of.
        edges: (E, 5) two vertices; the triangles on both sides, -1 for none; and whether those are of different parts,
            or a texture's seam runs between them.
        uvs: (F, 3, 2) texture coordinates of the corners: along a seam, triangles differ in those of the same vertex.
    """

    faces: Corners
    part: Corners
    edges: Corners
    uvs: NDArray[np.float32]

    @classmethod
    def of(cls, faces: NDArray[np.integer], parts: NDArray[np.integer], uvs: NDArray[np.floating]) -> Mesh:
        """Find the edges. One that more than two triangles share is a border of each."""
        faces, part = np.asarray(faces, np.int32).reshape(-1, 3), np.asarray(parts, np.int32)
        uvs = np.asarray(uvs, np.float32)
        ends, end_uvs = (np.concatenate([of[:, [0, 1]], of[:, [1, 2]], of[:, [2, 0]]]) for of in (faces, uvs))
        is_turned = ends[:, 0] > ends[:, 1]
        ends[is_turned], end_uvs[is_turned] = ends[is_turned, ::-1], end_uvs[is_turned, ::-1]
        sides = np.tile(np.arange(len(faces), dtype=np.int32), 3)
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        ends, end_uvs, sides = ends[order], end_uvs[order], sides[order]
        _, first, count = np.unique(ends, axis=0, return_index=True, return_counts=True)
        inner = first[count == 2]
        border = np.setdiff1d(np.arange(len(ends)), np.concatenate([inner, inner + 1]))
        one, other = sides[inner], sides[inner + 1]
        parted = (part[one] != part[other]) | np.any(end_uvs[inner] != end_uvs[inner + 1], axis=(1, 2))
        none = np.full(len(border), -1, np.int32)
        edges = np.concatenate(
            [
                np.column_stack([ends[inner], one, other, parted]),
                np.column_stack([ends[border], sides[border], none, none]),
            ]
        )
        return cls(faces, part, edges.astype(np.int32), uvs)


def clipped(
    mesh: Mesh, vertices: Floats, attributes: Floats, camera: Camera, near: float, guard: float
) -> tuple[Mesh, Floats, Floats]:
    """Cut triangles off in front of a plane near the camera, and at four planes far outside the picture.

    Args:
        mesh: the triangles.
        vertices: (V, 3) metres.
        attributes: (V, A) what else varies linearly over a triangle.
        camera: from where.
        near: metres.
        guard: in image sizes from the image's middle.

    Returns:
        The triangles that are left, with vertices and attributes appended where edges were cut.
    """
    x, y, depth = ((vertices - camera.position) * [camera.focal_length, camera.focal_length, -1]).T
    values = np.stack([depth - near, *(guard * depth + sign * axis for axis in (x, y) for sign in (1, -1))], axis=1)
    outside = values[mesh.faces] < 0  # (F, 3, 5)
    whole, gone = ~np.any(outside, axis=(1, 2)), np.any(np.all(outside, axis=1), axis=1)
    rows = np.concatenate([vertices, attributes, values], axis=1)
    polygons = [
        (f, _cut(np.concatenate([mesh.uvs[f], rows[mesh.faces[f]]], axis=1), values.shape[1]))
        for f in np.flatnonzero(~whole & ~gone)
    ]
    fans = [(f, polygon[[0, at, at + 1]]) for f, polygon in polygons for at in range(1, len(polygon) - 1)]
    origin = np.array([f for f, _ in fans], int)
    corners = np.array([fan for _, fan in fans]).reshape(-1, 2 + rows.shape[1])
    added, index = np.unique(corners[:, 2:], axis=0, return_inverse=True)  # neighbours' cuts fall together again
    rows = np.concatenate([rows, added])[:, : -values.shape[1]]
    faces = np.concatenate([mesh.faces[whole], len(vertices) + index.reshape(-1, 3)])
    part = np.concatenate([mesh.part[whole], mesh.part[origin]])
    uvs = np.concatenate([mesh.uvs[whole], corners[:, :2].reshape(-1, 3, 2)])
    return Mesh.of(faces, part, uvs), rows[:, :3], rows[:, 3:]


def _cut(polygon: Floats, n_planes: int) -> Floats:
    """A convex polygon's part with no negative value, after Sutherland and Hodgman; the last columns are the values."""
    for plane in range(-n_planes, 0):
        kept = []
        for one, other in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            if one[plane] >= 0:
                kept.append(one)
            if (one[plane] >= 0) != (other[plane] >= 0):
                # From the inner end, so that both triangles of an edge cut it in exactly the same point.
                inner, outer = (one, other) if one[plane] >= 0 else (other, one)
                kept.append(inner + (outer - inner) * (inner[plane] / (inner[plane] - outer[plane])))
        polygon = np.array(kept).reshape(-1, polygon.shape[1])
    return polygon
