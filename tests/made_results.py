"""Results of benchmarks as the tests need them, made from numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from singinghead.metrics.definitions import Metric
from singinghead.metrics.results import MethodResult, Pooled, Role, SequenceRecord

ERROR = Metric("error_mm", "mm", "lower", "mean distance")
SCORE = Metric("score", "", "higher", "how well it sings")
LAG = Metric("lag_ms", "ms", "zero", "how late it is")
SPREAD = Metric("spread_mm", "mm", "truth", "how much samples differ")
METRICS = (ERROR, SCORE, LAG, SPREAD)

Numbers = Mapping[str, float | None]


def record(clip_id: str, numbers: Numbers, **rest: Any) -> SequenceRecord:
    reasons = {name: f"no {name} here" for name, value in numbers.items() if value is None}
    return SequenceRecord(clip_id, numbers, reasons, **rest)


def result(
    method: str,
    numbers: Mapping[str, Numbers | float | None],
    *,
    definitions: Sequence[Metric] = (ERROR,),
    failures: Mapping[str, str] | None = None,
    n_samples: int = 1,
    conditions: Mapping[str, Any] | None = None,
    role: Role = "method",
    protocol: str = "corrected",
    pooled: Mapping[str, Pooled] | None = None,
) -> MethodResult:
    """A result of ID to metrics, or to the value of the only metric."""
    records = tuple(
        record(clip_id, values if isinstance(values, Mapping) else {definitions[0].name: values})
        for clip_id, values in numbers.items()
    )
    return MethodResult(
        method=method,
        benchmark="3d",
        protocol=protocol,
        definitions=tuple(definitions),
        sequences=records,
        failures=failures or {},
        n_samples=n_samples,
        conditions=conditions if conditions is not None else {"model": "stand-in", "mask_sha256": "ab" * 32},
        versions={"numpy": "2"},
        role=role,
        pooled=pooled or {},
    )


def ids(n_subjects: int, clips: int) -> list[str]:
    return [f"id{subject}_{clip}_0" for subject in range(n_subjects) for clip in range(clips)]


def drawn(
    method: str, seed: int, n_subjects: int = 5, clips: int = 8, level: float = 1.0, role: Role = "method"
) -> MethodResult:
    """A result of all four metrics, whose subjects and clips differ, with curves."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.random.default_rng(99).normal(0, 0.2, n_subjects), clips)
    noise = rng.normal(0, 0.1, (n_subjects * clips, 4))
    records = []
    for index, clip_id in enumerate(ids(n_subjects, clips)):
        error = level * np.exp(subjects[index] + noise[index, 0])
        numbers = {
            "error_mm": error,
            "score": float(np.clip(0.9 - 0.3 * level + noise[index, 1], 0, 1)),
            "lag_ms": 30 * (level - 1) + 50 * noise[index, 2],
            "spread_mm": 2 / level + noise[index, 3],
        }
        wave = error * (1 + 0.5 * np.sin(np.arange(240) / (7 + index % 5)) + 0.1 * rng.normal(size=240))
        curves = {"lip_error_mm": tuple(wave.tolist()), "mouth_open_mm": tuple((4 * np.abs(wave)).tolist())}
        records.append(record(clip_id, numbers, curves=curves))
    return MethodResult(
        method=method,
        benchmark="3d",
        protocol="corrected",
        definitions=METRICS,
        sequences=tuple(records),
        failures={},
        n_samples=1,
        conditions={"model": "stand-in", "mask_sha256": "ab" * 32},
        versions={"numpy": "2.4.6", "singinghead": "0.1.0"},
        settings={"gt": "gt", "pred": f"{method}=made/{method}"},
        role=role,
    )
