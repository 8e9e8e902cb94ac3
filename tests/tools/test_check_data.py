"""Each defect of a dataset is found, named and counted; a whole dataset is clean."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
import tyro
from commands import ENVIRONMENT, ROOT, argv, assert_one_line, run
from faulty_dataset import IDS, motion, write_dataset, write_motion, write_sound, zip_dataset

from singinghead.tools import check_data

SCRIPT = "tools/check_data.py"
REAL = ROOT.parent / "shared" / "real"


def found(*arguments: object, code: int = 1) -> dict[str, Any]:
    """The record of a run in this process, which said nothing but its summary."""
    said, complaints = io.StringIO(), io.StringIO()
    options = tyro.cli(check_data.Options, args=[*map(str, arguments), "--json"])
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaints):
        assert check_data.check(options) == code
    assert complaints.getvalue() == ""
    return dict(json.loads(said.getvalue().splitlines()[-1]))


def kinds(record: dict[str, Any]) -> dict[str, list[str]]:
    """The IDs by kind of problem."""
    table: dict[str, list[str]] = {}
    for problem in record["problems"]:
        table.setdefault(problem["kind"], []).append(problem["id"])
    return table


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "SingingHead")


def test_a_whole_dataset_is_clean(root: Path, tmp_path: Path) -> None:
    for place in (root, zip_dataset(root, tmp_path / "zipped")):
        record = found("--data-root", place, code=0)
        assert record["problems"] == []
        assert (record["clips"], record["subjects"], record["frames"]) == (4, 3, 120)
        assert record["sound"] == {"vocals": {"16000 Hz mono": 4}, "BGM": {"22050 Hz stereo": 4}}
        assert "Nothing is wrong." in run(SCRIPT, "--data-root", place).stdout


def changed(**changes: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        content = motion(IDS[0])
        write_motion(
            root / "flame_seqs" / f"{IDS[0]}.pkl",
            content | {name: function(content[name].copy()) for name, function in changes.items()},
        )

    return change


def with_value(place: Any, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[place] = value
        return array

    return change


def vocals(**how: Any) -> Callable[[Path], None]:
    return lambda root: write_sound(root / "audio_seqs" / f"{IDS[0]}.wav", **how)


def replaced(name: str, content: bytes | None) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = root / name
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)

    return change


def nan_in_vocals(root: Path) -> None:
    soundfile.write(root / "audio_seqs" / f"{IDS[0]}.wav", np.append(np.zeros(15_999), np.nan), 16_000, subtype="FLOAT")


def truncated_vocals(root: Path) -> None:
    path = root / "audio_seqs" / f"{IDS[0]}.wav"
    path.write_bytes(path.read_bytes()[:9000])


DEFECTS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no motion": (replaced(f"flame_seqs/{IDS[0]}.pkl", None), "missing_motion", ""),
    "no vocals": (replaced(f"audio_seqs/{IDS[0]}.wav", None), "missing_vocals", ""),
    "no video": (replaced(f"video_seqs/{IDS[0]}.mp4", None), "missing_video", ""),
    "empty motion": (replaced(f"flame_seqs/{IDS[0]}.pkl", b""), "unreadable", "is empty"),
    "code": (replaced(f"flame_seqs/{IDS[0]}.pkl", b"cos\nsystem\n(S'touch RAN'\ntR."), "unreadable", "os.system"),
    "wrong keys": (replaced(f"flame_seqs/{IDS[0]}.pkl", pickle.dumps({"x": 1})), "unreadable", "no 'expcodes'"),
    "empty vocals": (replaced(f"audio_seqs/{IDS[0]}.wav", b""), "unreadable", "not a readable recording"),
    "truncated vocals": (truncated_vocals, "unreadable", "declares 32044 bytes but holds 9000"),
    "broken BGM": (replaced(f"bgm_seqs/{IDS[0]}_bgm.wav", b"text"), "unreadable", "not a readable recording"),
    "empty video": (replaced(f"video_seqs/{IDS[0]}.mp4", b""), "unreadable", "is empty"),
    "NaN": (changed(expcodes=with_value((7, 3), np.nan)), "nan", "first in frame 7"),
    "NaN in vocals": (nan_in_vocals, "nan", "holds NaN"),
    "jump": (changed(posecodes=with_value((12, 0), 0.5)), "pose_jump", "global_pose by"),
    "over π": (changed(posecodes=with_value((slice(None), 4), 3.3)), "large_angle", "neck by 3.30 rad"),
    "degrees": (changed(posecodes=lambda pose: pose * 500), "large_angle", "over 2π"),
    "short vocals": (vocals(seconds=0.6), "length", "motion 1.00 s, vocals 0.60 s"),
    "long vocals": (vocals(seconds=1.3), "length", "motion 1.00 s, vocals 1.30 s"),
    "silence": (vocals(peak=0), "silent_vocals", "digital silence"),
    "whisper": (vocals(peak=0.001), "silent_vocals", "RMS of -63 dB"),
    "rate": (vocals(rate=48_000), "sample_rate", "vocals 48000 Hz mono, most are 16000 Hz mono"),
    "channels": (vocals(channels=2), "sample_rate", "vocals 16000 Hz stereo"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_and_nothing_else(defect: str, root: Path, tmp_path: Path) -> None:
    make, kind, words = DEFECTS[defect]
    make(root)
    for place in (root, zip_dataset(root, tmp_path / "zipped")):
        record = found("--data-root", place)
        assert kinds(record) == {kind: [IDS[0]]}
        assert words in record["problems"][0]["detail"]
        assert record["by_kind"] == {kind: 1}
    assert not list(tmp_path.rglob("RAN"))


def test_a_failing_disk_is_a_problem_and_not_the_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(soundfile, "info", fail)
    record = found("--data-root", root)
    assert record["by_kind"] == {"unreadable": 8}
    assert {problem["detail"] for problem in record["problems"]} == {"cannot be read: Input/output error"}


def test_what_is_allowed_is_not_found(root: Path) -> None:
    changed(posecodes=with_value((slice(None), 0), 3.1))(root)  # turned round, but by less than half a turn
    write_sound(root / "audio_seqs" / f"{IDS[1]}.wav", seconds=1.09)
    write_sound(root / "audio_seqs" / f"{IDS[2]}.wav", peak=0.002)
    (root / "bgm_seqs" / f"{IDS[3]}_bgm.wav").unlink()
    shutil.rmtree(root / "video_seqs")
    record = found("--data-root", root, code=0)
    assert record["clips_without_bgm"] == 1
    assert record["notes"] == ["video_seqs is not there, and was not looked at"]


@pytest.mark.parametrize(("option", "value"), [("--max-jump", 60), ("--max-length-difference", 0.5), ("--silence", -80)])
def test_limits_can_be_set(option: str, value: float, root: Path) -> None:
    changed(posecodes=with_value((12, 0), 0.5))(root)
    write_sound(root / "audio_seqs" / f"{IDS[1]}.wav", seconds=0.7)
    write_sound(root / "audio_seqs" / f"{IDS[2]}.wav", peak=0.001)
    assert len(found("--data-root", root)["problems"]) == 3
    assert len(found("--data-root", root, option, value)["problems"]) == 2


def test_a_shape_that_changes_within_a_subject_is_one_problem_of_the_subject(root: Path) -> None:
    changed(shapecode=with_value((0, 5), 9.0))(root)
    (problem,) = found("--data-root", root)["problems"]
    assert (problem["kind"], problem["id"]) == ("shape", "id0")
    assert problem["detail"].startswith("2 shapes, coefficients differ by up to")


def test_split_lists_are_held_against_the_files(root: Path) -> None:
    (root / "train.txt").write_text(f"{IDS[0]}\n{IDS[0]}\nid7_0_0_0\n")
    (root / "test.txt").write_text(f"{IDS[3]}\n{IDS[0]}.pkl\n")
    (root / "val.txt").write_text("../id0\n")
    record = found("--data-root", root)
    assert kinds(record) == {
        "unreadable": [""],
        "missing_motion": ["id7_0_0_0"],
        "no_split": [IDS[1], IDS[2]],
        "duplicate": [IDS[0]],
    }
    details = {problem["kind"]: problem["detail"] for problem in record["problems"]}
    assert details["duplicate"] == "train.txt line 1, train.txt line 2, test.txt line 2"
    assert details["unreadable"].startswith("line 1: '../id0' is not an ID")


def test_a_split_is_looked_at_alone(root: Path, tmp_path: Path) -> None:
    (root / "flame_seqs" / f"{IDS[0]}.pkl").write_bytes(b"")
    (tmp_path / "mine.txt").write_text(f"{IDS[1]}\n{IDS[2]}\n")
    record = found("--data-root", root, "--split", tmp_path / "mine.txt", code=0)
    assert record["clips"] == 2


def test_missing_parts_are_told_once(root: Path) -> None:
    shutil.rmtree(root / "audio_seqs")
    (root / "bgm_seqs.zip").write_bytes(b"PK, but no zip")
    shutil.rmtree(root / "bgm_seqs")
    record = found("--data-root", root)
    assert record["by_kind"] == {"missing_part": 1, "unreadable": 1}
    assert {Path(problem["file"]).name for problem in record["problems"]} == {"audio_seqs", "bgm_seqs.zip"}


def test_predictions_are_checked_alone_or_beside_their_dataset(root: Path, tmp_path: Path) -> None:
    method = tmp_path / "method"
    method.mkdir()
    samples = np.zeros((3, 30, 59), np.float32)
    np.save(method / f"{IDS[0]}.npy", samples)
    samples[2, 5, 50] = 1
    np.save(method / f"{IDS[1]}.npy", samples)
    samples[1, 5, 50] = np.nan
    np.save(method / f"{IDS[2]}.npy", samples)
    mesh = np.zeros((20, 7, 3), np.float32)
    np.save(method / f"{IDS[3]}.npy", mesh)
    mesh[17, 0, 0] = np.inf
    np.save(method / "id8_0_0_0.npy", mesh)
    alone = found("--sequences", method)
    assert kinds(alone) == {"pose_jump": [IDS[1]], "nan": [IDS[2], "id8_0_0_0"]}
    assert "sample 2: global_pose by 57°" in str(alone["problems"])
    assert "sample 1: params holds NaN" in str(alone["problems"])
    assert kinds(found("--sequences", method, "--data-root", root)) == kinds(alone) | {
        "length": [IDS[3]],
        "unknown_clip": ["id8_0_0_0"],
    }
    record = found("--sequences", method, "--data-root", root, "--split", root / "train.txt", "--fps", 25)
    assert record["by_kind"] == {"nan": 1, "pose_jump": 1, "length": 3}
    assert "motion 1.20 s, vocals 1.00 s, BGM 1.00 s, ground truth 1.00 s" in str(record["problems"])
    (method / f"{IDS[0]}.npy").unlink()
    missing = found("--sequences", method, "--data-root", root, "--split", root / "train.txt")
    assert kinds(missing)["missing_motion"] == [IDS[0]]


def test_the_summary_counts_names_and_advises(root: Path, tmp_path: Path) -> None:
    for i in range(30):
        write_motion(root / "flame_seqs" / f"id{i % 2}_{i}_9_9.pkl", motion(f"id{i % 2}", 90))
    (root / "train.txt").unlink()
    (root / "test.txt").unlink()
    done = run(SCRIPT, "--data-root", root, "--out", tmp_path / "report.csv")
    assert done.returncode == 1
    assert re.match(r".*SingingHead: 34 clips of 3 subjects, 1\.6 minutes of motion\n", done.stdout)
    assert "\n    30  no vocals\n        id0_0_9_9\n" in done.stdout
    assert "and 25 more; most in id0 (15), id1 (15)" in done.stdout
    assert "no train.txt, val.txt, test.txt: whether splits overlap" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 160
    rows = list(csv.DictReader((tmp_path / "report.csv").open(encoding="utf-8")))
    assert len(rows) == len(found("--data-root", root)["problems"]) == 60
    assert {row["kind"] for row in rows} == {"missing_vocals", "missing_video"}


def test_a_json_report_is_the_record(root: Path, tmp_path: Path) -> None:
    vocals(peak=0)(root)
    printed = found("--data-root", root, "--out", tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written.items() <= printed.items()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


MISTAKES = {
    "nothing": ([], "nothing to check (give --data-root, or --sequences)"),
    "no folder": (["--data-root", "nowhere"], "nowhere: no such folder"),
    "no dataset": (["--data-root", "tools"], "tools: no dataset"),
    "no predictions": (["--sequences", "nowhere"], "nowhere: no such folder"),
    "no clips": (["--sequences", "tools"], "tools: holds no clips"),
    "no split": (["--data-root", "{root}", "--split", "nowhere.txt"], "nowhere.txt: no such file"),
    "fps": (["--data-root", "{root}", "--fps", "0"], "--fps 0 is not a rate"),
    "workers": (["--data-root", "{root}", "--workers", "0"], "--workers 0"),
    "report": (["--data-root", "{root}", "--out", "report.txt"], "report.txt: a report is .json or .csv"),
    "report's folder": (["--data-root", "{root}", "--out", "no/where.csv"], "no/where.csv: its folder is not there"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(mistake: str, root: Path) -> None:
    arguments, words = MISTAKES[mistake]
    assert_one_line(run(SCRIPT, *(argument.format(root=root) for argument in arguments), cwd=ROOT), words)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """3,000 clips, of which every hundredth is silent."""
    seed = write_dataset(tmp_path / "seed", IDS[:1])
    write_sound(seed / "silent.wav", peak=0)
    root = tmp_path / "many"
    for part in ("flame_seqs", "audio_seqs"):
        (root / part).mkdir(parents=True)
    for i in range(3000):
        os.link(seed / "flame_seqs" / f"{IDS[0]}.pkl", root / "flame_seqs" / f"id0_{i:04}_0_0.pkl")
        sound = seed / "silent.wav" if i % 100 == 0 else seed / "audio_seqs" / f"{IDS[0]}.wav"
        os.link(sound, root / "audio_seqs" / f"id0_{i:04}_0_0.wav")
    return root


def test_processes_find_what_one_finds(many: Path) -> None:
    one, two = (found("--data-root", many, "--workers", n) for n in (1, 2))
    assert one["by_kind"] == {"silent_vocals": 30}
    assert one["problems"] == two["problems"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_ends_it_and_its_processes(number: int, code: int, many: Path) -> None:
    process = subprocess.Popen(
        argv(SCRIPT, "--data-root", many, "--workers", 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None,
    )
    workers: list[psutil.Process] = []
    while process.poll() is None and len(workers) < 3:  # and multiprocessing's resource tracker
        workers = psutil.Process(process.pid).children()
        time.sleep(0.02)
    time.sleep(0.5)
    process.send_signal(number)
    assert process.wait(timeout=30) == code
    gone, alive = psutil.wait_procs(workers, timeout=30)
    assert len(gone) == 3
    assert not alive
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real sequences are not beside this checkout")
def test_what_is_odd_in_the_real_sequences_is_found() -> None:
    record = found("--data-root", REAL)
    assert kinds(record) == {"length": ["id90_1_0_3"], "sample_rate": ["id91_02_01_0_0"]}
    assert "vocals 3.37 s" in record["problems"][0]["detail"]
    assert record["clips_without_bgm"] == 2
    assert found("--sequences", REAL / "samples", "--data-root", REAL, code=0)["clips"] == 1
