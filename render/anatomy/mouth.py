"""Rows of teeth, a tongue and the walls of a mouth, put behind a pair of lips."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.model import Subject
from singinghead.render.anatomy.lips import Lips
from singinghead.render.anatomy.piece import JAW, N_BONES, SKULL, Piece, sheet

_USUAL_HALF_WIDTH = 0.0205
"""Metres, of the lips' inner edges: where they are wider or narrower, all is."""
_UPPER = ((8.6, 10.2), (6.7, 8.9), (7.7, 10.0), (7.0, 8.4), (6.8, 8.0), (10.0, 7.2), (9.6, 6.8))
_LOWER = ((5.4, 8.6), (6.0, 8.9), (6.9, 9.8), (7.0, 8.4), (7.1, 8.0), (11.0, 7.2), (10.4, 6.8))
"""Width and height in mm of the crowns from the middle to the back, as anatomy books give them."""
_ARCHES = {SKULL: (0.0255, 0.036), JAW: (0.0240, 0.034)}
"""Half the width, and the depth, of half the ellipse on which the teeth stand, metres."""
_EDGE = {SKULL: -0.0043, JAW: -0.0012}
"""Metres above the line between the shut lips: the upper teeth hang over the lower."""
_OVERJET = 0.0022
_CLEAR = 0.0016
"""Metres between lips and teeth."""
_COLUMNS = np.linspace(-1, 1, 7)
_GUM = np.array([0.62, 0.26, 0.25])
_ENAMEL_AT_GUM, _ENAMEL_AT_EDGE = np.array([0.88, 0.82, 0.72]), np.array([0.97, 0.97, 0.96])
_DEPTH = 0.058


def teeth(subject: Subject, lips: Lips) -> list[Piece]:
    """The upper row on the skull, the lower on the jaw, as far behind the lips as both need."""
    scale = lips.half_width / _USUAL_HALF_WIDTH
    rows = {bone: _row(lips, bone, scale) for bone in (SKULL, JAW)}
    back = max(_too_far_ahead(subject, rows[bone].rest, lips) for bone in rows)
    for piece in rows.values():
        piece.rest[:, 2] -= back
    return list(rows.values())


def _row(lips: Lips, bone: int, scale: float) -> Piece:
    """One row, its foremost point at the lips' middle."""
    half_width, depth = scale * np.array(_ARCHES[bone])
    sizes = scale * 1e-3 * np.array(_UPPER if bone == SKULL else _LOWER)
    turn = np.linspace(0, np.pi / 2, 400)
    arch = np.stack([half_width * np.sin(turn), depth * (np.cos(turn) - 1)], axis=1)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(arch, axis=0), axis=1))])
    ends = np.concatenate([[0], np.cumsum(sizes[:, 0])])
    columns = []  # of one half: distance along the arch, place on the crown -1 to 1, height, how far back 0 to 1
    for i, (width, height) in enumerate(sizes):
        for place in _COLUMNS:
            columns.append((ends[i] + width * (place + 1) / 2, place, height, (i + (place + 1) / 2) / len(sizes)))
    half = np.array(columns)
    mirrored = half[::-1] * [-1, -1, 1, 1]
    distance, place, height, behind = np.concatenate([mirrored, half]).T
    angle = np.sign(distance) * np.interp(np.abs(distance), along, turn)
    foot = np.stack([half_width * np.sin(angle), depth * (np.cos(angle) - 1)], axis=1)
    outward = np.stack([depth * np.sin(angle), half_width * np.cos(angle)], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    thick = scale * (0.0028 + 0.005 * behind)
    round_off = np.abs(place) ** 5
    length = height * (1 - 0.07 * round_off)
    scallop = 0.0012 * scale * place**2
    groove = 0.0009 * scale * np.abs(place) ** 4
    profile = (  # height above the edge, distance outwards, colour
        (length + 0.006, 0.0006 + 0 * length, _GUM * 0.8),
        (length + 0.0008 - scallop, 0.0009 - 0.6 * groove, _GUM),
        (length + 0.0008 - scallop, 0.0003 - groove, _ENAMEL_AT_GUM),
        (0.62 * length, 0.0009 - groove, 0.5 * (_ENAMEL_AT_GUM + _ENAMEL_AT_EDGE)),
        (0.25 * length, 0.0006 - groove, _ENAMEL_AT_EDGE),
        (0.04 * length + 0.07 * height * round_off, -0.0002 - groove, _ENAMEL_AT_EDGE * 0.97),
        (0.0 * length + 0.07 * height * round_off, -0.0008 - groove, _ENAMEL_AT_EDGE * 0.94),
        (0.10 * length, -thick, _ENAMEL_AT_GUM * 0.8),
        (length, -thick - 0.002, _GUM * 0.6),
    )
    sign = 1 if bone == SKULL else -1
    rest, colors = [], []
    dim = (1 - 0.80 * behind**1.2)[:, None] * (1 - 0.42 * np.abs(place) ** 8)[:, None]
    jet = 0 if bone == SKULL else -_OVERJET * scale
    for up, out, color in profile:
        x, z = (foot + out[:, None] * outward).T
        y = _EDGE[bone] * scale + sign * up
        rest.append(lips.middle + np.stack([x, y, z + jet], axis=1))
        colors.append(color * dim)
    faces = sheet(len(profile), len(distance))
    faces = faces[~np.isin(faces // len(distance), [1]).any(axis=1) | ~np.isin(faces // len(distance), [2]).any(axis=1)]
    if bone == JAW:
        faces = faces[:, ::-1]
    return Piece.on(bone, "teeth", np.concatenate(rest), faces, np.concatenate(colors))


def _too_far_ahead(subject: Subject, points: Floats, lips: Lips) -> float:
    """Metres by which points must go back so that no skin before them is pierced."""
    offset = subject.template - lips.middle
    reach = np.array([1.2 * lips.half_width, 0.022])
    skin = subject.template[(np.abs(offset[:, :2]) < reach).all(axis=1) & (offset[:, 2] > -0.03)]
    ahead = points[np.abs(points[:, 0] - lips.middle[0]) < 0.8 * lips.half_width]
    apart = np.linalg.norm(ahead[:, None, :2] - skin[None, :, :2], axis=2)
    beyond = np.where(apart < 0.004, ahead[:, None, 2] + _CLEAR - skin[None, :, 2], -np.inf)
    return float(max(beyond.max(initial=0.0), 0.0))


def walls(lips: Lips) -> Piece:
    """The mouth's inside: it begins at the hole's rim, which it follows, widens, and ends in the dark."""
    steps = np.array([0, 0.06, 0.16, 0.32, 0.55, 0.8, 1.0])
    middle = lips.points.mean(axis=0)
    wide, high = 1.18 * lips.half_width, 0.75 * lips.half_width
    rest, colors, weights = [], [], []
    for step in steps:
        opened = np.sqrt(max(1 - (max(step - 0.3, 0) / 0.7) ** 2, 0)) * min(step / 0.16, 1) ** 0.5
        at = np.stack(
            [
                middle[0] + wide * opened * np.cos(lips.angle),
                middle[1] + high * opened * np.sin(lips.angle) - 0.004 * step,
                np.full(len(lips.rim), middle[2] - _DEPTH * step),
            ],
            axis=1,
        )
        at[:, 2] = np.minimum(at[:, 2], lips.points[:, 2] + 1e-3) if step else at[:, 2]
        rest.append(lips.points if step == 0 else at)
        colors.append(np.full((len(lips.rim), 3), 0.62 * (1 - step) ** 3.5 + 0.03))
        jaw = 0.5 - 0.5 * np.sin(lips.angle)
        own = np.zeros((len(lips.rim), N_BONES))
        own[:, SKULL], own[:, JAW] = 1 - jaw, jaw
        weights.append(own)
    faces = sheet(len(steps), len(lips.rim), closed=True)
    points = np.concatenate(rest)
    inward = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    axis = middle + np.array([0, 0, -0.4 * _DEPTH])
    if (inward * (axis - points[faces].mean(axis=1))).sum() < 0:
        faces = faces[:, ::-1]
    share = np.repeat((1 - steps) ** 2, len(lips.rim))
    follows = np.tile(lips.rim, len(steps))
    return Piece("mouth", points, faces, np.concatenate(colors), np.concatenate(weights), follows, share)


def tongue(lips: Lips, lower_teeth: Piece) -> Piece:
    """It lies behind the lower teeth, on the jaw."""
    scale = lips.half_width / _USUAL_HALF_WIDTH
    tip = lower_teeth.rest[:, 2].max() - 0.0055 * scale
    around, over = np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(0, 1, 9)
    turn, reach = np.meshgrid(around, over)
    x = 0.0185 * scale * reach * np.cos(turn) * (1 - 0.18 * np.sin(turn))
    z = tip - 0.026 * scale + 0.026 * scale * reach * np.sin(turn)
    rise = np.sqrt(np.clip(1 - reach**4, 0, None))
    groove = np.exp(-0.5 * (x / (0.003 * scale)) ** 2) * (1 - reach)
    y = lips.middle[1] - 0.0125 * scale + scale * (0.0085 * rise - 0.0014 * groove)
    rest = np.stack([lips.middle[0] + x, y, z], axis=-1).reshape(-1, 3)
    far = np.clip((tip - rest[:, 2]) / (0.05 * scale), 0, 1)[:, None]
    faces = sheet(len(over), len(around), closed=True)
    first = np.cross(rest[faces[:, 1]] - rest[faces[:, 0]], rest[faces[:, 2]] - rest[faces[:, 0]])
    if first[:, 1].sum() < 0:
        faces = faces[:, ::-1]
    return Piece.on(JAW, "tongue", rest, faces, np.repeat(0.7 - 0.62 * far, 3, axis=1))
