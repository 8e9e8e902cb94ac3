"""Scenes of heads, with whatever parts and regions a model has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.render.occlusion import occlusion
from singinghead.render.scene import BACKGROUND, GAMMA, head_scene, linear
from singinghead.render.styles import UNSHADED


@pytest.fixture(scope="module")
def subject() -> Subject:
    return FlameModel.load().with_shape()


def of(subject: Subject, **changed: object) -> Subject:
    return replace(subject, arrays=replace(subject.arrays, **changed))


def test_every_face_is_drawn_once_in_a_material_of_its_part(subject: Subject) -> None:
    scene = head_scene(subject)
    drawn = np.concatenate([part.faces for part in scene.parts])
    assert sorted(map(tuple, drawn.tolist())) == sorted(map(tuple, subject.faces.tolist()))
    assert {part.name for part in scene.parts} == {"skin", "eyes", "teeth", "tongue", "mouth"}
    assert tuple(scene.background) == BACKGROUND


def test_a_model_without_parts_and_regions_is_plain_skin(subject: Subject) -> None:
    scene = head_scene(of(subject, parts={}, regions={}, landmarks={}, colors=None), style=UNSHADED)
    assert [part.name for part in scene.parts] == ["skin"]
    assert len(scene.parts[0].faces) == len(subject.faces)
    assert np.all(scene.vertex_colors == 1)


def test_a_model_s_own_colours_are_used_in_shadow(subject: Subject) -> None:
    assert np.array_equal(head_scene(subject, style=UNSHADED).vertex_colors, subject.arrays.colors)
    scene = head_scene(subject)
    skin = np.unique(next(part.faces for part in scene.parts if part.name == "skin"))
    open_sky = skin[occlusion(subject)[skin] > 0.97]
    assert len(open_sky) > 100
    np.testing.assert_allclose(scene.vertex_colors[open_sky], subject.arrays.colors[open_sky], rtol=0.05)
    assert (scene.vertex_colors <= subject.arrays.colors).all()


def test_without_colours_lips_are_tinted_and_fade_and_eyes_look_ahead(subject: Subject) -> None:
    colors, regions = head_scene(of(subject, colors=None), style=UNSHADED).vertex_colors, subject.arrays.regions
    redness = 1 - colors[:, 1]
    assert redness[regions["lips"]].mean() > 0.3
    assert redness[regions["forehead"]].max() == 0
    assert len(np.unique(redness[regions["face"]].round(3))) > 5, "no hard border"
    for side in ("left", "right"):
        ball = regions[f"{side}_eyeball"]
        dark = colors[ball].max(axis=1) < 0.5
        assert 0.02 < dark.mean() < 0.7
        assert subject.template[ball[dark], 2].mean() > subject.template[ball, 2].mean() + 0.005
    assert colors.min() >= 0
    assert colors.max() <= 1


def test_a_part_without_material_is_refused(subject: Subject) -> None:
    with pytest.raises(InputError, match=r"'hair' has no material.*skin"):
        head_scene(of(subject, parts={"hair": np.arange(3)}))


def test_a_linear_colour_is_encoded_to_the_same_numbers() -> None:
    assert 255 * linear(10, 128, 255) ** (1 / GAMMA) == pytest.approx([10, 128, 255])
