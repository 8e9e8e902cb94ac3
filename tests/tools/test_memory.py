"""Peak memory does not grow with the number of frames."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

SCRIPT = Path(__file__).parents[2] / "tools" / "render_seq.py"


def peak_memory(folder: Path, n_frames: int, size: int) -> int:
    """Bytes: the largest sum of the proportional set sizes of render_seq and its children, sampled while it runs."""
    rng = np.random.default_rng(0)
    np.save(folder / "clip.npy", (0.1 * rng.standard_normal((n_frames, 59))).astype(np.float32))
    for name, rate in (("vocals", 48_000), ("bgm", 44_100)):
        soundfile.write(folder / f"{name}.wav", 0.1 * rng.standard_normal((n_frames * rate // 30, 2)), rate)
    files = ["--vocals", "vocals.wav", "--bgm", "bgm.wav", "--out", "clip.mp4"]
    command = [sys.executable, str(SCRIPT), "clip.npy", "--size", str(size), "--backend", "software", *files]
    process = psutil.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        total = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                total += one.memory_full_info().pss
            except psutil.Error:  # it ended meanwhile
                continue
        peak = max(peak, total)
        time.sleep(0.05)
    assert process.returncode == 0
    return peak


@pytest.mark.parametrize(("size", "few", "many"), [(96, 60, 1200), pytest.param(512, 240, 2400, marks=pytest.mark.slow)])
def test_peak_memory_is_flat_in_the_number_of_frames(size: int, few: int, many: int, tmp_path: Path) -> None:
    short, long = (peak_memory(tmp_path, n_frames, size) for n_frames in (few, many))
    print(f"{few} frames: {short / 1e6:.0f} MB, {many} frames: {long / 1e6:.0f} MB")
    assert long < 1.1 * short
