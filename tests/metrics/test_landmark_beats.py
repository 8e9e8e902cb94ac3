"""Beats of a face in a video: on the beat and off it, with frames that have no face, and the seed's way."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.metrics.landmark_beats import bridged, landmark_beat_alignment, seed_beat_score

FPS, T = 30, 240
BEATS_S = np.arange(0.5, 7.8, 0.5) + 1 / 60  # on a frame, the speeds before and after it are equal, and none is least


def resting_on(beats_s: np.ndarray) -> np.ndarray:
    """(T, 68, 2) of a face that goes to and fro and rests at each of the evenly spaced beats."""
    phase = np.pi * (np.arange(T) / FPS - beats_s[0]) / (beats_s[1] - beats_s[0])
    face = np.random.default_rng(0).uniform(60, 200, (68, 2))
    return face + np.stack([np.cos(phase), np.zeros(T)], axis=1)[:, None] * 10


def test_motion_that_rests_on_the_beat_scores_more_than_motion_that_does_not() -> None:
    on, off = (landmark_beat_alignment(resting_on(beats), BEATS_S, FPS) for beats in (BEATS_S, BEATS_S + 0.25))
    assert on.score == pytest.approx(1, abs=0.05)
    assert off.score == pytest.approx(0.05, abs=0.05)
    assert on.over_chance is not None
    assert on.over_chance > 0.3


def test_short_gaps_are_bridged_evenly_and_long_ones_are_not() -> None:
    whole = np.arange(T)[:, None, None] * np.ones((68, 2))
    gaps = whole.copy()
    gaps[10:13], gaps[100], gaps[-3:] = np.nan, np.nan, np.nan
    filled = bridged(gaps)
    assert filled is not None
    assert filled[:-3] == pytest.approx(whole[:-3])
    assert filled[-3:] == pytest.approx(whole[[-4]] * np.ones((3, 1, 1)))
    assert np.isnan(gaps[10:13]).all()  # the caller's are left as they are
    gaps[9] = np.nan
    assert bridged(gaps) is None
    assert bridged(np.full((3, 68, 2), np.nan)) is None
    assert bridged(whole) is whole


def test_the_seeds_clocks_drift_apart() -> None:
    audio = np.round(BEATS_S * 31.25).astype(int)
    score = seed_beat_score(audio, resting_on(BEATS_S))
    assert score is not None
    assert 0.25 < score < 0.45
    assert seed_beat_score(np.round(BEATS_S * FPS).astype(int), resting_on(BEATS_S)) == pytest.approx(1, abs=0.1)


def test_the_seed_puts_a_beat_into_the_first_frame_of_what_has_none() -> None:
    still = np.ones((T, 68, 2))
    assert seed_beat_score(np.array([0, 3]), still) == pytest.approx((1 + np.exp(-9 / 18)) / 2)
    assert seed_beat_score(np.zeros(0, int), still) == 1
    assert seed_beat_score(np.array([T]), still) is None
