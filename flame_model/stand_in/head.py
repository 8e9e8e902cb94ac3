"""The stand-in head and its named expressions."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from singinghead.flame_model.arrays import JOINTS, Floats, HeadArrays
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import N_EXPRESSION, N_SHAPE, FlameParams, Frames
from singinghead.flame_model.shapes import check_shape
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

    def __post_init__(self) -> None:
        """Check every shape against the others.

        Raises:
            InputError: naming the array that does not fit.
        """
        n_units, n_people = len(self.units), len(self.people)
        check_shape("unit_codes", self.unit_codes, n_units, N_EXPRESSION)
        check_shape("unit_jaws", self.unit_jaws, n_units, 3)
        check_shape("unit_shapes", self.unit_shapes, n_units, len(self.arrays.template), 3)
        check_shape("people_codes", self.people_codes, n_people, N_SHAPE)

    def blend(self, **activations: ArrayLike) -> Blend:
        """Parameters of a blend of units, e.g. ``blend(jawOpen=0.5, mouthPucker=0.8)``.

        Args:
            activations: 0 at rest, 1 at the full extent; numbers, or (T,) of a moving face.

        Raises:
            InputError: for a name that is not in ``units``, with the nearest ones; for the gaze, the tongue and jawForward,
                with the reason; for activations that are no finite real numbers, or of unequal length.
        """
        rows = [self._row(name) for name in activations]
        curves = _curves(activations)
        still = FlameParams.zeros(len(curves))
        with np.errstate(over="ignore"):
            expression, jaw = (np.asarray(curves @ each[rows], np.float32) for each in (self.unit_codes, self.unit_jaws))
        if not np.isfinite(np.concatenate([expression, jaw], axis=1)).all():
            raise InputError("activations are too large", remedy="1 is the full extent of a unit")
        errors = [self._error(rows, *frame) for frame in zip(curves, expression, jaw, strict=True)]
        return Blend(replace(still, expression=expression, jaw=jaw), 1000 * np.array(errors))

    def _row(self, name: str) -> int:
        if name in self.units:
            return self.units.index(name)
        for beginning, remedy in _NO_EXPRESSIONS.items():
            if name.startswith(beginning):
                raise InputError(f"{name} is no expression", remedy=remedy)
        near = difflib.get_close_matches(name, self.units, n=3, cutoff=0.4) or ("jawOpen", "mouthPucker", "browDownLeft")
        raise InputError(f"no expression unit {name!r}", remedy=f"valid names are like: {', '.join(near)}; see units")

    def _error(self, rows: list[int], activations: Floats, expression: Frames, jaw: Frames) -> float:
        arrays, joint = self.arrays, JOINTS.index("jaw")
        neutral = arrays.template + arrays.expression_basis @ expression
        moved = opened(neutral, arrays.skinning[:, joint], arrays.joint_regressor[joint] @ neutral, jaw.astype(np.float64))
        wanted = arrays.template + np.tensordot(activations, self.unit_shapes[rows], axes=1)
        return float(np.linalg.norm(moved - wanted, axis=1).max())


def _curves(activations: Mapping[str, ArrayLike]) -> Floats:
    """(T, n) activations of n units, a column each; one frame where all are numbers, or there are none."""
    curves = [np.zeros(1)]
    for name, given in activations.items():
        try:
            values = np.asarray(given)
        except ValueError:  # lists of lists of unequal length
            values = np.zeros(0)
        if values.dtype.kind not in "biuf" or values.ndim > 1 or not np.isfinite(values).all() or not values.size:
            raise InputError(f"activation of {name} must be a finite number, or an array (T,) of them")
        curves.append(values.astype(np.float64))
    lengths = {len(curve) for curve in curves if curve.ndim and len(curve) > 1}
    if len(lengths) > 1:
        raise InputError("activations of unequal length", remedy="give numbers, or arrays of as many frames")
    return np.stack(np.broadcast_arrays(*curves), axis=-1)[:, 1:]
