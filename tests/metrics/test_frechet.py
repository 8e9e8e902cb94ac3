"""The Fréchet and kernel distances against closed forms, scipy and torch-fidelity, and what must hold for any features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from singinghead.flame_model.errors import InputError
from singinghead.metrics.frechet import ENOUGH_FRAMES, FeatureStatistics, few_frames, fid, frechet_distance, kid

SEEDS = st.integers(0, 10_000)


def features(seed: int, n: int = 60, size: int = 16, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.gamma(2, 1, (n, size)) @ rng.normal(size=(size, size)) / 4 + shift).astype(np.float32)


def covariance(seed: int, size: int = 16) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T / size


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_gaussians_whose_covariances_commute_have_a_closed_form(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    a, b = rng.uniform(0, 3, (2, 12))
    a[:3], b[2:5] = 0, 0  # singular ones too
    means = rng.normal(size=(2, 12))
    expected = np.sum((means[0] - means[1]) ** 2) + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2)
    got = frechet_distance(means[0], turn * a @ turn.T, means[1], turn * b @ turn.T)
    assert got == pytest.approx(expected, abs=1e-6)


@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_it_equals_scipys_square_root(seed: int) -> None:
    a, b = covariance(seed), covariance(seed + 1)
    expected = np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(np.zeros(16), a, np.zeros(16), b) == pytest.approx(expected, rel=1e-7)


def test_fid_equals_torch_fidelitys() -> None:
    a, b = features(0), features(1, n=90, shift=0.3)
    statistics = [fid_features_to_statistics(torch.tensor(part)) for part in (a, b)]
    expected = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert fid(FeatureStatistics.of(a), FeatureStatistics.of(b)) == pytest.approx(expected, rel=1e-6)


@given(seed=SEEDS, n=st.integers(2, 60))
@settings(max_examples=25, deadline=None)
def test_identity_symmetry_and_shift(seed: int, n: int) -> None:
    a, b = FeatureStatistics.of(features(seed, n)), FeatureStatistics.of(features(seed + 1, 2 * n))
    scale = np.trace(a.covariance) + np.trace(b.covariance)
    assert fid(a, a) == pytest.approx(0, abs=1e-9 * scale)
    assert fid(a, b) == pytest.approx(fid(b, a), rel=1e-6)
    moved = FeatureStatistics(a.n, a.mean + 2, a.scatter)
    assert fid(moved, a) == pytest.approx(16 * 4, rel=1e-6)


def test_a_set_of_fewer_frames_than_features_is_at_0_from_itself() -> None:
    few = FeatureStatistics.of(features(3, n=10, size=200))
    assert fid(few, few) == pytest.approx(0, abs=1e-9)


@given(seed=SEEDS, cuts=st.lists(st.integers(1, 59), max_size=5))
@settings(max_examples=40, deadline=None)
def test_statistics_of_parts_add_up_to_those_of_the_whole(seed: int, cuts: list[int]) -> None:
    rows = features(seed) + 100  # far from the origin, where sums of squares would lose digits
    first, *others = [FeatureStatistics.of(part) for part in np.split(rows, sorted(set(cuts)))]
    total = sum(others, start=first)
    whole = FeatureStatistics.of(rows)
    assert total.n == 60
    assert total.mean == pytest.approx(whole.mean, rel=1e-12)
    assert total.covariance == pytest.approx(np.cov(rows.astype(float), rowvar=False), rel=1e-9, abs=1e-9)
    again = sum(others, start=first)
    assert np.array_equal(total.scatter, again.scatter)


def test_kid_of_all_frames_equals_torch_fidelitys() -> None:
    a, b = features(0, 50), features(1, 50, shift=0.2)
    options = {"kid_subsets": 3, "kid_subset_size": 50, "rng_seed": 1, "verbose": False}
    kernel = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
    doubles = [torch.tensor(part).double() for part in (a, b)]
    expected = kid_features_to_metric(*doubles, **options, **kernel)["kernel_inception_distance_mean"]
    assert expected > 0.01
    assert kid(a, b, n_subsets=3) == pytest.approx(expected, rel=1e-9)


def test_kid_of_subsets_is_near_that_of_all_and_reproducible() -> None:
    a, b = features(0, 400), features(1, 500, shift=0.5)
    subsets = kid(a, b, n_subsets=60, subset_size=100)
    assert subsets == kid(a, b, n_subsets=60, subset_size=100)
    assert subsets != kid(a, b, n_subsets=60, subset_size=100, seed=1)
    assert subsets == pytest.approx(kid(a, b, n_subsets=20), rel=0.05)


def test_kid_is_unbiased_where_fid_is_not() -> None:
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=(20, 8)), rng.normal(size=(20, 8))) for _ in range(200)]
    kids = np.array([kid(a, b, n_subsets=1) for a, b in draws])
    assert abs(kids.mean()) < 4 * kids.std() / np.sqrt(len(kids))
    fids = [fid(FeatureStatistics.of(a), FeatureStatistics.of(b)) for a, b in draws]
    assert min(fids) > 0.5


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_further_away_is_worse(seed: int) -> None:
    truth = features(seed)
    truth -= truth.mean(axis=0)
    moved = [truth + shift for shift in (1, 2, 4)]
    for values in (
        [fid(FeatureStatistics.of(rows), FeatureStatistics.of(truth)) for rows in moved],
        [kid(rows, truth, n_subsets=1) for rows in moved],
    ):
        assert values == sorted(values)


def test_too_few_frames_are_refused_or_warned_of() -> None:
    one, two = features(0, 1), features(0, 2)
    with pytest.raises(InputError, match="1 frame has no covariance"):
        fid(FeatureStatistics.of(two), FeatureStatistics.of(one))
    with pytest.raises(InputError, match="2 frames of each at least; got 2 and 1"):
        kid(two, one)
    assert fid(FeatureStatistics.of(two), FeatureStatistics.of(two)) == pytest.approx(0, abs=1e-9)
    assert few_frames(ENOUGH_FRAMES, ENOUGH_FRAMES) is None
    assert "240 generated and 4096 true frames" in str(few_frames(240, 4096))
    assert few_frames(4096, 2047) is not None


def test_what_is_no_set_of_features_is_refused() -> None:
    good = features(0)
    broken = good.copy()
    broken[3, 3] = np.nan
    for bad, words in ((good[0], "must have shape"), (broken, "NaN"), (good[:0], "no rows")):
        with pytest.raises(InputError, match=words):
            FeatureStatistics.of(bad)
    with pytest.raises(InputError, match="NaN"):
        kid(broken, good)
    with pytest.raises(InputError, match="truth must have shape"):
        kid(good, good[:, :3])
    with pytest.raises(InputError, match="must have shape"):
        frechet_distance(np.zeros(3), np.eye(3), np.zeros(4), np.eye(4))
    with pytest.raises(InputError, match="at least 1"):
        kid(good, good, n_subsets=0)
    with pytest.raises(InputError, match="NaN"):
        frechet_distance(np.zeros(2), np.eye(2), np.zeros(2), np.full((2, 2), np.nan))
    with pytest.raises(InputError, match="must have shape"):
        FeatureStatistics.of(good) + FeatureStatistics.of(good[:, :3])
