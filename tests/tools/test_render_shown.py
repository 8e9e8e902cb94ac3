"""Views, overlays, colours and layers, as a user asks `render_seq` for them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from commands import Done, assert_one_line, run
from decoded import decode, facts
from likeness import psnr
from PIL import Image
from written_flame import write_model

from singinghead.render.rasterizer import probe_gl

SIZE = 64


def vectors(n_frames: int = 3) -> np.ndarray:
    found = np.zeros((n_frames, 59), np.float32)
    found[:, 51] = np.linspace(0, 0.4, n_frames)
    found[:, 56] = 0.2
    return found


def render(folder: Path, *options: object, backend: str = "software") -> Done:
    np.save(folder / "clip.npy", vectors())
    common = ("--size", SIZE, "--no-audio", "--backend", backend, "--crf", 0)
    return run("tools/render_seq.py", "clip.npy", *common, *options, cwd=folder)


def pictures(path: Path, n_views: int = 1) -> np.ndarray:
    raw = decode(path, "-f", "rawvideo", "-pix_fmt", "rgb24")
    return np.frombuffer(raw, np.uint8).reshape(-1, SIZE, n_views * SIZE, 3)


def test_everything_at_once(tmp_path: Path) -> None:
    options = ("--view", "front,left", "--wireframe", "--landmarks", "full", "--regions", "--background", "white")
    done = render(tmp_path, *options, "--layer", "color,depth,normal,part,alpha", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    made = {Path(layer).name for layer in result["layers"]}
    assert made == {"clip_depth", "clip_normal", "clip_part", "clip_alpha.webm"}
    assert {path.name for path in tmp_path.iterdir()} == made | {"clip.mp4", "clip.npy"}
    assert len(pictures(tmp_path / "clip.mp4", 2)) == 3
    assert "views: front, left" in facts(tmp_path / "clip.mp4")
    depth = np.asarray(Image.open(tmp_path / "clip_depth" / "000002.png"))
    assert depth.shape == (SIZE, 2 * SIZE)
    assert 8000 < depth[SIZE // 2, SIZE // 2] < 12000


def test_a_turntable_says_how_long_a_turn_takes(tmp_path: Path) -> None:
    assert render(tmp_path, "--turntable").returncode == 0
    assert "turntable: 0.1 s a turn" in facts(tmp_path / "clip.mp4")
    first, second, _ = pictures(tmp_path / "clip.mp4").astype(int)
    assert np.abs(first - second).mean() > 5


def test_errors_are_against_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "data" / "flame_seqs").mkdir(parents=True)
    truth = vectors()
    truth[:, 51] = 0.3  # the head's pose is no error
    colored = []
    for jaw in (0.2, 0.3):
        truth[:, 56] = jaw
        columns = {"expcodes": truth[:, :50], "posecodes": truth[:, 50:], "shapecode": np.zeros((1, 100), np.float32)}
        (tmp_path / "data" / "flame_seqs" / "clip.pkl").write_bytes(pickle.dumps(columns))
        done = render(tmp_path, "--colour-by", "error", "--data-root", "data")
        assert done.returncode == 0, done.stderr
        colored.append(pictures(tmp_path / "clip.mp4").astype(int))
    chin = slice(38, 42), slice(28, 36)
    same, other = (picture[0][chin].mean(axis=(0, 1)) for picture in colored)
    assert same[2] > 100, "pale: no error"
    assert other[2] < same[2] - 60, "red: the chin is centimetres away"


def test_both_backends_paint_alike(tmp_path: Path) -> None:
    if not probe_gl("egl").works:
        pytest.skip("no EGL here")
    found = []
    for backend in ("software", "pyrender"):
        options = ("--view", "front,three-quarter", "--wireframe", "--landmarks", "contour", "--regions")
        done = render(tmp_path, *options, "--colour-by", "region", backend=backend)
        assert done.returncode == 0, done.stderr
        found.append(pictures(tmp_path / "clip.mp4", 2))
    for one, other in zip(*found, strict=True):
        assert psnr(one, other, np.ones(one.shape[:2], bool)) > 30


MISTAKES = {
    "layer": (("--layer", "colour"), "no layer 'colour'"),
    "view": (("--view", "back"), "no view 'back'"),
    "texture": (("--texture", "none.png"), "none.png: no such file"),
    "background": (("--background", "nowhere"), "nowhere: no such file"),
    "contradiction": (("--turntable", "--view", "left"), "--turntable contradicts --view"),
    "truth": (("--colour-by", "error"), "needs --data-root"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line(mistake: str, tmp_path: Path) -> None:
    options, words = MISTAKES[mistake]
    assert_one_line(render(tmp_path, *options), words)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npy"]


def test_a_texture_needs_texture_coordinates(tmp_path: Path) -> None:
    (tmp_path / "flame").mkdir()
    write_model(tmp_path / "flame")
    Image.new("RGB", (4, 4)).save(tmp_path / "skin.png")
    assert_one_line(render(tmp_path, "--flame", "flame", "--texture", "skin.png"), "has no texture coordinates")
