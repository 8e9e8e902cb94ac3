"""Pictures that were looked at and found right once, to be made alike again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "data"
RENEW = "SINGINGHEAD_RENEW_GOLDEN"
"""Set to write the pictures anew; look at each one then."""


def assert_alike(name: str, picture: np.ndarray, tmp_path: Path, mean: float = 1.0, share: float = 0.01) -> None:
    """A picture (H, W, 3) is the golden one of that name, but for rounding and some pixels at edges.

    Args:
        name: of tests/data/NAME.png.
        picture: uint8.
        tmp_path: where the picture and the difference are left, 8 times as strong, when it is not.
        mean: levels of 255 by which the pictures may differ on average.
        share: of pixels that may differ by more than 24.
    """
    file = FOLDER / f"{name}.png"
    if os.environ.get(RENEW):
        FOLDER.mkdir(exist_ok=True)
        Image.fromarray(picture).save(file, optimize=True)
    difference = np.abs(np.asarray(Image.open(file).convert("RGB")).astype(int) - picture)
    if difference.mean() <= mean and (difference.max(axis=-1) > 24).mean() <= share:
        return
    Image.fromarray(picture).save(tmp_path / f"{name}.png")
    Image.fromarray(np.clip(8 * difference, 0, 255).astype(np.uint8)).save(tmp_path / f"{name}-difference.png")
    raise AssertionError(f"{name}: differs by {difference.mean():.2f} levels; see {tmp_path}")
