"""Pictures as video stores them, against ffmpeg's own conversion."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.render.yuv import to_yuv420p


def by_ffmpeg(picture: np.ndarray) -> np.ndarray:
    height, width, _ = picture.shape
    scale = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+full_chroma_inp+area"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-i", "-", "-vf", scale, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    done = subprocess.run(command, input=picture.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(height * 3 // 2, width)


def pictures() -> dict[str, np.ndarray]:
    row, column = np.mgrid[:64, :48]
    random = np.random.default_rng(0)
    return {
        "corners of the cube": np.array(np.meshgrid(*[[0, 255]] * 3)).T.reshape(2, 4, 3).repeat(16, 0).repeat(8, 1),
        "ramps": np.stack([4 * row, 5 * column, 2 * row + 2 * column], axis=-1),
        "patches": random.integers(0, 256, (32, 24, 3)).repeat(2, 0).repeat(2, 1),
        "two by two": random.integers(0, 256, (2, 2, 3)),
    }


@pytest.mark.parametrize("name", pictures())
def test_they_are_what_ffmpeg_makes_of_them(name: str) -> None:
    picture = pictures()[name].astype(np.uint8)
    difference = np.abs(to_yuv420p(picture).astype(int) - by_ffmpeg(picture))
    height = len(picture)
    assert difference[:height].max() <= 1
    if name == "two by two":
        return  # ffmpeg's own filters need more pixels than that
    assert difference[height:].max() <= 1


def test_planes_and_pixels_give_the_same() -> None:
    picture = pictures()["ramps"].astype(np.uint8)
    planes = np.ascontiguousarray(np.moveaxis(picture, -1, 0))
    assert np.array_equal(to_yuv420p(np.moveaxis(planes, 0, -1)), to_yuv420p(picture))


def test_an_odd_size_is_refused() -> None:
    with pytest.raises(InputError, match="3 x 2"):
        to_yuv420p(np.zeros((2, 3, 3), np.uint8))
