"""``report.html``: one file that needs nothing else, no script and no network, for eyes, screen readers and paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from singinghead.metrics import figures
from singinghead.metrics.inference import FEWEST_FOR_TEST, LEVEL, PairTest, subject_means
from singinghead.metrics.results import MethodResult
from singinghead.metrics.summary import ARROWS, DIRECTIONS, Column, Summary, extremes
from singinghead.metrics.summary_tables import NONE, facts, interval_text, legend, remarks, title

_EXTREMES = 3
_CLIPS_DRAWN = 6

Links = Mapping[str, Mapping[str, str]]
"""Where to see the methods on a clip: of a clip's ID, words such as ``video`` to links relative to the report."""


@dataclass(frozen=True)
class Cell:
    """One cell of the main table: what is printed, and how."""

    text: str
    interval: str
    mark: str
    deviation: str
    reason: str


def page(summary: Summary, links: Links | None = None) -> str:
    """The report as HTML.

    Args:
        summary: of the comparison.
        links: for clips, where there are any.
    """
    import jinja2
    from markupsafe import Markup

    folder = resources.files("singinghead.metrics")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["svg"] = Markup
    template = environment.from_string((folder / "report.html.jinja").read_text("utf-8"))
    text: str = template.render(
        title=title(summary),
        facts=facts(summary),
        legend=legend(summary, best="bold on a tint", second="underlined"),
        style=Markup((folder / "report.css").read_text("utf-8")),
        rows=summary.rows,
        looks=figures.looks(summary.rows),
        columns=[_column(summary, column) for column in summary.columns],
        wins=_wins(summary),
        tests=_tests_in_words(summary),
        curves=_curves(summary),
        remarks=list(remarks(summary)),
        conditions=_conditions(summary),
        links=links or {},
        arrows=ARROWS,
        directions=DIRECTIONS,
        dash=NONE,
    )
    return text


def _column(summary: Summary, column: Column) -> dict[str, Any]:
    measured = [row for row in summary.rows if summary.comparison.values(row, column.metric.name)]
    subjects = summary.comparison.subjects
    means = {row.method: subject_means(summary.comparison.values(row, column.metric.name)) for row in measured}
    return {
        "metric": column.metric,
        "unit": column.numerals.unit(column.metric.unit),
        "cells": {row.method: _cell(column, row) for row in summary.rows},
        "distribution": figures.distribution(summary, column) if measured else "",
        "by_subject": figures.by_subject(summary, column) if measured and len(subjects) > 1 else "",
        "reasons": list(dict.fromkeys(column.cells[row.method].value.reason for row in summary.rows if row.is_method)),
        "subjects": sorted(subjects),
        "subject_means": {
            method: [column.numerals.text(by[subject]) if subject in by else NONE for subject in sorted(subjects)]
            for method, by in means.items()
        },
        "extremes": _extremes(summary, column),
        "tests": [_test(column, test) for test in summary.tests if test.metric == column.metric.name],
    }


def _cell(column: Column, row: MethodResult) -> Cell:
    cell = column.cells[row.method]
    if cell.value.value is None:
        return Cell(NONE, "", "", "", cell.value.reason)
    spread = cell.estimate.deviation if cell.estimate else None
    deviation = "" if spread is None else column.numerals.text(spread)
    return Cell(column.numerals.text(cell.value.value), interval_text(column, cell), cell.mark, deviation, "")


def _extremes(summary: Summary, column: Column) -> list[dict[str, Any]]:
    found = []
    for row in summary.comparison.methods:
        values = summary.comparison.values(row, column.metric.name)
        best, worst = extremes(summary.comparison, row, column.metric, _EXTREMES)
        if best:
            clips = [[(clip_id, column.numerals.text(values[clip_id])) for clip_id in ids] for ids in (best, worst)]
            found.append({"method": row.method, "best": clips[0], "worst": clips[1]})
    return found


def _test(column: Column, test: PairTest) -> dict[str, Any]:
    advantage = column.numerals.text(test.advantage)
    return {
        "first": test.first,
        "second": test.second,
        "winner": test.winner,
        "advantage": advantage if test.advantage < 0 else f"+{advantage}",
        "effect": f"{test.effect:+.2f}".replace("-", "\N{MINUS SIGN}"),
        "p": _probability(test.p),
        "p_holm": _probability(test.p_holm),
        "n_subjects": test.n_subjects,
    }


def _probability(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}".replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")


def _wins(summary: Summary) -> dict[str, dict[str, int]]:
    """In how many metrics the first method is significantly better than the second; empty where nothing was tested."""
    names = [row.method for row in summary.comparison.methods]
    if not summary.tests:
        return {}
    won = {first: dict.fromkeys((second for second in names if second != first), 0) for first in names}
    for test in summary.tests:
        if test.winner:
            won[test.winner][test.second if test.winner == test.first else test.first] += 1
    return won


def _tests_in_words(summary: Summary) -> str:
    if len(summary.comparison.methods) < 2:
        return "One method alone: there is nothing to test it against."
    if not summary.tests:
        return (
            f"Not tested: a test needs {FEWEST_FOR_TEST} subjects, of fewer not even a difference that all share has a "
            f"probability under {LEVEL}; here are {len(summary.comparison.subjects)}."
        )
    metrics = len({test.metric for test in summary.tests})
    return (
        "Wilcoxon's signed-rank test of the subjects' means, two-sided, corrected by Holm over one family of "
        f"{len(summary.tests)}: all pairs of methods, in each of {metrics} metrics. Better means corrected p under {LEVEL}."
    )


def _curves(summary: Summary) -> list[dict[str, Any]]:
    """By the first metric that ranks, the worst clip of each method and the best of the first, each clip once."""
    for column in summary.columns:
        ranked = {row.method: extremes(summary.comparison, row, column.metric, 1) for row in summary.comparison.methods}
        about: dict[str, list[tuple[str, str]]] = {}
        for method, (_, worst) in ranked.items():
            for clip_id in worst:
                about.setdefault(clip_id, []).append((method, f"worst by {column.metric.name}"))
        if about:
            chosen = dict(list(about.items())[: _CLIPS_DRAWN - 1])
            method, (best, _) = next(iter(ranked.items()))
            for clip_id in best:
                chosen[clip_id] = [*chosen.get(clip_id, []), (method, f"best by {column.metric.name}")]
            if len(summary.comparison.ids) == 1:
                chosen = {
                    clip_id: [(method, "its only sequence") for method, _ in named] for clip_id, named in chosen.items()
                }
            drawn = [_drawn(summary, clip_id, named) for clip_id, named in chosen.items()]
            return [entry for entry in drawn if entry["pictures"]]
    return []


def _drawn(summary: Summary, clip_id: str, named: list[tuple[str, str]]) -> dict[str, Any]:
    curves = {row.method: record.curves for row in summary.rows for record in row.sequences if record.id == clip_id}
    about = [method for method, _ in named]
    pictures = []
    for name in dict.fromkeys(name for method in about for name in curves[method]):
        rows = {method: values[name] for method, values in curves.items() if values.get(name)}
        if shown := [method for method in about if method in rows]:
            pictures.append((name, figures.curve(name, clip_id, rows, shown, summary)))
    return {"clip": clip_id, "about": named, "pictures": pictures}


def _conditions(summary: Summary) -> dict[str, list[tuple[str, str]]]:
    """Conditions of all; versions and settings of each row, those that all share once."""
    first = summary.rows[0]
    found = {"Conditions": [(key, _plain(value)) for key, value in first.conditions.items()]}
    for heading, attribute in (("Versions", "versions"), ("Settings", "settings")):
        entries: dict[tuple[str, str], list[str]] = {}
        for row in summary.rows:
            for key, value in getattr(row, attribute).items():
                entries.setdefault((key, _plain(value)), []).append(row.method)
        found[heading] = [
            (key if len(methods) == len(summary.rows) else f"{key} ({', '.join(methods)})", value)
            for (key, value), methods in entries.items()
        ]
    found["Sequences"] = [
        (row.method, f"{len(row.sequences)} measured, {len(row.failures)} failed, n_samples {row.n_samples}")
        for row in summary.rows
    ]
    return {heading: rows for heading, rows in found.items() if rows}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else "not recorded" if value is None else json.dumps(value, ensure_ascii=False)
