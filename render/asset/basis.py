"""The moving face before it is posed, as a rest shape plus displacements with weights that span 0 to 1.

Whatever plays a clip elsewhere, a glTF viewer or a page, can add a few dozen displacements a frame and cannot evaluate
FLAME. Of its components a clip uses some; the others are baked into the rest shape. Weights span 0 to 1 because Blender
clamps them to that, so the rest shape is no face in itself: it is the one of which all weights are 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import JOINTS, Floats
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.rotations import matrix_from_axis_angle

LEFT_OUT_M = 20e-6
"""Metres by which all left out components together may displace a vertex at most, in any frame."""

FrameChoice = slice | NDArray[np.int64]
"""Which of T frames: a range, or their numbers."""

_STEPS = 32767


@dataclass(frozen=True)
class Basis:
    """Shapes of a clip's frames: ``rest + weights @ displacements``.

    Attributes:
        names: of the K displacements.
        rest: (V, 3) metres; the shape of which all weights are 0.
        displacements: (K, V, 3) metres.
        weights: (T, K) 0 to 1, and both reached by every displacement.
    """

    names: tuple[str, ...]
    rest: Floats
    displacements: Floats
    weights: Floats

    def shapes(self, frames: FrameChoice) -> Floats:
        """(n, V, 3) unposed vertices of some frames, metres."""
        return self.rest + np.tensordot(self.weights[frames], self.displacements, axes=1)

    def quantized(self) -> Basis:
        """The same with displacements that 16 bits hold; see :func:`in_16_bits`."""
        steps, reach = in_16_bits(self.displacements)
        return replace(self, displacements=steps.astype(np.float64) * (reach / _STEPS))


def in_16_bits(displacements: Floats) -> tuple[NDArray[np.int16], float]:
    """Displacements as multiples of ``reach / 32767``.

    One step for all: as weights span 0 to 1, no displacement is larger than what the clip makes of it, some 30 mm, and a
    step is a micrometre.

    Returns:
        The multiples, and the reach in metres: the largest entry (1 if there is none).
    """
    reach = float(np.abs(displacements).max(initial=0)) or 1.0
    return np.rint(displacements * (_STEPS / reach)).astype(np.int16), reach


def param_basis(subject: Subject, params: FlameParams, left_out: float = LEFT_OUT_M) -> Basis:
    """The basis of a clip of parameters: the expression components and pose correctives that it uses.

    Several clips of one subject share a basis if their frames are given one after the other.

    Args:
        subject: who moves.
        params: T frames.
        left_out: metres; see :data:`LEFT_OUT_M`.
    """
    arrays = subject.arrays
    turns = np.stack([params.neck, params.jaw, params.eyes[:, :3], params.eyes[:, 3:]], axis=1).astype(np.float64)
    correctives = (matrix_from_axis_angle(turns) - np.eye(3)).reshape(len(params), 36)
    return rebased(
        (
            *(f"expression_{i:02}" for i in range(arrays.expression_basis.shape[2])),
            *(f"{joint}_rotation_{row}{column}" for joint in JOINTS[1:] for row in range(3) for column in range(3)),
        ),
        subject.template,
        np.moveaxis(np.concatenate([arrays.expression_basis, arrays.pose_basis], axis=2), 2, 0),
        np.concatenate([params.expression.astype(np.float64), correctives], axis=1),
        left_out,
    )


def rebased(names: tuple[str, ...], origin: Floats, directions: Floats, coefficients: Floats, left_out: float) -> Basis:
    """Turn ``origin + coefficients @ directions`` into a basis.

    Args:
        names: of the K directions.
        origin: (V, 3) metres.
        directions: (K, V, 3) metres a unit of the coefficients.
        coefficients: (T, K) of any range.
        left_out: metres by which a vertex may be displaced for want of those directions that do the least; they stay at
            the middle of their range.
    """
    low, high = coefficients.min(axis=0), coefficients.max(axis=0)
    span = high - low
    at_stake = span / 2 * np.linalg.norm(directions, axis=2).max(axis=1)
    least_first = np.argsort(at_stake, kind="stable")
    used = np.zeros(len(names), bool)
    used[least_first] = np.cumsum(at_stake[least_first]) > left_out
    kept = np.flatnonzero(used)
    return Basis(
        names=tuple(names[k] for k in kept),
        rest=origin + np.tensordot(np.where(used, low, (low + high) / 2), directions, axes=1),
        displacements=span[kept, None, None] * directions[kept],
        weights=(coefficients[:, kept] - low[kept]) / span[kept],
    )
