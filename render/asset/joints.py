"""The moving skeleton: each joint's place and rotation within its parent, frame by frame.

FLAME's joints move with the expression, so that a skeleton which only rotates would miss its vertices by 0.4 mm. A skin
transform of FLAME, which rotates about the joint of that very frame, is the same as one about the neutral joint that is also
moved: both rotation and translation are sampled, and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from singinghead.flame_model.arrays import JOINTS, PARENTS, Floats
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.render.asset.basis import FrameChoice


@dataclass(frozen=True)
class JointMotion:
    """T frames of J joints; a parent comes before its children.

    Attributes:
        names: of the joints.
        parents: index of each joint's parent, -1 for the root.
        bind: (J, 3) where each joint is, unrotated, when the vertices are at rest; metres.
        translations: (T, J, 3) float32 metres, within the parent.
        rotations: (T, J, 4) float32 unit quaternions x, y, z, w, within the parent; neighbours lie on one hemisphere.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    bind: Floats
    translations: Frames
    rotations: Frames

    def __len__(self) -> int:
        return len(self.translations)

    def transforms(self, frames: FrameChoice) -> tuple[Floats, Floats]:
        """Rotations (n, J, 3, 3) and places (n, J, 3) of the joints in the head's coordinates."""
        local = _matrices(self.rotations[frames].astype(np.float64))
        offsets = self.translations[frames].astype(np.float64)
        rotations, places = np.zeros_like(local), np.zeros_like(offsets)
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                rotations[:, joint], places[:, joint] = local[:, joint], offsets[:, joint]
            else:
                rotations[:, joint] = rotations[:, parent] @ local[:, joint]
                places[:, joint] = places[:, parent] + _turned(rotations[:, parent], offsets[:, joint])
        return rotations, places


def flame_joints(subject: Subject, params: FlameParams) -> JointMotion:
    """FLAME's five joints."""
    turns = params.full_pose().reshape(len(params), len(JOINTS), 3).astype(np.float64)
    local = Rotation.from_rotvec(turns.reshape(-1, 3)).as_quat().reshape(*turns.shape[:2], 4)
    matrices = _matrices(local)
    follow = np.tensordot(subject.arrays.joint_regressor, subject.arrays.expression_basis, axes=1)
    at_rest = subject.neutral_joints + np.tensordot(params.expression.astype(np.float64), follow, axes=(1, 2))
    rotations, places, moved = np.zeros_like(matrices), np.zeros_like(at_rest), np.zeros_like(at_rest)
    translations = np.zeros_like(at_rest)
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            rotations[:, joint], places[:, joint] = matrices[:, joint], at_rest[:, joint]
        else:
            rotations[:, joint] = rotations[:, parent] @ matrices[:, joint]
            bone = at_rest[:, joint] - at_rest[:, parent]
            places[:, joint] = places[:, parent] + _turned(rotations[:, parent], bone)
        # Where the frame's transform brings the neutral joint, which need not be where the frame's own joint is.
        shift = subject.neutral_joints[joint] - at_rest[:, joint]
        moved[:, joint] = places[:, joint] + _turned(rotations[:, joint], shift)
        back = np.swapaxes(rotations[:, parent], 1, 2)
        translations[:, joint] = moved[:, joint] if parent < 0 else _turned(back, moved[:, joint] - moved[:, parent])
    return JointMotion(
        JOINTS, PARENTS, subject.neutral_joints, translations.astype(np.float32), _continuous(local).astype(np.float32)
    )


def rigid_joint(rotations: Rotation, places: Floats) -> JointMotion:
    """One joint at the origin that carries a whole head.

    Args:
        rotations: T of them.
        places: (T, 3) metres.
    """
    quaternions = _continuous(rotations.as_quat()[:, None]).astype(np.float32)
    return JointMotion(("root",), (-1,), np.zeros((1, 3)), places[:, None].astype(np.float32), quaternions)


def _matrices(quaternions: Floats) -> Floats:
    """(..., 3, 3) from (..., 4)."""
    return np.asarray(Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()).reshape(*quaternions.shape[:-1], 3, 3)


def _turned(rotations: Floats, points: Floats) -> Floats:
    """(n, 3) points, each by its (n, 3, 3) rotation."""
    return np.asarray((rotations @ points[:, :, None])[:, :, 0])


def _continuous(quaternions: NDArray[np.float64]) -> Floats:
    """(T, J, 4) with the signs that keep neighbours together: a program that interpolates entry by entry needs it."""
    cosines = (quaternions[1:] * quaternions[:-1]).sum(axis=2, keepdims=True)
    signs = np.cumprod(np.where(cosines < 0, -1, 1), axis=0)
    return np.concatenate([quaternions[:1], signs * quaternions[1:]])
