"""Which sequences are averaged, and what may not be compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_results import ERROR, SCORE, result

from singinghead.flame_model.errors import InputError
from singinghead.metrics.comparison import compare
from singinghead.metrics.results import MethodResult, Pooled


def test_a_sequence_that_one_method_lacks_counts_for_none() -> None:
    a = result("a", {"id0_0": 1.0, "id0_1": 2.0, "id1_0": 6.0})
    b = result("b", {"id0_0": 3.0, "id0_1": 5.0}, failures={"id1_0": "holds NaN"})
    c = result("c", {"id0_0": 7.0, "id1_0": 9.0})
    together = compare([a, b, c])
    assert together.ids == ("id0_0",)
    assert [(out.id, out.method, out.reason) for out in together.left_out] == [
        ("id0_1", "c", "not among its sequences"),
        ("id1_0", "b", "holds NaN"),
    ]
    assert [together.value(row, "error_mm").value for row in together.results] == [1.0, 3.0, 7.0]
    assert compare([a]).value(a, "error_mm").value == 3.0


def test_a_null_of_one_method_counts_for_none_but_in_that_metric() -> None:
    a = result(
        "a",
        {"id0_0": {"error_mm": 1.0, "score": 0.5}, "id1_0": {"error_mm": 3.0, "score": None}},
        definitions=[ERROR, SCORE],
    )
    b = result(
        "b", {"id0_0": {"error_mm": 2.0, "score": 0.1}, "id1_0": {"error_mm": 4.0, "score": 0.9}}, definitions=[ERROR, SCORE]
    )
    together = compare([a, b])
    assert together.ids_of["error_mm"] == ("id0_0", "id1_0")
    assert together.ids_of["score"] == ("id0_0",)
    assert [(out.id, out.method, out.reason) for out in together.left_out_of["score"]] == [("id1_0", "a", "no score here")]
    assert together.value(b, "score").value == 0.1
    assert together.value(b, "score").n == 1


def test_a_method_without_any_value_of_a_metric_does_not_empty_the_column() -> None:
    a = result("a", {"id0_0": 1.0, "id1_0": 3.0})
    vertices = result("vertices", {"id0_0": None, "id1_0": None})
    other = result("other", {"id0_0": 1.0, "id1_0": 3.0}, definitions=[SCORE])
    together = compare([a, vertices, other])
    assert together.value(a, "error_mm").value == 2.0
    empty = together.value(vertices, "error_mm")
    assert (empty.value, empty.n, empty.reason) == (None, 0, "no error_mm here")
    assert together.value(a, "score").reason == "not measured"
    assert together.value(other, "score").value == 2.0


def test_ground_truth_and_baselines_follow_and_never_decide() -> None:
    a = result("a", {"id0_0": 1.0, "id1_0": 3.0, "id2_0": 8.0})
    still = result("still", {"id0_0": 10.0, "id1_0": None}, role="baseline", n_samples=7)
    truth = result("truth", {"id0_0": 0.0, "id1_0": 0.0, "id2_0": 0.0, "id3_0": 5.0}, role="ground truth")
    together = compare([a, still, truth])
    assert [row.method for row in together.results] == ["truth", "still", "a"]
    assert together.methods == (a,)
    assert together.ground_truth is truth
    assert together.value(a, "error_mm").value == 4.0
    assert (together.value(still, "error_mm").value, together.value(still, "error_mm").n) == (10.0, 1)
    assert (together.value(truth, "error_mm").value, together.value(truth, "error_mm").n) == (0.0, 3)


def test_without_a_method_all_rows_decide() -> None:
    truth = result("truth", {"id0_0": 1.0, "id1_0": 3.0}, role="ground truth")
    assert compare([truth]).value(truth, "error_mm").value == 2.0


def test_no_common_sequence_is_said() -> None:
    a, b = result("a", {"id0_0": 1.0}), result("b", {"id1_0": 1.0})
    cell = compare([a, b]).value(a, "error_mm")
    assert (cell.value, cell.reason) == (None, "no sequence is valid for every method")


def test_a_pooled_number_stands_only_beside_numbers_over_the_same_sequences() -> None:
    fid = {"score": Pooled(12.5, ("id0_0", "id1_0"))}
    a = result("a", {"id0_0": 1.0, "id1_0": 2.0}, definitions=[ERROR, SCORE], pooled=fid)
    b = result("b", {"id0_0": 1.0})
    assert compare([a]).value(a, "score").value == 12.5
    cell = compare([a, b]).value(a, "score")
    assert cell.value is None
    assert "2 sequences, which are not the 1 compared" in cell.reason


BASE = result("b", {"id0_0": 1.0})


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(BASE, protocol="seed"), ["b.json: protocol is seed, but corrected in a.json"]),
        (replace(BASE, benchmark="2d"), ["benchmark is 2d, but 3d in a.json"]),
        (replace(BASE, conditions={"model": "FLAME2020", "mask_sha256": "ab" * 32}), ["model is FLAME2020, but stand-in"]),
        (replace(BASE, conditions={"model": "stand-in"}), ["mask_sha256 is not recorded, but abab"]),
        (replace(BASE, conditions={**BASE.conditions, "landmarks": "fan"}), ["landmarks is fan, but not recorded"]),
        (replace(BASE, n_samples=3), ["b.json: is over 3 samples a sequence, but a.json over 1"]),
        (replace(BASE, method="a"), ["b.json: holds the same name, 'a', as a.json"]),
        (replace(BASE, definitions=(replace(ERROR, unit="m"),)), ["error_mm is in 'm'", "in a.json"]),
        (replace(BASE, sequences=()), []),
    ],
)
def test_what_may_not_stand_in_one_table_is_refused(other: MethodResult, words: list[str]) -> None:
    results, files = [result("a", {"id0_0": 1.0}), other], ["a.json", "b.json"]
    if not words:
        assert compare(results, files).ids == ()
        return
    with pytest.raises(InputError) as refused:
        compare(results, files)
    for word in words:
        assert word in str(refused.value)


def test_two_ground_truths_and_none_at_all_are_refused() -> None:
    truths = [result(name, {"id0_0": 1.0}, role="ground truth") for name in ("a", "b")]
    with pytest.raises(InputError, match="so is a"):
        compare(truths)
    with pytest.raises(InputError, match="nothing to compare"):
        compare([])


values = st.dictionaries(st.sampled_from([f"id{i}_0" for i in range(8)]), st.none() | st.floats(-1e6, 1e6), min_size=1)


@settings(deadline=None)  # other work shares the processor
@given(st.lists(values, min_size=1, max_size=4), st.randoms())
def test_the_headline_is_the_plain_mean_whatever_the_order(numbers: list[dict[str, float | None]], random: Any) -> None:
    rows = [result(f"m{index}", row) for index, row in enumerate(numbers)]
    together = compare(rows)
    shared = set.intersection(*(set(row) for row in numbers))
    competing = [row for row in numbers if any(row[clip_id] is not None for clip_id in shared)]
    used = [clip_id for clip_id in shared if all(row[clip_id] is not None for row in competing)]
    shuffled = [replace(row, sequences=tuple(random.sample(row.sequences, len(row.sequences)))) for row in rows]
    random.shuffle(shuffled)
    again = compare(shuffled)
    for row, own in zip(rows, numbers, strict=True):
        cell = together.value(row, "error_mm")
        expected = [own[clip_id] for clip_id in used] if own in competing else []
        assert cell.n == len(expected)
        assert (cell.value is None) == (not expected)
        if cell.value is not None:
            np.testing.assert_allclose(cell.value, np.mean(np.array(expected, float)), rtol=1e-12, atol=1e-9)
            other = next(result for result in again.results if result.method == row.method)
            assert again.value(other, "error_mm").value == cell.value
