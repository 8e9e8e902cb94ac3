"""The stand-in head and its named expressions."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from singinghead.flame_model.arrays import JOINTS, Floats, HeadArrays
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.stand_in.jaw import opened

_NO_EXPRESSIONS = {
    "eyeLook": "the gaze is a rotation: set the eyes of FlameParams",
    "tongueOut": "the tongue of this head stays in, and FLAME has none",
    "jawForward": "FLAME's jaw turns, and is not thrust forward",
}
"""What ARKit has and FLAME's expressions have not, by how the names begin."""


@dataclass(frozen=True)
class Blend:
    """A blend of named units as parameters.

    Attributes:
        params: T frames: expression and jaw; nothing else moves.
        error_mm: (T,) the largest distance, over the vertices, from the sculpted blend to what the parameters give.
    """

    params: FlameParams
    error_mm: Floats


@dataclass(frozen=True)
class StandIn:
    """The stand-in head, the names of its expressions, and six people.

    Attributes:
        arrays: the head.
        units: U names: 42 of ARKit's (``mouthPucker``) and 34 of MakeHuman's (``mouth_pursing``).
        unit_codes: (U, 50) expression coefficients of each unit at activation 1.
        unit_jaws: (U, 3) rotation of the jaw in each, axis-angle in radians; zero in most.
        unit_shapes: (U, V, 3) float32 what each unit was sculpted to do, metres.
        people: names: a young woman and man of each of three races, as MakeHuman calls them (``asian_female``).
        people_codes: (6, 100) identity coefficients of each.
    """

    arrays: HeadArrays
    units: tuple[str, ...]
    unit_codes: Floats
    unit_jaws: Floats
    unit_shapes: Frames
    people: tuple[str, ...]
    people_codes: Floats

    def blend(self, **activations: ArrayLike) -> Blend:
        """Parameters of a blend of units, e.g. ``blend(jawOpen=0.5, mouthPucker=0.8)``.

        Args:
            activations: 0 at rest, 1 at the full extent; numbers, or (T,) of a moving face.

        Raises:
            InputError: for a name that is not in ``units``, with the nearest ones; for the gaze, the tongue and jawForward,
                with the reason; for activations of unequal length or not finite.
        """
        rows = [self._row(name) for name in activations]
        try:
            curves = np.stack(np.broadcast_arrays(np.zeros(1), *map(np.asarray, activations.values()))[1:], axis=-1)
        except ValueError:
            curves = np.zeros((1, len(rows)))
            if rows:
                raise InputError(
                    "activations of unequal length", remedy="give numbers, or arrays of as many frames"
                ) from None
        if curves.ndim != 2 or not np.isfinite(curves).all():
            raise InputError("activations must be finite numbers, or arrays (T,) of them")
        still = FlameParams.zeros(len(curves))
        expression, jaw = (np.asarray(curves @ of_unit[rows], np.float32) for of_unit in (self.unit_codes, self.unit_jaws))
        errors = [self._error(rows, *frame) for frame in zip(curves, expression, jaw, strict=True)]
        return Blend(replace(still, expression=expression, jaw=jaw), 1000 * np.array(errors))

    def _row(self, name: str) -> int:
        if name in self.units:
            return self.units.index(name)
        for beginning, remedy in _NO_EXPRESSIONS.items():
            if name.startswith(beginning):
                raise InputError(f"{name} is no expression", remedy=remedy)
        near = difflib.get_close_matches(name, self.units, n=3, cutoff=0.4) or self.units
        raise InputError(f"no expression unit {name!r}", remedy=f"valid names are like: {', '.join(near)}")

    def _error(self, rows: list[int], activations: Floats, expression: Frames, jaw: Frames) -> float:
        arrays, joint = self.arrays, JOINTS.index("jaw")
        neutral = arrays.template + arrays.expression_basis @ expression
        moved = opened(neutral, arrays.skinning[:, joint], arrays.joint_regressor[joint] @ neutral, jaw.astype(np.float64))
        wanted = arrays.template + np.tensordot(activations, self.unit_shapes[rows], axes=1)
        return float(np.linalg.norm(moved - wanted, axis=1).max())
