"""A claim is one process's alone, and is given back when that process dies, however it dies."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from singinghead.flame_model.errors import UnavailableError
from singinghead.render.split.claims import claimed, owner, remove_abandoned

FORK = multiprocessing.get_context("fork")


def hold(root: Path, name: str, ready: Connection) -> None:
    with claimed(root, name) as folder:
        assert folder is not None
        (folder / "unfinished").write_text("half")
        ready.send(str(folder))
        time.sleep(60)


def held(root: Path, name: str) -> tuple[psutil.Process, Path]:
    """A process that holds a claim, and its folder."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=hold, args=(root, name, there), daemon=True)
    process.start()
    return psutil.Process(process.pid), Path(here.recv())


def test_a_claim_is_refused_while_it_is_held_and_passes_on_when_its_holder_is_killed(tmp_path: Path) -> None:
    work, root = tmp_path, tmp_path / "clips"
    holder, folder = held(root, "a")
    assert str(holder.pid) in folder.name
    with claimed(root, "a") as refused, claimed(root, "b") as other:
        assert refused is None
        assert other is not None
        assert list(other.iterdir()) == []
    remove_abandoned(work)
    assert (folder / "unfinished").read_text() == "half"  # a live neighbour's

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (folder / "unfinished").exists()
    with claimed(root, "a") as mine:
        assert mine is not None
        assert not folder.exists()
        assert owner() == mine.name
    remove_abandoned(work)
    assert not work.exists()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    holder, _folder = held(work / "clips", "a")
    other, folder = held(work / "runs", "a")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    remove_abandoned(work)
    assert {path.name for path in work.rglob("*")} == {"runs", "locks", "files", "a", folder.name, "unfinished"}
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    remove_abandoned(work)
    assert not work.exists()


def count(root: Path, counter: Path) -> None:
    counted = 0
    while counted < 100:
        with claimed(root, "one") as folder:
            if folder is None:
                continue
            number = int(counter.read_text())
            (folder / "file").write_text("")
            counter.write_text(str(number + 1))
            counted += 1
        remove_abandoned(root.parent)


def test_claims_exclude_each_other_while_folders_come_and_go(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    (tmp_path / "work").mkdir()
    counters = [FORK.Process(target=count, args=(tmp_path / "work" / "clips", counter)) for _ in range(4)]
    for process in counters:
        process.start()
    for process in counters:
        process.join()
        assert process.exitcode == 0
    assert counter.read_text() == "400"
    assert not (tmp_path / "work").exists()


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UnavailableError, match="locks no files: Operation not supported"), claimed(tmp_path / "x", "a"):
        pass
