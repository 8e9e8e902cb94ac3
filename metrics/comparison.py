"""Which sequences are averaged, and what may be compared at all.

Every number in a table is the unweighted mean over sequences, of those valid for every method compared:

1. A sequence that failed, or is missing, for any method is left out for all of them, and listed.
2. For each metric, so is a sequence where any method has no value. A method that has no value on any sequence (parameter
   metrics of generated vertices, diversity of one sample) is instead left out of that metric: it would empty the column.
3. Only methods decide. Ground truth and baselines are averaged over the same sequences, over those of them that they have.
4. Results of different benchmarks, protocols, conditions (model, masks, backends) or numbers of samples are refused.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from singinghead.flame_model.errors import InputError
from singinghead.metrics.definitions import Metric
from singinghead.metrics.results import MethodResult, SequenceRecord, check_result, subject_of


@dataclass(frozen=True)
class Value:
    """One cell of a table.

    Attributes:
        value: the mean, or None.
        n: sequences that it is over.
        reason: why there is none.
    """

    value: float | None
    n: int
    reason: str = ""


@dataclass(frozen=True)
class LeftOut:
    """Why a sequence is not averaged.

    Attributes:
        id: the sequence's.
        method: for which it is not valid.
        reason: in words.
    """

    id: str
    method: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Results that may stand in one table, and the sequences that its numbers are over.

    Attributes:
        results: rows: ground truth, then baselines, then methods, each in the order given.
        metrics: columns.
        ids: sequences that every method has.
        left_out: the others, once for each method without them.
        ids_of: for each metric, those of ``ids`` that are averaged.
        left_out_of: for each metric, the rest of ``ids``.
    """

    results: tuple[MethodResult, ...]
    metrics: tuple[Metric, ...]
    ids: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    ids_of: Mapping[str, tuple[str, ...]]
    left_out_of: Mapping[str, tuple[LeftOut, ...]]

    @property
    def methods(self) -> tuple[MethodResult, ...]:
        """The rows that compete."""
        return tuple(result for result in self.results if result.is_method)

    @property
    def ground_truth(self) -> MethodResult | None:
        """The row to be near to, if there is one."""
        return next((result for result in self.results if result.role == "ground truth"), None)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Who sings in ``ids``."""
        return tuple(dict.fromkeys(subject_of(clip_id) for clip_id in self.ids))

    @functools.cached_property
    def _records(self) -> dict[str, dict[str, SequenceRecord]]:
        return {result.method: {record.id: record for record in result.sequences} for result in self.results}

    def values(self, result: MethodResult, metric: str) -> dict[str, float]:
        """What is averaged: ID to value, in the order of the IDs; empty where the cell is."""
        records = self._records[result.method]
        found = {clip_id: _value(records.get(clip_id), metric) for clip_id in self.ids_of[metric]}
        return {clip_id: value for clip_id, value in found.items() if value is not None}

    def value(self, result: MethodResult, metric: str) -> Value:
        """One cell."""
        if metric in result.pooled:
            return self._pooled(result, metric)
        values = self.values(result, metric)
        if values:
            return Value(math.fsum(values.values()) / len(values), len(values))
        return Value(None, 0, self._why_none(result, metric))

    def _pooled(self, result: MethodResult, metric: str) -> Value:
        pooled = result.pooled[metric]
        if pooled.value is None:
            return Value(None, 0, pooled.reason)
        if set(pooled.ids) != set(self.ids):
            return Value(
                None, 0, f"was computed over {len(pooled.ids)} sequences, which are not the {len(self.ids)} compared"
            )
        return Value(pooled.value, len(pooled.ids))

    def _why_none(self, result: MethodResult, metric: str) -> str:
        if metric not in {definition.name for definition in result.definitions}:
            return "not measured"
        if not self.ids:
            return "no sequence is valid for every method"
        reasons = [record.reasons[metric] for record in result.sequences if record.reasons.get(metric)]
        if not reasons:
            return "no sequence has a value for every method"
        commonest = max(dict.fromkeys(reasons), key=reasons.count)
        others = len(set(reasons)) - 1
        return commonest + (f"; {others} other reason{'s'[: others > 1]} on other sequences" if others else "")


def compare(results: Sequence[MethodResult], sources: Sequence[str] | None = None) -> Comparison:
    """Put results side by side.

    Args:
        results: of one benchmark, in the order in which they are to be listed.
        sources: the file of each, for messages; default: the methods' names.

    Raises:
        InputError: they may not stand in one table, and what differs where; or one of them is not sound.
    """
    named = list(zip(results, sources or [result.method for result in results], strict=True))
    if not named:
        raise InputError("nothing to compare", remedy="give one result at least")
    for result, source in named:
        check_result(result, source)
    _refuse_to_mix(named)
    order = ("ground truth", "baseline", "method")
    rows = tuple(sorted(results, key=lambda result: order.index(result.role)))
    deciding = [result for result in rows if result.is_method] or list(rows)
    ids, left_out = _common(deciding)
    metrics = tuple({metric.name: metric for result in results for metric in result.definitions}.values())
    ids_of, left_out_of = {}, {}
    for metric in metrics:
        ids_of[metric.name], left_out_of[metric.name] = _common_for(metric.name, deciding, ids)
    return Comparison(rows, metrics, ids, left_out, ids_of, left_out_of)


def _value(record: SequenceRecord | None, metric: str) -> float | None:
    return record.metrics.get(metric) if record else None


def _common(deciding: Sequence[MethodResult]) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    measured = {result.method: {record.id for record in result.sequences} for result in deciding}
    known = sorted({clip_id for result in deciding for clip_id in [*measured[result.method], *result.failures]})
    left_out = tuple(
        LeftOut(clip_id, result.method, result.failures.get(clip_id, "not among its sequences"))
        for clip_id in known
        for result in deciding
        if clip_id not in measured[result.method]
    )
    out = {sequence.id for sequence in left_out}
    return tuple(clip_id for clip_id in known if clip_id not in out), left_out


def _common_for(
    metric: str, deciding: Sequence[MethodResult], ids: Sequence[str]
) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    left_out = []
    for result in deciding:
        records = {record.id: record for record in result.sequences}
        without = [clip_id for clip_id in ids if _value(records[clip_id], metric) is None]
        if len(without) < len(ids):
            left_out += [LeftOut(clip_id, result.method, records[clip_id].reasons[metric]) for clip_id in without]
    out = {sequence.id for sequence in left_out}
    return tuple(clip_id for clip_id in ids if clip_id not in out), tuple(left_out)


def _refuse_to_mix(named: Sequence[tuple[MethodResult, str]]) -> None:
    first, first_source = named[0]
    seen: dict[str, str] = {}
    for result, source in named:
        if result.method in seen:
            raise InputError(
                f"holds the same name, {result.method!r}, as {seen[result.method]}", file=source, remedy="rename one of them"
            )
        seen[result.method] = source
        ours, theirs = _identity(result), _identity(first)
        for key in dict.fromkeys([*ours, *theirs]):
            if ours.get(key) != theirs.get(key):
                raise InputError(
                    f"{key} is {_words(ours.get(key))}, but {_words(theirs.get(key))} in {first_source}",
                    file=source,
                    remedy="measure both in the same way",
                )
        _refuse_other_definitions(result, source, first, first_source)
    truths = [source for result, source in named if result.role == "ground truth"]
    if len(truths) > 1:
        raise InputError(f"is a ground truth, and so is {truths[0]}", file=truths[1], remedy="give one of them")
    methods = [(result, source) for result, source in named if result.is_method]
    for result, source in methods:
        if result.n_samples != methods[0][0].n_samples:
            raise InputError(
                f"is over {result.n_samples} samples a sequence, but {methods[0][1]} over {methods[0][0].n_samples}",
                file=source,
                remedy="measure them in one run, which takes the smaller number",
            )


def _refuse_other_definitions(result: MethodResult, source: str, first: MethodResult, first_source: str) -> None:
    known = {metric.name: metric for metric in first.definitions}
    for metric in result.definitions:
        other = known.get(metric.name, metric)
        if (metric.unit, metric.better) != (other.unit, other.better):
            raise InputError(
                f"{metric.name} is in {metric.unit!r}, {metric.better} is better, but in {other.unit!r}, {other.better} is"
                f" better, in {first_source}",
                file=source,
                remedy="measure both with one version of singinghead",
            )


def _identity(result: MethodResult) -> dict[str, object]:
    """All that must be the same in one table, in the form that it has once it was in a file."""
    conditions = json.loads(json.dumps(dict(result.conditions), sort_keys=True))
    return {"benchmark": result.benchmark, "protocol": result.protocol, **conditions}


def _words(value: object) -> str:
    text = "not recorded" if value is None else value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 60 else text[:57] + "..."
