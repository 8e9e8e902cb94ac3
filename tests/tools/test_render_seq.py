"""The main job as a user runs it, and each of his mistakes."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import decoded
import faulty_dataset
import numpy as np
import pytest
import soundfile

from singinghead.flame_model.stand_in import load_stand_in

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "render_seq.py"
REAL = ROOT.parent / "shared" / "real"
ID = "id0_10_0_0"


def run(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if name != "SINGINGHEAD_FLAME"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=given | environment,
    )


def record(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Half a second of one clip in the release's layout, with vocals and BGM of other rates."""
    rng = np.random.default_rng(0)
    root = tmp_path / "SingingHead"
    for folder in ("flame_seqs", "audio_seqs", "bgm_seqs"):
        (root / folder).mkdir(parents=True)
    clip = {
        "expcodes": (0.3 * rng.standard_normal((15, 50))).astype(np.float32),
        "posecodes": (0.05 * rng.standard_normal((15, 9))).astype(np.float32),
        "shapecode": rng.standard_normal((1, 100)).astype(np.float32),
        "more": "is ignored",
    }
    (root / "flame_seqs" / f"{ID}.pkl").write_bytes(pickle.dumps(clip))
    soundfile.write(root / "audio_seqs" / f"{ID}.wav", 0.1 * rng.standard_normal(8000), 16_000)
    soundfile.write(root / "bgm_seqs" / f"{ID}_bgm.wav", 0.05 * rng.standard_normal((22_050, 2)), 44_100)
    return root


def test_a_sequence_becomes_a_video_with_vocals_and_bgm(dataset: Path, tmp_path: Path) -> None:
    result = record(run(tmp_path, dataset / "flame_seqs" / f"{ID}.pkl", "--size", 64, "--json"))
    assert {"out", "frames", "fps", "duration", "wall_seconds", "render_fps", "backend", "model", "audio"} <= set(result)
    assert (result["out"], result["frames"], result["fps"], result["duration"]) == (f"{ID}.mp4", 15, 30.0, 0.5)
    assert result["model"].startswith("stand-in")
    assert result["backend"] == "software"
    assert result["wall_seconds"] > 15 / result["render_fps"]
    assert Path(result["audio"]["vocals"]["path"]).name == f"{ID}.wav"
    assert Path(result["audio"]["bgm"]["path"]).name == f"{ID}_bgm.wav"

    video = tmp_path / f"{ID}.mp4"
    facts = decoded.facts(video)
    assert "model: stand-in (anny" in facts
    assert "backend: software; camera: fixed" in facts
    assert "made by: singinghead 0." in facts
    assert "48000 Hz, stereo" in facts
    assert len(decoded.frames(video, 64)) == 15
    assert np.abs(decoded.sound(video)).max() > 0.05
    # The lower middle is chest, the upper corner is background.
    picture = decoded.frames(video, 64)[7].astype(int)
    assert np.abs(picture[60, 32] - picture[2, 2]).max() > 30


def test_an_id_with_the_dataset_is_enough(dataset: Path, tmp_path: Path) -> None:
    for name in (ID, f"{ID}.pkl"):
        result = record(run(tmp_path, name, "--data-root", dataset, "--size", 32, "--json"))
        assert result["audio"]["vocals"] is not None


@pytest.mark.parametrize("compression", [pytest.param(zipfile.ZIP_STORED, marks=pytest.mark.slow), zipfile.ZIP_DEFLATED])
def test_the_releases_zips_give_what_the_folders_give(compression: int, tmp_path: Path) -> None:
    folders = faulty_dataset.write_dataset(tmp_path / "folders", (ID,))
    faulty_dataset.write_motion(folders / "flame_seqs" / f"{ID}.pkl", faulty_dataset.motion(ID, 6))
    faulty_dataset.zip_dataset(folders, tmp_path / "zips", compression)
    np.save(tmp_path / f"{ID}.npy", np.zeros((6, 59), np.float32))
    for name in (ID, f"{ID}.npy"):
        records, videos = [], [tmp_path / f"{root}.mp4" for root in ("folders", "zips")]
        for video in videos:
            root = video.with_suffix("")
            records.append(record(run(tmp_path, name, "--data-root", root, "--size", 64, "--json", "--out", video)))
        assert records[0]["frames"] == records[1]["frames"] == 6
        assert records[0]["identity"] == records[1]["identity"]
        assert np.array_equal(*(decoded.frames(video, 64) for video in videos))
        assert np.array_equal(*(decoded.sound(video) for video in videos))
        assert np.abs(decoded.sound(videos[1])).max() > 0.1
        assert records[1]["audio"]["bgm"]["path"] == f"{tmp_path}/zips/bgm_seqs.zip/bgm_seqs/{ID}_bgm.wav"


def test_a_progress_bar_is_not_piped(dataset: Path, tmp_path: Path) -> None:
    assert run(tmp_path, ID, "--data-root", dataset, "--size", 32).stderr == ""


def test_out_fps_resamples_and_keeps_the_duration(dataset: Path, tmp_path: Path) -> None:
    result = record(run(tmp_path, ID, "--data-root", dataset, "--size", 32, "--out-fps", 60, "--json"))
    assert (result["frames"], result["duration"]) == (30, 0.5)
    assert "60 fps" in decoded.facts(tmp_path / f"{ID}.mp4")


def test_no_audio_is_silent(dataset: Path, tmp_path: Path) -> None:
    assert record(run(tmp_path, ID, "--data-root", dataset, "--size", 32, "--no-audio", "--json"))["audio"] is None
    assert "Audio" not in decoded.facts(tmp_path / f"{ID}.mp4")


def test_a_prediction_takes_the_identity_and_on_demand_the_pose_of_its_ground_truth(dataset: Path, tmp_path: Path) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, (3, 15, 59)).astype(np.float32)
    (tmp_path / "method").mkdir()
    np.save(tmp_path / "method" / f"{ID}.npy", samples)
    common = (tmp_path / "method" / f"{ID}.npy", "--data-root", dataset, "--size", 32, "--json")
    pictures = []
    for options in (("--sample", 0), ("--sample", 2), ("--pose", "gt"), ("--pose", "zero")):
        result = record(run(tmp_path, *common, *options))
        assert result["identity"] == "the ground truth's"
        pictures.append(decoded.frames(tmp_path / f"{ID}.mp4", 32).astype(int))
    for other in pictures[1:]:
        assert np.abs(other - pictures[0]).max() > 20


def test_generated_vertices_are_drawn_as_they_are(tmp_path: Path) -> None:
    template = load_stand_in().arrays.template
    np.save(tmp_path / "clip.npy", np.repeat(template[None].astype(np.float32), 4, axis=0).reshape(4, -1))
    np.save(tmp_path / "neutral.npy", np.zeros((4, 59), np.float32))
    for name in ("clip", "neutral"):
        record(run(tmp_path, f"{name}.npy", "--size", 64, "--no-audio", "--json"))
    clip, neutral = (decoded.frames(tmp_path / f"{name}.mp4", 64).astype(int) for name in ("clip", "neutral"))
    assert np.abs(clip - neutral).max() <= 4


def test_camera_fit_sees_the_whole_head(dataset: Path, tmp_path: Path) -> None:
    record(run(tmp_path, ID, "--data-root", dataset, "--size", 64, "--camera", "fit", "--json"))
    picture = decoded.frames(tmp_path / f"{ID}.mp4", 64)[7].astype(int)
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert np.abs(rim - rim[0]).max() < 25
    assert "camera: fit" in decoded.facts(tmp_path / f"{ID}.mp4")


def test_missing_vocals_warn_and_a_missing_bgm_is_normal(dataset: Path, tmp_path: Path) -> None:
    (dataset / "bgm_seqs" / f"{ID}_bgm.wav").unlink()
    assert run(tmp_path, ID, "--data-root", dataset, "--size", 32).stderr == ""
    (dataset / "audio_seqs" / f"{ID}.wav").unlink()
    done = run(tmp_path, ID, "--data-root", dataset, "--size", 32)
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: no vocals of {ID}")


MISTAKES = {
    "missing file": (["missing.pkl"], "missing.pkl: no such file"),
    "text": (["text.pkl"], "text.pkl: not a readable pickle"),
    "odd size": ([ID, "--data-root", "SingingHead", "--size", "33"], "even"),
    "pose without truth": (["alone.npy", "--pose", "gt", "--no-audio"], "alone.npy: no ground truth"),
    "sample": ([ID, "--data-root", "SingingHead", "--sample", "3"], "holds one sample"),
    "data root": ([ID, "--data-root", "nowhere"], "nowhere: no such folder"),
    "broken zip": ([ID, "--data-root", "broken"], "broken/flame_seqs.zip: not a readable zip"),
    "unknown id": (["id9_9_9_9", "--data-root", "SingingHead"], "no sequence of ID 'id9_9_9_9'"),
    "id that leads out": (["..", "--data-root", "SingingHead"], "'..' is not an ID"),
    "required vocals": (["alone.npy", "--require-audio"], "no vocals of alone"),
    "flame": ([ID, "--data-root", "SingingHead", "--flame", "nowhere.pkl"], "nowhere.pkl: no such file or folder"),
    "empty flame folder": ([ID, "--data-root", "SingingHead", "--flame", "."], "generic_model.pkl"),
    "out folder": ([ID, "--data-root", "SingingHead", "--out", "no/where.mp4"], "no/where.mp4: its folder"),
    "out kind": ([ID, "--data-root", "SingingHead", "--out", "clip.avi"], "clip.avi: the output must be named .mp4"),
    "vocals": ([ID, "--data-root", "SingingHead", "--vocals", "text.pkl"], "text.pkl: not a readable recording"),
    "preset": ([ID, "--data-root", "SingingHead", "--preset", "warp"], "no preset 'warp'"),
    "device": ([ID, "--data-root", "SingingHead", "--device", "warp"], "torch device 'warp'"),
    "contradiction": (["alone.npy", "--no-audio", "--vocals", "text.pkl"], "contradicts"),
    "other mesh": (["mesh.npy", "--no-audio"], "vertices of mesh.npy for stand-in"),
    "pose of vertices": (["mesh.npy", "--no-audio", "--pose", "zero"], "mesh.npy: vertices are posed already"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_exit_code_2(mistake: str, dataset: Path, tmp_path: Path) -> None:
    arguments, words = MISTAKES[mistake]
    (tmp_path / "text.pkl").write_text("these are no numbers")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "flame_seqs.zip").write_text("these are no files")
    np.save(tmp_path / "alone.npy", np.zeros((3, 59), np.float32))
    np.save(tmp_path / "mesh.npy", np.zeros((3, 7, 3), np.float32))
    done = run(tmp_path, *arguments, *([] if "--size" in arguments else ["--size", "32"]))
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr
    assert not list(tmp_path.rglob("*.mp4"))


def test_outside_the_environment_one_line_names_make_setup(tmp_path: Path) -> None:
    scripts = [path for path in (ROOT / "tools").glob("*.py") if "__main__" in path.read_text()]
    assert len(scripts) >= 3
    for script in scripts:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert "make setup" in done.stderr


@pytest.mark.skipif(not REAL.is_dir(), reason="the real sequences are not beside this checkout")
@pytest.mark.parametrize("clip_id", (REAL / "test.txt").read_text().split() if REAL.is_dir() else [])
def test_the_real_sequences_render(clip_id: str, tmp_path: Path) -> None:
    result = record(run(tmp_path, clip_id, "--data-root", REAL, "--size", 64, "--json"))
    assert (result["frames"], result["duration"]) == (240, 8.0)
    assert decoded.duration(tmp_path / f"{clip_id}.mp4") == 8.0
    pictures = decoded.frames(tmp_path / f"{clip_id}.mp4", 64)
    assert len(pictures) == 240
    assert pictures.std(axis=(1, 2, 3)).min() > 15, "no frame is empty"


def test_absurd_parameters_are_an_error_that_names_the_frame_and_never_black(tmp_path: Path) -> None:
    vectors = np.zeros((5, 59), np.float32)
    vectors[3, 0] = 1e30
    np.save(tmp_path / "absurd.npy", vectors)
    done = run(tmp_path, "absurd.npy", "--size", 32, "--no-audio")
    assert done.returncode == 2
    assert "frame 3: vertices lie" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["absurd.npy"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order_and_leaves_nothing(number: int, code: int, dataset: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", np.zeros((9000, 59), np.float32))
    vocals = dataset / "audio_seqs" / f"{ID}.wav"
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, str(SCRIPT), "long.npy", "--size", "64", "--vocals", str(vocals)]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        # As a shell starts it: who runs the tests in the background, or under nohup, hands ignored signals down.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    while process.poll() is None and not list(tmp_path.glob(".long.*.partial.mp4")):
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(timeout=30) == code
    assert b"Traceback" not in process.stderr.read()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SingingHead", "long.npy", "tmp"]
    assert not list((tmp_path / "tmp").iterdir())
