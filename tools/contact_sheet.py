"""Stills of a video on one sheet, as it was really encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_STILL = 320
_COLUMNS, _ROWS = 4, 3


def write_contact_sheet(video: Path, out: Path) -> None:
    """Write a PNG of 12 stills, evenly spread over the video, row by row.

    Args:
        video: any video that ffmpeg reads.
        out: the picture to write.
    """
    n_frames, _seconds = imageio_ffmpeg.count_frames_and_secs(str(video))
    wanted = np.linspace(0, n_frames - 1, _COLUMNS * _ROWS).round().astype(int)
    sheet = Image.new("RGB", (_COLUMNS * _STILL, _ROWS * _STILL))
    for index, frame in enumerate(decoded(video)):
        for place in np.flatnonzero(wanted == index):  # a short video repeats its frames
            row, column = divmod(int(place), _COLUMNS)
            picture = Image.fromarray(frame).resize((_STILL, _STILL), Image.Resampling.LANCZOS)
            sheet.paste(picture, (column * _STILL, row * _STILL))
    sheet.save(out)


def decoded(video: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield a video's frames in order, (H, W, 3) uint8."""
    frames = imageio_ffmpeg.read_frames(str(video), pix_fmt="rgb24")
    width, height = next(frames)["size"]
    for frame in frames:
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
