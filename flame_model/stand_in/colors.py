"""The stand-in's skin colours by vertex, painted by rule: lips, cheeks, ears, brows, lids, shaven scalp, dark mouth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.stand_in.surface import Surface

# Linear factors of the part's colour.
_LIPS = np.array([0.70, 0.40, 0.40])
_FLUSHED = np.array([1.0, 0.80, 0.77])
_CORNERS = np.array([0.62, 0.45, 0.42])
_LASHES = np.array([0.30, 0.22, 0.20])
_BROWS = np.array([0.20, 0.15, 0.13])
_SHAVEN = np.array([0.80, 0.81, 0.83])
_UNDER_EYES = np.array([0.90, 0.82, 0.84])


def vertex_colors(surface: Surface, template: Floats, eyes: Floats, painted: Mapping[str, Floats]) -> Floats:
    """(V, 3) linear factors.

    Args:
        surface: the mesh, with the colours of eyes and teeth.
        template: (V, 3) the neutral head, metres.
        eyes: (2, 3) the eyes' joints, left and right.
        painted: (V,) MakeHuman's masks ``lips ears eyelids``, 0 to 1.
    """
    colors = surface.colors.copy()
    skin = np.unique(surface.faces[surface.parts["skin"]])
    x, y, z = (template - eyes.mean(axis=0))[skin].T
    side = np.abs(x)
    tinted = colors[skin]
    for amount, tint in (
        (_blob(side - 0.040, y + 0.036, 0.017, 0.013) * (z > -0.04) * 0.5, _FLUSHED),
        (_blob(side, y + 0.038, 0.012, 0.012) * (z > 0.02) * 0.7, _FLUSHED),
        (0.8 * painted["ears"][skin], _FLUSHED),
        (_blob(side - 0.028, y + 0.014, 0.014, 0.006) * (z > -0.03) * 0.7, _UNDER_EYES),
        (_scalp(y, z), _SHAVEN),
        (_brow(side, y) * (z > -0.03), _BROWS),
        (_lid_margin(template[skin], eyes) * painted["eyelids"][skin], _LASHES),
        (_mouth_corners(template[skin], painted["lips"][skin]), _CORNERS),
        (painted["lips"][skin], _LIPS),
    ):
        tinted = tinted * (1 - amount[:, None] + amount[:, None] * tint)
    colors[skin] = tinted
    for part in ("mouth", "tongue", "teeth"):
        inside = np.setdiff1d(surface.faces[surface.parts[part]], skin)
        colors[inside] *= _light_inside(template[inside, 2] - eyes[:, 2].mean())[:, None]
    return colors


def _blob(x: Floats, y: Floats, width: float, height: float) -> Floats:
    return np.asarray(np.exp(-0.5 * ((x / width) ** 2 + (y / height) ** 2)))


def _ramp(value: Floats, start: float, end: float) -> Floats:
    """From 0 at ``start`` to 1 at ``end``, without kinks."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def brow_line(along: Floats) -> tuple[Floats, Floats, Floats]:
    """How far from the middle and how high over the eyes a brow runs, and half its thickness, metres.

    Args:
        along: 0 at its inner end, 1 at its outer end.
    """
    bow = np.sin(np.clip(along, 0, 1.2) ** 1.1 * np.pi * 0.72)
    return 0.011 + 0.037 * along, 0.0150 + 0.0042 * bow, 0.0031 - 0.0016 * np.clip(along, 0, 1)


def _brow(side: Floats, y: Floats) -> Floats:
    start, end = brow_line(np.array([0.0, 1.0]))[0]
    along = (side - start) / (end - start)
    _, middle, half = brow_line(along)
    return np.asarray(np.exp(-0.5 * ((y - middle) / half) ** 2) * _ramp(along, -0.1, 0.15) * _ramp(along, 1.08, 0.75))


def _scalp(y: Floats, z: Floats) -> Floats:
    """Where hair would grow."""
    front = _ramp(y, 0.066, 0.085)
    back = _ramp(-z, 0.055, 0.085) * _ramp(y, -0.05, -0.02)
    return np.asarray(np.maximum(front, back))


def _mouth_corners(points: Floats, lips: Floats) -> Floats:
    """The folds at both ends of the lips."""
    of_lips = points[lips > 0.5]
    ends = of_lips[[of_lips[:, 0].argmin(), of_lips[:, 0].argmax()]]
    distance = np.linalg.norm(points[:, None] - ends, axis=2).min(axis=1)
    return np.asarray(np.exp(-0.5 * (distance / 0.0028) ** 2))


def _lid_margin(points: Floats, eyes: Floats) -> Floats:
    """The rim of the lids: skin that all but touches the front of an eyeball."""
    amount = np.zeros(len(points))
    for eye in eyes:
        offset = points - eye
        distance = np.linalg.norm(offset, axis=1)
        amount = np.maximum(amount, _ramp(distance, 0.0172, 0.0162) * (offset[:, 2] > 0.004))
    return amount


def _light_inside(z: Floats) -> Floats:
    """How much light reaches this far into the mouth, z metres before the eyes (0.03 at the lips)."""
    return np.asarray(0.05 + 0.95 * _ramp(z, -0.035, 0.022) ** 1.5)
