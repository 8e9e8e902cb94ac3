"""Heads that move, for the tests of assets: the stand-in, and a model in FLAME's layout and size."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from written_flame import smooth_flame_content

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence
from singinghead.flame_model.stand_in import load_stand_in
from singinghead.flame_model.stored_file import StoredFile

HEADS = ("stand-in", "FLAME layout")


@cache
def subject(head: str) -> Subject:
    shape = 0.5 * np.random.default_rng(3).standard_normal(100)
    if head == "stand-in":
        return FlameModel(load_stand_in().arrays).with_shape(shape)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "generic_model.pkl"
        path.write_bytes(pickle.dumps(smooth_flame_content()))
        return FlameModel.load(path).with_shape(shape)


def singing(n_frames: int, seed: int = 0) -> FlameParams:
    """Expressions of unit variance, a jaw that opens and a head that turns, all at speech's pace."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_frames) / 30
    waves = np.sin(2 * np.pi * time[:, None] * rng.uniform(0.3, 4, 59) + rng.uniform(0, 2 * np.pi, 59))
    vectors = waves * np.concatenate([np.full(50, 1.4), np.full(3, 0.25), np.full(3, 0.1), np.full(3, 0.02)])
    vectors[:, 56] = 0.12 * (1 + waves[:, 56])
    return FlameParams.from_vectors(vectors)


def clip(params: FlameParams) -> ParamSequence:
    return ParamSequence("clip", StoredFile(Path("clip.pkl")), params, None)
