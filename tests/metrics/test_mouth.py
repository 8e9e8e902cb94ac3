"""The mouth's opening, its warping, lag, closure and the voice: against scipy and librosa, and by their laws."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from singinghead.flame_model.errors import InputError
from singinghead.metrics import mouth
from singinghead.metrics.audio_beats import RATE, loudness

FPS, T = 30.0, 240
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


def singing(seed: int = 0, delay_s: float = 0.0, n_frames: int = T) -> np.ndarray:
    """(T,) mm of a mouth that opens smoothly, as a function of time."""
    rng = np.random.default_rng(seed)
    hz, phase, size = rng.uniform(0.4, 4, 12), rng.uniform(0, 2 * np.pi, 12), rng.uniform(0.5, 2, 12)
    t = np.arange(n_frames)[:, None] / FPS - delay_s
    return 4 + (size * np.sin(2 * np.pi * hz * t + phase)).sum(axis=1)


def test_opening_is_the_gap_less_the_neutral_one() -> None:
    neutral = np.zeros((68, 3))
    neutral[62, 1] = 0.001
    landmarks = np.tile(neutral, (2, 1, 1))
    landmarks[1, 66, 1] = -0.010
    assert mouth.mouth_opening(landmarks, neutral).tolist() == pytest.approx([0, 10])


@given(seeds, st.integers(5, 60))
@few
def test_warping_equals_librosas(seed: int, n_frames: int) -> None:
    """Without a band: the same least sum, and a path of least sum that we divide by the length of."""
    rng = np.random.default_rng(seed)
    prediction, truth = rng.standard_normal(n_frames), rng.standard_normal(n_frames)
    cost, path = librosa.sequence.dtw(prediction[None], truth[None])
    ours = mouth.warped_opening_error(prediction, truth, FPS, reach_s=n_frames)
    assert ours == pytest.approx(cost[-1, -1] / len(path), rel=1e-9)


@given(seeds, st.floats(-0.3, 0.3))
@few
def test_lags_are_found(seed: int, delay_s: float) -> None:
    lag = mouth.mouth_lag_ms(singing(seed, delay_s), singing(seed), FPS)
    assert lag == pytest.approx(1000 * delay_s, abs=6)


def test_correlation_equals_scipys() -> None:
    first, second = singing(1), singing(2)
    assert mouth.pearson(first, second) == pytest.approx(pearsonr(first, second).statistic)


@given(seeds)
@few
def test_identity_symmetry_and_shift(seed: int) -> None:
    one, other = singing(seed), singing(seed + 1)
    assert mouth.opening_error(one, one) == 0
    assert mouth.warped_opening_error(one, one, FPS) == 0
    assert mouth.mouth_lag_ms(one, one, FPS) == pytest.approx(0, abs=1e-6)
    assert mouth.lip_closure_f1(one, one) in (1, None)
    assert mouth.opening_error(one, other) == pytest.approx(mouth.opening_error(other, one))
    assert mouth.lip_closure_f1(one, other) == mouth.lip_closure_f1(other, one)
    assert mouth.warped_opening_error(one, other, FPS) == pytest.approx(mouth.warped_opening_error(other, one, FPS))
    scaled = mouth.mouth_lag_ms(3 * singing(seed, 0.1) + 5, one, FPS)
    assert scaled == pytest.approx(mouth.mouth_lag_ms(singing(seed, 0.1), one, FPS))


def test_errors_grow_with_delay_and_warping_forgives_it() -> None:
    truth = singing()
    late = [singing(delay_s=delay) for delay in (0, 0.03, 0.06, 0.1)]
    plain = [mouth.opening_error(opening, truth) for opening in late]
    assert plain == sorted(plain)
    assert mouth.warped_opening_error(late[-1], truth, FPS) < 0.4 * plain[-1]


def test_a_still_mouth_has_no_lag_and_no_correlation() -> None:
    still = np.zeros(T)
    assert mouth.mouth_lag_ms(still, singing(), FPS) is None
    assert mouth.speech_lip_correlation(still, singing()) is None
    assert mouth.speech_lip_correlation(singing(), still) is None
    assert mouth.mouth_lag_ms(singing()[:3], singing()[:3], FPS) is None


def test_a_lag_beyond_reach_is_none() -> None:
    assert mouth.mouth_lag_ms(np.arange(T) ** 2.0, np.exp(np.arange(T) / 20), FPS) is None


def test_closure_by_hand() -> None:
    truth = np.array([0, 0, 5, 5, 0.9, 1.1])
    assert mouth.lip_closure_f1(np.array([0, 5, 5, 0.0, 0, 5]), truth) == pytest.approx(2 * 2 / (3 + 3))
    assert mouth.lip_closure_f1(truth + 9, truth + 9) is None


def test_lengths_must_be_the_same() -> None:
    with pytest.raises(InputError, match=r"prediction must have shape \(4,\)"):
        mouth.opening_error(np.zeros(3), np.zeros(4))


def test_loudness_is_the_root_mean_square_around_each_frame() -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal(2 * RATE)
    found = loudness(samples, 75, FPS)
    center, half = round(30 / FPS * RATE), RATE // 30
    assert found[30] == pytest.approx(np.sqrt((samples[center - half : center + half] ** 2).mean()), rel=1e-2)
    assert found[70] == 0, "after the sound's end"
    np.testing.assert_allclose(loudness(3 * samples, 75, FPS), 3 * found)
