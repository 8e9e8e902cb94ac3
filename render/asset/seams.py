"""Where the texture is cut open: the texture coordinates at the corners of each part's faces."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import HeadArrays, Indices


def corner_uvs(arrays: HeadArrays) -> list[Indices] | None:
    """For each part of the model's scene, (F, 3) indices of texture coordinates; None where the model has none."""
    if arrays.uvs is None or arrays.uv_faces is None:
        return None
    return [arrays.uv_faces[faces] for faces in (arrays.parts or {"skin": np.arange(len(arrays.faces))}).values()]
