"""What a benchmark leaves behind: a result for each method, in it a record for each sequence.

The 3D and the 2D benchmark share it, and so do the tables, statistics and reports that are made from it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from singinghead.flame_model.dataset import check_id
from singinghead.flame_model.errors import InputError
from singinghead.metrics.definitions import Metric

Role = Literal["method", "ground truth", "baseline"]
"""What a row of a table is. Only methods compete: ground truth and baselines (a still face, another clip's audio) show what
the best and the worthless score, get no marks, are in no test, and never decide which sequences are averaged."""

INFINITE = "infinite"
"""How the reason for a null begins where the value is better than any number."""

_METRIC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_LONGEST_NAME = 200
_LARGEST_NUMBER = 1e100
"""No measurement is larger; sums and squares of larger ones overflow."""


def subject_of(clip_id: str) -> str:
    """Who sings: the first field of the ID."""
    return clip_id.split("_")[0]


@dataclass(frozen=True)
class SequenceRecord:
    """One sequence of one method, measured.

    Attributes:
        id: the clip's.
        metrics: name to value; None where it has none.
        reasons: for every None, why.
        notes: what was done to it or is odd about it: cut, resampled, a still face.
        curves: values over time worth a figure, by name: ``lip_error_mm`` and ``mouth_open_mm`` a frame.
    """

    id: str
    metrics: Mapping[str, float | None]
    reasons: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Who sings."""
        return subject_of(self.id)


@dataclass(frozen=True)
class Pooled:
    """One number for many sequences at once.

    Attributes:
        value: None where there is none.
        ids: of the sequences that it was computed over; it stands in no table of others.
        reason: why there is none.
    """

    value: float | None
    ids: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class MethodResult:
    """All sequences of one method.

    Attributes:
        method: its name.
        benchmark: ``3d`` or ``2d``.
        protocol: ``corrected`` or ``seed``.
        definitions: of the metrics that were measured, in the order of a table.
        sequences: those that were measured.
        failures: ID to reason, of those that were not.
        n_samples: samples of each sequence that were used.
        conditions: what must be the same for two results to stand in one table: ``model``, ``mask_sha256``, backends.
        versions: of the libraries that the numbers depend on.
        settings: how the command was called.
        notes: on all of it.
        role: a method, the ground truth measured against itself, or a baseline.
        pooled: metrics of many sequences at once, as a Fréchet distance is; no record knows them.
    """

    method: str
    benchmark: str
    protocol: str
    definitions: tuple[Metric, ...]
    sequences: tuple[SequenceRecord, ...]
    failures: Mapping[str, str]
    n_samples: int
    conditions: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    role: Role = "method"
    pooled: Mapping[str, Pooled] = field(default_factory=dict)

    @property
    def is_method(self) -> bool:
        """Whether it competes."""
        return self.role == "method"


def check_name(name: str, source: str | None = None) -> None:
    """Refuse a method's name that cannot be its result file's.

    Args:
        name: of the method.
        source: the file that the message names, if it comes from one.

    Raises:
        InputError: it cannot.
    """
    if not name or name != name.strip() or name in (".", "..") or len(name.encode()) > _LONGEST_NAME:
        raise InputError(f"the method's name {name!r} cannot name a file", file=source, remedy="give it a plain, short name")
    if any(character in "/\\" or not character.isprintable() for character in name):
        raise InputError(f"the method's name {name!r} cannot name a file", file=source, remedy="leave out / and \\")


def check_result(result: MethodResult, source: str | None = None) -> None:
    """Refuse what could not be averaged or written honestly.

    Args:
        result: whose numbers are looked at.
        source: the file or the method that the message names; default: the method.

    Raises:
        InputError: a value is neither a finite number nor None with a reason, a metric is missing or not defined, an ID
            appears twice or is none, the name cannot be a file's, or nothing says what was measured.
    """
    where = source or result.method
    check_name(result.method, source)
    defined = [metric.name for metric in result.definitions]
    if not defined or len(set(defined)) < len(defined):
        raise InputError("defines no metrics, or one of them twice", file=where)
    if odd := [metric for metric in defined if not _METRIC_NAME.fullmatch(metric)]:
        raise InputError(f"{odd[0]!r} is no name of a metric", file=where, remedy="letters, digits, _ - + .")
    if result.n_samples < 1:
        raise InputError(f"n_samples is {result.n_samples}, not a positive number", file=where)
    try:
        json.dumps([dict(result.conditions), dict(result.settings)], allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"conditions or settings cannot be written as strict JSON: {error}", file=where) from None
    _check_ids([record.id for record in result.sequences], result.failures, where)
    pooled = set(result.pooled)
    for record in result.sequences:
        _check_values(record.metrics, record.reasons, set(defined) - pooled, f"{where}, {record.id}")
        for curve, heights in record.curves.items():
            if not all(abs(height) < _LARGEST_NUMBER for height in heights):
                raise InputError(f"the curve {curve} holds values that are not numbers", file=f"{where}, {record.id}")
    if not pooled <= set(defined):
        raise InputError(f"{', '.join(sorted(pooled - set(defined)))} is not defined", file=where)
    values = {metric: number.value for metric, number in result.pooled.items()}
    _check_values(values, {metric: number.reason for metric, number in result.pooled.items()}, pooled, where)


def _check_ids(measured: Iterable[str], failed: Iterable[str], where: str) -> None:
    seen = set()
    for clip_id in [*measured, *failed]:
        plain = ""
        with contextlib.suppress(InputError):
            plain = check_id(clip_id)
        if clip_id != plain:
            raise InputError(f"{clip_id!r} is not an ID", file=where)
        if clip_id in seen:
            raise InputError(f"{clip_id!r} is listed twice", file=where)
        seen.add(clip_id)


def _check_values(values: Mapping[str, float | None], reasons: Mapping[str, str], defined: set[str], where: str) -> None:
    if differing := defined ^ set(values):
        raise InputError(f"{', '.join(sorted(differing))}: measured but not defined, or the reverse", file=where)
    for metric, value in values.items():
        if value is None and not reasons.get(metric):
            raise InputError(f"{metric} is null without a reason", file=where)
        if value is not None and not abs(float(value)) < _LARGEST_NUMBER:
            raise InputError(f"{metric} is {value}: neither a number nor null with a reason", file=where)
