"""Videos whose frames carry their own index, so that a test can tell which one it was given."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from decoded import FFMPEG

_BITS = 8


def pictures(n_frames: int, width: int = 64, height: int = 64) -> np.ndarray:
    """(n_frames, height, width, 3) uint8: eight upright bars, the index in binary, lowest bit left; the top is grey."""
    bits = (np.arange(n_frames)[:, None] >> np.arange(_BITS)) & 1
    bars = np.where(bits, 220, 30).astype(np.uint8)[:, np.arange(width) * _BITS // width]
    coded = np.repeat(bars[:, None, :, None], height, axis=1).repeat(3, axis=3)
    coded[:, : height // 8] = 128
    return coded


def index(frame: np.ndarray) -> int:
    """Which of :func:`pictures` a decoded, perhaps resized, frame is."""
    row = frame[frame.shape[0] * 5 // 8].mean(axis=1)
    bars = row[(np.arange(_BITS) * 2 + 1) * len(row) // (2 * _BITS)]
    assert np.abs(np.abs(bars - 125) - 95).max() < 30, f"not a coded frame: {bars}"
    return int(((bars > 125) << np.arange(_BITS)).sum())


def write(path: Path, frames: np.ndarray, fps: float | str = 30, options: Sequence[str] = ("-pix_fmt", "yuv420p")) -> Path:
    """Encode (T, H, W, 3) uint8 with ffmpeg; ``options`` stand before the output."""
    height, width = frames.shape[1:3]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-framerate", str(fps), "-i", "-"]
    command = [FFMPEG, "-v", "error", "-y", *raw, *options, str(path)]
    subprocess.run(command, input=np.ascontiguousarray(frames).tobytes(), check=True)
    return path


def write_at(path: Path, frames: np.ndarray, times: Iterable[float]) -> Path:
    """Encode frames that begin at ``times``, in whole milliseconds; the last one lasts as long as the one before it."""
    steps = "+".join(f"eq(N,{number})*{round(1000 * time)}" for number, time in enumerate(times))
    timed = f"settb=1/1000,setpts='{steps}'"
    options = ["-vf", timed, "-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-pix_fmt", "yuv420p"]
    return write(path, frames, options=[*options, "-video_track_timescale", "1000"])


def change(source: Path, path: Path, *options: str, before: Sequence[str] = ()) -> Path:
    """Write a file anew with ffmpeg's options."""
    subprocess.run([FFMPEG, "-v", "error", "-y", *before, "-i", str(source), *options, str(path)], check=True)
    return path
