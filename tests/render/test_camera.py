"""Where the picture is taken from."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.arrays import JOINTS
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.render.camera import FOCAL_LENGTH, Camera, fitted_camera, fixed_camera


def test_projection_is_that_of_a_pinhole() -> None:
    camera = Camera(np.array([1.0, 2.0, 3.0]))
    ahead, up_right, behind = camera.project(np.array([[1.0, 2.0, 1.0], [1.1, 2.2, 1.0], [1.0, 2.0, 4.0]]), 800)
    assert ahead == pytest.approx([400, 400, 2])
    assert up_right == pytest.approx([400 + 2377 * 0.05, 400 - 2377 * 0.1, 2]), "x to the right, y down"
    assert behind[2] == -1


def test_the_fixed_camera_looks_at_the_agreed_point_from_one_metre() -> None:
    subject = FlameModel.load().with_shape()
    left, right = (subject.neutral_joints[JOINTS.index(eye)] for eye in ("left_eye", "right_eye"))
    target = (left + right) / 2 + [0, -0.051, -0.025]
    camera = fixed_camera(subject)
    assert camera.project(target, 1024) == pytest.approx([512, 512, 1.0])
    assert camera.focal_length == FOCAL_LENGTH == 2377 / 800
    assert camera.name == "fixed"


def test_the_fixed_camera_follows_identity_and_not_motion() -> None:
    model = FlameModel.load()
    other = model.with_shape(np.full(20, 2.0))
    assert np.abs(fixed_camera(model.with_shape()).position - fixed_camera(other).position).max() > 1e-4
    assert np.array_equal(fixed_camera(other).position, fixed_camera(other).position)


def test_the_fit_camera_sees_every_vertex_of_every_frame_closely() -> None:
    subject = FlameModel.load().with_shape()
    params = FlameParams.zeros(70)  # two chunks
    params.global_pose[:, 1] = np.linspace(-0.8, 0.8, 70)
    params.global_pose[-5:, 2] = 0.5
    camera = fitted_camera(subject.chunks(params))
    x, y, depth = camera.project(subject.vertices(params), 100).reshape(-1, 3).T
    assert camera.name == "fit"
    assert depth.min() > 0.3
    assert min(x.min(), y.min()) >= 4
    assert max(x.max(), y.max()) <= 96
    assert max(np.ptp(x), np.ptp(y)) > 70
