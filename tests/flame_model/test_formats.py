"""Sequences in every form of the field, and their resampling."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation, Slerp

from singinghead.flame_model.dataset import Dataset, check_id
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.rotations import angle_between, matrix_from_axis_angle, slerp
from singinghead.flame_model.sequence import ParamSequence, VertexSequence, load_sequence, resample
from singinghead.flame_model.stored_file import StoredFile

RNG = np.random.default_rng(0)
VECTORS = (0.1 * RNG.standard_normal((7, 59))).astype(np.float32)
SAMPLES = (0.1 * RNG.standard_normal((3, 7, 59))).astype(np.float32)
MESH = RNG.standard_normal((3, 7, 11, 3)).astype(np.float32)
DICT: dict[str, Any] = {"expcodes": VECTORS[:, :50], "posecodes": VECTORS[:, 50:]}


def write(path: Path, content: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, content)
    elif path.suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [None, (100,), (1, 100)])
def test_the_releases_dict_is_read(suffix: str, dtype: type, shape: tuple[int, ...] | None, tmp_path: Path) -> None:
    content = {key: value.astype(dtype) for key, value in DICT.items()} | {"extra": np.zeros(3)}
    if shape:
        content["shapecode"] = np.arange(100, dtype=dtype).reshape(shape)
    sequence = load_sequence(write(tmp_path / f"id2_14_01_0_2{suffix}", content))
    assert isinstance(sequence, ParamSequence)
    assert sequence.id == "id2_14_01_0_2"
    assert np.array_equal(sequence.params.to_vectors(), VECTORS)
    assert np.array_equal(sequence.params.full_pose()[:, :9], VECTORS[:, 50:])
    assert not sequence.params.eyes.any()
    if shape:
        assert np.array_equal(sequence.shape, np.arange(100))  # type: ignore[arg-type]
    else:
        assert sequence.shape is None


@pytest.mark.parametrize("suffix", [".pkl", ".npy"])
def test_arrays_of_parameters_hold_one_sample_or_several(suffix: str, tmp_path: Path) -> None:
    one = load_sequence(write(tmp_path / f"one{suffix}", VECTORS))
    several = load_sequence(write(tmp_path / f"several{suffix}", SAMPLES), sample=2)
    assert isinstance(one, ParamSequence)
    assert isinstance(several, ParamSequence)
    assert np.array_equal(one.params.to_vectors(), VECTORS)
    assert np.array_equal(several.params.to_vectors(), SAMPLES[2])
    assert (one.n_samples, several.n_samples) == (1, 3)


@pytest.mark.parametrize(("flat", "n_samples"), [(False, 1), (True, 1), (False, 3), (True, 3)])
def test_vertices_are_read_in_order(flat: bool, n_samples: int, tmp_path: Path) -> None:
    content = MESH if n_samples == 3 else MESH[0]
    content = content.reshape(*content.shape[:-2], -1) if flat else content
    sequence = load_sequence(write(tmp_path / "mesh.npy", content), sample=n_samples - 1)
    assert isinstance(sequence, VertexSequence)
    assert len(sequence) == 7
    assert sequence.n_samples == n_samples
    assert np.array_equal(np.concatenate(list(sequence.chunks(3))), MESH[n_samples - 1])


def test_fortran_order_is_read(tmp_path: Path) -> None:
    sequence = load_sequence(write(tmp_path / "f.npy", np.asfortranarray(VECTORS)))
    assert isinstance(sequence, ParamSequence)
    assert np.array_equal(sequence.params.to_vectors(), VECTORS)


@pytest.mark.parametrize("sample", [-1, 3])
def test_a_sample_that_is_not_there_is_refused(sample: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds 3"):
        load_sequence(write(tmp_path / "several.npy", SAMPLES), sample)


def test_nan_in_vertices_is_found_when_they_are_read(tmp_path: Path) -> None:
    broken = MESH[0].copy()
    broken[5, 0, 0] = np.nan
    sequence = load_sequence(write(tmp_path / "mesh.npy", broken))
    assert isinstance(sequence, VertexSequence)
    with pytest.raises(InputError, match=r"mesh\.npy: vertices holds NaN"):
        list(sequence.chunks(3))


def test_angles_over_pi_warn_and_name_the_field(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    turned = VECTORS.copy()
    turned[4, 56] = 3.5
    with caplog.at_level(logging.WARNING):
        load_sequence(write(tmp_path / "clip.npy", turned))
    assert "jaw turns by" in caplog.text
    assert "frame 4" in caplog.text


def params_sequence(vectors: np.ndarray) -> ParamSequence:
    return ParamSequence("clip", StoredFile(Path("clip.npy")), FlameParams.from_vectors(vectors), None)


@pytest.mark.parametrize(("fps", "out_fps", "n_out"), [(25, 30, 12), (30, 60, 20), (30, 25, 8), (30, 29.97, 10), (30, 1, 1)])
def test_resampling_keeps_the_duration_and_what_is_linear_in_time(fps: float, out_fps: float, n_out: int) -> None:
    times = np.arange(10) / fps
    vectors = np.zeros((10, 59), np.float32)
    vectors[:, 0], vectors[:, 56] = 2 * times, 0.5 * times
    sequence = resample(params_sequence(vectors), fps, out_fps)
    assert len(sequence) == n_out
    assert isinstance(sequence, ParamSequence)
    expected = np.minimum(np.arange(n_out) / out_fps, times[-1])
    assert np.abs(sequence.params.expression[:, 0] - 2 * expected).max() < 1e-5
    assert np.abs(sequence.params.jaw[:, 0] - 0.5 * expected).max() < 1e-5


def test_vertices_are_resampled_as_they_are_read(tmp_path: Path) -> None:
    sequence = load_sequence(write(tmp_path / "mesh.npy", MESH[0]))
    faster = resample(sequence, 30, 60)
    assert isinstance(faster, VertexSequence)
    vertices = np.concatenate(list(faster.chunks(4)))
    assert len(vertices) == 14
    assert np.array_equal(vertices[:12:2], MESH[0][:6])
    assert np.abs(vertices[1:12:2] - (MESH[0][:6] + MESH[0][1:]) / 2).max() < 1e-6
    assert resample(sequence, 30, 30) is sequence


angles = hnp.arrays(np.float64, (1, 3), elements=st.floats(-1.7, 1.7))


@settings(max_examples=200, deadline=None)
@given(angles, angles, st.floats(0, 1))
def test_slerp_is_scipys(start: np.ndarray, end: np.ndarray, weight: float) -> None:
    both = Rotation.from_rotvec(np.concatenate([start, end]))
    expected = Slerp([0, 1], both)(weight)
    got = Rotation.from_rotvec(slerp(start, end, np.array([[weight]])))  # type: ignore[arg-type]
    assert (expected.inv() * got).magnitude().max() < 1e-6


@settings(max_examples=200, deadline=None)
@given(angles, angles)
def test_the_angle_between_is_scipys(start: np.ndarray, end: np.ndarray) -> None:
    expected = (Rotation.from_rotvec(start).inv() * Rotation.from_rotvec(end)).magnitude()
    assert np.abs(angle_between(start, end) - expected).max() < 1e-7
    # Over half a turn, and a turn further, is the same rotation.
    turned = end + 2 * np.pi * end / max(float(np.linalg.norm(end)), 1e-9) if np.linalg.norm(end) > 1e-6 else end
    assert np.abs(angle_between(start, turned) - expected).max() < 1e-6


@settings(max_examples=100, deadline=None)
@given(angles)
def test_matrices_are_scipys(axis_angle: np.ndarray) -> None:
    assert np.abs(matrix_from_axis_angle(axis_angle) - Rotation.from_rotvec(axis_angle).as_matrix()).max() < 1e-9


def test_params_by_name_and_back() -> None:
    params = FlameParams.from_vectors(VECTORS)
    assert np.array_equal(params.global_pose, VECTORS[:, 50:53])
    assert np.array_equal(params.neck, VECTORS[:, 53:56])
    assert np.array_equal(params.jaw, VECTORS[:, 56:59])
    still = params.with_head_pose(None)
    assert not still.global_pose.any()
    assert not still.neck.any()
    assert np.array_equal(still.jaw, params.jaw)
    with pytest.raises(InputError, match=r"\(T, 59\); got \(7, 58\)"):
        FlameParams.from_vectors(VECTORS[:, :58])


@pytest.mark.parametrize("text", ["", "..", "a/b", "../a", "a\\b", "a\0b", ".pkl"])
def test_ids_that_are_no_file_names_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="not an ID"):
        check_id(text)


def test_a_dataset_knows_which_files_belong_to_a_clip(tmp_path: Path) -> None:
    for folder, name in (("flame_seqs", "id0.npz"), ("audio_seqs", "id0.wav"), ("bgm_seqs", "id0_bgm.wav")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    dataset = Dataset.open(tmp_path)
    clip_id = check_id("id0.pkl\n")
    assert dataset.sequence(clip_id) == StoredFile(tmp_path / "flame_seqs" / "id0.npz")
    assert dataset.vocals(clip_id) == StoredFile(tmp_path / "audio_seqs" / "id0.wav")
    assert dataset.bgm(clip_id) == StoredFile(tmp_path / "bgm_seqs" / "id0_bgm.wav")
    assert dataset.vocals("id1") is None
    with pytest.raises(InputError, match="no such folder"):
        Dataset.open(tmp_path / "nowhere")
