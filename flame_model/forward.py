"""FLAME's forward pass for one identity: expression and pose correctives, then linear blend skinning.

Source: Li et al. 2017, "Learning a model of facial shape and expression from 4D scans", equations 1 to 5.

FLAME's tree of joints is root -> neck -> jaw and both eyes, and a vertex's five weights sum to 1. With ``L_j`` the turn by
joint j's own rotation about its place at rest, the blend of the five bones is therefore, from the leaves to the root,

    d  = sum over jaw and eyes of  w_j (L_j x - x)
    x' = x + (1 - w_root) (L_neck x - x) + R_neck d
    v  = L_root x'

which skips what does not turn: a joint at rest adds exact zeros. The general form, a 4 x 4 matrix a vertex and frame
(``smplx.lbs``), takes several times as long.

Coordinates lie together in memory, (frames, 3, vertices), because all arithmetic runs along vertices; the tensors that
come out are views of it in the usual order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.arrays import JOINTS, Floats, HeadArrays, Indices
from singinghead.flame_model.errors import UnavailableError
from singinghead.flame_model.params import FlameParams

if TYPE_CHECKING:
    import torch

CHUNK = 60
"""Frames in one forward pass, always: a frame's vertices depend on neither its neighbours nor the length of its clip."""

_LEAVES = ("jaw", "left_eye", "right_eye")


@dataclass(frozen=True)
class Rig:
    """One identity, or some of its vertices, as float32 tensors on one device.

    Attributes:
        template: (3V,) neutral vertices: all x, all y, all z.
        expression_basis: (50, 3V).
        correctives: for each joint but the root, (9, 3V) displacement a unit of its rotation matrix minus identity.
        joints: (15,) the neutral joints.
        joint_basis: (50, 15) how expression moves them.
        below_root: (V,) the share of a vertex that does not follow the root alone.
        leaves: (V,) each: how far a vertex follows jaw, left and right eye.
        device: where all of it lies.
    """

    template: torch.Tensor
    expression_basis: torch.Tensor
    correctives: tuple[torch.Tensor, ...]
    joints: torch.Tensor
    joint_basis: torch.Tensor
    below_root: torch.Tensor
    leaves: tuple[torch.Tensor, ...]
    device: torch.device

    @classmethod
    def build(cls, arrays: HeadArrays, template: Floats, device: str = "cpu", only: Indices | None = None) -> Rig:
        """Prepare an identity.

        Args:
            arrays: the model.
            template: (V, 3) the neutral vertices of the identity.
            device: a torch device.
            only: the vertices to compute, in this order; None is all. Joints follow from all of them either way.

        Raises:
            UnavailableError: torch does not have that device.
        """
        target = torch_device(device)
        chosen = np.arange(len(template)) if only is None else only

        def put(array: Floats) -> torch.Tensor:
            return _put(array, target)

        def basis(components: Floats) -> torch.Tensor:
            return put(components[chosen].transpose(2, 1, 0).reshape(components.shape[2], -1))

        skinning = arrays.skinning[chosen] / arrays.skinning[chosen].sum(axis=1, keepdims=True)
        joint_basis = np.einsum("jv,vce->ejc", arrays.joint_regressor, arrays.expression_basis)
        return cls(
            template=put(template[chosen].T.reshape(-1)),
            expression_basis=basis(arrays.expression_basis),
            correctives=tuple(basis(arrays.pose_basis[:, :, 9 * i : 9 * i + 9]) for i in range(4)),
            joints=put((arrays.joint_regressor @ template).reshape(-1)),
            joint_basis=put(joint_basis.reshape(len(joint_basis), -1)),
            below_root=put(1 - skinning[:, JOINTS.index("root")]),
            leaves=tuple(put(skinning[:, JOINTS.index(name)]) for name in _LEAVES),
            device=target,
        )

    def of(self, arrays: HeadArrays, template: Floats, only: Indices | None = None) -> Rig:
        """The same for another identity of that model: its bases are shared."""
        chosen = template if only is None else template[only]
        flat, joints = chosen.T.reshape(-1), (arrays.joint_regressor @ template).reshape(-1)
        return replace(self, template=_put(flat, self.device), joints=_put(joints, self.device))

    def chunks(self, params: FlameParams) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield at most 60 frames at a time, in order.

        Yields:
            (B, V, 3) vertices and (B, 5, 3) joints in the order of :data:`~singinghead.flame_model.arrays.JOINTS`,
            metres, float32, on the rig's device.
        """
        import torch

        expression, pose = params.expression, params.full_pose()
        for start in range(0, len(params), CHUNK):
            n_frames = min(CHUNK, len(params) - start)
            padding = ((0, CHUNK - n_frames), (0, 0))
            frames = slice(start, start + CHUNK)
            codes = torch.from_numpy(np.pad(expression[frames], padding)).to(self.device)
            angles = torch.from_numpy(np.pad(pose[frames], padding)).to(self.device)
            turns = np.any(pose[frames].reshape(n_frames, 5, 3), axis=(0, 2))
            with torch.inference_mode():
                vertices, joints = self._forward(codes, angles, turns.tolist())
            yield vertices[:n_frames], joints[:n_frames]

    def _forward(self, expression: torch.Tensor, pose: torch.Tensor, turns: list[bool]) -> tuple[torch.Tensor, torch.Tensor]:
        """All frames at once; ``turns`` says which of the five joints turn at all."""
        import torch

        n_frames = len(expression)
        change = _rotation_minus_identity(pose.reshape(n_frames, 5, 3))
        flat = torch.addmm(self.template, expression, self.expression_basis)
        for joint in range(1, 5):
            if turns[joint]:
                flat.addmm_(change[:, joint].reshape(n_frames, 9), self.correctives[joint - 1])
        x = flat.view(n_frames, 3, -1)
        rest = torch.addmm(self.joints, expression, self.joint_basis).view(n_frames, 5, 3, 1)
        root, neck = rest[:, 0], rest[:, 1]
        joints = rest.squeeze(-1).transpose(1, 2)  # (B, 3, 5)
        # Fresh memory of this size costs more than the arithmetic, hence in place.
        swung = None
        for joint, weights in enumerate(self.leaves, start=2):
            if turns[joint]:
                swing = torch.baddbmm(-(change[:, joint] @ rest[:, joint]), change[:, joint], x).mul_(weights)
                swung = swing if swung is None else swung.add_(swing)
        moved = None
        if turns[1]:
            moved = torch.baddbmm(-(change[:, 1] @ neck), change[:, 1], x)
            x.addcmul_(self.below_root, moved)
            follows = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0], device=self.device)  # it is below the neck, and not the neck
            joints = joints + follows * (change[:, 1] @ (joints - neck))
        if swung is not None:
            x.add_(torch.baddbmm(swung, change[:, 1], swung) if turns[1] else swung)
        if turns[0]:
            rotation = change[:, 0] + torch.eye(3, device=self.device)  # exactly the identity where the root does not turn
            x = torch.baddbmm(-(change[:, 0] @ root), rotation, x, out=moved)
            joints = joints + change[:, 0] @ (joints - root)
        return x.transpose(1, 2), joints.transpose(1, 2)


def _put(array: Floats, device: torch.device) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)


def _rotation_minus_identity(axis_angle: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3): sin(a) K + (1 - cos(a)) K², which keeps its precision where the angle is small."""
    import torch

    angle = torch.linalg.vector_norm(axis_angle, dim=-1)[..., None, None]
    x, y, z = (axis_angle / angle[..., 0].clamp(min=1e-12)).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*x.shape, 3, 3)
    return torch.sin(angle) * cross + 2 * torch.sin(angle / 2) ** 2 * (cross @ cross)


def torch_device(device: str) -> torch.device:
    """A device by its name.

    Raises:
        UnavailableError: torch does not have it.
    """
    import torch

    try:
        target = torch.device(device)
        torch.zeros(1, device=target).cpu()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UnavailableError(f"torch device '{device}': {reason}", remedy="--device cpu always works") from None
    return target
