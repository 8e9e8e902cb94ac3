"""How sharp a frame looks, without a reference: the cumulative probability that no blur is detected, CPBD.

N. D. Narvekar and L. J. Karam, "A no-reference image blur metric based on the cumulative probability of blur detection
(CPBD)", IEEE Transactions on Image Processing 20 (9), 2011. The probability of noticing an edge's blur grows with its width,
measured along its row (Marziliano), over the width that is just noticeable at the contrast of its block of 64 x 64 pixels;
CPBD is the share of edges up to 63 %. Equal to the Python translation that the seed calls (``cpbd``), whose loops over
pixels became run lengths.

Convention: luminance 0 to 255. The value is 0 to 1, and falls with blur; it also falls with fine texture and grain, so that
a method's is read beside the ground truth's, nearest to it is better.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError

_BLOCK = 64
_EDGE_SHARE = 0.002
_BETA = 3.6
_LOW_CONTRAST, _NOTICEABLE_LOW, _NOTICEABLE_HIGH = 50, 5.0, 3.0  # pixels
_DETECTED = 0.63


def luminance(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pillow's ``L`` of a frame (H, W, 3) uint8: (H, W) uint8, by BT.601."""
    from PIL import Image

    return np.asarray(Image.fromarray(frame).convert("L"))


def cpbd(gray: NDArray[np.uint8]) -> float:
    """The cumulative probability of blur detection of one picture.

    Args:
        gray: (H, W) uint8 luminance, of at least 64 x 64 pixels; :func:`luminance` makes it.

    Returns:
        0 to 1; 0 too for a picture without edges, as the reference has it.

    Raises:
        InputError: another shape or type: luminance from 0 to 1 gives other numbers.
    """
    from skimage.feature import canny

    from singinghead.metrics.edge_widths import edge_widths

    if gray.dtype != np.uint8:
        raise InputError(f"luminance must be uint8, 0 to 255; got {gray.dtype}")
    if gray.ndim != 2 or min(gray.shape) < _BLOCK:
        raise InputError(f"luminance must have shape (H, W), at least ({_BLOCK}, {_BLOCK}); got {gray.shape}")
    widths = _blocks(edge_widths(gray))
    canny_edges = canny(gray.astype(np.float64))  # type: ignore[no-untyped-call]
    has_edges = _blocks(canny_edges).sum(axis=1) > _EDGE_SHARE * _BLOCK**2
    contrast = np.ptp(_blocks(gray), axis=1)
    noticeable = np.where(contrast <= _LOW_CONTRAST, _NOTICEABLE_LOW, _NOTICEABLE_HIGH)
    counted = (widths > 0) & has_edges[:, None]
    if not counted.any():
        return 0.0
    probability = 1 - np.exp(-((widths / noticeable[:, None])[counted] ** _BETA))
    return float(np.mean(np.round(100 * probability) <= 100 * _DETECTED))


def _blocks(picture: NDArray[Any]) -> NDArray[Any]:
    """(n, 4096): the whole blocks of a picture; a remainder at the right and the bottom is left out."""
    rows, columns = (length // _BLOCK for length in picture.shape)
    cut = picture[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return cut.swapaxes(1, 2).reshape(rows * columns, -1)
