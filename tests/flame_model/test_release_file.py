"""Parameters written as the release has them are read back as they were."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.release_file import write_release
from singinghead.flame_model.sequence import ParamSequence, load_sequence

PARAMS = FlameParams.from_vectors(np.random.default_rng(0).normal(0, 0.3, (7, 59)))
SHAPE = np.random.default_rng(1).standard_normal(100).astype(np.float32)


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize("shape", [SHAPE, None])
def test_what_is_written_is_read(suffix: str, shape: np.ndarray | None, tmp_path: Path) -> None:
    path = tmp_path / f"clip{suffix}"
    write_release(path, PARAMS, shape)
    sequence = load_sequence(path)
    assert isinstance(sequence, ParamSequence)
    assert np.array_equal(sequence.params.to_vectors(), PARAMS.to_vectors())
    assert sequence.shape is None if shape is None else np.array_equal(sequence.shape, shape)


def test_the_pickle_has_the_keys_shapes_and_type_of_the_release(tmp_path: Path) -> None:
    write_release(tmp_path / "clip.pkl", PARAMS, SHAPE)
    content = pickle.loads((tmp_path / "clip.pkl").read_bytes())
    assert {name: code.shape for name, code in content.items()} == {
        "expcodes": (7, 50),
        "posecodes": (7, 9),
        "shapecode": (1, 100),
    }
    assert all(code.dtype == np.float32 for code in content.values())


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.pkl or \.npz"):
        write_release(tmp_path / "clip.npy", PARAMS, None)
    assert not list(tmp_path.iterdir())
