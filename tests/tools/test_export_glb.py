"""The export as a user runs it, and each of his mistakes."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from asset_clips import singing, subject
from commands import Done, assert_one_line, run
from gltf_evaluated import Gltf
from gltf_validated import assert_valid

from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.render.scene import head_scene

SCRIPT = "tools/export_glb.py"
SHAPE = 0.5 * np.random.default_rng(3).standard_normal(100)
"""As :func:`asset_clips.subject` has it."""


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """Ten frames of the subject of :mod:`asset_clips`."""
    expression, pose = np.split(singing(10).to_vectors(), [50], axis=1)
    path = tmp_path / "clip.pkl"
    path.write_bytes(pickle.dumps({"expcodes": expression, "posecodes": pose, "shapecode": SHAPE.astype(np.float32)}))
    return path


def record(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_sequence_becomes_a_valid_glb_that_says_what_it_is(sequence: Path, tmp_path: Path) -> None:
    done = record(run(SCRIPT, sequence, "--json", cwd=tmp_path))
    assert (done["out"], done["frames"], done["fps"], done["targets"]) == ("clip.glb", 10, 30.0, 50)
    assert done["largest_error_mm"] < 0.05
    assert done["bytes"] == (tmp_path / "clip.glb").stat().st_size
    gltf = Gltf(tmp_path / "clip.glb")
    extras = gltf.content["asset"]["extras"]
    assert extras["model"].startswith("stand-in")
    assert (extras["id"], extras["identity"], extras["pose"]) == ("clip", "the sequence's own", "full")
    assert extras["made_by"].startswith("singinghead 0.")
    truth = subject("stand-in").vertices(singing(10))
    assert max(gltf.errors(i / 30, frame).max() for i, frame in enumerate(truth)) < 5e-5
    assert_valid(tmp_path / "clip.glb")


def test_rate_pose_and_frame_are_as_asked(sequence: Path, tmp_path: Path) -> None:
    done = record(run(SCRIPT, sequence, "--out", tmp_path / "a.glb", "--out-fps", 60, "--pose", "zero", "--json"))
    assert (done["frames"], done["fps"], done["pose"]) == (20, 60.0, "zero")
    one = record(run(SCRIPT, sequence, "--out", tmp_path / "b.glb", "--frame", 7, "--json"))
    assert one["frames"] == 1
    assert Gltf(tmp_path / "b.glb").errors(0, subject("stand-in").vertices(singing(10))[7]).max() < 5e-5


def test_every_format_holds_the_same_head(sequence: Path, tmp_path: Path) -> None:
    truth = subject("stand-in").vertices(singing(10))
    assert record(run(SCRIPT, sequence, "--out", tmp_path / "v.npz", "--json"))["format"] == "npz"
    with np.load(tmp_path / "v.npz") as content:
        assert np.abs(content["vertices"] - truth).max() < 1e-6
    faces = np.concatenate([part.faces for part in head_scene(subject("stand-in")).parts])
    record(run(SCRIPT, sequence, "--out", tmp_path / "f.obj", "--frame", 3, "--json"))
    done = record(run(SCRIPT, sequence, "--out", tmp_path / "f", "--format", "ply", "--json"))
    assert done["frames"] == len(list((tmp_path / "f").iterdir())) == 10
    for path in (tmp_path / "f.obj", tmp_path / "f" / "000003.ply"):
        assert np.abs(trimesh.load(path, force="mesh").triangles - truth[3][faces]).max() < 1e-6
    record(run(SCRIPT, sequence, "--out", tmp_path / "p.npz", "--format", "params", "--json"))
    back = load_sequence(tmp_path / "p.npz")
    assert isinstance(back, ParamSequence)
    assert np.array_equal(back.params.to_vectors(), singing(10).to_vectors())
    assert back.shape is not None
    assert np.array_equal(back.shape, SHAPE.astype(np.float32))


def test_one_sample_of_several_and_generated_vertices_are_exported(tmp_path: Path) -> None:
    samples = np.stack([singing(6, seed).to_vectors() for seed in (1, 2)])
    np.save(tmp_path / "samples.npy", samples)
    record(run(SCRIPT, "samples.npy", "--sample", 1, "--out", "p.pkl", "--json", cwd=tmp_path))
    back = load_sequence(tmp_path / "p.pkl")
    assert isinstance(back, ParamSequence)
    assert np.array_equal(back.params.to_vectors(), samples[1])
    assert back.shape is None, "nobody knows whose"

    vertices = subject("stand-in").vertices(FlameParams.from_vectors(samples[0]))
    np.save(tmp_path / "vertices.npy", vertices)
    done = record(run(SCRIPT, "vertices.npy", "--json", cwd=tmp_path))
    assert 3 <= done["targets"] <= 5
    assert done["identity"] == "the vertices' own"
    gltf = Gltf(tmp_path / "vertices.glb")
    assert max(gltf.errors(i / 30, frame).max() for i, frame in enumerate(vertices)) < 5e-5


MISTAKES = {
    "missing file": (["missing.pkl"], "missing.pkl: no such file"),
    "id without dataset": (["id0_1_0_0"], "needs --data-root"),
    "unknown name": (["clip.pkl", "--out", "x.fbx"], "x.fbx: what is it to be?"),
    "name of another format": (["clip.pkl", "--format", "ply", "--out", "x.obj"], "named .ply"),
    "format without name": (["clip.pkl", "--format", "npz"], "--format npz needs --out"),
    "frames in one file": (["clip.pkl", "--out", "x.obj"], "--frame N"),
    "frame": (["clip.pkl", "--out", "x.obj", "--frame", "10"], "frame 10 was asked for, but there are 10"),
    "sample": (["clip.pkl", "--sample", "1"], "holds one sample"),
    "out folder": (["clip.pkl", "--out", "no/x.glb"], "no/x.glb: its folder does not exist"),
    "out is a full folder": (["clip.pkl", "--format", "obj", "--out", "."], "is a folder with files in it"),
    "flame": (["clip.pkl", "--flame", "nowhere.pkl"], "nowhere.pkl: no such file or folder"),
    "rate": (["clip.pkl", "--out-fps", "0"], "not within 1..1000"),
    "pose without truth": (["clip.pkl", "--pose", "gt"], "no ground truth"),
    "other mesh": (["mesh.npy"], "vertices of mesh.npy for stand-in"),
    "parameters of vertices": (["head.npy", "--out", "x.pkl"], "holds vertices, not parameters"),
    "absurd": (["absurd.npy"], "frame 3: vertices lie"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_leaves_nothing(mistake: str, sequence: Path, tmp_path: Path) -> None:
    arguments, words = MISTAKES[mistake]
    np.save(tmp_path / "mesh.npy", np.zeros((3, 7, 3), np.float32))
    np.save(tmp_path / "head.npy", subject("stand-in").template[None].astype(np.float32))
    vectors = np.zeros((5, 59), np.float32)
    vectors[3, 0] = 1e30
    np.save(tmp_path / "absurd.npy", vectors)
    before = sorted(tmp_path.iterdir())
    assert_one_line(run(SCRIPT, *arguments, cwd=tmp_path), words)
    assert sorted(tmp_path.iterdir()) == before


def test_a_motion_too_large_for_16_bits_is_told(tmp_path: Path) -> None:
    wild = np.random.default_rng(0).normal(0, 60, (40, 59)).astype(np.float32)
    wild[:, 50:] = 0
    np.save(tmp_path / "wild.npy", wild)
    done = run(SCRIPT, "wild.npy", cwd=tmp_path)
    assert done.returncode == 0
    assert "16 bits keep so large a motion only within" in done.stderr
