"""Stills of a video on one sheet, as it was really encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_COLUMNS, _ROWS = 4, 3


def write_contact_sheet(video: Path, out: Path, width: int = 320) -> None:
    """Write a PNG of 12 stills, evenly spread over the video, row by row.

    Args:
        video: any video that ffmpeg reads.
        out: the picture to write.
        width: of a still, pixels.
    """
    n_frames, _seconds = imageio_ffmpeg.count_frames_and_secs(str(video))
    wanted = np.linspace(0, n_frames - 1, _COLUMNS * _ROWS).round().astype(int)
    stills = {}
    for index, frame in enumerate(decoded(video)):
        if index in wanted:
            size = width, round(width * frame.shape[0] / frame.shape[1])
            stills[index] = Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS)
    height = stills[0].height
    sheet = Image.new("RGB", (_COLUMNS * width, _ROWS * height))
    for place, index in enumerate(wanted):  # a short video repeats its frames
        row, column = divmod(place, _COLUMNS)
        sheet.paste(stills[int(index)], (column * width, row * height))
    sheet.save(out)


def decoded(video: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield a video's frames in order, (H, W, 3) uint8."""
    frames = imageio_ffmpeg.read_frames(str(video), pix_fmt="rgb24")
    width, height = next(frames)["size"]
    for frame in frames:
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
