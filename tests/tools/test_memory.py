"""Peak memory does not grow with the number of frames."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

SCRIPT = Path(__file__).parents[2] / "tools" / "render_seq.py"


def peak_memory(folder: Path, n_frames: int, size: int, kind: str) -> float:
    """MB: the largest sum over render_seq and its children of one line of ``smaps_rollup``, sampled while it runs."""
    rng = np.random.default_rng(0)
    np.save(folder / "clip.npy", (0.1 * rng.standard_normal((n_frames, 59))).astype(np.float32))
    for name, rate in (("vocals", 48_000), ("bgm", 44_100)):
        soundfile.write(folder / f"{name}.wav", 0.1 * rng.standard_normal((n_frames * rate // 30, 2)), rate)
    files = ["--vocals", "vocals.wav", "--bgm", "bgm.wav", "--out", "clip.mp4"]
    command = [sys.executable, str(SCRIPT), "clip.npy", "--size", str(size), "--backend", "software", *files]
    process = psutil.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(held(one.pid, kind) for one in [process, *process.children(recursive=True)]))
        time.sleep(0.05)
    assert process.returncode == 0
    return peak


def held(pid: int, kind: str) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it ended meanwhile
        return 0.0
    found = re.search(rf"^{kind}: +(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) / 1000 if found else 0.0


@pytest.mark.parametrize(
    ("kind", "size", "few", "many"),
    [
        # Anonymous memory alone: what libraries' pages count for depends on who else has them open just then.
        ("Pss_Anon", 96, 240, 1200),
        pytest.param("Pss", 512, 240, 2400, marks=pytest.mark.slow),
    ],
)
def test_peak_memory_is_flat_in_the_number_of_frames(kind: str, size: int, few: int, many: int, tmp_path: Path) -> None:
    short, long = (peak_memory(tmp_path, n_frames, size, kind) for n_frames in (few, many))
    print(f"{kind}: {short:.0f} MB for {few} frames, {long:.0f} MB for {many}")
    assert short > 100
    assert long < 1.1 * short
