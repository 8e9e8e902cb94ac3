"""Vertices, joints and landmarks against a float64 reference of twenty lines, and against smplx's own FLAME class."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from written_flame import embeddings, flame_content, write_model

from singinghead.flame_model.landmarks import contour_row
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams

T = 67
PARENTS = (-1, 0, 1, 1, 1)


def motion(n_frames: int = T, neck: bool = True) -> FlameParams:
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((n_frames, 59)).astype(np.float32)
    vectors[:, 50:] *= 0.4
    if not neck:
        vectors[:, 53:56] = 0
    params = FlameParams.from_vectors(vectors)
    params.eyes[:] = 0.2 * rng.standard_normal((n_frames, 6))
    return params


def rodrigues(axis_angle: np.ndarray) -> np.ndarray:
    angle = np.linalg.norm(axis_angle)
    x, y, z = axis_angle / angle if angle else axis_angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def reference(content: dict[str, Any], betas: np.ndarray, params: FlameParams) -> tuple[np.ndarray, np.ndarray]:
    """FLAME's definition (Li et al. 2017, eq. 1 to 5) frame by frame in float64."""
    components = content["shapedirs"]
    regressor = np.asarray(content["J_regressor"].todense())
    all_vertices, all_joints = [], []
    for expression, pose in zip(params.expression.astype(float), params.full_pose().astype(float), strict=True):
        shaped = content["v_template"] + components[:, :, : len(betas)] @ betas + components[:, :, 300:350] @ expression
        rest = regressor @ shaped
        rotations = [rodrigues(pose[3 * j : 3 * j + 3]) for j in range(5)]
        posed = shaped + content["posedirs"] @ np.concatenate([(r - np.eye(3)).ravel() for r in rotations[1:]])
        turn, place = [rotations[0]], [rest[0]]
        for j in range(1, 5):
            parent = PARENTS[j]
            turn.append(turn[parent] @ rotations[j])
            place.append(place[parent] + turn[parent] @ (rest[j] - rest[parent]))
        bones = np.stack([place[j] + (posed - rest[j]) @ turn[j].T for j in range(5)], axis=1)
        all_vertices.append((content["weights"][:, :, None] * bones).sum(axis=1))
        all_joints.append(place)
    return np.array(all_vertices), np.array(all_joints)


_Ch = type("Ch", (), {"__module__": "chumpy.ch"})
_Select = type("Select", (), {"__module__": "chumpy.reordering"})


def chumpy_pickle(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The content as FLAME's official files have it: chumpy arrays, scipy's old module names, protocol 2."""
    monkeypatch.setitem(sys.modules, "chumpy", types.SimpleNamespace())  # type: ignore[arg-type]
    for cls in (_Ch, _Select):
        monkeypatch.setitem(sys.modules, cls.__module__, types.SimpleNamespace(**{cls.__name__: cls}))  # type: ignore

    def as_ch(array: np.ndarray) -> Any:
        ch = _Ch()
        ch.__dict__.update(x=array)
        return ch

    select, template = _Select(), content["v_template"]
    order = np.random.default_rng(3).permutation(template.size)
    flat = np.zeros(template.size)
    flat[order] = template.ravel()  # the selection puts it in order again
    select.__dict__.update(a=as_ch(flat), idxs=order, preferred_shape=template.shape)
    data = pickle.dumps({**content, "v_template": select, "shapedirs": as_ch(content["shapedirs"])}, protocol=2)
    assert b"chumpy.ch" in data
    return data.replace(b"cscipy.sparse._csc\n", b"cscipy.sparse.csc\n")


@pytest.mark.parametrize("layout", ["pkl", "chumpy", "npz"])
def test_vertices_and_joints_equal_the_reference(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = flame_content()
    path = tmp_path / ("generic_model.npz" if layout == "npz" else "generic_model.pkl")
    if layout == "npz":
        np.savez(path, **{**content, "J_regressor": np.asarray(content["J_regressor"].todense())})
    else:
        path.write_bytes(pickle.dumps(content, protocol=2) if layout == "pkl" else chumpy_pickle(content, monkeypatch))
    betas, params = np.random.default_rng(4).standard_normal(100), motion()

    subject = FlameModel.load(tmp_path).with_shape(betas)

    vertices, joints = reference(content, betas, params)
    assert np.abs(subject.vertices(params) - vertices).max() < 1e-6
    assert np.abs(subject.joints(params) - joints).max() < 1e-6


def test_both_sets_of_landmarks_equal_the_reference(tmp_path: Path) -> None:
    content, params = write_model(tmp_path), motion()
    subject = FlameModel.load(tmp_path).with_shape()
    vertices, _ = reference(content, np.zeros(100), params)

    def points(faces: np.ndarray, weights: np.ndarray, frame: int) -> np.ndarray:
        return np.array([w @ vertices[frame][content["f"][f]] for f, w in zip(faces, weights, strict=True)])

    tables, rows = embeddings(), contour_row(params)
    full, contour = subject.landmarks(params, "full"), subject.landmarks(params, "contour")
    assert full.shape == contour.shape == (T, 68, 3)
    for frame in range(T):
        assert np.abs(full[frame] - points(*(part[0] for part in tables["full"]), frame)).max() < 1e-6
        jaw_line = points(*(part[rows[frame]] for part in tables["dynamic"]), frame)
        static = points(*tables["static"], frame)
        assert np.abs(contour[frame] - np.concatenate([jaw_line, static])).max() < 1e-6
    assert len(set(rows)) > 10


def test_smplx_own_class_agrees(tmp_path: Path) -> None:
    """It orders landmarks static first, and turns the contour by the global rotation alone."""
    import smplx

    content = write_model(tmp_path)
    tables, params, betas = embeddings(), motion(neck=False), np.random.default_rng(5).standard_normal(100)
    theirs = {**content, "J_regressor": np.asarray(content["J_regressor"].todense())}
    (tmp_path / "FLAME_NEUTRAL.pkl").write_bytes(pickle.dumps(theirs))
    (tmp_path / "flame_static_embedding.pkl").write_bytes(
        pickle.dumps({"lmk_face_idx": tables["static"][0].astype(np.uint32), "lmk_b_coords": tables["static"][1]})
    )
    dynamic = {"lmk_face_idx": tables["dynamic"][0], "lmk_b_coords": tables["dynamic"][1]}
    np.save(tmp_path / "flame_dynamic_embedding.npy", np.array(dynamic, dtype=object), allow_pickle=True)

    flame = smplx.FLAME(str(tmp_path), num_betas=100, num_expression_coeffs=50, use_face_contour=True, batch_size=T)
    with torch.no_grad():
        output = flame(
            betas=torch.from_numpy(np.repeat(betas[None], T, axis=0)).float(),
            expression=torch.from_numpy(params.expression),
            global_orient=torch.from_numpy(params.global_pose),
            neck_pose=torch.from_numpy(params.neck),
            jaw_pose=torch.from_numpy(params.jaw),
            leye_pose=torch.from_numpy(params.eyes[:, :3]),
            reye_pose=torch.from_numpy(params.eyes[:, 3:]),
        )
    subject = FlameModel.load(tmp_path / "generic_model.pkl").with_shape(betas)

    assert np.abs(subject.vertices(params) - output.vertices.numpy()).max() < 1e-6
    assert np.abs(subject.joints(params) - output.joints[:, :5].numpy()).max() < 1e-6
    contour = subject.landmarks(params, "contour")
    assert np.abs(contour[:, 17:] - output.joints[:, 5:56].numpy()).max() < 1e-6
    assert np.abs(contour[:, :17] - output.joints[:, 56:73].numpy()).max() < 1e-6


def test_a_frame_does_not_depend_on_the_length_of_its_clip(tmp_path: Path) -> None:
    write_model(tmp_path)
    subject, params = FlameModel.load(tmp_path).with_shape(), motion(150)
    whole = subject.vertices(params)
    for start, stop in ((0, 60), (60, 67), (120, 150), (60, 61)):
        assert np.array_equal(subject.vertices(params.map(lambda x, s=slice(start, stop): x[s])), whole[start:stop])


def test_some_vertices_alone_are_the_same_ones(tmp_path: Path) -> None:
    write_model(tmp_path)
    subject, params = FlameModel.load(tmp_path).with_shape(np.full(100, 0.5)), motion()
    chosen = np.array([7, 130, 0, 7])
    some = np.concatenate([vertices.numpy() for vertices, _joints in subject.only(chosen).chunks(params)])
    np.testing.assert_allclose(some, subject.vertices(params)[:, chosen], atol=1e-7)


@pytest.mark.parametrize("still", ["global_pose", "neck", "jaw", "eyes"])
def test_a_joint_at_rest_is_skipped_without_a_trace(still: str, tmp_path: Path) -> None:
    write_model(tmp_path)
    subject, params = FlameModel.load(tmp_path).with_shape(), motion(40)
    getattr(params, still)[:20] = 0
    together, alone = subject.vertices(params)[:20], subject.vertices(params.map(lambda x: x[:20]))
    assert np.array_equal(together, alone)
