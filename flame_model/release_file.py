"""One clip's parameters as SingingHead releases them: a dict of ``expcodes``, ``posecodes`` and ``shapecode``."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import N_EXPRESSION, FlameParams, Frames
from singinghead.flame_model.whole_file import written_whole


def write_release(path: Path, params: FlameParams, shape: Floats | Frames | None) -> None:
    """Write a clip that :func:`~singinghead.flame_model.sequence.load_sequence` and the release's users read.

    Args:
        path: ``.pkl`` or ``.npz``.
        params: T frames; the eyes, which the release does not have, are left out.
        shape: (100,) or (1, 100) identity coefficients; without, the file says nothing of who it is.

    Raises:
        InputError: another suffix, or the file cannot be written.
    """
    expression, pose = np.split(params.to_vectors(), [N_EXPRESSION], axis=1)
    codes = {"expcodes": expression, "posecodes": pose}
    if shape is not None:
        codes["shapecode"] = np.atleast_2d(shape)
    content = {name: np.ascontiguousarray(code, np.float32) for name, code in codes.items()}
    if path.suffix.lower() not in (".pkl", ".npz"):
        raise InputError("parameters are written as .pkl or .npz", file=path)
    with written_whole(path) as partial, partial.open("wb") as file:
        if path.suffix.lower() == ".npz":
            np.savez(file, allow_pickle=False, **content)
        else:
            pickle.dump(content, file, protocol=4)
