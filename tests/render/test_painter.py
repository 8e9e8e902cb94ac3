"""Whole pictures: overlays, backgrounds, colours and layers look as they did when somebody looked at them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from golden import FOLDER, assert_alike
from PIL import Image
from textured import detailed

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.render.frames import frames
from singinghead.render.layer_files import depth_steps, normal_levels, straight_alpha
from singinghead.render.painter import Painted, Painter
from singinghead.render.shown import Shown
from singinghead.render.software import SoftwareRasterizer
from singinghead.render.staging import Stage

SIZE = 128


@pytest.fixture(scope="module")
def subject() -> Subject:
    return FlameModel.load().with_shape()


def motion() -> FlameParams:
    params = FlameParams.zeros(3)
    params.global_pose[:, 1] = [0.4, 0.5, 0.6]
    params.jaw[:, 0] = [0.1, 0.2, 0.15]
    return params


def painted(subject: Subject, shown: Shown, size: int = SIZE) -> Painted:
    """The middle one of three frames."""
    params = motion()
    truth = params.map(lambda field: 0 * field)

    def chunks() -> list[np.ndarray]:
        return [subject.vertices(params)]

    stage = Stage.of(subject, chunks, shown, size, False, len(params))
    drawer = SoftwareRasterizer(stage.scene, stage.rig.camera, size)
    painter = stage.painter(drawer)
    (chunk,) = frames(chunks(), subject, shown, 5, params, (subject, truth))
    return painter.paint(chunk[1])


PICTURES = {
    "wireframe": Shown(wireframe=True),
    "landmarks-contour": Shown(landmarks="contour"),
    "landmarks-full": Shown(landmarks="full"),
    "regions": Shown(regions=True),
    "by-region": Shown(colour_by="region"),
    "by-speed": Shown(colour_by="speed"),
    "by-error": Shown(colour_by="error"),
    "views": Shown(views=("front", "left", "right", "three-quarter")),
    "turntable": Shown(turntable=True),
    "background-colour": Shown(background="#304050"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_as_they_were_found_right(name: str, subject: Subject, tmp_path: Path) -> None:
    assert_alike(name, painted(subject, PICTURES[name], 64 if name == "views" else SIZE).picture, tmp_path)


def test_layers_are_as_they_were_found_right(subject: Subject, tmp_path: Path) -> None:
    found = painted(subject, Shown(layers=("depth", "normal", "part", "alpha")))
    assert found.layers is not None
    assert found.rgba is not None
    assert_alike("layer-color", found.picture, tmp_path)
    near = np.clip((14000 - depth_steps(found.layers.depth).astype(int)) // 20, 0, 255) * (found.layers.part >= 0)
    assert_alike("layer-depth", np.repeat(near[..., None], 3, axis=2).astype(np.uint8), tmp_path)
    assert_alike("layer-normal", normal_levels(found.layers), tmp_path)
    assert_alike("layer-part", np.repeat(40 * (found.layers.part + 1)[..., None], 3, axis=2).astype(np.uint8), tmp_path)
    assert_alike("layer-alpha", np.repeat(found.rgba[..., 3:], 3, axis=2), tmp_path)


def test_golden_pictures_are_small() -> None:
    assert max(path.stat().st_size for path in FOLDER.glob("*.png")) < 20_000


def test_nothing_asked_for_is_nothing_changed(subject: Subject) -> None:
    """What layers need is drawn by another way, and gives the same colours."""
    vertices = subject.vertices(motion())[1]
    assert Shown().is_plain
    stage = Stage.of(subject, lambda: [vertices[None]], Shown(), SIZE, False, 1)
    plain = SoftwareRasterizer(stage.scene, stage.rig.camera, SIZE).draw(vertices)
    assert np.array_equal(painted(subject, Shown()).picture, plain)
    assert np.array_equal(painted(subject, Shown(layers=("depth",))).picture, plain)
    sides = painted(subject, Shown(views=("front", "left"))).picture
    assert np.array_equal(sides[:, :SIZE], plain)


def test_a_background_image_stands_where_a_plain_one_would(subject: Subject, tmp_path: Path) -> None:
    """An image of one colour is that colour, at the head's edges too."""
    Image.new("RGB", (40, 30), (200, 20, 90)).save(tmp_path / "back.png")
    image = painted(subject, Shown(background=str(tmp_path / "back.png"))).picture.astype(int)
    color = painted(subject, Shown(background="#c8145a")).picture.astype(int)
    assert np.abs(image - color).max() <= 2
    two = painted(subject, Shown(background=str(tmp_path / "back.png"), views=("front", "right"))).picture.astype(int)
    assert np.abs(two[:, :SIZE] - color).max() <= 2
    assert tuple(two[0, -1]) == (200, 20, 90)


def test_straight_alpha_over_any_background_is_the_picture_on_it(subject: Subject) -> None:
    found = painted(subject, Shown(layers=("alpha",)))
    assert found.rgba is not None
    for background in ((0, 0, 0), (255, 255, 255)):
        share = found.rgba[..., 3:] / 255
        composed = share * found.rgba[..., :3] + (1 - share) * np.array(background)
        drawn = painted(subject, Shown(background="#{:02x}{:02x}{:02x}".format(*background))).picture
        assert np.abs(composed - drawn).mean() < 0.3
        assert np.quantile(np.abs(composed - drawn), 0.999) < 24  # clipped where samples are brighter than white allows


def test_straight_alpha_is_exact_inside() -> None:
    color, alpha = np.full((1, 2, 3), 77, np.uint8), np.array([[1, 0]], np.float32)
    assert straight_alpha(color, alpha, np.zeros(3, np.uint8)).tolist() == [[[77, 77, 77, 255], [0, 0, 0, 0]]]


def test_a_texture_is_worn(subject: Subject, tmp_path: Path) -> None:
    Image.fromarray(detailed(64, 64).image).save(tmp_path / "skin.png")
    worn = painted(subject, Shown(texture=str(tmp_path / "skin.png"))).picture.astype(int)
    assert np.abs(worn - painted(subject, Shown()).picture).mean() > 3


def test_the_back_of_the_head_shows_no_landmarks(subject: Subject) -> None:
    shown = Shown(landmarks="full")
    stage = Stage.of(subject, list, replace(shown, turntable=True), SIZE, False, 2)
    drawer = SoftwareRasterizer(stage.scene, stage.rig.camera, SIZE)
    painter = Painter(drawer, stage.scene, subject.arrays, stage.rig, shown)
    (chunk,) = frames([subject.vertices(FlameParams.zeros(2))], subject, shown, 30)
    behind = painter.paint(chunk[1]).picture
    assert np.array_equal(behind, drawer.draw(chunk[1].vertices, camera=stage.rig.cameras(1)[0]))
    assert not np.array_equal(painter.paint(chunk[0]).picture, drawer.draw(chunk[0].vertices))
