"""The real video of a clip, decoded by ffmpeg frame by frame to the size and the rate of the comparison."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import IO

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile


@contextmanager
def recording(file: StoredFile, size: int, fps: float) -> Iterator[Iterator[NDArray[np.uint8]]]:
    """Open a video for the length of a ``with`` block.

    Args:
        file: any video that ffmpeg reads.
        size: of the square that it is fitted into, pixels, even.
        fps: at which it is sampled.

    Yields:
        (size * 3 / 2, size) planes of yuv420p, without end: after the last frame, that is held.

    Raises:
        InputError: it cannot be decoded; from the first frame.
    """
    with file.playable() as played, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            _command(played, size, fps), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield _frames(process, size, file, complaints)
        finally:
            process.kill()
            process.communicate()


def _frames(
    process: subprocess.Popen[bytes], size: int, file: StoredFile, complaints: IO[bytes]
) -> Iterator[NDArray[np.uint8]]:
    assert process.stdout is not None
    frame = None
    while len(planes := process.stdout.read(size * size * 3 // 2)) == size * size * 3 // 2:
        frame = np.frombuffer(planes, np.uint8).reshape(size * 3 // 2, size)
        yield frame
    if frame is None:
        complaints.seek(0)
        words = complaints.read().decode(errors="replace").splitlines()
        raise InputError(f"not a readable video: {words[-1] if words else 'it holds no frames'}", file=file)
    while True:
        yield frame


def _command(played: str, size: int, fps: float) -> list[str]:
    rate = Fraction(fps).limit_denominator(1001)
    fitted = f"scale={size}:{size}:force_original_aspect_ratio=decrease:force_divisible_by=2"
    fitted += ":out_color_matrix=bt709:out_range=tv"
    centred = f"pad={size}:{size}:(ow-iw)/2:(oh-ih)/2:color=black"
    return [
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1", "-i", played,
        "-map", "0:v:0", "-vf", f"fps={rate}:start_time=0,{fitted},{centred}", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-",
    ]  # fmt: skip
