"""What may be asked for together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.render.shown import Shown, background_color
from singinghead.render.texture import Texture


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"layers": ("colour",)}, "no layer 'colour' .*depth"),
        ({"views": ("above",)}, "no view 'above'"),
        ({"views": ("left",), "turntable": True}, "--turntable contradicts --view"),
        ({"colour_max": 3.0}, "needs --colour-by"),
        ({"colour_max": 3.0, "colour_by": "region"}, "needs --colour-by"),
        ({"colour_max": 0.0, "colour_by": "speed"}, "not above 0"),
        ({"colour_max": float("nan"), "colour_by": "speed"}, "not above 0"),
        ({"texture": "a.png", "colour_by": "speed"}, "--texture contradicts"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Shown(**asked)


@pytest.mark.parametrize("plain", [{}, {"background": "white"}, {"texture": "a.png"}, {"layers": ("color",)}], ids=str)
def test_what_a_rasterizer_draws_alone_stays_with_it(plain: dict[str, Any]) -> None:
    assert Shown(**plain).is_plain


@pytest.mark.parametrize(
    "more",
    [{"background": "a.png"}, {"views": ("left",)}, {"turntable": True}, {"layers": ("depth",)}, {"colour_by": "speed"}],
    ids=str,
)
def test_what_it_does_not_is_painted(more: dict[str, Any]) -> None:
    assert not Shown(**more).is_plain


def test_a_background_is_a_colour_or_else_a_file() -> None:
    for name in ("#ff8000", "#F80"):
        assert background_color(name) == pytest.approx([255, 128 if len(name) > 4 else 136, 0])
    assert background_color("white") == pytest.approx([255, 255, 255])
    assert background_color("white.png") is None


@pytest.mark.parametrize(("name", "white"), [("mean", 255.0), ("MU", 1.0)])
def test_a_mean_albedo_is_a_texture_blue_first(name: str, white: float, tmp_path: Path) -> None:
    np.savez(tmp_path / "albedo.npz", **{name: white * np.array([[[0.2, 0.4, 1.0]]]), "tex_dir": np.zeros(3)})
    assert Texture.read(tmp_path / "albedo.npz").image.tolist() == [[[255, 102, 51]]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"other": np.zeros(3)}, "holds no mean albedo: neither mean nor MU"),
        ({"mean": np.zeros((4, 4))}, r"mean is not \(H, W, 3\)"),
        ({"mean": np.full((2, 2, 3), np.nan)}, "finite"),
    ],
    ids=["none", "flat", "NaN"],
)
def test_an_albedo_that_is_none_is_refused(content: dict[str, np.ndarray], words: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "albedo.npz", **content)
    with pytest.raises(InputError, match=words):
        Texture.read(tmp_path / "albedo.npz")
