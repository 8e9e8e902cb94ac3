"""Our Lanczos filter is Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from singinghead.metrics.resizing import resized


def by_pillow(frame: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.LANCZOS))


@given(
    seed=st.integers(0, 1000),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    size=st.integers(1, 90),
    levels=st.sampled_from([2, 256]),
)
@settings(max_examples=100, deadline=None)
def test_it_equals_pillow(seed: int, height: int, width: int, size: int, levels: int) -> None:
    frame = np.random.default_rng(seed).integers(0, levels, (height, width, 3)) * (255 // (levels - 1))
    frame = frame.astype(np.uint8)
    assert np.array_equal(resized(frame, size), by_pillow(frame, size))


@pytest.mark.parametrize(
    ("height", "width", "size"), [(1024, 1024, 256), (512, 512, 256), (720, 1280, 256), (1023, 1021, 224), (64, 64, 256)]
)
def test_it_equals_pillow_at_usual_sizes(height: int, width: int, size: int) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(resized(frame, size), by_pillow(frame, size))


def test_a_frame_of_that_size_is_left_alone() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    assert resized(frame, 20) is frame
