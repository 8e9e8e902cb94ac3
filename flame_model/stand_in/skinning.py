"""FLAME's five joints on MakeHuman's skeleton: where they are, and which skin they turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from singinghead.flame_model.arrays import JOINTS, Floats, Indices
from singinghead.flame_model.stand_in import makehuman
from singinghead.flame_model.stand_in.makehuman import BaseMesh
from singinghead.flame_model.stand_in.surface import EYES, Surface

JAW_OPEN_RADIANS = 0.335
"""The rotation about x whose motion of the chin is nearest to ARKit's jawOpen (within 1.8 mm on average)."""

# The surface that carries a joint: this near to it, and moved less than this by an expression (metres).
_JOINT_RADIUS, _STILL = 0.1, 2e-4
# Nearer to the jaw's axis than this, in metres of motion at jawOpen, nothing can be told from how far a vertex moves.
_TELLING_MOTION = 0.006
_SMOOTHING = 3  # The sculpted lips roll as they part, which a share of a rotation cannot; rounds that even this out.


def joints(base: BaseMesh, vertices: Floats) -> Floats:
    """(5, 3) FLAME's joints of (N, 3) base vertices, or their displacements of displacements.

    Centres of the skeleton's cubes; the root is a quarter of the way from the neck down the spine, 4 cm below it.
    """
    neck, spine, jaw, *eyes = (
        vertices[base.group_vertices(group)].mean(axis=0)
        for group in ("joint-neck", "joint-spine-1", "joint-mouth", *EYES.values())
    )
    return np.stack([neck + 0.25 * (spine - neck), neck, jaw, *eyes])


def skinning(rig: Path, surface: Surface, template: Floats, jaw_joint: Floats, jaw_open: Floats) -> Floats:
    """(V, 5) weights: every bone of the rig counts for the nearest FLAME joint above it, but for the jaw's.

    The rig's jaw opens a square mouth. The share of the jaw in the skin's motion is fitted to ARKit's sculpted opening.

    Args:
        rig: folder of MakeHuman's rig.
        surface: the mesh.
        template: (V, 3) the neutral head.
        jaw_joint: (3,) its joint.
        jaw_open: (V, 3) displacement of ARKit's jawOpen.
    """
    parents = makehuman.read_bone_parents(rig / "rig.default.json")
    of_base = np.zeros((surface.weights.shape[1], len(JOINTS)))
    for bone, (vertices, values) in makehuman.read_bone_weights(rig / "weights.default.json").items():
        of_base[vertices, JOINTS.index(_flame_joint(bone, parents))] += values
    weights = surface.take(of_base).clip(0)
    weights /= weights.sum(axis=1, keepdims=True)

    skin = np.unique(surface.faces[np.concatenate([surface.parts["skin"], surface.parts["mouth"]])])
    jaw = JOINTS.index("jaw")
    fitted = _share_of_jaw(template[skin], jaw_joint, jaw_open[skin], weights[skin, jaw])
    fitted = _smoothed(fitted, np.searchsorted(skin, surface.faces[np.isin(surface.faces, skin).all(axis=1)]))
    others = np.delete(np.arange(len(JOINTS)), jaw)
    rest = weights[np.ix_(skin, others)]
    empty = rest.sum(axis=1) == 0
    rest[empty, others == JOINTS.index("neck")] = 1
    weights[np.ix_(skin, others)] = rest / rest.sum(axis=1, keepdims=True) * (1 - fitted)[:, None]
    weights[skin, jaw] = fitted
    return np.asarray(weights)


def turned(points: Floats, joint: Floats, radians: float) -> Floats:
    """(n, 3) points rotated about the x axis through a joint."""
    cosine, sine = np.cos(radians), np.sin(radians)
    return np.asarray((points - joint) @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]) + joint)


def _share_of_jaw(points: Floats, joint: Floats, opened: Floats, of_rig: Floats) -> Floats:
    """(n,) the multiple of the jaw's rotation that comes nearest to how far each point moves."""
    motion = turned(points, joint, JAW_OPEN_RADIANS) - points
    square = np.einsum("vc,vc->v", motion, motion)
    fitted = np.einsum("vc,vc->v", motion, opened) / np.maximum(square, 1e-12)
    telling = np.clip(np.sqrt(square) / _TELLING_MOTION - 1, 0, 1)
    return np.asarray(np.clip(telling * fitted + (1 - telling) * of_rig, 0, 1))


def _smoothed(values: Floats, faces: Indices) -> Floats:
    """(n,) values, each replaced by the mean over the faces around it, a few times."""
    corners = faces.ravel()
    counts = np.bincount(corners, minlength=len(values))
    for _ in range(_SMOOTHING):
        values = np.bincount(corners, np.repeat(values[faces].mean(axis=1), 3), len(values)) / counts
    return values


def _flame_joint(bone: str, parents: Mapping[str, str]) -> str:
    known = {"eye.L": "left_eye", "eye.R": "right_eye", "jaw": "jaw", "head": "neck", "neck01": "neck"}
    while bone and bone not in known:
        bone = parents[bone]
    return known.get(bone, "root")


def joint_regressor(head: Floats, joints: Floats, expression: Floats, eyeballs: Sequence[Indices]) -> Floats:
    """(5, V) rows that give the joints exactly, in the mean head and under each race and sex.

    A row is the mean of the vertices about its joint, changed least (in the least squares sense) to do so. Vertices
    that an expression moves take no part, so that the jaw's hinge stays put; an eye's joint is carried by its ball.

    Args:
        head: (M, V, 3) the mean head, then displacements.
        joints: (M, 5, 3) the same of the joints.
        expression: (V, 3, E) expression components.
        eyeballs: vertices of the left and of the right eyeball.
    """
    still = np.linalg.norm(expression, axis=(1, 2)) < _STILL
    about = [
        np.flatnonzero(still & (np.linalg.norm(head[0] - joint, axis=1) < _JOINT_RADIUS))
        for joint in joints[0, : -len(eyeballs)]
    ]
    regressor = np.zeros((len(JOINTS), head.shape[1]))
    for row, joint, near in zip(regressor, joints.swapaxes(0, 1), [*about, *eyeballs], strict=True):
        moves = head[:, near].swapaxes(1, 2).reshape(-1, len(near))
        equations = np.vstack([np.ones(len(near)), moves])
        wanted = np.append(1, joint.ravel())
        uniform = np.full(len(near), 1 / len(near))
        # The six displacements from the mean are dependent, hence lstsq.
        row[near] = uniform + np.linalg.lstsq(equations, wanted - equations @ uniform, rcond=1e-9)[0]
    return regressor
