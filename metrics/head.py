"""The head that sequences are measured on: a model, its regions for either protocol, and what it lacks."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.arrays import Floats, HeadArrays, Indices
from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.flame_file import find_flame_file
from singinghead.flame_model.forward import CHUNK, Rig, torch_device
from singinghead.flame_model.model import ENVIRONMENT_VARIABLE, FlameModel
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.regions import COMPOSED, read_mask_lists
from singinghead.flame_model.sequence import VertexSequence
from singinghead.metrics.clips import AnySequence
from singinghead.metrics.numpy_or_torch import Array, rows

if TYPE_CHECKING:
    import torch

_HASHED = ("template", "shape_basis", "expression_basis", "pose_basis", "joint_regressor", "skinning")


@dataclass(frozen=True)
class MeasuredHead:
    """A head model with its masks.

    Attributes:
        model: the head.
        masks: the lists of its masks as their file has them, duplicates included.
        mask_sha256: of the masks' file, or of the stand-in's regions; None without masks.
        model_sha256: of the numbers that vertices are computed from.
        device: where they are computed.
        needed: sorted indices of the vertices that are computed at zero head pose; None is all.
    """

    model: FlameModel
    masks: Mapping[str, Indices]
    mask_sha256: str | None
    model_sha256: str
    device: str = "cpu"
    needed: Indices | None = None

    @classmethod
    def load(
        cls,
        flame: str | Path | None = None,
        masks: Path | None = None,
        device: str = "cpu",
        allow_stand_in: bool = False,
    ) -> MeasuredHead:
        """Load a model.

        Args:
            flame: a FLAME file or its folder; None takes ``$SINGINGHEAD_FLAME``, else the stand-in.
            masks: the file of masks; None takes ``FLAME_masks.pkl`` beside the model, or the stand-in's own regions.
            device: a torch device.
            allow_stand_in: measure on the stand-in head.

        Raises:
            InputError: the model would be the stand-in, whose numbers compare with no published ones; or a file is wrong.
            UnavailableError: torch does not have that device, or the stand-in's data are not installed.
        """
        torch_device(device)  # sooner than any clip could fail for it
        flame = flame or os.environ.get(ENVIRONMENT_VARIABLE)
        model = FlameModel.load(flame)
        arrays = model.arrays
        if arrays.is_stand_in and not allow_stand_in:
            raise InputError(
                "without a FLAME model the metrics would be of the stand-in head, whose numbers compare with no others",
                remedy="give --flame or $SINGINGHEAD_FLAME; or --allow-stand-in, which marks the results",
            )
        path = masks or (find_flame_file(flame).parent / "FLAME_masks.pkl" if flame else None)
        if path is not None and (masks or path.is_file()):
            lists = read_mask_lists(path, len(arrays.template))
            digest: str | None = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            lists = dict(arrays.regions)
            digest = _digest(lists[name] for name in sorted(lists)) if lists else None
        regions = {name: np.unique(indices) for name, indices in lists.items()}
        model = FlameModel(replace(arrays, regions=regions))
        return cls(model, lists, digest, _digest(getattr(arrays, name) for name in _HASHED), device)

    @property
    def arrays(self) -> HeadArrays:
        """Everything that the model holds."""
        return self.model.arrays

    @property
    def conditions(self) -> dict[str, str | bool | None]:
        """What must be equal for two results to be compared."""
        return {
            "model": self.arrays.name,
            "stand_in": self.arrays.is_stand_in,
            "model_sha256": self.model_sha256,
            "mask_sha256": self.mask_sha256,
        }

    def mask_list(self, name: str) -> Indices:
        """The raw list of a mask; of a composed region the lists one after another, what overlaps twice.

        Raises:
            UnavailableError: the model has no such mask.
        """
        parts = COMPOSED.get(name, (name,))
        if missing := [part for part in parts if part not in self.masks]:
            raise UnavailableError(
                f"{self.arrays.name} has no mask '{missing[0]}'",
                remedy="put FLAME_masks.pkl beside the model, or --masks FILE",
            )
        return np.concatenate([self.masks[part] for part in parts])

    @property
    def lacks_landmarks(self) -> str:
        """Why there are no landmarks; empty where there are."""
        has = "full" in self.arrays.landmarks
        return "" if has else f"{self.arrays.name} has no full landmarks (landmark_embedding.npy beside the model file)"

    def looking_at(self, needed: Indices) -> MeasuredHead:
        """The same head, of which only some vertices are computed where the head pose is zero; landmarks stay."""
        corners = np.zeros(0, np.int64) if self.lacks_landmarks else self.corners
        return replace(self, needed=np.union1d(needed, corners))

    def position(self, vertices: Indices) -> Indices:
        """Where vertices of the model lie among those that are computed."""
        return vertices if self.needed is None else np.searchsorted(self.needed, vertices)

    def subject(self, shape: Floats | Frames | None) -> MeasuredSubject:
        """One person; the model's bases, which are large, are prepared once for all."""
        return MeasuredSubject(self, self.model.shaped(shape))

    @functools.cached_property
    def whole_rig(self) -> Rig:
        """Computes all vertices of the mean face."""
        return Rig.build(self.arrays, self.arrays.template, self.device)

    @functools.cached_property
    def needed_rig(self) -> Rig:
        """Computes :attr:`needed`."""
        return self.whole_rig if self.needed is None else self._rig_of(self.needed)

    @functools.cached_property
    def corner_rig(self) -> Rig:
        """Computes the corners of the landmarks' faces, in their order."""
        return self._rig_of(self.corners)

    def _rig_of(self, vertices: Indices) -> Rig:
        return Rig.build(self.arrays, self.arrays.template, self.device, vertices)

    @functools.cached_property
    def corners(self) -> Indices:
        """(204,) corners of the landmarks' faces."""
        return self.arrays.faces[self.arrays.landmarks["full"].faces].reshape(-1)

    def landmarks(self, vertices: Array) -> Array:
        """(..., 68, 3) landmarks of (..., V, 3) vertices, of those that are computed."""
        return self.landmarks_of_corners(rows(vertices, self.position(self.corners)))

    def landmarks_of_corners(self, corners: Array) -> Array:
        """(..., 68, 3) landmarks of the (..., 204, 3) corners of their faces, which is all that they depend on."""
        stored = self.arrays.landmarks["full"].weights
        weights: Array = stored if isinstance(corners, np.ndarray) else torch_like(corners, stored)
        return (corners.reshape(*corners.shape[:-2], 68, 3, 3) * weights[..., None]).sum(-2)


@dataclass(frozen=True)
class MeasuredSubject:
    """One person's head, ready to be measured.

    Attributes:
        head: the model.
        template: (V, 3) the person's neutral head, metres.
    """

    head: MeasuredHead
    template: Floats

    @functools.cached_property
    def neutral(self) -> torch.Tensor:
        """(V, 3) the head without expression, float32 on its device; of the vertices that are computed."""
        import torch

        needed = self.template if self.head.needed is None else self.template[self.head.needed]
        return torch.tensor(needed, dtype=torch.float32, device=self.head.device)

    def zero_pose(self, motion: AnySequence) -> Iterator[torch.Tensor]:
        """Yield (at most 60, V, 3) vertices that are needed, jaw and expression alone; generated ones come as they are."""
        if isinstance(motion, VertexSequence):
            return (rows(vertices, self.head.needed) for vertices in self.posed(motion))
        rig = self.head.needed_rig.of(self.head.arrays, self.template, self.head.needed)
        return (vertices for vertices, _joints in rig.chunks(motion.params.with_head_pose(None)))

    def posed(self, motion: AnySequence) -> Iterator[torch.Tensor]:
        """Yield (at most 60, V, 3) vertices, all of them, as they are posed."""
        import torch

        if isinstance(motion, VertexSequence):
            return (torch.from_numpy(vertices).to(self.head.device) for vertices in motion.chunks(CHUNK))
        rig = self.head.whole_rig.of(self.head.arrays, self.template)
        return (vertices for vertices, _joints in rig.chunks(motion.params))

    def landmarks(self, params: FlameParams) -> torch.Tensor:
        """(T, 68, 3) landmarks in metres, as posed."""
        import torch

        if self.head.lacks_landmarks:
            raise UnavailableError(self.head.lacks_landmarks)
        rig = self.head.corner_rig.of(self.head.arrays, self.template, self.head.corners)
        with torch.inference_mode():
            return torch.cat([self.head.landmarks_of_corners(corners) for corners, _joints in rig.chunks(params)])


def torch_like(tensor: torch.Tensor, array: np.ndarray) -> torch.Tensor:
    """A numpy array as a tensor of another's type and place."""
    import torch

    return torch.tensor(array, dtype=tensor.dtype, device=tensor.device)


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
