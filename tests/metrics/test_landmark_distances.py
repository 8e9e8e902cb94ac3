"""F-LMD, M-LMD and CSIM: the seed's numbers, ours, their laws, and frames without a face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singinghead.flame_model.errors import InputError
from singinghead.metrics.landmark_distances import (
    LandmarkDistance,
    has_face,
    identity_similarity,
    landmark_distance,
    seed_landmark_distance,
)

seeds = st.integers(0, 2**32 - 1)


def faces(seed: int, n_frames: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(60, 200, (n_frames, 68, 2))


def measured(landmarks: np.ndarray, truth: np.ndarray) -> LandmarkDistance:
    found = landmark_distance(landmarks, truth)
    assert found is not None
    return found


def test_a_mouth_that_moves_as_a_whole() -> None:
    """Numbers of the seed's own code; ours lack its aliasing, by which the mouth's own way is lost from F-LMD."""
    truth = np.random.default_rng(0).uniform(60, 200, (68, 2))[None]
    moved = truth.copy()
    moved[:, 48:, 1] += 6
    assert seed_landmark_distance(moved, truth) == pytest.approx((1.245675, 0.0), abs=1e-6)
    assert measured(moved, truth).full_px == pytest.approx(2.491349, abs=1e-6)
    assert measured(moved, truth).mouth_px == pytest.approx(0, abs=1e-12)


def test_one_point_that_moves() -> None:
    truth = faces(1, 1)
    moved = truth.copy()
    moved[0, 50] += (0, 20)
    eyes_apart = np.linalg.norm(truth[0, 36] - truth[0, 45])
    found = measured(moved, truth)
    # The mean follows by a share of the way, from which all the others then differ.
    assert found.mouth_px == pytest.approx((20 * 19 / 20 + 19 * 20 / 20) / 20)
    assert found.full_px == pytest.approx((20 * 67 / 68 + 67 * 20 / 68) / 68)
    assert (found.full_iod, found.mouth_iod) == pytest.approx((found.full_px / eyes_apart, found.mouth_px / eyes_apart))


@given(seed=seeds, x=st.floats(-500, 500), scale=st.floats(0.1, 10))
def test_laws(seed: int, x: float, scale: float) -> None:
    landmarks, truth = faces(seed), faces(seed + 1)
    found = measured(landmarks, truth)
    assert measured(truth, truth) == LandmarkDistance(0, 0, 0, 0)
    assert measured(landmarks + x, truth).full_px == pytest.approx(found.full_px)
    assert measured(truth, landmarks).mouth_px == pytest.approx(found.mouth_px)
    larger = measured(landmarks * scale, truth * scale)
    assert larger.full_px == pytest.approx(found.full_px * scale)
    assert larger.full_iod == pytest.approx(found.full_iod)
    assert measured(landmarks[::-1], truth[::-1]).mouth_iod == pytest.approx(found.mouth_iod)


def test_frames_without_a_face_are_left_out_of_both_sides_where_the_seed_counts_them() -> None:
    landmarks, truth = faces(2, 8), faces(3, 8)
    whole, seed_whole = measured(landmarks[2:6], truth[2:6]), seed_landmark_distance(landmarks[2:6], truth[2:6])
    landmarks[:2], truth[6:] = np.nan, np.nan
    assert has_face(landmarks).tolist() == [False] * 2 + [True] * 6
    assert measured(landmarks, truth) == whole
    assert seed_whole is not None
    assert seed_landmark_distance(landmarks, truth) == pytest.approx((seed_whole[0] / 2, seed_whole[1] / 2))


def test_without_any_face_there_is_no_number() -> None:
    nobody = np.full((4, 68, 2), np.nan)
    assert landmark_distance(nobody, faces(0)) is None
    assert landmark_distance(faces(0), nobody) is None
    assert seed_landmark_distance(nobody, faces(0)) is None


def test_other_shapes_are_refused() -> None:
    for measure in (landmark_distance, seed_landmark_distance):
        with pytest.raises(InputError, match=r"true landmarks must have shape \(4, 68, 2\)"):
            measure(faces(0), faces(0, 5))
        with pytest.raises(InputError, match=r"landmarks must have shape \(T, 68, 2\)"):
            measure(faces(0)[:, :5], faces(0))


def test_inputs_are_left_as_they_are() -> None:
    landmarks, truth = faces(0), faces(1)
    seed_landmark_distance(landmarks, truth)
    assert np.array_equal(landmarks, faces(0))
    assert np.array_equal(truth, faces(1))


@given(seed=seeds, scale=st.floats(0.01, 100))
def test_similarity_is_the_cosine(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 5, 128))
    expected = np.mean([x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)])
    assert identity_similarity(a * scale, b) == pytest.approx(expected)
    assert identity_similarity(a, a * scale) == pytest.approx(1)
    assert identity_similarity(a, -a) == pytest.approx(-1)


def test_similarity_leaves_out_what_is_not_known() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 4, 3))
    kept = identity_similarity(a[1:3], b[1:3])
    a[0], b[3] = np.nan, np.nan
    assert identity_similarity(a, b) == kept
    assert identity_similarity(np.full((4, 3), np.nan), b) is None
    with pytest.raises(InputError, match="points nowhere"):
        identity_similarity(np.zeros((4, 3)), b)
