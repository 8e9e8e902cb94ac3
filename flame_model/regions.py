"""Named regions of a head: sets of vertices, sorted and without duplicates.

FLAME's own masks list some vertices twice (``lips`` has 254 entries and 250 vertices), and forehead and eye region overlap,
so means over the raw lists count 57 vertices of the upper face twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from singinghead.flame_model import array_file
from singinghead.flame_model.arrays import HeadArrays, Indices
from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.shapes import as_array

COMPOSED = {"upper_face": ("forehead", "eye_region")}
"""Regions made of others; the upper face is CodeTalker's, for the dynamics deviation FDD."""


def read_masks(path: Path, n_vertices: int) -> dict[str, Indices]:
    """Read ``FLAME_masks.pkl`` as sets; a missing file gives no regions.

    Raises:
        InputError: the file holds something other than named vertex indices of this model.
    """
    lists = read_mask_lists(path, n_vertices) if path.is_file() else {}
    return {name: np.unique(indices) for name, indices in lists.items()}


def read_mask_lists(path: Path, n_vertices: int) -> dict[str, Indices]:
    """Read a file of masks as it is: in its order, with vertices that it lists twice.

    Raises:
        InputError: there is no such file, or it holds something other than named vertex indices of this model.
    """
    content = array_file.read(path)
    if not isinstance(content, Mapping):
        raise InputError("holds no dict of masks", file=path)
    regions = {}
    for name, value in content.items():
        indices = as_array(f"mask {name}", value, path)
        if indices.ndim != 1 or indices.dtype.kind not in "iu":
            raise InputError(f"mask {name} is not a list of vertex indices", file=path)
        if indices.size and not 0 <= indices.min() <= indices.max() < n_vertices:
            raise InputError(f"mask {name} names vertices that the model of {n_vertices} does not have", file=path)
        regions[str(name)] = indices.astype(np.int64)
    return regions


def region(arrays: HeadArrays, name: str) -> Indices:
    """The sorted, unique vertex indices of one region, composed ones included.

    Raises:
        UnavailableError: the model has no such region; the message lists those it has.
    """
    names = COMPOSED.get(name, (name,))
    missing = [part for part in names if part not in arrays.regions]
    if missing:
        known = ", ".join(sorted(arrays.regions)) or "none"
        remedy = "" if arrays.is_stand_in else "put FLAME_masks.pkl beside the model file"
        raise UnavailableError(f"{arrays.name} has no region '{missing[0]}' (it has {known})", remedy=remedy)
    return np.unique(np.concatenate([arrays.regions[part] for part in names]))
