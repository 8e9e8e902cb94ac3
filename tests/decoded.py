"""What is really in a video file, as ffmpeg decodes it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import psutil

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def decode(path: Path, *options: str) -> bytes:
    return subprocess.run([FFMPEG, "-v", "error", "-i", str(path), *options, "-"], capture_output=True, check=True).stdout


def frames(path: Path, size: int) -> np.ndarray:
    """(T, size, size, 3) uint8, by the matrix that the file's tags name."""
    return np.frombuffer(decode(path, "-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8).reshape(-1, size, size, 3)


def sound(path: Path, rate: int = 48_000) -> np.ndarray:
    """(N, 2) float32."""
    return np.frombuffer(decode(path, "-vn", "-f", "f32le", "-ac", "2", "-ar", str(rate)), np.float32).reshape(-1, 2)


def facts(path: Path) -> str:
    """What ffmpeg says of the file: streams, tags, metadata."""
    return subprocess.run([FFMPEG, "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False).stderr


def duration(path: Path) -> float:
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", facts(path)).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def running_ffmpeg() -> psutil.Process:
    """The one that works for this process, which may have other children, such as Python's resource tracker."""
    (ffmpeg,) = (child for child in psutil.Process().children() if child.name().startswith("ffmpeg"))
    return ffmpeg
