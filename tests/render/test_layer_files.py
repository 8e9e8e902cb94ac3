"""Layers beside the video: what is in them, and that they are whole or not there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import decoded
import numpy as np
import pytest
from PIL import Image

from singinghead.flame_model.errors import InputError
from singinghead.render.layer_files import LayerFiles, depth_steps
from singinghead.render.rasterizer import Layers

SIZE = 16


def layers(depth: float = 1.2345) -> Layers:
    """The left half sees something."""
    seen = np.arange(SIZE) < SIZE // 2
    grid = np.broadcast_to(seen, (SIZE, SIZE))
    return Layers(
        color=np.full((SIZE, SIZE, 3), 99, np.uint8),
        depth=np.where(grid, depth, np.inf).astype(np.float32),
        normal=grid[..., None] * np.array([0, 0.6, 0.8], np.float32),
        part=np.where(grid, 2, -1).astype(np.int8),
        alpha=grid.astype(np.float32),
    )


def rgba() -> np.ndarray:
    color = np.full((SIZE, SIZE, 3), 99, np.uint8)
    return np.concatenate([color, np.uint8(255 * (layers().part >= 0))[..., None]], axis=-1)


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_each_layer_says_what_it_holds(tmp_path: Path) -> None:
    facts = {"fps": 25.0, "parts": ["skin", "eyes", "teeth"]}
    with LayerFiles(tmp_path / "clip.mp4", ("depth", "normal", "part", "alpha"), facts) as files:
        for index in (1, 0):  # threads finish in any order
            files.write(index, layers(1.2345 + index), rgba())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip_alpha", "clip_depth", "clip_normal", "clip_part"]
    for folder in tmp_path.iterdir():
        assert sorted(path.name for path in folder.iterdir()) == ["000000.png", "000001.png", "layer.json"]
        assert facts.items() <= json.loads((folder / "layer.json").read_text()).items()
    depth = read(tmp_path / "clip_depth" / "000001.png")
    note = json.loads((tmp_path / "clip_depth" / "layer.json").read_text())
    assert (note["unit"], note["step"], note["nothing"]) == ("mm", 0.1, 0)
    assert depth[0, 0] * note["step"] == pytest.approx(2234.5)
    assert depth[0, -1] == note["nothing"]
    normal = 2 * read(tmp_path / "clip_normal" / "000000.png") / 255 - 1
    assert normal[0, 0] == pytest.approx([0, 0.6, 0.8], abs=0.01)
    part = read(tmp_path / "clip_part" / "000000.png")
    assert (part[0, 0], part[0, -1]) == (3, 0)
    assert np.array_equal(read(tmp_path / "clip_alpha" / "000000.png"), rgba())


def test_depths_are_rounded_to_steps_and_end_where_16_bits_do() -> None:
    depth = np.array([[0.00004, 0.00006, 1.00005001, 7.0, np.inf]], np.float32)
    assert depth_steps(depth).tolist() == [[0, 1, 10001, 65535, 0]]


def test_alpha_as_a_video_keeps_what_is_seen_and_what_is_not(tmp_path: Path) -> None:
    with LayerFiles(tmp_path / "clip.mp4", ("alpha",), {"fps": 30.0}, "webm") as files:
        for index in range(3):
            files.write(index, layers(), rgba())
    assert [path.name for path in tmp_path.iterdir()] == ["clip_alpha.webm"]
    (video,) = tmp_path.iterdir()
    assert "vp9" in decoded.facts(video)
    command = [
        decoded.FFMPEG,
        "-v",
        "error",
        "-c:v",
        "libvpx-vp9",
        "-i",
        str(video),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgba",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    pictures = np.frombuffer(raw, np.uint8).reshape(3, SIZE, SIZE, 4).astype(int)
    assert np.abs(pictures[..., 3] - rgba()[..., 3]).mean() < 4
    assert np.abs(pictures[:, :, :6, :3] - 99).max() <= 6


def test_older_layers_stay_until_newer_are_whole(tmp_path: Path) -> None:
    def write(depth: float) -> LayerFiles:
        with LayerFiles(tmp_path / "clip.mp4", ("depth",), {"fps": 30.0}) as files:
            files.write(0, layers(depth), None)
            if depth > 5:
                raise RuntimeError("interrupted")
        return files

    write(1.0)
    with pytest.raises(RuntimeError):
        write(6.0)
    assert read(tmp_path / "clip_depth" / "000000.png")[0, 0] == 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["clip_depth"]
    write(2.0)
    assert read(tmp_path / "clip_depth" / "000000.png")[0, 0] == 20_000
    assert [path.name for path in tmp_path.iterdir()] == ["clip_depth"]


def test_what_is_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "clip_depth").write_text("a user's notes")
    with pytest.raises(InputError, match=r"clip_depth: is in the way"):
        LayerFiles(tmp_path / "clip.mp4", ("depth",), {})
    assert (tmp_path / "clip_depth").read_text() == "a user's notes"
    assert len(list(tmp_path.iterdir())) == 1


def test_none_asked_for_leaves_none(tmp_path: Path) -> None:
    with LayerFiles(tmp_path / "clip.mp4", (), {}) as files:
        files.write(0, None, None)
    assert not list(tmp_path.iterdir())
