"""Where the picture is taken from."""

from __future__ import annotations

import numpy as np
import pytest
from likeness import psnr

from singinghead.flame_model.arrays import JOINTS
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.render.camera import FOCAL_LENGTH, Camera, fitted_camera, fixed_camera
from singinghead.render.scene import head_scene
from singinghead.render.software import SoftwareRasterizer


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


def test_a_turned_camera_sees_what_a_straight_one_sees_of_the_head_turned_the_other_way() -> None:
    """The lights turn with it: that is what makes the two pictures one."""
    subject = FlameModel.load().with_shape()
    vertices = subject.vertices(FlameParams.zeros(1))[0]
    camera, about, yaw = fixed_camera(subject), np.array([0.01, 0.0, -0.05]), 0.6
    back = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    other = (about + (vertices - about) @ back.T).astype(np.float32)
    turned = camera.turned(yaw, about)
    np.testing.assert_allclose(turned.project(vertices, 800), camera.project(other, 800), atol=2e-3)
    drawer = SoftwareRasterizer(head_scene(subject), camera, 256)
    ours, theirs = drawer.layers(vertices, camera=turned), drawer.layers(other)
    assert psnr(ours.color, theirs.color, np.ones((256, 256), bool)) > 50
    assert np.abs(drawer.draw(vertices).astype(int) - ours.color).mean() > 5
    assert np.array_equal(SoftwareRasterizer(head_scene(subject), turned, 256).draw(vertices), ours.color)
    both = (ours.part >= 0) & (theirs.part >= 0)
    assert np.median(np.abs(ours.depth[both] - theirs.depth[both])) < 1e-5
    cosine = (ours.normal[both] * (theirs.normal[both] @ back)).sum(axis=-1)
    assert np.quantile(cosine, 0.01) > 0.999, "normals are in the head's coordinates, wherever the camera is"


def test_a_camera_is_led_around_a_point_to_the_side_of_the_left_ear() -> None:
    camera = Camera(np.array([0.0, 0.2, 1.0]))
    quarter = camera.turned(np.pi / 2, np.array([0.0, 5.0, 0.0]))
    assert quarter.position == pytest.approx([1.0, 0.2, 0.0])
    assert quarter.project(np.array([0.0, 0.2, -0.1]), 800)[0] > 400, "the back of the head lies to the right"
    assert camera.turned(0.0, np.zeros(3)) is camera
    there_and_back = quarter.turned(-np.pi / 2, np.zeros(3))
    assert there_and_back.rotation == pytest.approx(np.eye(3))
