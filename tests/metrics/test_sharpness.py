"""CPBD against the reference's own loops, and what blur does to it."""

from __future__ import annotations

import cpbd as reference
import numpy as np
import pytest
from cpbd.compute import marziliano_method
from cpbd.octave import sobel
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from singinghead.flame_model.errors import InputError
from singinghead.metrics.edge_widths import edge_widths
from singinghead.metrics.sharpness import cpbd, luminance


def patches(seed: int, height: int, width: int, blur: float, contrast: float) -> np.ndarray:
    """Flat patches with edges between them in all directions, (H, W) uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    angle = rng.uniform(0, np.pi)
    turned = rows * np.cos(angle) + columns * np.sin(angle)
    picture = rng.uniform(0, 255, 64)[(turned // rng.integers(5, 20)).astype(int) % 64] * contrast
    picture[rng.random(picture.shape) < 0.001] = 255
    return np.clip(gaussian_filter(picture, blur) + rng.normal(0, 1, picture.shape), 0, 255).astype(np.uint8)


@given(
    seed=st.integers(0, 10_000),
    height=st.integers(64, 140),
    width=st.integers(64, 140),
    blur=st.floats(0, 6),
    contrast=st.sampled_from([0.1, 0.2, 0.5, 1]),
)
@settings(max_examples=25, deadline=None)
def test_it_equals_the_reference(seed: int, height: int, width: int, blur: float, contrast: float) -> None:
    gray = patches(seed, height, width, blur, contrast)
    picture = gray.astype(float)
    assert np.array_equal(edge_widths(gray), marziliano_method(sobel(picture), picture))
    assert cpbd(gray) == pytest.approx(reference.compute(gray), abs=1e-12)


@pytest.mark.parametrize(
    "gray",
    [
        np.full((64, 64), 90),
        np.tile(np.arange(0, 256, 2), (64, 1)),  # one slope over the whole width: a run of more than 100 pixels
        np.tile(np.arange(255, -1, -2), (64, 1)),
        np.tile(np.repeat([0, 255], 64), (64, 1)),  # rises only
        np.tile(np.repeat([0, 255, 0, 200], 32), (70, 1)),
        np.tile(np.repeat([0, 255], 64), (64, 1)).T,
        np.tile(np.clip(np.arange(300) - 20, 0, 255), (64, 1)),
    ],
)
def test_it_equals_the_reference_in_the_corners(gray: np.ndarray) -> None:
    picture = gray.astype(float)
    assert np.array_equal(edge_widths(gray.astype(np.uint8)), marziliano_method(sobel(picture), picture))
    assert cpbd(gray.astype(np.uint8)) == pytest.approx(reference.compute(gray), abs=1e-12)


def test_blur_lowers_it() -> None:
    sharp, soft, blurred = (cpbd(patches(5, 256, 256, blur, 1)) for blur in (0.5, 1.5, 2.5))
    assert 1 > sharp > 0.7 > soft > 0.05 > blurred


def test_luminance_is_pillows() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert np.array_equal(luminance(frame), np.asarray(Image.fromarray(frame).convert("L")))


def test_luminance_from_0_to_1_and_colours_are_refused() -> None:
    with pytest.raises(InputError, match="uint8, 0 to 255; got float64"):
        cpbd(np.zeros((64, 64)))
    for shape in ((64, 64, 3), (64, 63)):
        with pytest.raises(InputError, match="must have shape"):
            cpbd(np.zeros(shape, np.uint8))
