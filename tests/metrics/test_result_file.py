"""A result comes back from its file as it went, and a file that is not sound is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_results import ERROR, METRICS, SCORE, drawn, record, result

from singinghead.flame_model.errors import InputError
from singinghead.metrics.comparison import compare
from singinghead.metrics.result_file import read_result, write_result
from singinghead.metrics.results import MethodResult, Pooled

FULL = replace(
    result(
        "ours <b> & 我們_1",
        {"id0_0": {"error_mm": 0.1 + 0.2, "score": None}, "id1_0": {"error_mm": -0.0, "score": 1e-300}},
        definitions=[*METRICS[:2], replace(SCORE, name="fid")],
        failures={"id2_0": "holds NaN"},
        pooled={"fid": Pooled(None, (), "weights are missing")},
    ),
    notes=("cut",),
    settings={"pred": ["a=b"], "every": 1},
)


def test_what_the_contract_demands_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ours.json"
    other = result("b", {"id0_0": 5.0})
    write_result(FULL, path, compare([FULL, other]))
    document = json.loads(path.read_text())
    assert document["protocol"] == "corrected"
    assert document["metrics"] == {"error_mm": 0.1 + 0.2, "score": None, "fid": None}
    assert document["reasons"] == {"score": "no score here", "fid": "weights are missing"}
    assert document["n_averaged"] == {"error_mm": 1, "score": 0, "fid": 0}
    assert document["units"] == {"error_mm": "mm", "score": "", "fid": ""}
    assert document["compared_with"] == ["b"]
    assert (document["n_sequences"], document["n_failed"], document["n_samples"]) == (2, 1, 1)
    assert document["failures"] == {"id2_0": "holds NaN"}
    assert (document["model"], document["mask_sha256"]) == ("stand-in", "ab" * 32)
    assert document["versions"] == {"numpy": "2"}
    assert document["sequences"][1]["metrics"] == {"error_mm": -0.0, "score": 1e-300}
    assert list(path.parent.iterdir()) == [path]


def test_a_result_comes_back_as_it_went(tmp_path: Path) -> None:
    write_result(FULL, tmp_path / "a.json")
    assert read_result(tmp_path / "a.json") == FULL


def test_curves_come_back_to_five_digits(tmp_path: Path) -> None:
    made = drawn("a", 0, clips=2)
    write_result(made, tmp_path / "a.json")
    again = read_result(tmp_path / "a.json")
    assert [one.metrics for one in again.sequences] == [one.metrics for one in made.sequences]
    for one, before in zip(again.sequences, made.sequences, strict=True):
        np.testing.assert_allclose(one.curves["lip_error_mm"], before.curves["lip_error_mm"], rtol=5e-5)


@settings(deadline=None)  # other work shares the processor
@given(st.dictionaries(st.from_regex(r"id[0-9]_[a-z0-9_]{1,6}", fullmatch=True), st.floats(-1e99, 1e99)))
def test_numbers_keep_every_bit(tmp_path_factory: pytest.TempPathFactory, numbers: dict[str, float]) -> None:
    path = tmp_path_factory.getbasetemp() / "bits.json"
    made = result("a", numbers)
    write_result(made, path)
    assert read_result(path) == made


def test_numpy_numbers_can_be_written(tmp_path: Path) -> None:
    made = result("a", {"id0_0": np.float32(0.5), "id1_0": np.float64(0.25)})  # type: ignore[dict-item]
    write_result(made, tmp_path / "a.json")
    assert [one.metrics["error_mm"] for one in read_result(tmp_path / "a.json").sequences] == [0.5, 0.25]


def with_record(**changes: Any) -> MethodResult:
    return replace(result("a", {}), sequences=(replace(record("id0_0", {"error_mm": 1.0}), **changes),))


@pytest.mark.parametrize(
    ("unsound", "words"),
    [
        (result("a", {"id0_0": float("nan")}), "a, id0_0: error_mm is nan"),
        (result("a", {"id0_0": float("inf")}), "error_mm is inf"),
        (with_record(metrics={"error_mm": None}), "error_mm is null without a reason"),
        (with_record(metrics={"score": 1.0}), "error_mm, score: measured but not defined"),
        (with_record(curves={"lip": (1.0, float("nan"))}), "the curve lip holds"),
        (with_record(id="../id0"), "not an ID"),
        (result("a", {"id0_0": 1.0}, failures={"id0_0": "no"}), "listed twice"),
        (result("a/b", {"id0_0": 1.0}), "cannot name a file"),
        (result("..", {"id0_0": 1.0}), "cannot name a file"),
        (result("", {"id0_0": 1.0}), "cannot name a file"),
        (result("a\nb", {"id0_0": 1.0}), "cannot name a file"),
        (result("é" * 101, {"id0_0": 1.0}), "cannot name a file"),
        (result("a", {}, definitions=[ERROR, ERROR]), "twice"),
        (result("a", {"id0_0": 1.0}, n_samples=0), "n_samples is 0"),
        (result("a", {"id0_0": 1.0}, pooled={"fid": Pooled(1.0, ())}), "fid is not defined"),
        (result("a", {"id0_0": 1.0}, conditions={"when": object()}), "strict JSON"),
        (result("a", {"id0_0": 1.0}, conditions={"when": float("nan")}), "strict JSON"),
    ],
)
def test_an_unsound_result_is_not_written(unsound: MethodResult, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        write_result(unsound, tmp_path / "a.json")
    assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="cannot be written"):
        write_result(result("a", {"id0_0": 1.0}), tmp_path / "file" / "a.json")
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_result(result("a", {"id0_0": 1.0}), tmp_path / "a.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "file"]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as refused:
        read_result(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not strict JSON"),
        ('{"singinghead_result": 1, ', "not strict JSON"),
        ("[]", "not a result"),
        ("null", "not a result"),
        ('{"metrics": {}}', "not a result"),
        ('{"singinghead_result": 2}', "is of version 2; this singinghead reads up to 1 (update it)"),
        ('{"singinghead_result": "1"}', "no version"),
        ('{"singinghead_result": true}', "no version"),
        ('{"singinghead_result": 1}', "method is missing"),
        ('{"singinghead_result": NaN}', "NaN is not a JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "not strict JSON"),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert words in refusal(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.json")
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    assert "not strict JSON" in refusal(tmp_path / "a.json")


WRONG: list[tuple[tuple[str | int, ...], object, str]] = [
    (("method",), 3, "method must be a text"),
    (("method",), "\ud800", "half a character"),
    (("role",), "winner", "role is 'winner', not one of method, ground truth, baseline"),
    (("n_samples",), 1.5, "n_samples must be a whole number"),
    (("n_samples",), True, "n_samples must be a whole number"),
    (("failures",), [], "failures must be an object"),
    (("failures",), {"id9": None}, "failures.id9 must be a text"),
    (("sequences",), {}, "sequences must be a list"),
    (("sequences", 0), 7, "sequences[0] must be an object"),
    (("sequences", 0, "id"), "../x", "not an ID"),
    (("sequences", 0, "metrics", "error_mm"), "1", "sequences[0].metrics.error_mm must be a number"),
    (("sequences", 0, "metrics", "error_mm"), False, "must be a number"),
    (("sequences", 0, "metrics", "error_mm"), 10**400, "too large"),
    (("sequences", 0, "metrics"), {}, "measured but not defined"),
    (("sequences", 0, "curves"), {"lip": 3}, "sequences[0].curves.lip must be a list"),
    (("sequences", 0, "curves"), {"lip": [None]}, "sequences[0].curves.lip[0] must be a number"),
    (("definitions", 0, "better"), "fast", "definitions[0].better is 'fast'"),
    (("conditions",), None, "conditions must be an object"),
    (("versions",), {"numpy": 2}, "versions.numpy must be a text"),
    (("pooled", "fid"), 3, "pooled.fid must be an object"),
]


@pytest.mark.parametrize(("where", "value", "words"), WRONG)
def test_a_wrong_type_is_named(where: tuple[str | int, ...], value: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_result(FULL, path)
    document = json.loads(path.read_text())
    *way, last = where
    entry = document
    for step in way:
        entry = entry[step]
    entry[last] = value
    path.write_text(json.dumps(document))
    assert words in refusal(path)


@settings(deadline=None)  # other work shares the processor
@given(st.data())
def test_no_damage_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    write_result(FULL, path)
    document = json.loads(path.read_text())
    entry: Any = document
    while True:
        key = data.draw(st.sampled_from(list(entry) if isinstance(entry, dict) else range(len(entry))))
        if not isinstance(entry[key], dict | list) or not entry[key] or data.draw(st.booleans()):
            break
        entry = entry[key]
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    entry[key] = data.draw(leaf | st.lists(leaf, max_size=2) | st.dictionaries(st.text(max_size=3), leaf, max_size=2))
    path.write_text(json.dumps(document))
    try:
        result_read = read_result(path)
    except InputError as refused:
        assert "\n" not in str(refused)
    else:
        compare([result_read])
