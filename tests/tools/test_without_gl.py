"""The commands where the libraries of EGL and OSMesa really are not there."""

from __future__ import annotations

import json
from pathlib import Path

import commands
import numpy as np
import pytest


@pytest.fixture
def clip(tmp_path: Path) -> list[object]:
    np.save(tmp_path / "clip.npy", np.zeros((3, 59), np.float32))
    return [tmp_path / "clip.npy", "--size", 32, "--no-audio", "--out", tmp_path / "clip.mp4"]


def test_pyrender_is_one_line_with_the_remedy(clip: list[object], tmp_path: Path) -> None:
    done = commands.run_without_gl("tools/render_seq.py", *clip, "--backend", "pyrender")
    commands.assert_one_line(done, "egl: ", "osmesa: ", "--backend software", "apt-get install")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npy"]


def test_auto_draws_by_software(clip: list[object]) -> None:
    done = commands.run_without_gl("tools/render_seq.py", *clip)
    assert done.returncode == 0, done.stderr
    assert "backend: software" in done.stdout


def test_the_doctor_names_the_libraries_and_is_content_with_software() -> None:
    done = commands.run_without_gl("tools/doctor.py", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    for platform, library in (("egl", "libEGL"), ("osmesa", "libOSMesa")):
        assert not record[f"pyrender {platform}"]["works"]
        assert library in record[f"pyrender {platform}"]["detail"]
    assert "is software" in record["backend auto"]["detail"]
