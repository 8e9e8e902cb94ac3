"""A clip's whole motion as a basis and a skeleton: what glTF and a page can play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import CHUNK, Subject
from singinghead.flame_model.params import Frames
from singinghead.flame_model.sequence import Sequence, VertexSequence
from singinghead.render.asset.basis import Basis, FrameChoice, param_basis
from singinghead.render.asset.joints import JointMotion, flame_joints
from singinghead.render.asset.vertex_basis import vertex_basis
from singinghead.render.clip import motion
from singinghead.render.scene import Scene


@dataclass(frozen=True)
class Animation:
    """The motion of V vertices over T frames, by linear blend skinning.

    Attributes:
        basis: the vertices before they are posed.
        joints: what poses them.
        skinning: (V, J) weights of the joints; rows sum to 1.
    """

    basis: Basis
    joints: JointMotion
    skinning: Floats

    def __len__(self) -> int:
        return len(self.joints)

    def posed(self, frames: FrameChoice) -> Floats:
        """(n, V, 3) vertices of some frames, metres."""
        shapes = self.basis.shapes(frames)
        rotations, places = self.joints.transforms(frames)
        vertices = np.zeros_like(shapes)
        for joint, bind in enumerate(self.joints.bind):
            turned = (shapes - bind) @ np.swapaxes(rotations[:, joint], 1, 2) + places[:, joint, None]
            vertices += self.skinning[:, joint, None] * turned
        return vertices

    def turns(self, frames: FrameChoice) -> Floats:
        """(n, V, 3, 3) by what :meth:`posed` turns the surface at each vertex: blends of rotations, nearly rotations."""
        rotations, _ = self.joints.transforms(frames)
        return np.asarray(np.einsum("vj,tjab->tvab", self.skinning, rotations))

    def chunks(self) -> Iterator[Floats]:
        """Yield (at most 60, V, 3) vertices in metres, in order."""
        for start in range(0, len(self), CHUNK):
            yield self.posed(slice(start, start + CHUNK))


def animation_of(subject: Subject, sequence: Sequence) -> Animation:
    """A clip's motion, with displacements that 16 bits hold.

    Args:
        subject: who moves; of generated vertices, whose mesh they are on.
        sequence: T frames.
    """
    if isinstance(sequence, VertexSequence):
        basis, joints = vertex_basis(sequence)
        return Animation(basis.quantized(), joints, np.ones((len(basis.rest), 1)))
    basis, joints = param_basis(subject, sequence.params), flame_joints(subject, sequence.params)
    skinning = subject.arrays.skinning
    return Animation(basis.quantized(), joints, skinning / skinning.sum(axis=1, keepdims=True))


def largest_error(animation: Animation, subject: Subject, sequence: Sequence) -> float:
    """By how much the animation misses any vertex of any frame, metres."""
    pairs = zip(animation.chunks(), motion(subject, sequence), strict=True)
    return max(float(np.linalg.norm(played - true, axis=2).max()) for played, true in pairs)


def checked_motion(subject: Subject, sequence: Sequence, scene: Scene) -> Iterator[Frames]:
    """Yield (at most 60, V, 3) vertices in metres, in order, each frame checked as one that is to be drawn.

    Raises:
        InputError: a frame holds NaN, or lies nowhere near a head; the message names it.
    """
    number = 0
    for chunk in motion(subject, sequence):
        for vertices in chunk:
            try:
                scene.check(vertices)
            except InputError as error:
                raise InputError(f"frame {number}: {error}", file=sequence.file) from None
            number += 1
        yield chunk
