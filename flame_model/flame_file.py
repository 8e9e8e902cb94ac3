"""Read FLAME's own files: the 2017, 2019, 2020 and 2023 layouts, as ``.pkl`` or ``.npz``, with the files beside them.

The keys are those of the releases at flame.is.tue.mpg.de: ``v_template``, ``shapedirs`` (300 identity and 100 expression
components), ``posedirs``, ``J_regressor``, ``kintree_table``, ``weights`` and ``f``. Any number of vertices is read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model import array_file
from singinghead.flame_model.arrays import JOINTS, LANDMARK_SHAPES, PARENTS, HeadArrays, Landmarks
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import N_EXPRESSION, N_SHAPE
from singinghead.flame_model.regions import read_masks
from singinghead.flame_model.shapes import as_array, check_shape

logger = logging.getLogger(__name__)

MODEL_NAMES = ("generic_model", "FLAME_NEUTRAL", "flame2023", "flame2023_Open")
"""File names, without suffix, looked for in a folder, in this order."""

_KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights", "f")
_UV_KEYS = ("vt", "ft")
_TEXTURE_SPACE = "FLAME_texture.npz"
"""Beside a model: FLAME's texture space, of which only the texture coordinates are read."""
_N_COMPONENTS = 400
_FIRST_EXPRESSION = 300
_NO_JAW = "has no jaw: SingingHead's jaw rotations would move nothing"


def find_flame_file(path: str | PathLike[str]) -> Path:
    """The model file itself, given that file or the folder it lies in.

    Raises:
        InputError: nothing is there, or the folder holds no model.
    """
    path = Path(path)
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError("no such file or folder", file=path, remedy="--flame or $SINGINGHEAD_FLAME names a FLAME model")
    names = [f"{name}{suffix}" for name in MODEL_NAMES for suffix in (".pkl", ".npz")]
    for name in names:
        if (path / name).is_file():
            return path / name
    raise InputError(f"no FLAME model in this folder, looked for {', '.join(names)}", file=path)


def read_flame(path: str | PathLike[str]) -> HeadArrays:
    """Read a FLAME model with the masks, landmarks and texture coordinates that lie beside it.

    Raises:
        InputError: the file is no complete FLAME model, or is the 2023 one without a jaw.
        UnsafePickleError: a pickle asks for something other than arrays.
    """
    path = find_flame_file(path)
    if "no_jaw" in path.stem:
        raise InputError(_NO_JAW, file=path, remedy="use flame2023.pkl or, as the dataset does, FLAME 2020")
    if "2023" in path.stem:
        logger.warning(
            "%s: FLAME 2023's expression space differs from FLAME 2020's, which SingingHead's parameters were fitted"
            " with: faces will be wrong; use generic_model.pkl of FLAME 2020",
            path,
        )
    content = array_file.read(path)
    try:
        return _head_arrays(content, path)
    except (InputError, ValueError, TypeError) as error:
        if isinstance(error, InputError) and error.file is not None:
            raise  # a file beside the model, which is named already
        raise InputError(f"not a FLAME model: {error}", file=path) from None


def _head_arrays(content: Any, path: Path) -> HeadArrays:
    if not isinstance(content, Mapping):
        raise InputError(f"it holds a {type(content).__name__}, not a dict of arrays")
    missing = [key for key in _KEYS if key not in content]
    if missing:
        raise InputError(f"no {', '.join(missing)} in it")
    values = {key: _numbers(key, content[key]) for key in _KEYS}
    components, parents = values["shapedirs"], values["kintree_table"]
    if components.ndim != 3 or components.shape[2] != _N_COMPONENTS:
        raise InputError(
            f"shapedirs must have shape (V, 3, {_N_COMPONENTS}), 300 identity and 100 expression components;"
            f" got {components.shape}"
        )
    if parents.shape != (2, len(JOINTS)) or tuple(parents[0, 1:]) != PARENTS[1:]:
        raise InputError(f"kintree_table must give the joints {', '.join(JOINTS)} the parents {PARENTS[1:]}")
    check_shape("weights", values["weights"], len(values["v_template"]), len(JOINTS))
    if not np.any(values["weights"][:, JOINTS.index("jaw")] > 0):
        raise InputError(_NO_JAW)
    faces = values["f"].astype(np.int64)
    regions = read_masks(path.parent / "FLAME_masks.pkl", len(values["v_template"]))
    uvs, uv_faces = _read_uvs(path.parent / _TEXTURE_SPACE, len(faces))
    return HeadArrays(
        name=path.name,
        template=values["v_template"],
        shape_basis=components[:, :, :N_SHAPE],
        expression_basis=components[:, :, _FIRST_EXPRESSION : _FIRST_EXPRESSION + N_EXPRESSION],
        pose_basis=values["posedirs"],
        joint_regressor=values["J_regressor"],
        skinning=values["weights"],
        faces=faces,
        regions=regions,
        parts=_parts(faces, regions),
        landmarks=_read_landmarks(path.parent, len(faces)),
        uvs=uvs,
        uv_faces=uv_faces,
    )


def _numbers(key: str, value: Any) -> NDArray[np.float64]:
    array = as_array(key, value)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{key} must be numbers; got {array.dtype}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"{key} holds NaN or infinity")
    return array


def _parts(faces: NDArray[np.int64], regions: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """FLAME has a skin and, where its masks tell them apart, eyeballs."""
    eyes = [regions[name] for name in ("left_eyeball", "right_eyeball") if name in regions]
    is_eye = np.isin(faces, np.concatenate(eyes)).all(axis=1) if eyes else np.zeros(len(faces), bool)
    parts = {"skin": np.flatnonzero(~is_eye), "eyes": np.flatnonzero(is_eye)}
    return {name: part for name, part in parts.items() if len(part)}


def _read_uvs(path: Path, n_faces: int) -> tuple[NDArray[np.float64], NDArray[np.int64]] | tuple[None, None]:
    """Texture coordinates (U, 2) and their indices at the corners of faces (F, 3), where the file is there."""
    if not path.is_file():
        return None, None
    content = array_file.read(path, only=_UV_KEYS)
    try:
        uvs, uv_faces = (_numbers(key, content[key]) for key in _UV_KEYS)
        check_shape("vt", uvs, "U", 2)
        check_shape("ft", uv_faces, n_faces, 3)
        if uv_faces.size and not 0 <= uv_faces.min() <= uv_faces.max() < len(uvs):
            raise InputError(f"ft names texture coordinates that vt of {len(uvs)} does not have")
    except KeyError as error:
        raise InputError(f"no texture coordinates: no {error} in it", file=path) from None
    except InputError as error:
        raise InputError(f"not this model's texture coordinates: {error}", file=path) from None
    return uvs, uv_faces.astype(np.int64)


def _read_landmarks(folder: Path, n_faces: int) -> dict[str, Landmarks]:
    """DECA's ``landmark_embedding.npy``, or the static and dynamic embeddings of the FLAME site."""
    deca = {name: (f"{name}_lmk_faces_idx", f"{name}_lmk_bary_coords") for name in LANDMARK_SHAPES}
    site = ("lmk_face_idx", "lmk_b_coords")
    landmarks: dict[str, Landmarks] = {}
    for file, sets in (
        ("landmark_embedding.npy", deca),
        ("flame_static_embedding.pkl", {"static": site}),
        ("flame_dynamic_embedding.npy", {"dynamic": site}),
    ):
        path = folder / file
        if not path.is_file():
            continue
        content = array_file.read(path)
        if not isinstance(content, Mapping):
            raise InputError(f"not a landmark embedding: it holds a {type(content).__name__}", file=path)
        for name, keys in sets.items():
            if name not in landmarks and (sets is not deca or keys[0] in content):
                landmarks[name] = _landmarks(content, keys, LANDMARK_SHAPES[name], n_faces, path)
    return landmarks


def _landmarks(
    content: Mapping[str, Any], keys: tuple[str, str], shape: tuple[int, ...], n_faces: int, path: Path
) -> Landmarks:
    try:
        faces, weights = (_numbers(key, content[key]) for key in keys)
        if faces.size and not 0 <= faces.min() <= faces.max() < n_faces:
            raise InputError(f"{keys[0]} names faces that the model of {n_faces} does not have")
        # DECA stores the full set with a batch axis.
        return Landmarks(faces.astype(np.int64).reshape(shape), weights.reshape(*shape, 3))
    except KeyError as error:
        raise InputError(f"not a landmark embedding: no {error} in it", file=path) from None
    except (InputError, ValueError) as error:
        raise InputError(f"not a landmark embedding: {error}", file=path) from None
