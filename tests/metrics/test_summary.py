"""Marks, printed digits, and the tables made of them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_results import ERROR, LAG, METRICS, SCORE, SPREAD, drawn, result

from singinghead.flame_model.errors import InputError
from singinghead.metrics.comparison import compare
from singinghead.metrics.definitions import Metric
from singinghead.metrics.numerals import MINUS, Numerals, numerals_for
from singinghead.metrics.results import MethodResult, Pooled
from singinghead.metrics.summary import Summary, extremes, select, summarize
from singinghead.metrics.summary_tables import latex, markdown, pairwise_csv, per_sequence_csv, summary_csv

ODD = ["=cmd|' c calc'!A1", "-1+1", "a_b & <b>50%<b> #1", "[x] *y* | `z`", '我們 {ü} ~^$, "quoted"']


def summary_of(metric: Metric, truth: float | None = None, **values: float | None) -> Summary:
    rows = [result(name, {"id0_0": value}, definitions=[metric]) for name, value in values.items()]
    if truth is not None:
        rows.append(result("truth", {"id0_0": truth}, definitions=[metric], role="ground truth"))
    return summarize(compare(rows))


def marks(summary: Summary) -> str:
    """The initial of each row's mark; a point for none."""
    return "".join((summary.columns[0].cells[row.method].mark or ".")[0] for row in summary.rows)


@pytest.mark.parametrize(
    ("metric", "truth", "values", "expected"),
    [
        (ERROR, None, {"a": 3.0, "b": 1.0, "c": 2.0}, ".bs"),
        (SCORE, None, {"a": 3.0, "b": 1.0, "c": 2.0}, "b.s"),
        (LAG, None, {"a": 3.0, "b": -1.0, "c": 2.0}, ".bs"),
        (SPREAD, 2.6, {"a": 3.0, "b": 1.0, "c": 2.0}, ".b.s"),
        (SPREAD, None, {"a": 3.0, "b": 1.0, "c": 2.0}, "..."),
        (ERROR, 0.0, {"a": 3.0, "b": 1.0, "c": 2.0}, "..bs"),
        (ERROR, None, {"a": 1.0, "b": 1.0, "c": 2.0}, "bbs"),
        (ERROR, None, {"a": 1.0, "b": 1.001, "c": 1.002, "d": 2.0}, "bbbs"),
        (ERROR, None, {"a": 1.00001, "b": 1.00002, "c": 2.0, "d": 3.0}, "bbs."),
        (LAG, None, {"a": -1.00001, "b": 1.0, "c": 2.0}, "bbs"),
        (ERROR, None, {"a": 1.0, "b": 2.0}, "b."),
        (ERROR, None, {"a": 1.0}, "."),
        (ERROR, None, {"a": 1.0, "b": None, "c": 2.0}, "b.."),
    ],
)
def test_marks(metric: Metric, truth: float | None, values: dict[str, float | None], expected: str) -> None:
    assert marks(summary_of(metric, truth, **values)) == expected


def test_a_metric_that_only_the_ground_truth_could_rank_says_so() -> None:
    said = markdown(summary_of(SPREAD, a=1.0, b=2.0))
    assert r"spread\_mm: the best is the ground truth's own value, which is not here" in said
    assert "Not ranked" not in markdown(summary_of(SPREAD, 2.6, a=1.0, b=2.0))
    assert "Not ranked" not in markdown(summary_of(SPREAD, a=1.0))


def test_a_baseline_is_never_marked() -> None:
    rows = [result("a", {"id0_0": 2.0}), result("b", {"id0_0": 3.0}), result("still", {"id0_0": 1.0}, role="baseline")]
    assert marks(summarize(compare(rows))) == ".b."


def test_where_one_is_infinitely_good_no_other_is_the_best() -> None:
    rows = [result(name, {"id0_0": value}) for name, value in {"a": 2.0, "b": 3.0, "c": None}.items()]
    (record,) = rows[2].sequences
    assert marks(summarize(compare(rows))) == "b.."
    infinite = replace(rows[2], sequences=(replace(record, reasons={"error_mm": "infinite: all frames are identical"}),))
    assert marks(summarize(compare([*rows[:2], infinite]))) == "..."


def test_what_several_lack_for_one_reason_is_said_once() -> None:
    said = markdown(summary_of(ERROR, a=None, b=None, c=1.0))
    assert r"* a, b: error\_mm: no error\_mm here" in said


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.23456, 2.5], ["1.23", "2.50"]),
        ([12.3, 0.0123], ["12.30", "0.01"]),
        ([1234.5, 999.4], ["1234", "999"]),
        ([1.06e-6, -3.99e-5], ["0.106", f"{MINUS}3.990"]),
        ([0.0, 0.0], ["0.00", "0.00"]),
        ([-1e-9, 5.0], ["0.000", "5.000"]),
        ([123456.0], ["1.23"]),
        ([], []),
    ],
)
def test_printed_digits(values: list[float], texts: list[str]) -> None:
    numerals = numerals_for(values)
    assert [numerals.text(value) for value in values] == texts


def test_the_power_of_ten_stands_by_the_unit() -> None:
    assert numerals_for([1.06e-6]).unit("m2") == "10⁻⁶ m2"
    assert Numerals().unit("") == ""


@settings(deadline=None)
@given(st.lists(st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-12), min_size=1, max_size=5))
def test_the_largest_value_shows_three_or_four_digits(values: list[float]) -> None:
    numerals = numerals_for(values)
    largest = max(map(abs, values))
    printed = numerals.plain(largest)
    assert len(printed) <= 8
    assert float(printed) * 10.0**numerals.exponent == pytest.approx(largest, rel=0.006)


def test_extremes_follow_the_direction_and_never_overlap() -> None:
    numbers = {f"id{index}_0": value for index, value in enumerate([-9.0, 1.0, -2.0, 3.0, 5.0])}
    rows = {metric: result("a", numbers, definitions=[metric]) for metric in (ERROR, SCORE, LAG, SPREAD)}
    found = {metric.name: extremes(compare([row]), row, metric, 2) for metric, row in rows.items()}
    assert found["error_mm"] == (["id0_0", "id2_0"], ["id4_0", "id3_0"])
    assert found["score"] == (["id4_0", "id3_0"], ["id0_0", "id2_0"])
    assert found["lag_ms"] == (["id1_0", "id2_0"], ["id0_0", "id4_0"])
    assert found["spread_mm"] == ([], [])
    one = result("a", {"id0_0": 1.0})
    assert extremes(compare([one]), one, ERROR, 3) == ([], ["id0_0"])


def test_metrics_are_selected_in_the_order_asked_for() -> None:
    assert select(METRICS, ["lag_ms", "error_mm", "lag_ms"]) == (LAG, ERROR)
    with pytest.raises(InputError, match=r"metric 'LVE' \(there are error_mm, score"):
        select(METRICS, ["LVE"])


@pytest.fixture(scope="module")
def rich() -> Summary:
    """Three methods, ground truth and a baseline, a failure, nulls, names of every kind."""
    one, two, three = (drawn(name, index, n_subjects=7, level=1 + index / 5) for index, name in enumerate(ODD[:3]))
    broken = two.sequences[3]
    two = replace(
        two,
        sequences=tuple(record for record in two.sequences if record.id != broken.id),
        failures={broken.id: "=NaN in | frame 3"},
        notes=("resampled from 25",),
    )
    first = three.sequences[0]
    empty = replace(first, metrics={**first.metrics, "score": None}, reasons={"score": "no audio beats"}, notes=("cut",))
    three = replace(three, sequences=(empty, *three.sequences[1:]))
    no_lag = tuple(
        replace(record, metrics={**record.metrics, "lag_ms": None}, reasons={"lag_ms": "a still face"})
        for record in one.sequences
    )
    still = replace(one, method=ODD[3], role="baseline", sequences=no_lag)
    truth = replace(drawn(ODD[4], 9, n_subjects=7), role="ground truth", definitions=METRICS)
    return summarize(compare([one, two, three, still, truth]))


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_summary_csv_holds_every_cell_in_full(rich: Summary) -> None:
    lines = parsed(summary_csv(rich))
    assert len(lines) == 5 * 4
    cell = next(line for line in lines if line["method"] == "'=cmd|' c calc'!A1" and line["metric"] == "error_mm")
    expected = rich.columns[0].cells[ODD[0]]
    assert float(cell["value"]) == expected.value.value
    assert expected.interval is not None
    assert (float(cell["interval_low"]), float(cell["interval_high"])) == expected.interval
    assert (cell["n_sequences"], cell["n_subjects"], cell["unit"], cell["mark"]) == ("55", "7", "mm", "best")
    null = next(line for line in lines if line["method"] == ODD[3] and line["metric"] == "lag_ms")
    assert (null["value"], null["reason"]) == ("", "a still face")


def test_per_sequence_csv_holds_every_sequence_and_failure(rich: Summary) -> None:
    lines = parsed(per_sequence_csv(rich))
    assert len(lines) == 5 * 56
    failed = [line for line in lines if line["failure"]]
    assert [(line["id"], line["failure"], line["averaged"]) for line in failed] == [("id0_3_0", "'=NaN in | frame 3", "no")]
    assert sum(line["averaged"] == "yes" for line in lines) == 5 * 55
    assert {line["notes"] for line in lines} == {"", "cut"}


def test_no_text_cell_is_a_formula_and_no_number_is_a_text(rich: Summary) -> None:
    for text in (summary_csv(rich), per_sequence_csv(rich), pairwise_csv(rich)):
        for line in csv.reader(io.StringIO(text)):
            for cell in line:
                assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                assert not cell.startswith("-") or float(cell) < 0


def test_pairwise_csv_holds_every_test(rich: Summary) -> None:
    lines = parsed(pairwise_csv(rich))
    assert len(lines) == 3 * 4
    assert all(float(line["p"]) <= float(line["p_holm"]) for line in lines)


def test_markdown_is_one_whole_table_whatever_the_names(rich: Summary) -> None:
    text = markdown(rich)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert r"a\_b \& \<b\>50%\<b\> \#1" in table[0]
    assert "**" in table[2]
    assert "—" in table[4]
    assert "score: over 54 of 55" in text
    assert "55 sequences of 7 subjects, valid for every method; 1 left out" in text
    assert r"id0\_3\_0: -1+1: =NaN in \| frame 3" in text
    assert "resampled from 25" in text
    assert "a still face" in text


def test_latex_has_as_many_cells_in_every_row_and_escapes_names(rich: Summary) -> None:
    text = latex(rich)
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 2 + 5
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {4}
    assert r"a\_b \& \textless{}b\textgreater{}50\%\textless{}b\textgreater{} \#1" in text
    assert "\n{[}x{]} {*}y{*}" in text
    assert r"我們 \{ü\} \textasciitilde{}\textasciicircum{}\$, ''quoted" in text
    for command in (r"\toprule", r"\bottomrule", r"\textbf{", r"\underline{", r"$\downarrow$", r"$\to 0$", "---"):
        assert command in text
    assert text.count(r"\midrule") == 2
    code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    plain = re.sub(r"\\[{}$]", "", code)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0


def test_wide_latex_is_cut_into_blocks() -> None:
    many = tuple(replace(ERROR, name=f"m{index}") for index in range(8))
    numbers = {"id0_0": {metric.name: 1.0 for metric in many}}
    text = latex(summarize(compare([result("a", numbers, definitions=many)])))
    assert [line for line in text.splitlines() if line.startswith(r"\begin")] == [
        r"\begin{tabular}{lrrrrrr}",
        r"\begin{tabular}{lrr}",
    ]


def test_one_clip_says_that_it_has_no_interval() -> None:
    text = markdown(summarize(compare([result("a", {"id0_0": 1.5})])))
    assert "No intervals: they need 5 subjects, here are 1." in text
    assert "[" not in text.split("\n| --- ")[1].splitlines()[1]
    assert "over 1 sequence of 1 subject; none left out" in text


def test_a_pooled_number_has_no_interval() -> None:
    numbers = {f"id{index}_0": 1.0 for index in range(6)}
    made: MethodResult = result("a", numbers, definitions=[ERROR, SCORE], pooled={"score": Pooled(7.5, tuple(numbers))})
    lines = parsed(summary_csv(summarize(compare([made]))))
    assert (lines[1]["value"], lines[1]["interval_low"], lines[1]["n_sequences"]) == ("7.5", "", "6")


def test_no_method_at_all_and_no_common_sequence_still_make_tables() -> None:
    a, b = result("a", {"id0_0": 1.0}), result("b", {"id1_0": 2.0})
    summary = summarize(compare([a, b]))
    assert "no sequence is valid for every method" in markdown(summary)
    assert "---" in latex(summary)
    assert len(parsed(summary_csv(summary))) == 2
