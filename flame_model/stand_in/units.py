"""Sculpted shapes made fit for a head in FLAME's form: the jaw taken out, rigid parts held, folds evened out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.stand_in import jaw
from singinghead.flame_model.stand_in.folds import Folds
from singinghead.flame_model.stand_in.surface import EYES, Surface
from singinghead.flame_model.stand_in.targets import OPEN_JAW

_RIGID = (*EYES, "upper_teeth", "lower_teeth")
# The chin: skin that the jaw carries nearly whole, before the jaw's joint by so much and below it (metres).
_OF_CHIN, _BEFORE_JOINT, _BELOW_JOINT = 0.9, 0.06, 0.05

# Skin that is so far off an eyeball at rest stays that far off it, metres: the lids' rims and linings are nearer.
_CLEAR_AT_REST, _CLEAR = 0.0018, 0.0012


@dataclass(frozen=True)
class Units:
    """Expressions as a rotation of the jaw and a displacement before it turns.

    Attributes:
        jaws: (U, 3) axis-angle, radians; zero in most.
        displacements: (U, V, 3) metres, before the jaw turns.
        shapes: (U, V, 3) metres, what both together do to the neutral head.
    """

    jaws: Floats
    displacements: Floats
    shapes: Floats


def fitted_units(
    sculpted: Mapping[str, Floats], templates: Floats, surface: Surface, weights: Floats, joint: Floats
) -> Units:
    """Take shapes apart.

    Teeth and eyes are rigid, and the tongue lies in the jaw, whatever the sculptor did with them.

    Args:
        sculpted: (V, 3) displacement of each shape, metres.
        templates: (M, V, 3) the mean head, then others that the shapes must not fold either.
        surface: the mesh.
        weights: (V,) of the jaw.
        joint: (3,) the jaw's.
    """
    template = templates[0]
    rows = {name: row for row, name in enumerate(sculpted)}
    moved = np.stack(list(sculpted.values()))
    jaws = np.zeros((len(moved), 3))
    ahead, below = template[:, 2] - joint[2] > _BEFORE_JOINT, joint[1] - template[:, 1] > _BELOW_JOINT
    chin = np.flatnonzero((weights > _OF_CHIN) & ahead & below)
    for name in OPEN_JAW:
        row = rows[name]
        jaws[row] = jaw.fitted_rotation(template, moved[row], joint, chin)
        if name.lower().endswith("open"):  # about x alone, and what little else is fitted is not meant
            jaws[row, 1:] = 0
        moved[row] = jaw.closed(template + moved[row], weights, joint, jaws[row]) - template
        moved[row, surface.members["tongue"]] = 0
    # ARKit's mouthClose is what shuts the lips of a mouth that jawOpen has opened, and is nothing by itself.
    opening, closing = rows["jawOpen"], rows["mouthClose"]
    shut = template + sculpted["jawOpen"] + sculpted["mouthClose"]
    moved[closing] = jaw.closed(shut, weights, joint, jaws[opening]) - template - moved[opening]
    # MakeHuman's mouth_open stretches the cavity through the cheeks; jawOpen's moves as a cavity does.
    skin, cavity = (np.unique(surface.faces[surface.parts[part]]) for part in ("skin", "mouth"))
    cavity = np.setdiff1d(cavity, skin)
    moved[rows["mouth_open"], cavity] = moved[opening, cavity]
    moved[:, np.concatenate([surface.members[name] for name in _RIGID])] = 0
    moved = _lifted_off_eyes(moved, templates, [surface.members[name] for name in EYES])

    folds = Folds(templates, surface.faces[np.concatenate([surface.parts["skin"], surface.parts["mouth"]])])
    moved = np.stack([folds.evened_out(one) for one in moved])
    shapes = np.stack(
        [jaw.opened(template + one, weights, joint, rotation) - template for one, rotation in zip(moved, jaws, strict=True)]
    )
    shut = jaw.opened(template + moved[opening] + moved[closing], weights, joint, jaws[opening])
    shapes[closing] = shut - template - shapes[opening]
    return Units(jaws, moved, shapes)


def _lifted_off_eyes(moved: Floats, templates: Floats, eyeballs: Sequence[Indices]) -> Floats:
    """(U, V, 3) shapes that press no skin into anyone's eyeball: what was clear of it at rest stays clear."""
    lifted = moved.copy()
    for template in templates:
        for ball in eyeballs:
            centre, radius = _sphere(template[ball])
            clear = np.flatnonzero(np.linalg.norm(template - centre, axis=1) > radius + _CLEAR_AT_REST)
            near = clear[np.linalg.norm(template[clear] - centre, axis=1) < 2 * radius]
            outwards = template[near] + lifted[:, near] - centre
            distance = np.linalg.norm(outwards, axis=2, keepdims=True)
            lifted[:, near] += np.clip(radius + _CLEAR - distance, 0, None) * outwards / distance
    return lifted


def _sphere(points: Floats) -> tuple[Floats, float]:
    """Centre (3,) and radius of the sphere nearest to points (n, 3)."""
    equations = np.column_stack([2 * points, np.ones(len(points))])
    solution = np.linalg.lstsq(equations, (points**2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))
