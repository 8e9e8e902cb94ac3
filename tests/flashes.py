"""When something flashes, and a recording that clicks at the same instants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

FLASHES = np.array([3, 17, 40, 61, 90, 133, 170, 199, 222, 238])
FPS, N_FRAMES = 30, 240


def write_clicks(path: Path, rate: int, channels: int) -> None:
    click = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(rate // 100) / rate)
    wave = np.zeros(8 * rate)
    for flash in FLASHES:
        start = round(flash / FPS * rate)
        wave[start : start + len(click)] += click
    soundfile.write(path, np.repeat(wave[:, None], channels, axis=1), rate)
