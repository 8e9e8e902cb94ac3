"""Processes that begin together on a fresh machine, whose numba has compiled nothing yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commands import ENVIRONMENT

_PROGRAM = (
    "import numpy as np; from singinghead.metrics.audio_beats import detect_beats; "
    "t = np.arange(64000); click = (t % 8000 < 200) * np.sin(t); print(len(detect_beats(click)))"
)


@pytest.mark.slow
def test_processes_that_compile_at_once_leave_a_cache_that_is_whole(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"NUMBA_CACHE_DIR": str(tmp_path / "numba")}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", _PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)

    first = [start() for _ in range(3)]
    counts = [process.communicate()[0] for process in [*first]]
    later = start()
    counts.append(later.communicate()[0])
    assert [process.returncode for process in (*first, later)] == [0] * 4
    assert len(set(counts)) == 1
    assert int(counts[0]) >= 5
