"""The regions of the stand-in head, under the names of FLAME's masks (``FLAME_masks.pkl``).

As there, face, ears, scalp, neck, eyeballs and the bust's boundary exclude each other, and lips, nose, forehead and the eye
region are parts of the face. Lips and ears are those that MakeHuman paints in texture space; the others are drawn here, in
the front and side views of the mean head. Left and right are the subject's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from singinghead.flame_model.arrays import Floats, Indices

Inside = NDArray[np.bool_]
_Line = tuple[tuple[float, ...], tuple[float, ...]]

# All in metres from the middle between the eyes: x to the left, y up, z forward. A line is (abscissae, ordinates).
_FACE_BACK: _Line = (
    (-0.104, -0.075, -0.045, 0.0, 0.012, 0.035, 0.08),
    (-0.03, -0.052, -0.057, -0.057, -0.05, -0.038, -0.008),
)
"""In the side view, z over y: from the corner of the jaw before the ear and over the temple to the hairline."""
_FACE_BELOW: _Line = ((-0.05, -0.02, 0.01), (-0.085, -0.102, -0.111))
"""In the side view, y over z: the lower edge of the jaw, from its corner to the chin."""
_HAIRLINE = 0.084
"""Height over the forehead."""
_SCALP_BELOW: _Line = ((-0.14, -0.08, -0.05), (-0.075, -0.04, 0.01))
"""In the side view, y over z: from the nape behind the ear to its upper end."""
_NECK_BELOW: _Line = ((-0.16, -0.04), (-0.13, -0.165))
"""In the side view, y over z: from the seventh vertebra to the pit between the collar bones."""
_NECK_SLOPE = (0.04, 1.2)
"""How far from the middle the neck's lower edge begins to rise towards the shoulders, and how steeply."""
_NOSE: _Line = ((-0.048, -0.044, -0.03, -0.012, 0.0), (0.012, 0.019, 0.019, 0.009, 0.007))
"""In the front view, half its width over y: from the lip over the wings to the bridge."""
_EYE, _EYE_HALF_AXES = (0.031, 0.003), (0.029, 0.022)
"""In the front view, the middle and half axes of what lies about an eye, up to the brow's upper edge."""
_BROWS = (0.0, 0.022, 0.05)
"""Lower and upper edge of the brows' band between the eye regions, and its half width."""
_SOCKET, _FACING = 0.02, 0.5
"""Skin as near as this to the middle of an eye lines its socket, and is never seen, where it faces that middle: where the
cosine is more. The lids' rims, along which they touch the eye, do not."""


def regions(
    template: Floats,
    faces: Indices,
    parts: Mapping[str, Indices],
    painted: Mapping[str, Inside],
    eyeballs: Mapping[str, Indices],
    eyes: Floats,
) -> dict[str, Indices]:
    """Sorted vertices by region.

    Args:
        template: (V, 3) the mean head, symmetric about x = 0, metres.
        faces: (F, 3) triangles.
        parts: faces of ``skin``, ``teeth``, ``tongue`` and ``mouth``.
        painted: (V,) masks ``lips`` and ``ears``.
        eyeballs: vertices of ``left_eyeball`` and ``right_eyeball``.
        eyes: (2, 3) their joints.
    """
    x, y, z = (template - eyes.mean(axis=0)).T
    aside = np.abs(x)
    skin = np.isin(np.arange(len(template)), faces[parts["skin"]])
    normals = _normals(template, faces)
    for eye_joint in eyes:
        inwards = eye_joint - template
        distance = np.linalg.norm(inwards, axis=1)
        skin &= (distance > _SOCKET) | (np.sum(normals * inwards, axis=1) < _FACING * distance)

    lips, ears = (_both_sides(painted[name], template) & skin for name in ("lips", "ears"))
    face = skin & ~ears & (z > np.interp(y, *_FACE_BACK)) & (y > np.interp(z, *_FACE_BELOW)) & (y < _HAIRLINE)
    scalp = skin & ~ears & ~face & (y > np.interp(z, *_SCALP_BELOW))
    shoulders = np.interp(z, *_NECK_BELOW) + _NECK_SLOPE[1] * (aside - _NECK_SLOPE[0]).clip(0)
    neck = skin & ~ears & ~face & ~scalp & (y > shoulders)
    eye = face & (np.hypot((aside - _EYE[0]) / _EYE_HALF_AXES[0], (y - _EYE[1]) / _EYE_HALF_AXES[1]) < 1)
    nose = face & ~eye & (y < _NOSE[0][-1]) & (aside < np.interp(y, *_NOSE, left=0))
    brows = face & ~nose & (y > _BROWS[0]) & (y < _BROWS[1]) & (aside < _BROWS[2])
    chosen = {
        "face": face,
        "lips": face & lips,
        "nose": nose,
        "eye_region": eye | brows,
        "left_eye_region": eye & (x > 0),
        "right_eye_region": eye & (x < 0),
        "forehead": face & ~eye & ~brows & (y > _BROWS[1]),
        "scalp": scalp,
        "neck": neck,
        "left_ear": ears & (x > 0),
        "right_ear": ears & (x < 0),
    }
    found = {name: np.flatnonzero(inside) for name, inside in chosen.items()}
    found["boundary"] = _edge(faces[np.concatenate([parts["skin"], parts["mouth"]])])
    found |= {name: np.sort(ball) for name, ball in eyeballs.items()}
    return found | {name: np.unique(faces[parts[name]]) for name in ("teeth", "tongue", "mouth")}


def _both_sides(inside: Inside, template: Floats) -> Inside:
    """What a mask has on both sides: what is painted by hand is a vertex wider here or there on one."""
    mirrored = template[inside] * [-1, 1, 1]
    _, twins = KDTree(template).query(mirrored)
    both = np.zeros_like(inside)
    both[twins[inside[twins]]] = True
    return both


def _normals(template: Floats, faces: Indices) -> Floats:
    """(V, 3) outward unit normals."""
    a, b, c = template[faces].swapaxes(0, 1)
    normals = np.zeros_like(template)
    np.add.at(normals, faces.ravel(), np.repeat(np.cross(b - a, c - a), 3, axis=0))
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


def _edge(faces: Indices) -> Indices:
    """The vertices of the edges that bound one face only."""
    edges, counts = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0, return_counts=True)
    return np.unique(edges[counts == 1])
