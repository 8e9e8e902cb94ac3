"""The 68 landmarks of the stand-in head, authored on MakeHuman's ``hm08`` base mesh.

Each point of the subject's right half and of the midline is named by the base mesh's own vertices, on the feature that
the iBUG 300-W annotation marks (Sagonas et al. 2016, https://ibug.doc.ic.ac.uk/resources/300-W/); the left half is its
mirror image. Outer lips, which the mesh has no lines for, lie where dlib's detector, trained on that annotation, sees them
on average over identities and poses. The brows are where :mod:`~singinghead.flame_model.stand_in.colors` paints them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices, Landmarks
from singinghead.flame_model.stand_in.colors import brow_line
from singinghead.flame_model.stand_in.contour import contour

# Landmark: (base vertex, another at the other end of an edge, how far from the one to the other).
_RIGHT_HALF: dict[int, tuple[int, int, float]] = {
    # Jaw line, from the ear to the chin.
    0: (5765, 5765, 0.0),
    1: (5411, 5411, 0.0),
    2: (5246, 5246, 0.0),
    3: (5238, 5242, 0.6),
    4: (735, 5240, 0.4),
    5: (5298, 5298, 0.0),
    6: (5295, 5294, 0.35),
    7: (5292, 5293, 0.3),
    8: (5296, 5225, 0.4),
    # Bridge of the nose down to its tip; below it, from the wing to the middle.
    27: (133, 132, 0.43),
    28: (131, 135, 0.22),
    29: (164, 201, 0.45),
    30: (294, 294, 0.0),
    31: (325, 325, 0.0),
    32: (313, 313, 0.0),
    33: (317, 312, 0.3),
    # Edge of the lids where they touch the eyeball: outer corner, upper lid, inner corner, lower lid.
    36: (6779, 6779, 0.0),
    37: (6757, 6757, 0.0),
    38: (6763, 6775, 0.4),
    39: (6769, 6769, 0.0),
    40: (6772, 6771, 0.3),
    41: (6776, 6776, 0.0),
    # Border of the lips: corner, upper lip, lower lip.
    48: (499, 3734, 0.7),
    49: (5354, 410, 0.6),
    50: (450, 456, 0.45),
    51: (455, 466, 0.35),
    57: (492, 492, 0.0),
    58: (486, 480, 0.15),
    59: (406, 480, 0.35),
    # Where the lips meet: corner, upper lip, lower lip.
    60: (416, 417, 0.4),
    61: (462, 462, 0.0),
    62: (468, 468, 0.0),
    66: (493, 493, 0.0),
    67: (487, 487, 0.0),
}

# Places along a brow, from its inner end, and how many half thicknesses over its middle line the annotation marks it.
_ALONG_BROW, _BROW_EDGE = (0.0, 0.25, 0.5, 0.78, 1.06), 1.2

_LEFT_OF = (
    {right: 16 - right for right in range(8)}
    | {31: 35, 32: 34, 36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46}
    | {48: 54, 49: 53, 50: 52, 58: 56, 59: 55, 60: 64, 61: 63, 67: 65}
)
"""The landmark that mirrors each one off the midline."""


def landmarks(template: Floats, faces: Indices, rows: Indices, eyes: Floats) -> dict[str, Landmarks]:
    """All the sets of landmarks that a head has.

    Args:
        template: (V, 3) the mean head, symmetric about x = 0, metres.
        faces: (F, 3) triangles.
        rows: (N,) the head's vertex of each vertex of the base mesh, -1 where the head does without.
        eyes: (2, 3) the eyes' joints.

    Returns:
        ``full`` (68,), ``static`` (51,) and ``dynamic`` (79, 17).
    """
    full = _on_faces(_edges(template, rows), faces)
    _put_on_brows(full, template, faces, eyes)
    jaw_line = Landmarks(full.faces[:17], full.weights[:17])
    static = Landmarks(full.faces[17:], full.weights[17:])
    return {"full": full, "static": static, "dynamic": contour(template, faces, jaw_line)}


def _edges(template: Floats, rows: Indices) -> Mapping[int, tuple[int, int, float]]:
    """Both halves, by the head's own vertices."""
    edges = {}
    for right, (start, end, share) in _RIGHT_HALF.items():
        ends = rows[[start, end]]
        edges[right] = (int(ends[0]), int(ends[1]), share)
        if right in _LEFT_OF:
            mirrored = template[ends] * [-1, 1, 1]
            twins = np.linalg.norm(template - mirrored[:, None], axis=2).argmin(axis=1)
            edges[_LEFT_OF[right]] = (int(twins[0]), int(twins[1]), share)
    return edges


def _on_faces(edges: Mapping[int, tuple[int, int, float]], faces: Indices) -> Landmarks:
    """(68,) points on edges as points on the first of the faces there; none yet on the brows."""
    chosen = np.zeros(68, np.int64)
    weights = np.zeros((68, 3))
    for point, (start, end, share) in edges.items():
        chosen[point] = np.flatnonzero((faces == start).any(axis=1) & (faces == end).any(axis=1))[0]
        corners = faces[chosen[point]]
        weights[point] = (1 - share) * (corners == start) + share * (corners == end)
    return Landmarks(chosen, weights)


def _put_on_brows(full: Landmarks, template: Floats, faces: Indices, eyes: Floats) -> None:
    """Set points 17 to 26, which lie on the upper edges of the painted brows, on the foremost face there."""
    side, middle, half = brow_line(np.array(_ALONG_BROW))
    middle_of_eyes = eyes.mean(axis=0)
    for inwards, (x, y) in enumerate(zip(side, middle + _BROW_EDGE * half, strict=True)):
        for sign, point in ((-1, 21 - inwards), (1, 22 + inwards)):
            place = middle_of_eyes[:2] + np.array([sign * x, y])
            full.faces[point], full.weights[point] = _foremost(template, faces, place)


def _foremost(template: Floats, faces: Indices, place: Floats) -> tuple[int, Floats]:
    """The face nearest to the viewer at (x, y) in the front view, and the barycentric coordinates there."""
    a, b, c = template[faces].swapaxes(0, 1)
    span = np.stack([(b - a)[:, :2], (c - a)[:, :2]], axis=2)
    facing = np.flatnonzero(np.linalg.det(span) > 0)
    shares = np.linalg.solve(span[facing], (place - a[facing, :2])[..., None])[..., 0]
    weights = np.column_stack([1 - shares.sum(axis=1), shares])
    hit = np.flatnonzero((weights >= 0).all(axis=1))
    depth = np.einsum("hk,hk->h", weights[hit], template[faces[facing[hit]], 2])
    nearest = hit[depth.argmax()]
    return int(facing[nearest]), np.asarray(weights[nearest])
