"""Intervals and tests against scipy, worked examples, simulation and properties."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from made_results import ERROR, LAG, SCORE, SPREAD, drawn, ids, result

from singinghead.metrics.comparison import compare
from singinghead.metrics.definitions import Metric
from singinghead.metrics.inference import PairTest, estimate, holm, paired_tests, subject_means


def values(seed: int, n_subjects: int, clips: int = 4) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    levels = rng.lognormal(0, 0.4, n_subjects)
    return {clip_id: levels[index // clips] * rng.lognormal(0, 0.2) for index, clip_id in enumerate(ids(n_subjects, clips))}


def test_mean_and_deviation_are_those_over_sequences() -> None:
    numbers = values(0, 7)
    found = estimate(numbers)
    assert found.mean == pytest.approx(np.mean(list(numbers.values())), rel=1e-14)
    assert found.deviation == pytest.approx(np.std(list(numbers.values()), ddof=1), rel=1e-12)
    assert (found.n_sequences, found.n_subjects) == (28, 7)


def test_the_interval_is_scipys_bootstrap_over_subjects_at_the_expanded_level() -> None:
    numbers = values(1, 9)
    del numbers["id3_0_0"], numbers["id3_1_0"]  # subjects count by their clips
    clusters = [[value for clip_id, value in numbers.items() if clip_id.startswith(f"id{s}_")] for s in range(9)]
    sums, counts = np.array([sum(c) for c in clusters]), np.array([len(c) for c in clusters])
    level = 1 - 2 * scipy.stats.norm.cdf(-np.sqrt(9 / 8) * scipy.stats.t.ppf(0.975, 8))
    drawn_by_scipy = scipy.stats.bootstrap(
        (sums, counts),
        lambda total, count, axis: total.sum(axis) / count.sum(axis),
        paired=True,
        n_resamples=40_000,
        confidence_level=level,
        method="percentile",
        rng=3,
    ).confidence_interval
    interval = estimate(numbers).interval
    assert interval is not None
    np.testing.assert_allclose(interval, drawn_by_scipy, rtol=0.01)


def test_clips_of_few_subjects_do_not_pass_for_many() -> None:
    many = estimate({f"id{index}_0": value for index, value in enumerate(values(2, 6, clips=20).values())}).interval
    few = estimate(values(2, 6, clips=20)).interval
    assert many is not None
    assert few is not None
    assert few[1] - few[0] > 2 * (many[1] - many[0])


@pytest.mark.parametrize(("n_subjects", "expected"), [(1, False), (4, False), (5, True)])
def test_too_few_subjects_have_no_interval(n_subjects: int, expected: bool) -> None:
    assert (estimate(values(3, n_subjects)).interval is not None) == expected


def test_one_sequence_has_no_deviation() -> None:
    assert estimate({"id0_0": 2.0}).deviation is None


@pytest.mark.parametrize(("n_subjects", "at_least"), [(5, 0.85), (12, 0.89)])
def test_the_interval_holds_the_true_mean_about_as_often_as_it_says(n_subjects: int, at_least: float) -> None:
    true_mean = np.exp(0.4**2 / 2) * np.exp(0.2**2 / 2)
    intervals = [estimate(values(seed, n_subjects)).interval for seed in range(300)]
    share = np.mean([low <= true_mean <= high for low, high in filter(None, intervals)])
    assert at_least < share < 0.985


def test_holm_gives_the_worked_example() -> None:
    # Four hypotheses: 4 x 0.005, 3 x 0.01, then 2 x 0.03, and 0.04 is raised to its forerunner's.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=12), st.randoms())
def test_holm_keeps_order_and_lies_between_p_and_bonferroni(probabilities: list[float], random: Any) -> None:
    corrected = holm(probabilities)
    for p, q in zip(probabilities, corrected, strict=True):
        assert p <= q <= min(1.0, p * len(probabilities)) or q == p
    for (p, q), (other_p, other_q) in itertools.combinations(zip(probabilities, corrected, strict=True), 2):
        assert (p - other_p) * (q - other_q) >= 0
    order = list(range(len(probabilities)))
    random.shuffle(order)
    assert holm([probabilities[index] for index in order]) == [corrected[index] for index in order]


def found_between(metric: Metric, truth: dict[str, float] | None = None, **methods: dict[str, float]) -> dict[str, PairTest]:
    rows = [result(name, numbers, definitions=[metric]) for name, numbers in methods.items()]
    if truth is not None:
        rows.append(result("truth", truth, definitions=[metric], role="ground truth"))
    return {f"{test.first} {test.second}": test for test in paired_tests(compare(rows))}


@pytest.mark.parametrize("n_subjects", [6, 10, 30])
def test_p_is_scipys_of_the_subjects_means(n_subjects: int) -> None:
    a, b = values(5, n_subjects), {clip_id: 1.1 * value for clip_id, value in values(5, n_subjects).items()}
    b |= {clip_id: value * 0.8 for clip_id, value in b.items() if clip_id.startswith("id1")}
    test = found_between(ERROR, a=a, b=b)["a b"]
    means = [np.array(list(subject_means(numbers).values())) for numbers in (a, b)]
    assert test.p == scipy.stats.wilcoxon(*means, method="exact").pvalue == test.p_holm
    assert test.advantage == pytest.approx(np.mean(means[1] - means[0]))
    assert test.n_subjects == n_subjects


def test_six_subjects_that_all_prefer_one_method() -> None:
    a = {clip_id: 1.0 + index for index, clip_id in enumerate(ids(6, 1))}
    b = {clip_id: 2.1 * value for clip_id, value in a.items()}
    test = found_between(ERROR, a=a, b=b)["a b"]
    assert (test.p, test.effect, test.winner) == (2 / 2**6, 1.0, "a")
    assert found_between(SCORE, a=a, b=b)["a b"].winner == "b"


def test_tied_ranks_are_counted_over_all_signs() -> None:
    """By hand: |d| = 1 five times and 2 once: of 64 equally likely signs, how many are as extreme."""
    a = dict.fromkeys(ids(6, 1), 10.0)
    moved = [-1.0, 1.0, 1.0, 1.0, 1.0, 2.0]
    b = {clip_id: 10.0 + step for clip_id, step in zip(a, moved, strict=True)}
    ranks = np.array([3, 3, 3, 3, 3, 6])
    totals = np.array([np.dot(ranks, signs) for signs in itertools.product((-1, 1), repeat=6)])
    test = found_between(ERROR, a=a, b=b)["a b"]
    assert test.p == pytest.approx(np.mean(np.abs(totals) >= 15))
    assert test.effect == pytest.approx(15 / 21)


def test_methods_that_do_not_differ_are_told_so() -> None:
    same = values(6, 8)
    test = found_between(ERROR, a=same, b=dict(same))["a b"]
    assert (test.p, test.effect, test.winner) == (1.0, 0.0, None)


def test_near_zero_and_near_the_truth_are_what_wins() -> None:
    places = ids(8, 2)
    early = {clip_id: -1.0 - index / 100 for index, clip_id in enumerate(places)}
    late = {clip_id: 3.0 + index / 50 for index, clip_id in enumerate(places)}
    truth = {clip_id: 4.0 + index / 50 for index, clip_id in enumerate(places)}
    assert found_between(LAG, early=early, late=late)["early late"].winner == "early"
    assert found_between(SPREAD, truth, early=early, late=late)["early late"].winner == "late"
    assert found_between(SPREAD, early=early, late=late) == {}


def test_too_few_subjects_are_not_tested() -> None:
    assert found_between(ERROR, a=values(7, 5), b=values(8, 5)) == {}


def test_the_family_is_all_pairs_and_metrics_of_methods_only() -> None:
    rows = [drawn(f"m{level}", level, n_subjects=7, level=level) for level in (1, 2, 3)]
    rows += [drawn("truth", 9, n_subjects=7, level=1, role="ground truth"), drawn("still", 8, n_subjects=7, role="baseline")]
    tests = paired_tests(compare(rows))
    assert len(tests) == 3 * 4
    assert {test.first for test in tests} | {test.second for test in tests} == {"m1", "m2", "m3"}
    assert [test.p_holm for test in tests] == holm([test.p for test in tests])


@settings(deadline=None, max_examples=30)
@given(st.permutations(ids(6, 3)), st.integers(0, 1000))
def test_the_order_of_sequences_changes_nothing(order: list[str], seed: int) -> None:
    numbers = values(seed, 6, 3)
    assert estimate({clip_id: numbers[clip_id] for clip_id in order}) == estimate(numbers)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 1000), st.floats(-10, 10), st.integers(0, 1000))
def test_the_interval_scales_and_shifts_with_its_values(scale: float, shift: float, seed: int) -> None:
    numbers = values(seed, 6, 3)
    moved = estimate({clip_id: scale * value + shift for clip_id, value in numbers.items()}).interval
    still = estimate(numbers).interval
    assert still is not None
    assert moved == pytest.approx([scale * end + shift for end in still], rel=1e-9, abs=1e-9)
