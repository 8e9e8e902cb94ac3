"""Captions stay in their boxes, keep both ends of a long name, and know more letters than ASCII."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from singinghead.render.compare.captions import INK, PAPER, font, shortened, write
from singinghead.render.compare.layout import Box


@given(text=st.text(max_size=60), room=st.integers(1, 70))
def test_a_shortened_text_fits_and_keeps_both_ends(text: str, room: int) -> None:
    short = shortened(text, room, len)
    assert len(short) <= room
    if short != text:
        front, _, back = short.partition("…")
        assert text.startswith(front)
        assert text.endswith(back)
        assert len(short) == room or len(text) <= room
        assert 0 <= len(front) - len(back) <= 1


@pytest.mark.parametrize("name", ["a", "Größe-Ω-метод", "a very long name of a method that goes on and on, v2.1-final"])
@pytest.mark.parametrize("scale", [1, 2])
def test_letters_stay_in_their_box(name: str, scale: int) -> None:
    page = Image.new("RGB", (400 * scale, 80 * scale), PAPER)
    box = Box(50 * scale, 20 * scale, 190 * scale, 34 * scale)
    write(page, name, box, chip=(0, 114, 178))
    touched = np.argwhere((np.asarray(page) != PAPER).any(axis=-1))
    assert len(touched) > 30
    (top, left), (bottom, right) = touched.min(axis=0), touched.max(axis=0)
    assert box.y <= top
    assert bottom < box.bottom
    assert box.x <= left
    assert right < box.right


def test_letters_are_legible_and_grow_with_the_picture() -> None:
    """At 1080p a capital is at least a hundredth of the height; at 2160p it has twice the pixels."""

    def height(scale: int) -> int:
        page = Image.new("RGB", (300 * scale, 34 * scale), PAPER)
        write(page, "H", Box(0, 0, 300 * scale, 34 * scale))
        return int((np.asarray(page) == INK).all(axis=-1).any(axis=1).sum())

    assert height(1) >= 10.8
    assert abs(height(2) - 2 * height(1)) <= 2


def test_letters_beyond_ascii_are_no_boxes() -> None:
    missing = font(40).getmask("\U0010ffff").getbbox()
    for letter in "éßΩжł":
        assert bytes(font(40).getmask(letter)) != bytes(font(40).getmask("\U0010ffff")), (letter, missing)
