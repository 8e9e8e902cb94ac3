"""How alike two pictures are."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, uniform_filter


def psnr(one: np.ndarray, other: np.ndarray, mask: np.ndarray) -> float:
    """dB, of (H, W, 3) pictures of 255 levels, inside a mask (H, W)."""
    return float(10 * np.log10(255**2 / max(((one.astype(float) - other)[mask] ** 2).mean(), 1e-9)))


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Wang's structural similarity of the mean of the channels, over windows of 7 x 7."""
    a, b = (picture.astype(float).mean(axis=-1) for picture in (one, other))
    mean_a, mean_b = uniform_filter(a, 7), uniform_filter(b, 7)
    var_a, var_b = uniform_filter(a * a, 7) - mean_a**2, uniform_filter(b * b, 7) - mean_b**2
    both = uniform_filter(a * b, 7) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(index.mean())


def band(covered: np.ndarray) -> np.ndarray:
    """Two pixels on both sides of a mask's outline."""
    return binary_dilation(covered, iterations=2) & binary_dilation(~covered, iterations=2)
