"""FLAME's own files: what is found, what is refused, what is warned of."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from smplx.lbs import find_dynamic_lmk_idx_and_bcoords
from written_flame import embeddings, flame_content, write_model

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.flame_file import find_flame_file, read_flame
from singinghead.flame_model.landmarks import contour_row
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams


def write(path: Path, **changes: Any) -> Path:
    content = {key: value for key, value in {**flame_content(), **changes}.items() if value is not None}
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("n_vertices", [20, 131, 5023])
def test_any_number_of_vertices_is_read(n_vertices: int, tmp_path: Path) -> None:
    path = tmp_path / "generic_model.pkl"
    path.write_bytes(pickle.dumps(flame_content(n_vertices)))
    arrays = read_flame(path)
    assert arrays.template.shape == (n_vertices, 3)
    assert (arrays.shape_basis.shape[2], arrays.expression_basis.shape[2]) == (100, 50)
    assert arrays.name == "generic_model.pkl"
    assert not arrays.is_stand_in


def test_a_folder_is_searched_in_order(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"generic_model\.pkl, generic_model\.npz, FLAME_NEUTRAL\.pkl"):
        find_flame_file(tmp_path)
    for name in ("flame2023_Open.pkl", "flame2023.pkl", "FLAME_NEUTRAL.npz", "FLAME_NEUTRAL.pkl", "generic_model.npz"):
        (tmp_path / name).touch()
        assert find_flame_file(tmp_path).name == name


def test_the_environment_variable_names_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINGINGHEAD_FLAME", str(write(tmp_path / "generic_model.pkl").parent))
    assert FlameModel.load().arrays.name == "generic_model.pkl"
    monkeypatch.delenv("SINGINGHEAD_FLAME")
    assert FlameModel.load().arrays.is_stand_in


def test_flame_2023_warns_and_2020_does_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_flame(write(tmp_path / "generic_model.pkl"))
    assert not caplog.text
    with caplog.at_level(logging.WARNING):
        read_flame(write(tmp_path / "flame2023.pkl"))
    assert "expression space differs" in caplog.text


def test_a_model_without_a_jaw_is_refused_by_name_and_by_content(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no jaw"):
        read_flame(write(tmp_path / "flame2023_no_jaw.pkl"))
    weights = flame_content()["weights"].copy()
    weights[:, 1] += weights[:, 2]
    weights[:, 2] = 0
    with pytest.raises(InputError, match="no jaw"):
        read_flame(write(tmp_path / "generic_model.pkl", weights=weights))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shapedirs": None}, "no shapedirs in it"),
        ({"shapedirs": np.zeros((131, 3, 150))}, "got (131, 3, 150)"),
        ({"posedirs": np.zeros((131, 3, 207))}, "posedirs must have shape (131, 3, 36)"),
        ({"weights": np.zeros((130, 5)) + 0.2}, "weights must have shape (131, 5)"),
        ({"weights": np.ones((131, 5))}, "sum to 1"),
        ({"f": np.array([[0, 1, 131]], np.uint32)}, "outside 0..130"),
        ({"kintree_table": np.zeros((2, 24), np.int64)}, "kintree_table"),
        ({"v_template": np.full((131, 3), np.nan)}, "NaN"),
        ({"v_template": "text"}, "v_template must be numbers"),
    ],
)
def test_what_is_no_flame_model_is_one_line(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = write(tmp_path / "generic_model.pkl", **changes)
    with pytest.raises(InputError) as caught:
        read_flame(path)
    assert str(caught.value).startswith(f"{path}: not a FLAME model: ")
    assert words in str(caught.value)


def test_masks_are_sorted_and_without_duplicates(tmp_path: Path) -> None:
    write(tmp_path / "generic_model.pkl")
    masks = {"lips": [9, 3, 3, 5], "forehead": [1, 2, 3], "eye_region": [3, 4]}
    content = {name: np.array(mask) for name, mask in masks.items()}
    (tmp_path / "FLAME_masks.pkl").write_bytes(pickle.dumps(content))
    subject = FlameModel.load(tmp_path).with_shape()
    assert subject.region("lips").tolist() == [3, 5, 9]
    assert subject.region("upper_face").tolist() == [1, 2, 3, 4]
    with pytest.raises(UnavailableError, match=r"no region 'nose' \(it has eye_region, forehead, lips\)"):
        subject.region("nose")


def test_eyeballs_become_a_part_of_their_own(tmp_path: Path) -> None:
    faces = write_model(tmp_path)["f"]
    masks = {"left_eyeball": np.unique(faces[:3]), "right_eyeball": np.unique(faces[3:5])}
    (tmp_path / "FLAME_masks.pkl").write_bytes(pickle.dumps(masks))
    parts = read_flame(tmp_path).parts
    assert set(range(5)) <= set(parts["eyes"])
    assert sorted([*parts["skin"], *parts["eyes"]]) == list(range(len(faces)))


@pytest.mark.parametrize("value", [np.array([0, 131]), np.array([-1]), np.array([0.5]), "text"])
def test_a_mask_of_another_model_is_refused_by_its_own_name(value: Any, tmp_path: Path) -> None:
    write(tmp_path / "generic_model.pkl")
    (tmp_path / "FLAME_masks.pkl").write_bytes(pickle.dumps({"lips": value}))
    with pytest.raises(InputError, match=r"^\S*FLAME_masks\.pkl: mask lips"):
        read_flame(tmp_path)


def test_landmarks_come_from_the_two_embedding_files_too(tmp_path: Path) -> None:
    write(tmp_path / "generic_model.pkl")
    tables = embeddings()
    static = {"lmk_face_idx": tables["static"][0], "lmk_b_coords": tables["static"][1]}
    dynamic = {"lmk_face_idx": tables["dynamic"][0], "lmk_b_coords": tables["dynamic"][1]}
    (tmp_path / "flame_static_embedding.pkl").write_bytes(pickle.dumps(static))
    np.save(tmp_path / "flame_dynamic_embedding.npy", np.array(dynamic, dtype=object), allow_pickle=True)
    subject = FlameModel.load(tmp_path).with_shape()
    assert subject.landmarks(FlameParams.zeros(2), "contour").shape == (2, 68, 3)
    with pytest.raises(UnavailableError, match=r"no full landmarks \(put landmark_embedding\.npy"):
        subject.landmarks(FlameParams.zeros(2), "full")


def test_a_broken_embedding_is_named(tmp_path: Path) -> None:
    write(tmp_path / "generic_model.pkl")
    np.save(tmp_path / "landmark_embedding.npy", np.array({"full_lmk_faces_idx": 3}, dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"landmark_embedding\.npy: not a landmark embedding"):
        read_flame(tmp_path)


def test_the_contour_follows_the_yaw_as_smplx_has_it_but_of_head_and_neck() -> None:
    yaws = np.linspace(-1.2, 1.2, 241, dtype=np.float32)
    params = FlameParams.zeros(len(yaws))
    params.global_pose[:, 1] = yaws
    pose = torch.from_numpy(params.full_pose())
    table = torch.arange(79)[:, None]
    rows, _ = find_dynamic_lmk_idx_and_bcoords(torch.zeros(241, 1, 3), pose, table, table, torch.tensor([0]))
    assert np.array_equal(contour_row(params), rows[:, 0].numpy())
    by_neck = FlameParams.zeros(len(yaws))
    by_neck.neck[:, 1] = yaws
    assert np.array_equal(contour_row(by_neck), contour_row(params))


def test_more_identity_than_the_model_has_is_refused(tmp_path: Path) -> None:
    model = FlameModel.load(write(tmp_path / "generic_model.pkl"))
    with pytest.raises(InputError, match=r"betas must have shape \(100,\); got \(300,\)"):
        model.with_shape(np.zeros(300))
    few = model.with_shape(np.ones(10))
    padded = model.with_shape(np.append(np.ones(10), np.zeros(90)))
    assert np.abs(few.template - padded.template).max() < 1e-12


def test_a_device_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    model = FlameModel.load(write(tmp_path / "generic_model.pkl"))
    for device in ("warp", "cuda:7"):
        with pytest.raises(UnavailableError, match=f"torch device '{device}'") as caught:
            model.with_shape(device=device)
        assert "\n" not in str(caught.value)


def test_texture_coordinates_lie_beside_the_model(tmp_path: Path) -> None:
    path = write(tmp_path / "generic_model.pkl")
    assert read_flame(path).uvs is None
    vt, ft = np.random.default_rng(0).random((30, 2)), np.arange(600, dtype=np.uint32).reshape(200, 3) % 30
    np.savez(tmp_path / "FLAME_texture.npz", mean=np.zeros((4, 4, 3)), vt=vt, ft=ft)
    arrays = read_flame(path)
    assert np.array_equal(arrays.uvs, vt)
    assert np.array_equal(arrays.uv_faces, ft)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"mean": np.zeros(3)}, "no 'vt' in it"),
        ({"vt": np.zeros((9, 2)), "ft": np.zeros((7, 3))}, r"ft must have shape \(200, 3\)"),
        ({"vt": np.zeros((9, 2)), "ft": np.full((200, 3), 9)}, "ft names texture coordinates that vt of 9 does not have"),
        ({"vt": np.zeros((9, 3)), "ft": np.zeros((200, 3))}, "vt must have shape"),
    ],
)
def test_texture_coordinates_of_another_model_are_refused(content: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = write(tmp_path / "generic_model.pkl")
    np.savez(tmp_path / "FLAME_texture.npz", **content)
    with pytest.raises(InputError, match=rf"FLAME_texture\.npz: .*{words}"):
        read_flame(path)
