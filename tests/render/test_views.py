"""Cameras around a head."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.render.camera import fitted_camera, fixed_camera
from singinghead.render.views import VIEWS, Rig, axis_of, check_views


def test_sides_are_the_persons_own() -> None:
    """From the left, the left ear is nearest and the face looks to the left of the picture; from the right, mirrored."""
    subject = FlameModel.load().with_shape()
    camera = fixed_camera(subject)
    cameras = dict(zip(VIEWS, Rig(camera, axis_of(subject), tuple(VIEWS)).cameras(0), strict=True))
    assert cameras["front"] is camera
    ears = {side: subject.template[subject.region(f"{side}_ear")].mean(axis=0) for side in ("left", "right")}
    nose = subject.template[subject.region("nose")].mean(axis=0)
    for side, other in (("left", "right"), ("right", "left")):
        depth = {ear: cameras[side].project(point, 100)[2] for ear, point in ears.items()}
        assert depth[side] < depth[other] - 0.1
        assert (cameras[side].project(nose, 100)[0] < 45) == (side == "left")
    assert 40 < cameras["three-quarter"].project(axis_of(subject), 100)[0] < 60


def test_a_turntable_goes_once_around_in_equal_steps() -> None:
    subject = FlameModel.load().with_shape()
    camera, axis = fixed_camera(subject), axis_of(subject)
    places = np.array([Rig(camera, axis, frames_a_turn=8).cameras(index)[0].position for index in range(9)])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps == pytest.approx(np.full(8, steps[0]))
    assert places[8] == pytest.approx(places[0])
    assert places[2][0] > 0.9, "the left ear's side first"
    assert np.ptp(places[:, 1]) == 0


def test_a_fitted_camera_that_turns_sees_everything_from_everywhere() -> None:
    subject = FlameModel.load().with_shape()
    params = FlameParams.zeros(5)
    params.global_pose[:, 2] = np.linspace(0, 0.4, 5)
    vertices, axis = subject.vertices(params), axis_of(subject)
    camera = fitted_camera([vertices], axis)
    for index in range(7):
        x, y, _ = Rig(camera, axis, frames_a_turn=7).cameras(index)[0].project(vertices, 100).reshape(-1, 3).T
        assert min(x.min(), y.min()) > 0
        assert max(x.max(), y.max()) < 100


@pytest.mark.parametrize(("views", "words"), [(("back",), "front, left"), ((), "separated"), (("left", "left"), "once")])
def test_views_that_there_are_not_are_refused(views: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_views(views)
