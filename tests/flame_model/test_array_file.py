"""Headers and shapes at the edge of what numpy takes, and models with one thing wrong in them."""

from __future__ import annotations

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_flame import embeddings, flame_content, write_model

from singinghead.flame_model import array_file
from singinghead.flame_model.errors import InputError, UnavailableError, UnsafePickleError
from singinghead.flame_model.flame_file import read_flame
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence, load_sequence, resample

REAL = Path(__file__).parents[3] / "shared" / "real"


def header(shape: tuple[int, ...], descr: Any = "<f4") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _no_warnings() -> Any:
    """A refusal is one line: numpy adds none of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.mark.parametrize(
    ("shape", "descr"),
    [
        ((0, 2**70), "<f4"),
        ((2**40, 0, 2**40), "<f4"),
        ((10**12,), "|S0"),
        ((10**12,), "|V0"),
        ((10**12, 0), "<f4"),
        ((1,) * 70, "<f4"),
        ((1,), "<M8[s]"),
        ((0,), [("x", "<f4")]),
        ((0,), [("x", "|O")]),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_header_that_numpy_chokes_on_is_one_line(shape: tuple[int, ...], descr: Any, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"clip{suffix}"
    if suffix == ".npy":
        path.write_bytes(header(shape, descr))
    else:
        import zipfile

        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("expcodes.npy", header(shape, descr))
    with pytest.raises(InputError) as caught:
        load_sequence(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_what_numpy_wrapped_is_unwrapped(suffix: str, tmp_path: Path) -> None:
    path, wrapped = tmp_path / f"masks{suffix}", np.array({"lips": np.arange(3)}, object)
    if suffix == ".npy":
        np.save(path, wrapped, allow_pickle=True)
    else:
        np.savez(path, masks=wrapped)
    content = array_file.read(path)
    assert (content if suffix == ".npy" else content["masks"])["lips"].tolist() == [0, 1, 2]


def test_an_npz_model_may_hold_its_regressor_as_a_sparse_matrix(tmp_path: Path) -> None:
    content = flame_content()
    np.savez(tmp_path / "generic_model.npz", **content)
    assert np.array_equal(read_flame(tmp_path).joint_regressor, content["J_regressor"].toarray())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expcodes": np.array(np.nan, np.float32)}, "expcodes holds NaN"),
        ({"expcodes": [[1.0], [1.0, 2.0]]}, "expcodes is not an array"),
        ({"expcodes": {"a": 1}}, "expcodes must be floating point"),
        ({"expcodes": None}, "expcodes must be floating point"),
        ({"expcodes": np.full((5, 50), 1e300)}, "expcodes holds NaN or infinity"),
        ({"posecodes": np.full((5, 9), 1e30, np.float32)}, "over 2π"),
        ({"posecodes": np.full((5, 9), True)}, "posecodes must be floating point; got bool"),
        ({"shapecode": np.full(100, np.inf)}, "shapecode holds NaN or infinity"),
        ({"shapecode": np.zeros((2, 100))}, "shapecode must have shape"),
    ],
)
def test_a_sequence_with_one_thing_wrong_is_one_line(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.pkl"
    path.write_bytes(pickle.dumps({"expcodes": np.zeros((5, 50)), "posecodes": np.zeros((5, 9)), **changes}))
    with pytest.raises(InputError) as caught:
        load_sequence(path)
    assert str(caught.value).startswith(f"{path}: {words}"[: len(str(path)) + 2])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": np.ones(131)}, "weights must have shape (131, 5); got (131,)"),
        ({"weights": np.ones((131, 2)) / 2}, "weights must have shape (131, 5); got (131, 2)"),
        ({"f": np.full((3, 3), np.nan)}, "f holds NaN or infinity"),
        ({"f": [[1], [2, 3]]}, "f is not an array"),
        ({"posedirs": np.full((131, 3, 36), np.inf)}, "posedirs holds NaN or infinity"),
        ({"v_template": np.array(1.0)}, "not a FLAME model"),
    ],
)
def test_a_model_with_one_thing_wrong_is_one_line(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "generic_model.pkl"
    path.write_bytes(pickle.dumps({**flame_content(), **changes}))
    with pytest.raises(InputError) as caught:
        read_flame(path)
    assert str(caught.value).startswith(f"{path}: not a FLAME model: ")
    assert words in str(caught.value)


FACES, WEIGHTS = embeddings()["full"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros(3), "it holds a ndarray"),
        ({"full_lmk_faces_idx": FACES}, "no 'full_lmk_bary_coords' in it"),
        ({"full_lmk_faces_idx": FACES, "full_lmk_bary_coords": WEIGHTS * np.nan}, "full_lmk_bary_coords holds NaN"),
        ({"full_lmk_faces_idx": FACES + 10**6, "full_lmk_bary_coords": WEIGHTS}, "the model of 200 does not have"),
        ({"full_lmk_faces_idx": FACES - 200, "full_lmk_bary_coords": WEIGHTS}, "the model of 200 does not have"),
        ({"full_lmk_faces_idx": FACES[:, :51], "full_lmk_bary_coords": WEIGHTS[:, :51]}, "(68,)"),
        ({"full_lmk_faces_idx": [[1], [1, 2]], "full_lmk_bary_coords": WEIGHTS}, "full_lmk_faces_idx is not an array"),
        ({"dynamic_lmk_faces_idx": np.zeros((10, 17), int), "dynamic_lmk_bary_coords": np.zeros((10, 17, 3))}, "(79,17)"),
    ],
)
def test_a_wrong_landmark_file_is_named_and_not_the_model(content: Any, words: str, tmp_path: Path) -> None:
    write_model(tmp_path)
    path = tmp_path / "landmark_embedding.npy"
    np.save(path, content, allow_pickle=True)
    with pytest.raises(InputError) as caught:
        read_flame(tmp_path)
    assert str(caught.value).startswith(f"{path}: not a landmark embedding: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("value", [[[1], [2, 3]], {"a": 1}, None])
def test_a_wrong_mask_is_named_and_not_the_model(value: Any, tmp_path: Path) -> None:
    write_model(tmp_path)
    path = tmp_path / "FLAME_masks.pkl"
    path.write_bytes(pickle.dumps({"lips": value}))
    with pytest.raises(InputError) as caught:
        read_flame(tmp_path)
    assert str(caught.value).startswith(f"{path}: mask lips ")


def test_an_unsafe_file_beside_the_model_is_reported_as_unsafe(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "FLAME_masks.pkl").write_bytes(b"cbuiltins\neval\n(S'1'\ntR.")
    with pytest.raises(UnsafePickleError, match=r"FLAME_masks\.pkl: refused"):
        read_flame(tmp_path)


def test_a_device_that_keeps_no_numbers_is_one_line(tmp_path: Path) -> None:
    write_model(tmp_path)
    with pytest.raises(UnavailableError, match="torch device 'meta'"):
        FlameModel.load(tmp_path).with_shape(device="meta")


@pytest.mark.parametrize("path", sorted((REAL / "flame_seqs").glob("*.pkl")), ids=lambda path: path.stem)
def test_real_sequences_are_read_resampled_and_moved(path: Path, tmp_path: Path) -> None:
    sequence = load_sequence(path)
    assert isinstance(sequence, ParamSequence)
    assert len(sequence) == 240
    assert sequence.shape is not None
    faster = resample(sequence, 30, 60)
    assert len(faster) == 480
    assert isinstance(faster, ParamSequence)
    assert np.abs(faster.params.map(lambda x: x[::2]).to_vectors() - sequence.params.to_vectors()).max() < 1e-6
    write_model(tmp_path)
    vertices = FlameModel.load(tmp_path).with_shape(sequence.shape).vertices(sequence.params)
    assert np.isfinite(vertices).all()
    assert vertices.shape == (240, 131, 3)


@pytest.mark.parametrize("path", sorted((REAL / "samples").glob("*.npy")), ids=lambda path: path.stem)
def test_real_samples_are_told_apart(path: Path) -> None:
    first, last = load_sequence(path, 0), load_sequence(path, 5)
    assert isinstance(first, ParamSequence)
    assert isinstance(last, ParamSequence)
    assert (first.n_samples, len(first)) == (6, 240)
    assert np.array_equal(first.params.expression, last.params.expression)
    assert not np.array_equal(first.params.neck, last.params.neck)


@pytest.mark.parametrize("n_frames", [7, 60, 240])
def test_a_frame_is_the_same_in_a_clip_of_any_length(n_frames: int, tmp_path: Path) -> None:
    write_model(tmp_path)
    subject = FlameModel.load(tmp_path).with_shape()
    vectors = 0.2 * np.random.default_rng(0).standard_normal((240, 59)).astype(np.float32)
    whole = subject.vertices(FlameParams.from_vectors(vectors))
    assert np.array_equal(subject.vertices(FlameParams.from_vectors(vectors[:n_frames])), whole[:n_frames])


def test_of_an_npz_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", wanted=np.arange(3), planted=np.array([{"a": print}], object))
    assert set(array_file.read(tmp_path / "a.npz", only=("wanted", "absent"))) == {"wanted"}
    with pytest.raises(UnsafePickleError):
        array_file.read(tmp_path / "a.npz")
