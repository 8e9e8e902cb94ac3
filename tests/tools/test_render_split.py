"""A split as a user renders it: all of it, again, in shards, with his mistakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from commands import ENVIRONMENT, ROOT, assert_one_line, run
from splits import (
    SCRIPT,
    assert_nothing_else,
    command,
    counting_encoder,
    frame_hashes,
    launches,
    records,
    render,
    write_clip,
    write_list,
    write_split,
)

REAL = ROOT.parent / "shared" / "real"


def test_a_rerun_makes_only_what_is_missing_failed_or_of_other_inputs(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    clip_ids = write_split(root, 4, n_frames=10)
    environment, log = counting_encoder(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment["TMPDIR"] = str(elsewhere)
    broken = root / "flame_seqs" / f"{clip_ids[3]}.pkl"
    whole = broken.read_bytes()
    broken.write_text("these are no numbers")
    (root / "audio_seqs" / f"{clip_ids[2]}.wav").unlink()

    done, result = render(root, out, environment=environment)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines() == [
        f"failed: {clip_ids[3]}: {broken}: {records(out)[clip_ids[3]]['error'].split(': ', 1)[1]}"
    ]
    assert "4 clips: 0 done already; to make: 4 new" in done.stdout
    assert "1 clips: no vocals" in done.stdout
    assert {name: result[name] for name in ("clips", "done", "made", "failed", "frames")} == {
        "clips": 4, "done": 3, "made": 3, "failed": 1, "frames": 30,
    }  # fmt: skip
    assert_nothing_else(out, clip_ids[:3])
    record = records(out)[clip_ids[0]]
    assert record["status"] == "done"
    assert record["error"] is None
    assert record["wall_seconds"] > 0
    assert set(record["inputs"]) == {"motion", "truth", "vocals", "bgm"}
    assert len(record["inputs"]["motion"]["sha256"]) == 64
    assert record["output"]["bytes"] == (out / f"{clip_ids[0]}.mp4").stat().st_size

    broken.write_bytes(whole)  # failed before
    write_clip(root, clip_ids[0], 10, seed=99)  # other inputs
    os.utime(root / "flame_seqs" / f"{clip_ids[1]}.pkl", (1, 1))  # touched, but the same
    (out / f"{clip_ids[2]}.mp4").write_bytes((out / f"{clip_ids[2]}.mp4").read_bytes()[:-9])  # cut short
    done, result = render(root, out, environment=environment)
    assert done.returncode == 0, done.stderr
    assert "4 clips: 1 done already" in done.stdout
    for reason in ("1 failed before", "1 made from other inputs", "1 without a whole video"):
        assert reason in done.stdout
    assert launches(log) == {clip_ids[0]: 2, clip_ids[1]: 1, clip_ids[2]: 2, clip_ids[3]: 1}

    done, result = render(root, out, environment=environment)
    assert (done.returncode, result["already_done"], result["made"]) == (0, 4, 0)
    assert sum(launches(log).values()) == 6
    assert_nothing_else(out, clip_ids)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.slow
def test_predictions_take_identity_and_pose_of_their_ground_truth_and_other_options_make_anew(tmp_path: Path) -> None:
    root, out, method = tmp_path / "data", tmp_path / "out", tmp_path / "method"
    (clip_id,) = write_split(root, 1, n_frames=6)
    method.mkdir()
    np.save(method / f"{clip_id}.npy", np.random.default_rng(1).normal(0, 0.1, (2, 6, 59)).astype(np.float32))
    seen = []
    for options in ((), ("--sample", 1), ("--pose", "gt"), ("--no-audio",)):
        done, result = render(root, out, "--sequences", method, "--workers", 1, *options)
        assert (done.returncode, result["made"]) == (0, 1), done.stderr
        assert ("made with other options" in done.stdout) == bool(options)
        seen.append(frame_hashes(out)[clip_id])
    assert len(set(seen)) == 4
    assert records(out)[clip_id]["inputs"]["truth"]["path"].endswith(f"flame_seqs/{clip_id}.pkl")


@pytest.mark.slow
def test_shards_part_the_split_and_merge(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    clip_ids = write_split(root, 3, n_frames=4)
    names = []
    for index in range(2):
        done, result = render(root, out, "--shard", f"{index}/2", "--workers", 1)
        assert (done.returncode, result["clips"]) == (0, 2 - index), done.stderr
        names.append(Path(result["manifest"]).name)
        merged = run(SCRIPT, root / "test.txt", "--data-root", root, "--out", out, "--size", 64, "--merge", "--json")
        assert merged.returncode == 1 - index, merged.stderr
        assert json.loads(merged.stdout.splitlines()[-1])["done"] == (2, 3)[index]
    assert names == ["manifest.0-of-2.jsonl", "manifest.1-of-2.jsonl"]
    assert "1 clips new" not in merged.stderr
    assert {record["status"] for record in records(out).values()} == {"done"}
    assert list(records(out)) == [clip_ids[0], clip_ids[2], clip_ids[1]]
    assert_nothing_else(out, clip_ids, ("manifest.jsonl", *names))


MISTAKES = {
    "no list": (["missing.txt", "--data-root", "data", "--out", "out"], "missing.txt"),
    "no dataset": (["data/test.txt", "--data-root", "nowhere", "--out", "out"], "nowhere: no such folder"),
    "shard": (["data/test.txt", "--data-root", "data", "--out", "out", "--shard", "2/2"], "--shard 2/2"),
    "shard in words": (["data/test.txt", "--data-root", "data", "--out", "out", "--shard", "first"], "--shard first"),
    "size": (["data/test.txt", "--data-root", "data", "--out", "out", "--size", "33"], "even"),
    "no workers": (["data/test.txt", "--data-root", "data", "--out", "out", "--workers", "0"], "--workers 0"),
    "two kinds of workers": (
        ["data/test.txt", "--data-root", "data", "--out", "out", "--workers", "2", "--dask", "tcp://127.0.0.1:1"],
        "--workers contradicts --dask",
    ),
    "contradiction": (
        ["data/test.txt", "--data-root", "data", "--out", "out", "--no-audio", "--require-audio"],
        "--no-audio contradicts --require-audio",
    ),
    "flame": (["data/test.txt", "--data-root", "data", "--out", "out", "--flame", "no.pkl"], "no.pkl: no such file"),
    "out is a file": (["data/test.txt", "--data-root", "data", "--out", "data/test.txt"], "data/test.txt"),
    "device": (["data/test.txt", "--data-root", "data", "--out", "out", "--device", "warp"], "torch device 'warp'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_line_and_exit_code_2(mistake: str, tmp_path: Path) -> None:
    arguments, words = MISTAKES[mistake]
    (tmp_path / "data" / "flame_seqs").mkdir(parents=True)
    write_list(tmp_path / "data", ["id0_0_0_0"])
    done = run(SCRIPT, *arguments, cwd=tmp_path)
    if mistake == "no workers":  # found when the work is at hand, which was told before
        done.stdout = ""
    assert_one_line(done, words)
    assert not list(tmp_path.rglob("*.mp4"))
    assert not list(tmp_path.rglob(".work"))


def test_a_split_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flame_seqs").mkdir()
    write_list(tmp_path, ["good", "../../etc/passwd"])
    assert_one_line(run(SCRIPT, tmp_path / "test.txt", "--data-root", tmp_path, "--out", tmp_path / "out"), "not an ID")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_quick_and_clean_and_the_run_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    clip_ids = write_split(root, 2, n_frames=8)
    write_clip(root, clip_ids[1], n_frames=20_000)
    process = psutil.Popen(
        command(root, out, "--workers", 2), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        start_new_session=True,
    )  # fmt: skip
    while not (out / f"{clip_ids[0]}.mp4").exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1)  # until the run has heard of it
    family = process.children(recursive=True)
    assert len(family) >= 3
    started = time.monotonic()
    os.killpg(process.pid, number)  # as a terminal does: everybody in the group gets it
    _said, complaint = process.communicate(timeout=20)
    assert time.monotonic() - started < 10
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "stopped with 1 clips to go; run the same command again to go on" in complaint
    assert "Traceback" not in complaint
    assert psutil.wait_procs(family, timeout=3)[1] == []
    assert_nothing_else(out, clip_ids[:1])

    write_clip(root, clip_ids[1], n_frames=8)
    done, result = render(root, out)
    assert (done.returncode, result["already_done"], result["made"]) == (0, 1, 1), done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real sequences are not beside this checkout")
def test_the_real_split_renders_end_to_end(tmp_path: Path) -> None:
    done = run(SCRIPT, REAL / "test.txt", "--data-root", REAL, "--out", tmp_path / "out", "--size", 256, "--json")
    assert done.returncode == 0, done.stderr
    clip_ids = (REAL / "test.txt").read_text().split()
    assert json.loads(done.stdout.splitlines()[-1])["done"] == len(clip_ids)
    assert_nothing_else(tmp_path / "out", clip_ids)
    assert len({len(hashes.splitlines()) for hashes in frame_hashes(tmp_path / "out").values()}) == 1
