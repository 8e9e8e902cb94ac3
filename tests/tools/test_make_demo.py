"""The demo: a fresh machine's first video."""

from __future__ import annotations

from pathlib import Path

import commands
import decoded
import numpy as np
from PIL import Image


def test_it_writes_a_video_with_sound_and_its_stills_and_says_where(tmp_path: Path) -> None:
    done = commands.run("tools/make_demo.py", "--out", tmp_path / "demo", "--size", 64)
    assert done.returncode == 0, done.stderr
    (video,) = (tmp_path / "demo").glob("*.mp4")
    (sheet,) = (tmp_path / "demo").glob("*.png")
    assert f"video:  {video}" in done.stdout
    assert f"stills: {sheet}" in done.stdout
    assert decoded.duration(video) == 8.0
    frames = decoded.frames(video, 64)
    assert len(frames) == 240
    assert frames.std(axis=0).max() > 10, "it moves"
    assert np.abs(decoded.sound(video)).max() > 0.1
    assert np.asarray(Image.open(sheet)).std() > 20


def test_an_odd_size_is_one_line(tmp_path: Path) -> None:
    done = commands.run("tools/make_demo.py", "--out", tmp_path / "demo", "--size", 63)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "size 63" in done.stderr
    assert not (tmp_path / "demo").exists(), "nothing is written before"
