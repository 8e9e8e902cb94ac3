"""Colours of errors: what is read off a drawn head is what was measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from singinghead.flame_model.errors import InputError
from singinghead.render.camera import Camera
from singinghead.render.compare.bar import draw_bar
from singinghead.render.compare.captions import PAPER
from singinghead.render.compare.layout import Box
from singinghead.render.heat import ColorScale, color_table, heat_scene
from singinghead.render.scene import AMBIENT, BACKGROUND, LIGHTS, MATERIALS, Part, Scene
from singinghead.render.software import SoftwareRasterizer

SCALE = ColorScale(10.0, "mm")
N = 33
SIZE = 128


def plate(tilt: float) -> tuple[Scene, np.ndarray]:
    """A square grid of 0.4 m, turned about its vertical axis."""
    y, x = np.meshgrid(np.linspace(-0.2, 0.2, N), np.linspace(-0.2, 0.2, N), indexing="ij")
    vertices = np.stack([x * np.cos(tilt), y, -x * np.sin(tilt)], axis=-1).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(N - 1)[:, None] * N + np.arange(N - 1)).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + N], axis=1), np.stack([corner + 1, corner + N + 1, corner + N], axis=1)]
    )
    part = Part("skin", faces, MATERIALS["skin"])
    return Scene((part,), np.full((N * N, 3), 0.3), LIGHTS, AMBIENT, np.array(BACKGROUND, np.uint8)), vertices


def drawn(errors: np.ndarray, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture, and which of its pixels show the plate and nothing else."""
    scene, vertices = plate(tilt)
    rasterizer = SoftwareRasterizer(heat_scene(scene), Camera(np.array([0.0, 0.0, 1.5])), SIZE)
    layers = rasterizer.layers(vertices, SCALE.colors(errors.astype(np.float32)))
    return layers.color, layers.alpha == 1


@given(st.floats(0, 10))
def test_colours_are_read_back_as_millimetres(error: float) -> None:
    assert SCALE.values(SCALE.srgb(np.array([error])))[0] == pytest.approx(error, abs=0.15)


def test_beyond_the_scale_is_its_end() -> None:
    assert (SCALE.colors(np.array([-1.0])) == SCALE.colors(np.array([0.0]))).all()
    assert (SCALE.colors(np.array([10.0, 11.0, 1e9])) == SCALE.colors(np.array([10.0]))[0]).all()


@pytest.mark.parametrize("tilt", [0.0, 0.8])
@pytest.mark.parametrize("error", [0.0, 0.5, 2.0, 5.0, 7.5, 10.0])
def test_a_drawn_surface_shows_its_error_facing_the_lamp_or_not(error: float, tilt: float) -> None:
    picture, inside = drawn(np.full(N * N, error), tilt)
    assert inside.sum() > 1000
    assert np.abs(SCALE.values(picture[inside]) - error).max() < 0.45


def test_what_faces_the_lamp_has_the_bars_own_colour() -> None:
    picture, inside = drawn(np.full(N * N, 3.0), 0.0)
    middle = picture[SIZE // 2, SIZE // 2].astype(int)
    assert np.abs(middle - SCALE.srgb(np.array(3.0)).astype(int)).max() <= 8
    assert inside[SIZE // 2, SIZE // 2]


def test_errors_between_vertices_are_interpolated() -> None:
    _, vertices = plate(0.0)
    picture, inside = drawn(25 * (vertices[:, 0] + 0.2), 0.0)
    rows, columns = np.nonzero(inside)
    camera = Camera(np.array([0.0, 0.0, 1.5]))
    left, right = camera.project(np.array([[-0.2, 0, 0], [0.2, 0, 0]]), SIZE)[:, 0]
    expected = 10 * (columns + 0.5 - left) / (right - left)
    assert np.abs(SCALE.values(picture[rows, columns]) - expected).max() < 0.35


def test_equal_steps_of_error_look_equally_different() -> None:
    """Lightness (CIE L*) falls steadily along the map, in nearly equal steps."""
    linear = np.where(color_table() <= 0.04045, color_table() / 12.92, ((color_table() + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    steps = -np.diff(lightness[:: len(lightness) // 16])
    assert (steps > 0).all()
    assert steps.max() < 1.6 * steps.mean()


def test_the_bar_shows_all_colours_in_order() -> None:
    page = Image.new("RGB", (120, 500), PAPER)
    draw_bar(page, Box(10, 20, 88, 460), SCALE)
    column = np.asarray(page)[:, 10 + round(0.3 * 88)]
    inside = np.flatnonzero((column != PAPER).any(axis=-1))
    rows = inside[inside > 100][3:-3]
    read = SCALE.values(column[rows])
    assert read[0] > 7
    assert read[-1] < 0.3
    assert (np.diff(read) < 0.2).all()


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="scale to 0 mm"):
        ColorScale(0.0, "mm")
