"""Eyeballs and teeth of our own construction."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.stand_in.anatomy import IRIS_RADIUS, PUPIL_RADIUS, Shell, dental_arch, eyeball

RADIUS = 0.0155


def signed_volume(shell: Shell) -> float:
    a, b, c = (shell.points[shell.faces] - shell.points.mean(axis=0)).swapaxes(0, 1)
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def directed_edges(shell: Shell) -> np.ndarray:
    faces = shell.faces
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def test_an_eyeball_is_closed_and_round_but_for_its_cornea() -> None:
    ball = eyeball(RADIUS)
    edges = directed_edges(ball)
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(edge) for edge in edges.tolist()} == {tuple(edge[::-1]) for edge in edges.tolist()}
    assert signed_volume(ball) == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.1)
    distance = np.linalg.norm(ball.points, axis=1)
    outside_iris = np.hypot(*ball.points[:, :2].T) > IRIS_RADIUS + 0.0005
    np.testing.assert_allclose(distance[outside_iris], RADIUS, rtol=1e-9)
    assert distance.max() == pytest.approx(distance[0])
    assert 0.0002 < distance[0] - RADIUS < 0.0006


def test_pupil_iris_and_white_are_where_they_should_be() -> None:
    ball = eyeball(RADIUS)
    from_axis, ahead = np.hypot(*ball.points[:, :2].T), ball.points[:, 2] > 0
    light = ball.colors.mean(axis=1)
    assert light[ahead & (from_axis < PUPIL_RADIUS + 1e-6)].max() < 0.02
    iris = ahead & (from_axis > PUPIL_RADIUS + 1e-4) & (from_axis < IRIS_RADIUS - 1e-4)
    assert 0.05 < light[iris].min() < light[iris].max() < 0.5
    assert light[~ahead | (from_axis > IRIS_RADIUS + 0.001)].min() > 0.6


@pytest.mark.parametrize("upper", [True, False])
def test_an_arch_has_twelve_teeth_that_face_outwards(upper: bool) -> None:
    arch = dental_arch(upper)
    tips = arch.points[np.abs(arch.points[:, 1]) < 0.0004]
    assert np.abs(tips[:, 0]).max() < 0.030
    assert np.ptp(arch.points[:, 2]) > 0.025
    np.testing.assert_allclose(arch.points[arch.points[:, 0] > 0.001, 0].max(), -arch.points[:, 0].min(), rtol=1e-6)
    crowns = arch.points[:, 1] if upper else -arch.points[:, 1]
    assert crowns.min() > -1e-9
    assert 0.008 < crowns.max() < 0.018
    a, b, c = arch.points[arch.faces].swapaxes(0, 1)
    normals, middles = np.cross(b - a, c - a), (a + b + c) / 3
    front = (np.abs(middles[:, 0]) < 0.008) & (middles[:, 2] > np.sort(middles[:, 2])[-len(middles) // 8])
    assert (normals[front, 2] > 0).mean() > 0.9
    edges = directed_edges(arch)
    assert len(np.unique(edges, axis=0)) == len(edges)
    dark_columns = arch.colors[len(arch.points) // 2 :].mean(axis=1) < 0.5
    assert dark_columns.any(), "gaps between the teeth"


@pytest.mark.parametrize("shell", [eyeball(RADIUS), dental_arch(True), dental_arch(False)])
def test_a_shell_is_whole(shell: Shell) -> None:
    np.testing.assert_array_equal(np.unique(shell.faces), np.arange(len(shell.points)))
    assert shell.uvs.shape == (len(shell.points), 2)
    assert 0 <= shell.uvs.min() <= shell.uvs.max() <= 1
    assert shell.colors.shape == shell.points.shape
    assert 0 <= shell.colors.min() <= shell.colors.max() <= 1
    a, b, c = shell.points[shell.faces].swapaxes(0, 1)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-9
