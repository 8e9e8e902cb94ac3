"""Beats of motions and sounds, and how they meet."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from golden_inputs import clicks
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.signal import argrelextrema

from singinghead.flame_model.errors import InputError
from singinghead.metrics import audio_beats, seed_formulas
from singinghead.metrics.audio_beats import HOP, RATE
from singinghead.metrics.beat_scores import beat_alignment, local_minima, motion_beats, n_paired

FPS, T = 30.0, 240
few = settings(max_examples=25, deadline=None)
times = st.lists(st.floats(0, 7.99), min_size=1, max_size=20, unique=True).map(lambda beats: np.array(sorted(beats)))


def nodding(beats_s: np.ndarray, n_frames: int = T, fps: float = FPS) -> np.ndarray:
    """(T, 2, 3) points that come to rest at each beat, and move on smoothly between."""
    t = np.arange(n_frames) / fps
    period = np.median(np.diff(beats_s))
    edges = np.concatenate([beats_s[0] - period * np.arange(4, 0, -1), beats_s, beats_s[-1] + period * np.arange(1, 5)])
    k = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, len(edges) - 2)
    phase = (t - edges[k]) / (edges[k + 1] - edges[k])
    along = k + (1 - np.cos(np.pi * phase)) / 2
    points = np.zeros((n_frames, 2, 3))
    points[:, :, 0] = along[:, None] * [0.1, 0.2]
    return points


def test_motion_beats_are_scipys_extrema_of_the_smoothed_speed() -> None:
    points = np.cumsum(np.random.default_rng(0).standard_normal((T, 4, 3)), axis=0)
    speed = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(axis=1)
    expected = argrelextrema(gaussian_filter(speed, FPS / 6), np.less)[0]
    np.testing.assert_allclose(motion_beats(points, FPS), (expected + 0.5) / FPS)
    np.testing.assert_allclose(motion_beats(torch.from_numpy(points), FPS), (expected + 0.5) / FPS)
    assert seed_formulas.motion_beat_frames(points).tolist() == expected.tolist()


def test_a_plateau_is_no_beat() -> None:
    assert local_minima(np.array([3.0, 1, 1, 3, 2, 3])).tolist() == [4]


def test_motion_on_the_sounds_beats_scores_one() -> None:
    beats = audio_beats.detect_beats(clicks()) * (HOP / RATE)
    alignment = beat_alignment(beats, beats, 8.0)
    assert (alignment.score, alignment.precision, alignment.f1) == (1, 1, 1)
    assert alignment.over_chance is not None
    assert alignment.over_chance > 0.5
    assert alignment.z is not None
    assert alignment.z > 1.5


@pytest.mark.parametrize("fps", [25.0, 29.97, 30.0, 60.0])
def test_motion_that_rests_on_detected_beats_scores_at_least_095(fps: float) -> None:
    """On one clock: the seed's two drift apart, and give the same motion a third of it."""
    beats = audio_beats.detect_beats(clicks()) * (HOP / RATE)
    n_frames = round(8 * fps)
    alignment = beat_alignment(beats, motion_beats(nodding(beats, n_frames, fps), fps), n_frames / fps)
    assert alignment.score is not None
    assert alignment.score >= 0.95
    assert alignment.f1 is not None
    assert alignment.f1 >= 0.95


def test_the_seeds_clocks_give_synchronous_motion_a_third() -> None:
    beats = np.arange(0.5, 7.6, 0.5)
    heard, moved = np.floor(31.25 * beats + 0.5), np.round(30 * beats - 0.5)
    distance = np.abs(heard[heard < 239][:, None] - moved).min(axis=1)
    assert np.exp(-(distance**2) / 18).mean() == pytest.approx(0.344, abs=0.02)
    assert seed_formulas.nearness(heard[heard < 239], moved, 3) == np.exp(-(distance**2) / 18).mean()


def test_a_still_face_scores_0_and_is_flagged() -> None:
    moved = motion_beats(np.zeros((T, 68, 3)), FPS)
    alignment = beat_alignment(np.array([1.0, 2.0]), moved, 8.0)
    assert (alignment.score, alignment.precision, alignment.f1, alignment.over_chance) == (0, 0, 0, 0)
    assert alignment.z is None
    assert alignment.still


def test_silence_has_no_beats_and_gives_none() -> None:
    silent = audio_beats.detect_beats(np.zeros(8 * RATE))
    assert len(silent) == 0
    alignment = beat_alignment(np.zeros(0), np.array([1.0]), 8.0)
    assert alignment.score is alignment.precision is alignment.f1 is alignment.over_chance is alignment.z is None


def test_beats_after_the_motion_are_left_out() -> None:
    inside = beat_alignment(np.array([1.0, 3.0]), np.array([1.0]), 4.0)
    assert beat_alignment(np.array([1.0, 3.0, 4.0, 9.0]), np.array([1.0]), 4.0) == inside


@given(times, times)
@few
def test_scores_lie_between_0_and_1_and_directions_swap(heard: np.ndarray, moved: np.ndarray) -> None:
    forth, back = beat_alignment(heard, moved, 8.0), beat_alignment(moved, heard, 8.0)
    assert forth.score == pytest.approx(back.precision)
    assert forth.f1 == pytest.approx(back.f1)
    for score in (forth.score, forth.precision, forth.f1):
        assert score is not None
        assert 0 <= score <= 1


@given(times, times)
@few
def test_pairs_are_one_to_one_and_as_many_as_can_be(heard: np.ndarray, moved: np.ndarray) -> None:
    from scipy.optimize import linear_sum_assignment

    near = np.abs(heard[:, None] - moved) <= 0.07
    row, column = linear_sum_assignment(~near)
    assert n_paired(heard, moved, 0.07) == near[row, column].sum()


def test_a_delay_lowers_the_score() -> None:
    beats = np.arange(0.5, 7.5, 0.8)
    scores = [beat_alignment(beats, beats + delay, 8.0).score or 0 for delay in (0, 0.05, 0.1, 0.2)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] - scores[-1] > 0.5


def test_chance_is_what_unrelated_motion_scores() -> None:
    rng = np.random.default_rng(3)
    over = []
    for _ in range(200):
        alignment = beat_alignment(np.sort(rng.uniform(0, 8, 14)), np.sort(rng.uniform(0, 8, 14)), 8.0)
        over.append(alignment.over_chance or 0)
    assert abs(np.mean(over)) < 0.03


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(InputError, match="audio_beats_s holds NaN"):
        beat_alignment(np.array([np.nan]), np.array([1.0]), 8.0)
    with pytest.raises(InputError, match="duration_s"):
        beat_alignment(np.array([1.0]), np.array([1.0]), 0.0)
