"""Everything that tables and reports print, worked out once: cells with their spread and marks, tests, extreme clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from singinghead.flame_model.errors import InputError
from singinghead.metrics.comparison import Comparison, LeftOut, Value
from singinghead.metrics.definitions import Metric
from singinghead.metrics.inference import Estimate, PairTest, distance_from_best, estimate, paired_tests
from singinghead.metrics.numerals import Numerals, numerals_for
from singinghead.metrics.results import INFINITE, MethodResult

Mark = Literal["best", "second", ""]

ARROWS = {"lower": "↓", "higher": "↑", "zero": "→ 0", "truth": "→ truth"}
DIRECTIONS = {
    "lower": "lower is better",
    "higher": "higher is better",
    "zero": "nearest to 0 is best",
    "truth": "nearest to the ground truth's own value is best",
}


@dataclass(frozen=True)
class Cell:
    """One method in one metric.

    Attributes:
        value: the headline.
        estimate: its spread; None where there is no value, or where it belongs to all sequences at once.
        mark: ``best``, ``second`` or nothing.
    """

    value: Value
    estimate: Estimate | None
    mark: Mark

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % over subjects."""
        return self.estimate.interval if self.estimate else None


@dataclass(frozen=True)
class Column:
    """One metric of all rows.

    Attributes:
        metric: its definition.
        numerals: how its numbers are printed.
        cells: by method.
        left_out: sequences that only this metric is not averaged over.
    """

    metric: Metric
    numerals: Numerals
    cells: Mapping[str, Cell]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Summary:
    """What is printed.

    Attributes:
        comparison: the results.
        columns: metrics, in their order.
        tests: between methods, corrected over these columns.
    """

    comparison: Comparison
    columns: tuple[Column, ...]
    tests: tuple[PairTest, ...]

    @property
    def rows(self) -> tuple[MethodResult, ...]:
        """Ground truth, baselines, methods."""
        return self.comparison.results

    @property
    def empty_cells(self) -> tuple[tuple[Metric, str, str], ...]:
        """Metric, method and reason of every null."""
        return tuple(
            (column.metric, method, cell.value.reason)
            for column in self.columns
            for method, cell in column.cells.items()
            if cell.value.value is None
        )


def summarize(comparison: Comparison) -> Summary:
    """Work out all that is printed."""
    columns = tuple(_column(comparison, metric) for metric in comparison.metrics)
    return Summary(comparison, columns, paired_tests(comparison))


def extremes(comparison: Comparison, result: MethodResult, metric: Metric, count: int) -> tuple[list[str], list[str]]:
    """The best and the worst clips of a method.

    Args:
        comparison: whose sequences are looked at.
        result: the method.
        metric: by which.
        count: of each at most; no clip is in both.

    Returns:
        IDs, the best first; IDs, the worst first. Empty where only an absent ground truth could tell.
    """
    order = ranked(comparison, result, metric)
    count = min(count, len(order) // 2)
    return order[:count], order[::-1][: max(count, min(1, len(order)))]


def ranked(comparison: Comparison, result: MethodResult, metric: Metric) -> list[str]:
    """The clips of a method, the best by a metric first; none where only an absent ground truth could tell."""
    truth = comparison.ground_truth
    truths = comparison.values(truth, metric.name) if truth else {}
    distances = {
        clip_id: distance
        for clip_id, value in comparison.values(result, metric.name).items()
        if (distance := distance_from_best(value, metric.better, truths.get(clip_id))) is not None
    }
    return sorted(distances, key=lambda clip_id: (distances[clip_id], clip_id))


def select(comparison_metrics: Sequence[Metric], names: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics of these names, in this order.

    Raises:
        InputError: there is none of a name.
    """
    known = {metric.name: metric for metric in comparison_metrics}
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"no result holds the metric {unknown[0]!r}", remedy=f"there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _column(comparison: Comparison, metric: Metric) -> Column:
    found = {result.method: comparison.value(result, metric.name) for result in comparison.results}
    numerals = numerals_for(value.value for value in found.values() if value.value is not None)
    marks = _marks(comparison, metric, found, numerals)
    cells = {}
    for result in comparison.results:
        values = comparison.values(result, metric.name)
        spread = estimate(values) if values else None
        cells[result.method] = Cell(found[result.method], spread, marks.get(result.method, ""))
    return Column(metric, numerals, cells, comparison.left_out_of[metric.name])


def _marks(comparison: Comparison, metric: Metric, found: Mapping[str, Value], numerals: Numerals) -> dict[str, Mark]:
    """Best and second among methods. Those that print alike share a mark; of two methods the worse is not called second."""
    truth = found[comparison.ground_truth.method].value if comparison.ground_truth else None
    printed = None if truth is None else numerals.rounded(truth)
    if any(found[result.method].reason.startswith(INFINITE) for result in comparison.methods):
        return {}  # what is better than any number has none to be marked, and no other is the best
    distances = {}
    for result in comparison.methods:
        value = found[result.method].value
        distance = None if value is None else distance_from_best(numerals.rounded(value), metric.better, printed)
        if distance is not None:
            distances[result.method] = round(distance, numerals.decimals)
    if len(distances) < 2:
        return {}
    places: tuple[Mark, ...] = ("best", "second") if len(distances) > 2 else ("best",)
    marked = dict(zip(sorted(set(distances.values())), places, strict=False))
    return {method: marked.get(distance, "") for method, distance in distances.items()}
