"""A split under everything that ends processes, breaks files or fills disks: nothing is lost, and nothing made twice."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from commands import ENVIRONMENT, argv
from splits import (
    SCRIPT,
    assert_nothing_else,
    command,
    counting_encoder,
    frame_hashes,
    launches,
    records,
    rename_clip,
    render,
    write_list,
    write_split,
)

pytestmark = pytest.mark.slow


def test_one_and_two_workers_make_the_same_frames(tmp_path: Path) -> None:
    clip_ids = write_split(tmp_path / "data", 40)
    made = []
    for n_workers in (1, 2):
        out = tmp_path / f"{n_workers}"
        done, result = render(tmp_path / "data", out, "--size", 256, "--workers", n_workers)
        assert (done.returncode, result["made"]) == (0, 40), done.stderr
        assert_nothing_else(out, clip_ids)
        made.append(frame_hashes(out))
    assert made[0] == made[1]
    assert len(set(made[0].values())) == 40


def test_the_parent_is_killed_ten_times_and_nothing_finished_is_made_again(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    clip_ids = write_split(root, 60, n_frames=20)
    environment, log = counting_encoder(tmp_path)
    rng = random.Random(0)
    finished: dict[str, int] = {}
    family: list[psutil.Process] = []
    for _kill in range(10):
        process = psutil.Popen(
            command(root, out, "--workers", 2), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT | environment
        )
        n_before, until = len(list(out.glob("*.mp4"))), time.monotonic() + 90
        while len(list(out.glob("*.mp4"))) < n_before + rng.randrange(1, 5) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(rng.random())
        assert process.poll() is None, process.communicate()
        family += process.children(recursive=True)
        process.kill()
        process.wait()
        for path in out.glob("*.mp4"):  # orphans may still finish one; those that count are there at this moment
            finished.setdefault(path.stem, launches(log)[path.stem])
    assert len(finished) >= 10
    done, result = render(root, out, environment=environment)
    assert (done.returncode, result["done"]) == (0, 60), done.stderr
    assert result["already_done"] >= len(finished)
    now = launches(log)
    assert {clip_id: now[clip_id] for clip_id in finished} == finished
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert_nothing_else(out, clip_ids)
    for clip_id, record in records(out).items():
        assert record["status"] == "done"
        assert record["output"]["bytes"] == (out / f"{clip_id}.mp4").stat().st_size
    assert len({len(hashes.splitlines()) for hashes in frame_hashes(out).values()}) == 1
    done, result = render(root, out, "--verify")
    assert (done.returncode, result["already_done"]) == (0, 60), done.stderr


def break_clips(root: Path, clip_ids: list[str]) -> dict[str, str]:
    """Break each of ten clips in its own way; return the words by which it is to be told."""
    motion = [root / "flame_seqs" / f"{clip_id}.pkl" for clip_id in clip_ids]
    vocals = [root / "audio_seqs" / f"{clip_id}.wav" for clip_id in clip_ids]
    clip = pickle.loads(motion[0].read_bytes())
    motion[0].unlink()
    motion[1].write_text("these are no numbers")
    motion[2].write_bytes(motion[2].read_bytes()[:500])
    motion[3].write_bytes(pickle.dumps(clip | {"expcodes": np.full_like(clip["expcodes"], np.nan)}))
    motion[4].write_bytes(pickle.dumps(clip | {"posecodes": clip["posecodes"][:-3]}))
    motion[5].write_bytes(pickle.dumps({"expcodes": clip["expcodes"]}))
    motion[6].write_bytes(b"cos\nsystem\n(S'touch harm'\ntR.")
    vocals[7].write_text("this is no sound")
    vocals[8].write_bytes(vocals[8].read_bytes()[:1000])
    soundfile.write(vocals[9], np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    words = ["no sequence of ID", "not a readable pickle", "not a readable pickle", "NaN", "must have shape",
             "no 'posecodes'", "system", "not a readable recording", "declares", "NaN"]  # fmt: skip
    return dict(zip(clip_ids, words, strict=True))


def test_broken_clips_and_one_that_kills_its_workers_cost_no_other(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    clip_ids = write_split(root, 18, n_frames=8)
    words = break_clips(root, clip_ids[3:13]) | {"crash0": "the worker died of it, 3 times"}
    for index, name in ((14, "crash0"), (15, "shaky0"), (16, "flaky0")):
        rename_clip(root, clip_ids[index], name)
        clip_ids[index] = name
    write_list(root, clip_ids)
    environment, log = counting_encoder(tmp_path)
    done, result = render(root, out, environment=environment)
    assert done.returncode == 1
    assert (result["done"], result["failed"]) == (7, 11), done.stderr
    good = [clip_id for clip_id in clip_ids if clip_id not in words]
    assert_nothing_else(out, good)
    told = dict(line.removeprefix("failed: ").split(": ", 1) for line in done.stderr.splitlines())
    assert set(told) == set(words)
    for clip_id, reason in words.items():
        assert reason in told[clip_id]
        assert records(out)[clip_id]["status"] == "failed"
        assert records(out)[clip_id]["error"] == told[clip_id]
    assert launches(log) == dict.fromkeys(good, 1) | {"crash0": 3, "shaky0": 2, "flaky0": 2}
    lines = (out / "manifest.jsonl").read_text().splitlines()
    attempts = [record for record in map(json.loads, lines) if record["id"] == "flaky0"]
    assert [(record["status"], record["attempt"]) for record in attempts] == [("failed", 1), ("done", 2)]
    assert "a bad day" in attempts[0]["error"]
    assert len(set(frame_hashes(out).values())) == 7


def test_two_runs_share_a_folder_and_make_each_clip_once(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "out"
    clip_ids = write_split(root, 12, n_frames=60)
    environment, log = counting_encoder(tmp_path)
    runs = [
        subprocess.Popen(command(root, out, "--workers", 1), stderr=subprocess.PIPE, env=ENVIRONMENT | environment)
        for _run in range(2)
    ]
    for one in runs:
        _said, complaint = one.communicate()
        assert one.returncode == 0, complaint
    assert launches(log) == dict.fromkeys(clip_ids, 1)
    assert_nothing_else(out, clip_ids)
    assert {record["status"] for record in records(out).values()} == {"done"}


def test_a_full_disk_stops_the_run_which_goes_on_when_there_is_room(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "small"
    clip_ids = write_split(root, 12, n_frames=60)
    out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(out)]
    may = subprocess.run(mount, capture_output=True, text=True, check=False)
    if may.returncode != 0:
        pytest.skip(f"may not mount a small disk here: {may.stderr.strip()}")
    try:
        done, _result = render(root, out, "--size", 256, "--crf", 2)
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "the disk is full" in done.stderr
        assert "make room and run the same command again" in done.stderr
        whole = [path.stem for path in out.glob("*.mp4")]
        assert 0 < len(whole) < 12
        assert_nothing_else(out, whole)
        assert {record["status"] for record in records(out).values()} == {"done"}
        for clip_id in whole:
            assert records(out)[clip_id]["output"]["bytes"] == (out / f"{clip_id}.mp4").stat().st_size
        subprocess.run(["mount", "-o", "remount,size=50m", str(out)], check=True)
        done, result = render(root, out, "--size", 256, "--crf", 2)
        assert (done.returncode, result["done"]) == (0, 12), done.stderr
        assert result["already_done"] == len(whole)
        assert_nothing_else(out, clip_ids)
    finally:
        subprocess.run(["umount", str(out)], check=True)


@contextlib.contextmanager
def cluster(folder: Path, n_workers: int) -> Iterator[tuple[str, list[psutil.Popen]]]:
    """A scheduler and workers on loopback, each a process of its own, as `dask scheduler` and `dask worker` start them."""
    python, places = argv("x")[0], folder / "scheduler.json"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": ENVIRONMENT, "cwd": folder}
    scheduler = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker = ["-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0",
              "--local-directory", str(folder)]  # fmt: skip
    started = [psutil.Popen([python, *scheduler, "--scheduler-file", str(places)], **common)]
    try:
        while not places.exists() or "address" not in places.read_text():
            assert started[0].poll() is None
            time.sleep(0.1)
        started += [psutil.Popen([python, *worker, "--scheduler-file", str(places)], **common) for _ in range(n_workers)]
        yield json.loads(places.read_text())["address"], started[1:]
    finally:
        for process in reversed(started):
            process.kill()  # a worker without a nanny may sit through SIGTERM
            process.wait()


def test_a_cluster_loses_a_worker_and_still_makes_the_split(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "cluster"
    clip_ids = write_split(root, 16, n_frames=40)
    with cluster(tmp_path, 2) as (address, workers):
        process = subprocess.Popen(
            command(root, out, "--dask", address), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        while len(list(out.glob("*.mp4"))) < 4:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        os.kill(workers[0].pid, signal.SIGKILL)
        _said, complaint = process.communicate(timeout=300)
        assert process.returncode == 0, complaint
    assert_nothing_else(out, clip_ids)
    done, _result = render(root, tmp_path / "local")
    assert done.returncode == 0, done.stderr
    assert frame_hashes(out) == frame_hashes(tmp_path / "local")


def test_no_cluster_is_told_in_one_line(tmp_path: Path) -> None:
    write_split(tmp_path, 1)
    done, _result = render(tmp_path, tmp_path / "out", "--dask", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr.splitlines()[-1]
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_memory_of_all_processes_is_flat_over_many_clips(tmp_path: Path) -> None:
    write_split(tmp_path / "data", 200, n_frames=6)
    process = psutil.Popen(
        argv(SCRIPT, tmp_path / "data" / "test.txt", "--data-root", tmp_path / "data", "--out", tmp_path / "out",
             "--size", 64, "--workers", 2),
        stdout=subprocess.DEVNULL, env=ENVIRONMENT,
    )  # fmt: skip
    peaks: dict[int, float] = {}
    while process.poll() is None:
        n_made = len(list((tmp_path / "out").glob("*.mp4")))
        held = 0.0
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                held += one.memory_full_info().pss / 1e6
        peaks[n_made // 40] = max(held, peaks.get(n_made // 40, 0.0))
        time.sleep(0.2)
    assert process.returncode == 0
    print({40 * part: round(peak) for part, peak in peaks.items()})
    assert peaks[4] < 1.1 * peaks[1]
