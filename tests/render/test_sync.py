"""Sound and picture belong together: a frame flashes when a click sounds, and still does in the decoded file."""

from __future__ import annotations

from pathlib import Path

import decoded
import numpy as np
import pytest
from flashes import FLASHES, FPS, N_FRAMES, write_clicks

from singinghead.render.sound import mixed
from singinghead.render.video import VideoWriter

SIZE = 64


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_every_flash_is_within_10_ms_of_its_click(rate: int, channels: int, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    write_clicks(tmp_path / "clicks.wav", rate, channels)
    with (
        mixed(N_FRAMES / FPS, tmp_path / "clicks.wav", None) as track,
        VideoWriter(out, SIZE, FPS, track.path) as video,
    ):
        for index in range(N_FRAMES):
            video.write(np.full((SIZE, SIZE, 3), 255 if index in FLASHES else 0, np.uint8))

    pictures, wave = decoded.frames(out, SIZE), np.abs(decoded.sound(out)).max(axis=1)
    assert len(pictures) == N_FRAMES
    assert decoded.duration(out) == 8.0
    assert len(wave) == 8 * 48_000
    flashes = np.flatnonzero(pictures.mean(axis=(1, 2, 3)) > 128) / FPS
    loud = np.flatnonzero(wave > 0.2 * wave.max()) / 48_000
    clicks = loud[np.append(True, np.diff(loud) > 0.05)]
    assert np.array_equal(flashes, FLASHES / FPS)
    assert len(clicks) == len(flashes)
    assert np.abs(clicks - flashes).max() < 0.010
