"""Run one task of :mod:`case_worker` in a process of its own and watch it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from clip_job import Job

_WORKER = Path(__file__).with_name("case_worker.py")
_SAMPLE_S = 0.05


def run(task: str, job: Job, environment: Mapping[str, str], watch_memory: bool = False) -> dict[str, Any]:
    """What the task says, and how it was seen.

    Args:
        task: of the worker.
        job: what to do.
        environment: variables added to ours.
        watch_memory: sample it. Reading a process's memory map stops that process for 10 to 20 ms: no timed run is watched.

    Returns:
        The worker's record with ``process_seconds``, start of Python to its end, and perhaps ``peak_mb`` (10^6 bytes, the
        largest sum of proportional set sizes over the process and its children); or only ``failed``, its last words.
    """
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        command = [sys.executable, str(_WORKER), task, job.to_json()]
        started = time.perf_counter()
        process = psutil.Popen(command, stdout=said, stderr=complained, env=os.environ | environment)
        try:
            peak = peak_mb(process) if watch_memory else 0.0
            code = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
        seconds = time.perf_counter() - started
        said.seek(0)
        complained.seek(0)
        if code:
            words = complained.read().strip().splitlines() or ["it said nothing"]
            return {"failed": f"{words[-1]} (exit code {code})"}
        record: dict[str, Any] = json.loads(said.read().splitlines()[-1])
    return record | {"process_seconds": seconds} | ({"peak_mb": peak} if watch_memory else {})


def peak_mb(process: psutil.Popen) -> float:
    """Watch a process until it ends: the largest sum of proportional set sizes over it and its children, 10^6 bytes."""
    peak = 0.0
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            peak = max(peak, sum(_held_mb(one) for one in [process, *process.children(recursive=True)]))
        time.sleep(_SAMPLE_S)
    return peak


def _held_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:  # it has ended meanwhile
        return 0.0
