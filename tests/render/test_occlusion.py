"""Baked shadow: where light does not get to, the same each time, and quickly."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from textured import ball

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.render import occlusion as occlusion_module
from singinghead.render.occlusion import _openness, occlusion, softened


@pytest.fixture(scope="module")
def subject() -> Subject:
    return FlameModel.load().with_shape()


def test_it_is_dark_where_light_does_not_get_to(subject: Subject) -> None:
    share, regions, template = occlusion(subject), subject.arrays.regions, subject.template
    assert share.shape == (len(template),)
    assert share.min() >= 0
    assert share.max() <= 1
    chin = subject.landmarks(FlameParams.zeros(1))[0, 8]
    below = template - chin
    under_chin = (np.abs(below[:, 0]) < 0.02) & (below[:, 1] < 0) & (below[:, 1] > -0.03) & (below[:, 2] < 0)
    assert under_chin.sum() > 10
    forehead = share[regions["forehead"]].mean()
    assert forehead > 0.8
    assert share[under_chin].mean() < 0.6 * forehead
    assert share[regions["mouth"]].mean() < 0.4
    assert share[regions["lips"]].mean() > 0.35, "shut lips leave no shadow on open ones"


def test_both_sides_of_an_even_head_are_as_dark(subject: Subject) -> None:
    share, regions = occlusion(subject), subject.arrays.regions
    left, right = (share[regions[f"{side}_eye_region"]].mean() for side in ("left", "right"))
    assert left == pytest.approx(right, abs=0.03)


def test_nothing_hides_a_ball_from_the_sky() -> None:
    vertices, faces, _, _ = ball()
    openness = _openness(vertices, faces)
    assert openness[vertices[:, 1] > 0.05].min() > 0.92
    assert openness.min() > 0.15, "turned away from the sky, but seen by some of it"


def test_a_roof_darkens_the_floor() -> None:
    corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1.0]]) * 0.1
    up, down = np.array([[0, 2, 1], [0, 3, 2]]), np.array([[4, 5, 6], [4, 6, 7]])
    floor_alone = _openness(corners, up)
    roofed = _openness(np.concatenate([corners, 2 * corners + [0, 0.02, 0]]), np.concatenate([up, down]))
    assert floor_alone.min() > 0.99
    assert roofed[:4].max() < 0.3


def test_another_process_bakes_the_same(subject: Subject) -> None:
    ask = (
        "from singinghead.flame_model.model import FlameModel; from singinghead.render.occlusion import occlusion;"
        "import hashlib; print(hashlib.sha256(occlusion(FlameModel.load().with_shape()).tobytes()).hexdigest())"
    )
    said = [subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert said[0] == said[1]


def test_a_head_is_baked_once_and_few_are_kept(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert occlusion(subject) is occlusion(FlameModel.load().with_shape())
    assert not occlusion(subject).flags.writeable
    monkeypatch.setattr(occlusion_module, "_baked", {})
    monkeypatch.setattr(occlusion_module, "_openness", lambda points, _faces: np.ones(len(points)))
    model = FlameModel.load()
    for number in range(12):
        occlusion(model.with_shape(np.array([0.1 * number])))
    assert len(occlusion_module._baked) == occlusion_module._KEPT


def test_borders_fade() -> None:
    _, faces, _, _ = ball()
    values = np.zeros(faces.max() + 1)
    values[: len(values) // 2] = 1
    faded = softened(values, faces)
    assert 0 <= faded.min() < faded.max() <= 1
    assert ((faded > 0.05) & (faded < 0.95)).any()
