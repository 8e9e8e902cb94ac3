"""Textures: files read or refused in one line, and the levels that both rasterizers filter."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from singinghead.flame_model.errors import InputError
from singinghead.render.texture import GAMMA, Texture


def colors(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_png_is_read_as_it_is_and_opacity_ignored(tmp_path: Path) -> None:
    image = colors(3, 5)
    Image.fromarray(image).save(tmp_path / "a.png")
    assert np.array_equal(Texture.read(tmp_path / "a.png").image, image)
    Image.fromarray(np.dstack([image, np.full((3, 5), 7, np.uint8)])).save(tmp_path / "b.png")
    assert np.array_equal(Texture.read(tmp_path / "b.png").image, image)


def test_grey_and_jpeg_pictures_are_read(tmp_path: Path) -> None:
    grey = np.full((8, 8), 99, np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.jpg")
    assert Texture.read(tmp_path / "a.jpg").image == pytest.approx(np.full((8, 8, 3), 99), abs=2)


def png_header(width: int, height: int) -> bytes:
    """A PNG file that is nothing but a claim to be large."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + size, b"IDAT" + zlib.compress(b"")]
    framed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "no such file", id="missing"),
        pytest.param(b"", "not a picture", id="empty"),
        pytest.param(b"<html>log in first</html>", "PNG or JPEG", id="web page"),
        pytest.param(png_header(5000, 5000), r"5000 x 5000 pixels are too many \(scale it", id="large"),
        pytest.param(png_header(12_000, 12_000), "12000 x 12000 pixels are too many", id="larger"),
        pytest.param(png_header(60_000, 60_000), "far too large", id="bomb"),
        pytest.param("deep", "more than 8 bits", id="16 bits"),
        pytest.param("cut", "not readable", id="cut off"),
    ],
)
def test_a_file_that_is_no_texture_is_refused_in_one_line(content: bytes | str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "skin.png"
    if content == "deep":
        Image.fromarray(np.zeros((4, 4), np.uint16)).save(path)
    elif content == "cut":
        Image.fromarray(colors(64, 64)).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        Texture.read(path)
    assert "skin.png" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_is_no_texture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not readable"):
        Texture.read(tmp_path)


@pytest.mark.parametrize("image", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)])
def test_an_array_that_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"\(H, W, 3\) uint8"):
        Texture(image)


@given(st.integers(1, 40), st.integers(1, 40))
def test_levels_halve_and_keep_the_mean_in_linear_light(height: int, width: int) -> None:
    image = colors(height, width)
    levels = Texture(image).levels
    assert levels[0] == pytest.approx((image / 255) ** GAMMA, abs=1e-6)
    sizes = [(max(height >> k, 1), max(width >> k, 1)) for k in range(max(height, width).bit_length())]
    assert [level.shape[:2] for level in levels] == sizes
    mean = levels[0].mean(axis=(0, 1))
    for level in levels:
        assert level.mean(axis=(0, 1)) == pytest.approx(mean, abs=1e-5)
