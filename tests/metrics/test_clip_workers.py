"""Workers that die, raise and go on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from harmful_work import ENDED, KILLED, halved

from singinghead.metrics import clip_workers


@pytest.mark.parametrize("n_workers", [0, 1, 2, 5])
def test_every_task_comes_to_its_end_once(n_workers: int) -> None:
    done = list(clip_workers.run(halved, [1, 2, 3, -1, 1000, 4], n_workers))
    assert sorted(item.task for item in done) == [-1, 1, 2, 3, 4, 1000]
    by_task = {item.task: item for item in done}
    assert {task: item.outcome for task, item in by_task.items()} == {1: 0.5, 2: 1, 3: 1.5, 4: 2, -1: None, 1000: None}
    assert by_task[-1].failure == "clip-1: must be positive"
    assert by_task[1000].failure == "ZeroDivisionError: a riddle"


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_worker_that_dies_names_its_task_and_loses_no_other(n_workers: int) -> None:
    tasks = [1, 2, KILLED, 3, ENDED, 4, 5]
    done = {item.task: item for item in clip_workers.run(halved, tasks, n_workers)}
    assert set(done) == set(tasks)
    assert {task: item.outcome for task, item in done.items() if task > 0} == {1: 0.5, 2: 1, 3: 1.5, 4: 2, 5: 2.5}
    assert done[KILLED].failure == "its worker process was killed by SIGKILL (out of memory?)"
    assert done[ENDED].failure == "its worker process ended with exit code 7"


def test_nothing_to_do() -> None:
    assert list(clip_workers.run(halved, [], 2)) == []


def test_stopping_early_ends_the_workers() -> None:
    running = clip_workers.run(halved, list(range(1, 50)), 2)
    next(running)
    children = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
    assert len(children) == 2
    running.close()
    assert not any(child.is_running() for child in children)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os\n"
        "from singinghead.metrics import clip_workers\n"
        "if __name__ == '__main__':\n"
        "    for done in clip_workers.run(str, range(10), 1):\n"
        "        print('begun', flush=True)\n"
        "        os.kill(os.getpid(), 19)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "begun\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)
