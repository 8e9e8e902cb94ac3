"""The benchmark at its smallest: that it measures what it says. How fast anything is, is no matter of tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import commands
import decoded
import numpy as np
import pytest
import soundfile

from singinghead.render.rasterizer import GL_PLATFORMS, probe_gl
from singinghead.render.video import VideoWriter

SCRIPT = "benchmarks/bench_render.py"


@pytest.fixture(autouse=True)
def benchmarks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts' folder on the path, as when they run."""
    monkeypatch.syspath_prepend(str(commands.ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames, with vocals beside them."""
    root = tmp_path_factory.mktemp("dataset")
    rng = np.random.default_rng(0)
    for folder in ("flame_seqs", "audio_seqs"):
        (root / folder).mkdir()
    np.save(root / "flame_seqs" / "clip.npy", rng.normal(0, 0.1, (2, 59)).astype(np.float32))
    soundfile.write(root / "audio_seqs" / "clip.wav", rng.normal(0, 0.1, 6400), 48_000)
    return root / "flame_seqs" / "clip.npy"


@pytest.fixture(scope="module")
def quick(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The JSON and what was printed."""
    out = tmp_path_factory.mktemp("bench") / "results.json"
    done = commands.run(SCRIPT, "--quick", "--cases", "software", "--seq", clip, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text()), done.stdout


def test_the_json_is_complete(quick: tuple[dict[str, Any], str]) -> None:
    result, _shown = quick
    assert {"cpu", "cores", "gl", "versions", "commit", "load_before"} <= set(result["machine"])
    assert result["settings"]["cases"] == ["software"]
    (row,) = result["cases"]
    assert (row["case"], row["size"], row["preset"], row["frames"]) == ("software", 64, "ultrafast", 4)
    (run,) = row["runs"]
    assert run["fps"] == pytest.approx(4 / run["seconds"])
    assert row["fps"] == dict.fromkeys(("median", "min", "max"), run["fps"])
    assert run["process_seconds"] > run["seconds"]
    assert row["peak_mb"] > 100
    assert 0.9 < row["ssim"] < 1
    assert row["bytes"] > 1000
    (stages,) = result["stages"]
    assert {"flame", "normals", "draw", "encode"} == set(stages["cpu_ms"]) == set(stages["wall_ms"])
    assert min(stages["cpu_ms"].values()) > 0
    assert {"subject", "rasterizer", "sound"} == set(stages["once_s"])


def test_the_tables_tell_the_same(quick: tuple[dict[str, Any], str]) -> None:
    result, shown = quick
    (case,), (stages,) = result["cases"], result["stages"]
    for figure in (f"{case['fps']['median']:.1f}", f"{case['ssim']:.4f}", f"{stages['cpu_ms']['draw']:.2f}"):
        assert figure in shown.replace("\n", " ").split(" ")


def test_ratios_are_taken_within_a_round_a_size_and_a_preset() -> None:
    from bench_render import summarize

    def row(case: str, size: int, preset: str, *speeds: float) -> dict[str, Any]:
        return {"case": case, "size": size, "preset": preset, "runs": [{"fps": fps} for fps in speeds]}

    rows = [
        row("N3", 64, "fast", 1, 10, 100),
        row("N3", 128, "fast", 1, 1, 1),
        row("software", 64, "fast", 5, 50, 700),
        row("software", 64, "slow", 2, 2, 2),
        {"case": "N1", "size": 64, "not_measured": "it broke"},
    ]
    summarize(rows)
    assert rows[2]["fps"] == {"median": 50, "min": 5, "max": 700}
    assert rows[2]["ratio_to"] == {"N3": 5}
    assert rows[3]["ratio_to"] == {}
    assert "fps" not in rows[4]


def test_without_gl_the_reason_is_told_and_nothing_has_failed(tmp_path: Path) -> None:
    done = commands.run_without_gl(SCRIPT, "--quick", "--cases", "N1", "pyrender", "--out", tmp_path / "results.json")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "results.json").read_text())
    assert [row["case"] for row in (*result["cases"], *result["stages"])] == ["N1", "pyrender", "pyrender"]
    for row in (*result["cases"], *result["stages"]):
        assert "libEGL" in row["not_measured"]
    assert "not measured: N1 64 ultrafast, pyrender 64 ultrafast: pyrender finds no GL" in done.stdout


def test_a_case_that_fails_is_told_with_its_words_and_exit_code_1(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench_render import Options, bench

    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    out = tmp_path / "results.json"
    assert bench(Options(quick=True, cases=("software",), seq=str(clip), out=out)) == 1
    result = json.loads(out.read_text())
    shown = capsys.readouterr().out
    for row in (*result["cases"], *result["stages"]):
        assert "ffmpeg" in row["not_measured"]
        assert row["not_measured"] in shown


@pytest.mark.parametrize(("option", "words"), [(("--presets", "warp"), "no preset 'warp'"), (("--sizes", "33"), "even")])
def test_a_mistake_is_found_before_anything_runs(option: tuple[str, str], words: str, tmp_path: Path) -> None:
    commands.assert_one_line(commands.run(SCRIPT, *option, "--out", tmp_path / "results.json"), words)


PEERS = """
import os, sys
import numpy as np
from singinghead.render.rasterizer import choose_backend
os.environ["PYOPENGL_PLATFORM"] = choose_backend("pyrender").platform
from case_worker import draw, render
from clip_job import Job
from singinghead.flame_model.model import FlameModel

def job(case):
    return Job(case, sys.argv[1], sys.argv[2], "", 3, 128, "ultrafast", "cpu", case + ".mp4")

def drawn(case):
    return np.array(list(draw(FlameModel.load(), job(case).sequence(), job(case)))).astype(int)

ours = drawn("software")
assert np.abs(ours[0] - ours[1]).mean() > 1
for case in ("N1", "N2", "N3"):
    difference = np.abs(drawn(case) - ours).mean()
    assert difference < 0.5, (case, difference)
    assert render(job(case))["frames"] == 3
"""


@pytest.mark.skipif(not any(probe_gl(platform).works for platform in GL_PLATFORMS), reason="no GL")
def test_the_peers_make_the_video_that_we_make(clip: Path, tmp_path: Path) -> None:
    """Their batch-1 forward pass and trimesh's normals move no pixel far."""
    vocals = clip.parents[1] / "audio_seqs" / "clip.wav"
    argv = [sys.executable, "-c", PEERS, clip, vocals]
    path = f"{commands.ROOT / 'benchmarks'}:{commands.ENVIRONMENT.get('PYTHONPATH', '')}"
    environment = commands.ENVIRONMENT | {"PYTHONPATH": path}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    for case in ("N1", "N2", "N3"):
        assert len(decoded.frames(tmp_path / f"{case}.mp4", 128)) == 3
        assert np.abs(decoded.sound(tmp_path / f"{case}.mp4")).max() > 0.05


def test_ssim_compares_each_frame_with_its_own(tmp_path: Path) -> None:
    from quality import ssim

    blocks = np.random.default_rng(0).integers(0, 255, (16, 8, 8), np.uint8)  # gray: nothing for 4:2:0 to lose
    frames = np.repeat(np.kron(blocks, np.ones((1, 8, 8), np.uint8))[..., None], 3, axis=3)
    with VideoWriter(tmp_path / "clip.mp4", 64, 30, None, crf=1, preset="ultrafast") as video:
        for frame in frames:
            video.write(frame)
    assert ssim(str(tmp_path / "clip.mp4"), frames[::7], 64, 7) > 0.99
    assert ssim(str(tmp_path / "clip.mp4"), frames[1::7], 64, 7) < 0.5
