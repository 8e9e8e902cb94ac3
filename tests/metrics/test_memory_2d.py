"""Peak memory of the 2D benchmark does not grow with the number of frames."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import coded_video
import commands
import numpy as np
import psutil
import pytest

SIZE = 128


def peak_pss(root: Path, n_frames: int) -> float:
    """MB: the largest sum over the command, its worker and their ffmpegs, on one clip of so many frames."""
    frames = np.tile(coded_video.pictures(60, SIZE, SIZE), (n_frames // 60, 1, 1, 1))
    for name, darker in (("gt_videos", 0), ("darker", 20)):
        path = root / "generated" / name / "id0_1.mp4"
        path.parent.mkdir(parents=True)
        coded_video.write(path, frames - np.uint8(darker))
    own = {"XDG_CACHE_HOME": str(root / "cache"), "TORCH_HOME": str(root / "torch")}
    command = commands.argv("metrics/calculate_2d_metrics.py", root, "--size", SIZE, "--workers", 1)
    process = psutil.Popen(command, env=commands.ENVIRONMENT | own, stdout=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(held(one) for one in [process, *process.children(recursive=True)]))
        time.sleep(0.05)
    assert process.returncode == 0
    return peak


def held(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:  # it ended meanwhile
        return 0.0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="proportional sizes are Linux's")
def test_peak_memory_is_flat_in_the_number_of_frames(tmp_path: Path) -> None:
    few, many = 60, 1800
    peak_pss(tmp_path / "compiling", few)
    short, long = (peak_pss(tmp_path / str(n_frames), n_frames) for n_frames in (few, many))
    print(f"{short:.0f} MB for {few} frames, {long:.0f} MB for {many}")
    assert short > 100
    assert long < 1.1 * short
