"""The 2D benchmark killed in the middle: what was measured is not measured again, and nothing comes out otherwise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import coded_video
import commands
import numpy as np
import psutil
import pytest

from singinghead.metrics.result_file import read_result

SCRIPT = Path(__file__).parents[1] / "watched_measuring.py"
IDS, METHODS, T = ("id0_1", "id1_1", "id2_1"), ("plain", "soft"), 15
STOPPED = "id1_1"


@dataclass
class Bench:
    """A folder of videos, and a place for what is found."""

    folder: Path
    home: Path
    log: Path

    def start(self, stop_in: str = "-") -> subprocess.Popen[str]:
        """Begin the command; the log is new."""
        self.log.write_text("")
        command = [sys.executable, str(SCRIPT), str(self.log), stop_in, str(self.folder)]
        command += ["--size", "64", "--workers", "2"]
        own = {"XDG_CACHE_HOME": str(self.home / "cache"), "TORCH_HOME": str(self.folder / "no weights")}
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=commands.ENVIRONMENT | own, **piped)  # type: ignore[call-overload]

    def finish(self) -> int:
        """Run the command to its end."""
        process = self.start()
        _out, said = process.communicate(timeout=120)
        assert process.returncode in (0, 1), said
        return int(process.returncode)

    def wait_for(self, *lines: str) -> str:
        """Wait until all these lines stand in the log, or one that begins so: the last of them."""
        deadline = time.monotonic() + 90
        while True:
            logged = self.lines()
            found = [next((line for line in logged if line.startswith(wanted)), "") for wanted in lines]
            if all(found):
                return found[-1]
            assert time.monotonic() < deadline, logged
            time.sleep(0.05)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def results(self) -> dict[str, bytes]:
        """What was written, by file."""
        return {
            path.name: path.read_bytes() for path in (self.folder / "metric_results").iterdir() if path.suffix != ".html"
        }

    def worked_on(self) -> tuple[list[str], int]:
        """Videos that the last run decoded, and how often it looked for a face."""
        decoded = sorted(line.split()[1] for line in self.lines() if line.startswith("decode"))
        return decoded, self.lines().count("look")


OF_STOPPED = sorted(f"{name}/{STOPPED}.mp4" for name in ("gt_videos", *METHODS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("resume") / "eval"
    for number, clip_id in enumerate(IDS):
        for method, softer in (("gt_videos", 0), ("plain", 20), ("soft", 60)):
            path = root / "generated" / method / f"{clip_id}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            coded_video.write(path, coded_video.pictures(T + number) // 2 + np.uint8(softer))
    return root


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What comes out of a run that nothing happens to."""
    home = tmp_path_factory.mktemp("undisturbed")
    bench = Bench(folder, home, home / "log")
    assert bench.finish() == 0
    assert bench.worked_on() == (
        sorted(f"{name}/{clip_id}.mp4" for name in ("gt_videos", *METHODS) for clip_id in IDS),
        3 * sum(T + number for number in range(len(IDS))),
    )
    return bench.results()


@pytest.fixture
def bench(folder: Path, tmp_path: Path, undisturbed: dict[str, bytes]) -> Bench:
    for path in (folder / "metric_results").iterdir():
        path.unlink()
    return Bench(folder, tmp_path / "home", tmp_path / "log")


def killed(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(20)


def test_the_command_is_killed_and_goes_on_where_it_was(bench: Bench, undisturbed: dict[str, bytes]) -> None:
    process = bench.start(stop_in=STOPPED)
    stopped = bench.wait_for(*(f"done {clip_id}" for clip_id in IDS if clip_id != STOPPED), "stopped")
    worker = psutil.Process(int(stopped.split()[1]))
    readers = worker.children()
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    os.kill(worker.pid, signal.SIGKILL)  # as when the machine goes down: it would have finished its clip
    psutil.wait_procs([worker, *readers], timeout=20)
    assert not (bench.folder / "metric_results").exists() or not bench.results()
    assert bench.finish() == 0
    assert bench.worked_on() == (OF_STOPPED, 3 * (T + IDS.index(STOPPED)))
    assert bench.results() == undisturbed


def test_a_worker_is_killed_and_costs_its_clip_only(bench: Bench, undisturbed: dict[str, bytes]) -> None:
    process = bench.start(stop_in=STOPPED)
    killed(psutil.Process(int(bench.wait_for("stopped").split()[1])))
    _out, said = process.communicate(timeout=120)
    assert process.returncode == 1
    reason = "its worker process was killed by SIGKILL (out of memory?)"
    assert said.splitlines() == [f"warning: {method}, {STOPPED}: {reason}" for method in METHODS]
    for name in ("ground truth", *METHODS):
        result = read_result(bench.folder / "metric_results" / f"{name}.json")
        assert result.failures == {STOPPED: reason}
        assert [record.id for record in result.sequences] == [clip_id for clip_id in IDS if clip_id != STOPPED]
    assert bench.finish() == 0
    assert bench.worked_on() == (OF_STOPPED, 3 * (T + IDS.index(STOPPED)))
    assert bench.results() == undisturbed
