"""How much of the drawn frames is left in a video once decoded."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import EncodingError


def ssim(video: str, pictures: Iterable[NDArray[np.uint8]], size: int, every: int) -> float:
    """Mean structural similarity of a video to its frames before encoding, by ffmpeg's ``ssim`` on R, G and B.

    Chroma subsampling counts, too: both are compared as RGB, the video by the matrix that its tags name.

    Args:
        video: any that ffmpeg reads.
        pictures: (size, size, 3) uint8 sRGB, one for each ``every``-th frame of the video.
        size: pixels.
        every: how many frames of the video a picture stands for.

    Raises:
        EncodingError: ffmpeg cannot compare them.
    """
    # A second a frame on both sides, whatever their time bases: ssim pairs frames by time.
    alike = "format=gbrp,setpts=N/TB"
    compared = f"[0:v]select=not(mod(n\\,{every})),{alike}[a];[1:v]{alike}[b];[a][b]ssim"
    drawn = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}", "-i", "pipe:0"]
    both = ["-i", str(Path(video).absolute()), *drawn, "-lavfi", compared, "-f", "null", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", *both]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stderr is not None
    with contextlib.suppress(BrokenPipeError):  # ffmpeg's own words tell more
        for picture in pictures:
            process.stdin.write(np.ascontiguousarray(picture).data)
        process.stdin.close()
    said = process.stderr.read().decode()
    process.wait()
    found = re.search(r"SSIM .*All:([\d.]+|inf)", said)
    if process.returncode or found is None:
        raise EncodingError(f"ffmpeg does not compare it: {said.strip().splitlines()[-1]}", file=video)
    return float(found[1])
