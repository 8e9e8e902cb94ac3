"""Distances of parameters, rotations and samples, smoothness: by hand, against scipy, and by their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import FlameParams
from singinghead.metrics import motion_distance, smoothness
from singinghead.metrics.motion_distance import HEAD

T = 20
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)


def moves(seed: int, size: float = 0.4) -> FlameParams:
    return FlameParams.from_vectors((size * np.random.default_rng(seed).standard_normal((T, 59))).astype(np.float32))


def rotations(params: FlameParams) -> Rotation:
    turns = (Rotation.from_rotvec(turn.astype(float)) for turn in (params.global_pose, params.neck))
    return next(turns) * next(turns)


@given(seeds)
@few
def test_rotations_against_scipy(seed: int) -> None:
    one, other = moves(seed), moves(seed + 1)
    between = np.degrees((rotations(one).inv() * rotations(other)).magnitude()).mean()
    assert motion_distance.head_rotation_error(one, other) == pytest.approx(between, abs=1e-4)
    assert motion_distance.head_rotation_error(one, one) == pytest.approx(0, abs=1e-6)
    assert motion_distance.head_rotation_error(other, one) == pytest.approx(between, abs=1e-4)
    mean = rotations(one).mean()
    spread = np.sqrt(np.mean(np.degrees((mean.inv() * rotations(one)).magnitude()) ** 2))
    assert smoothness.head_motion(motion_distance.head_rotation(one)) == pytest.approx(spread, rel=1e-4)


def test_global_and_neck_that_cancel_leave_the_head_where_it_is() -> None:
    turned = FlameParams.zeros(T)
    turned.global_pose[:] = [0.3, -0.2, 0.1]
    turned.neck[:] = [-0.3, 0.2, -0.1]
    assert motion_distance.head_rotation_error(turned, FlameParams.zeros(T)) == pytest.approx(0, abs=1e-4)
    vectors = [params.to_vectors()[:, HEAD] for params in (turned, FlameParams.zeros(T))]
    assert motion_distance.vector_distance(*vectors) == pytest.approx(np.sqrt(2 * 0.14), rel=1e-5)


def test_a_full_turn_of_a_rotation_vector_is_no_rotation() -> None:
    turned = FlameParams.zeros(T)
    turned.global_pose[:, 1] = 2 * np.pi
    assert motion_distance.head_rotation_error(turned, FlameParams.zeros(T)) == pytest.approx(0, abs=1e-4)


def test_diversity_is_the_mean_over_pairs() -> None:
    samples = np.random.default_rng(0).standard_normal((4, T, 59))
    by_frame = [pdist(samples[:, t]).mean() for t in range(T)]
    assert motion_distance.vector_diversity(samples) == pytest.approx(np.mean(by_frame))
    points = samples[..., :57].reshape(4, T, 19, 3)
    by_point = [pdist(points[:, t, p]).mean() for t in range(T) for p in range(19)]
    assert motion_distance.point_diversity(points) == pytest.approx(1000 * np.mean(by_point))


@given(seeds, st.permutations(range(4)), st.integers(1, 4))
@few
def test_diversity_knows_no_order_and_does_not_grow_with_length(seed: int, order: list[int], times: int) -> None:
    samples = np.random.default_rng(seed).standard_normal((4, T, 6))
    plain = motion_distance.vector_diversity(samples)
    assert motion_distance.vector_diversity(samples[order]) == pytest.approx(plain)
    assert motion_distance.vector_diversity(np.tile(samples, (1, times, 1))) == pytest.approx(plain)
    assert motion_distance.vector_diversity(np.repeat(samples[:1], 3, axis=0)) == 0


def test_one_sample_has_no_diversity() -> None:
    with pytest.raises(InputError, match="at least 2 samples"):
        motion_distance.vector_diversity(np.zeros((1, T, 59)))


def test_frames_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="prediction must have shape"):
        motion_distance.vector_distance(np.zeros((3, 59)), np.zeros((4, 59)))


@given(seeds, st.floats(0.5, 60))
@few
def test_even_motion_has_no_jitter_and_known_speed(seed: int, fps: float) -> None:
    rng = np.random.default_rng(seed)
    start, step = rng.normal(0, 0.1, (7, 3)), rng.normal(0, 0.001, (7, 3))
    even = start + np.arange(T)[:, None, None] * step
    assert smoothness.jitter(even, fps) == pytest.approx(0, abs=1e-6)
    speed = 1000 * fps * np.linalg.norm(step, axis=1).mean()
    assert smoothness.velocity_error(even, np.broadcast_to(start, even.shape), fps) == pytest.approx(speed)
    assert smoothness.velocity_error(even + 1, even, fps) == pytest.approx(0, abs=1e-6)


def test_jitter_is_the_second_difference() -> None:
    t = np.arange(T) / 30
    vertices = np.zeros((T, 1, 3))
    vertices[:, 0, 2] = t**2  # 2 m/s²
    assert smoothness.jitter(vertices, 30) == pytest.approx(2000)


def test_speed_needs_two_frames_and_acceleration_three() -> None:
    with pytest.raises(InputError, match="at least 3 frames"):
        smoothness.jitter(np.zeros((2, 1, 3)), 30)
    with pytest.raises(InputError, match="at least 2 frames"):
        smoothness.velocity_error(np.zeros((1, 1, 3)), np.zeros((1, 1, 3)), 30)


@given(seeds)
@few
def test_a_turned_mesh_is_noticed_and_a_face_that_moves_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    neutral = rng.normal(0, 0.1, (50, 3))
    turn = Rotation.from_rotvec([0, 0.4, 0]).as_matrix()
    frames = np.stack([neutral, neutral @ turn.T + 0.3])
    assert motion_distance.largest_turn_deg(frames, neutral) == pytest.approx(np.degrees(0.4), abs=1e-3)
    frames[1] = neutral
    frames[1, :5] += 0.005
    assert motion_distance.largest_turn_deg(frames, neutral) < 3
