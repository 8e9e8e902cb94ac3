"""Styles differ, are recorded by name, and are alike in both backends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from commands import assert_one_line, run
from decoded import facts
from likeness import psnr

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.render.camera import fixed_camera
from singinghead.render.clip import Look
from singinghead.render.rasterizer import open_rasterizer, probe_gl
from singinghead.render.scene import head_scene
from singinghead.render.shown import Shown
from singinghead.render.split.job import Head, SplitJob
from singinghead.render.styles import STYLES, style_named

DRAW = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
import test_styles
test_styles.save(*sys.argv[1:])
"""


def drawn(backend: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pictures of an open mouth in each style, and where the head is."""
    subject = FlameModel.load().with_shape()
    params = FlameParams.zeros(1)
    params.jaw[0, 0] = 0.15
    vertices, pictures = subject.vertices(params)[0], {}
    for name, style in STYLES.items():
        with open_rasterizer(backend, head_scene(subject, style=style), fixed_camera(subject), 256) as drawer:
            layers = drawer.layers(vertices)
        pictures[name] = layers.color, layers.alpha
    return pictures


def save(platform: str, out: str) -> None:
    from singinghead.render import rasterizer

    rasterizer.GL_PLATFORMS = (platform,)
    np.savez(out, **{name: picture for name, (picture, _) in drawn("pyrender").items()})


@pytest.fixture(scope="module")
def by_software() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return drawn("software")


def test_each_style_looks_like_no_other(by_software: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    for one, other in combinations(STYLES, 2):
        (first, alpha), (second, _) = by_software[one], by_software[other]
        inside = alpha == 1
        assert np.abs(first[inside].astype(int) - second[inside]).mean() > 10, (one, other)
        assert np.abs(first[alpha == 0].astype(int) - second[alpha == 0]).mean() > 20, (one, other)
    clay, alpha = by_software["paper"]
    assert np.ptp(clay[alpha == 1].astype(int), axis=-1).mean() < 6, "print is grey"


@pytest.mark.parametrize("platform", ["egl", pytest.param("osmesa", marks=pytest.mark.slow)])
def test_both_backends_draw_a_style_alike(
    platform: str, by_software: dict[str, tuple[np.ndarray, np.ndarray]], tmp_path: Path
) -> None:
    probe = probe_gl(platform)
    if not probe.works:
        pytest.skip(f"no {platform} here: {probe.detail}")
    out = tmp_path / "pictures.npz"
    subprocess.run([sys.executable, "-c", DRAW, platform, str(out)], check=True)
    with np.load(out) as theirs:
        for name, (ours, alpha) in by_software.items():
            assert psnr(ours, theirs[name], alpha > 0) >= 38, name


def test_an_unknown_style_is_refused_by_name() -> None:
    for refused in (lambda: style_named("noir"), lambda: Shown(style="noir")):
        with pytest.raises(InputError, match=r"no style 'noir'.*house, paper, studio"):
            refused()


def test_a_user_s_unknown_style_is_one_line(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.zeros((2, 59), np.float32))
    assert_one_line(run("tools/render_seq.py", "clip.npy", "--style", "noir", cwd=tmp_path), "noir")


def test_a_video_says_its_style_where_it_is_not_the_usual(tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", np.zeros((2, 59), np.float32))
    for style, told in (("studio", True), ("house", False)):
        options = ("--no-audio", "--size", 64, "--backend", "software", "--style", style, "--json")
        done = run("tools/render_seq.py", "clip.npy", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["frames"] == 2
        assert (f"style: {style}" in facts(tmp_path / "clip.mp4")) is told


def test_a_split_in_another_style_is_another_split() -> None:
    job = SplitJob(Path("data"), None, Path("out"), "manifest.jsonl", Head("head", None, ""), Look())
    for shown in (Shown(style="paper"), Shown(anatomy=False)):
        assert replace(job, look=Look(shown=shown)).options() != job.options()
