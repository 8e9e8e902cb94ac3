"""Stills of a video on one sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from singinghead.render.video import VideoWriter
from singinghead.tools.contact_sheet import decoded, write_contact_sheet

SIZE = 32


def write_ramp(path: Path, n_frames: int) -> None:
    """Frames that grow brighter from black to white."""
    with VideoWriter(path, SIZE, 30, crf=5) as video:
        for level in np.linspace(0, 255, n_frames).round():
            video.write(np.full((SIZE, SIZE, 3), level, np.uint8))


def test_frames_come_in_order(tmp_path: Path) -> None:
    write_ramp(tmp_path / "clip.mp4", 40)
    levels = np.array([frame.mean() for frame in decoded(tmp_path / "clip.mp4")])
    assert np.abs(levels - np.linspace(0, 255, 40)).max() < 4


@pytest.mark.parametrize("n_frames", [12, 40, 241])
def test_twelve_stills_go_evenly_from_first_to_last_frame(n_frames: int, tmp_path: Path) -> None:
    write_ramp(tmp_path / "clip.mp4", n_frames)
    write_contact_sheet(tmp_path / "clip.mp4", tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"), float)
    assert sheet.shape == (3 * 320, 4 * 320)
    stills = sheet.reshape(3, 320, 4, 320).mean(axis=(1, 3)).ravel()
    assert np.abs(stills - np.linspace(0, 255, 12)).max() < 255 / (n_frames - 1) / 2 + 4


def test_a_clip_of_few_frames_still_fills_the_sheet(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", SIZE, 30) as video:
        for _ in range(5):
            video.write(np.full((SIZE, SIZE, 3), 200, np.uint8))
    write_contact_sheet(tmp_path / "clip.mp4", tmp_path / "sheet.png")
    assert np.asarray(Image.open(tmp_path / "sheet.png")).min() > 190
