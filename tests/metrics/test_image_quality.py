"""PSNR and SSIM against scikit-image, and what must hold for any frames."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from singinghead.flame_model.errors import InputError
from singinghead.metrics.image_quality import decibels, mean_psnr, mean_squared_error, psnr_db, ssim, ssim_wang

WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def smooth(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A picture with edges and shades, (H, W, 3) uint8."""
    noise = np.random.default_rng(seed).normal(128, 200, (height, width, 3))
    return np.clip(gaussian_filter(noise, (1.5, 1.5, 0)), 0, 255).astype(np.uint8)


def noisy(picture: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).round().astype(np.uint8)


@given(seed=st.integers(0, 1000), sigma=st.floats(0, 80), height=st.integers(11, 40), width=st.integers(11, 40))
@settings(max_examples=40, deadline=None)
def test_they_equal_scikit_image(seed: int, sigma: float, height: int, width: int) -> None:
    truth = smooth(seed, height, width)
    frame = noisy(truth, sigma, seed)
    assert ssim(frame, truth) == pytest.approx(structural_similarity(truth, frame, channel_axis=2), abs=1e-9)
    wang = structural_similarity(truth, frame, channel_axis=2, **WANG)
    assert ssim_wang(frame, truth) == pytest.approx(wang, abs=1e-9)
    if not np.array_equal(frame, truth):
        assert psnr_db(frame, truth) == pytest.approx(peak_signal_noise_ratio(truth, frame), abs=1e-9)


def test_grey_frames_equal_scikit_image() -> None:
    truth = smooth(1)[..., 0]
    frame = noisy(truth, 12)
    assert ssim(frame, truth) == pytest.approx(structural_similarity(truth, frame), abs=1e-9)
    assert ssim_wang(frame, truth) == pytest.approx(structural_similarity(truth, frame, **WANG), abs=1e-9)
    assert psnr_db(frame, truth) == pytest.approx(peak_signal_noise_ratio(truth, frame), abs=1e-9)


@given(seed=st.integers(0, 1000), other=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_identity_symmetry_and_bounds(seed: int, other: int) -> None:
    frame, truth = smooth(seed), smooth(other)
    for measure in (ssim, ssim_wang):
        assert measure(truth, truth) == pytest.approx(1, abs=1e-12)
        assert measure(frame, truth) == pytest.approx(measure(truth, frame), abs=1e-12)
        assert -1 <= measure(frame, truth) <= 1 + 1e-12
    assert psnr_db(truth, truth) == math.inf
    assert psnr_db(frame, truth) == psnr_db(truth, frame) >= 0


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_more_noise_and_more_blur_are_worse(seed: int) -> None:
    truth = smooth(seed)
    noise = [noisy(truth, sigma, seed) for sigma in (2, 8, 32)]
    blur = [gaussian_filter(truth, (sigma, sigma, 0)) for sigma in (0.8, 1.6, 3.2)]
    for measure in (psnr_db, ssim, ssim_wang):
        for worse in (noise, blur):
            values = [measure(frame, truth) for frame in worse]
            assert values == sorted(values, reverse=True)


def test_a_shade_off_by_one_level_is_48_db() -> None:
    black = np.zeros((16, 16, 3), np.uint8)
    assert psnr_db(black + 1, black) == pytest.approx(48.1308036)
    assert psnr_db(black + 255, black) == 0


def test_identical_frames_are_counted_and_left_out_of_the_mean() -> None:
    errors = [1.0, 100.0, 0.0]
    mean = mean_psnr(errors)
    assert mean.db == pytest.approx((decibels(1) + decibels(100)) / 2)
    assert mean.n_identical == 1
    assert mean.pooled_db == pytest.approx(decibels(101 / 3))
    assert mean_psnr([0.0, 0.0]).db == mean_psnr([0.0]).pooled_db == math.inf
    with pytest.raises(InputError, match="no frames"):
        mean_psnr([])


@pytest.mark.parametrize("measure", [psnr_db, ssim, ssim_wang, mean_squared_error])
def test_what_is_not_two_frames_of_one_size_is_refused(measure: object) -> None:
    frame = np.zeros((32, 32, 3), np.uint8)
    for other, words in (
        (frame / 255, "uint8, 0 to 255"),
        (frame[:-1], "differ in shape"),
        (frame[..., :2], "must have shape"),
        (frame[0, 0], "must have shape"),
    ):
        with pytest.raises(InputError, match=words):
            measure(frame, other)
        with pytest.raises(InputError, match=words):
            measure(other, frame)


def test_a_frame_smaller_than_the_windows_is_refused() -> None:
    tiny = np.zeros((10, 40, 3), np.uint8)
    for measure in (ssim, ssim_wang):
        with pytest.raises(InputError, match="40 x 10 pixels are smaller"):
            measure(tiny, tiny)
