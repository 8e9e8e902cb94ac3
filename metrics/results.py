"""What a benchmark leaves behind: a result for each method, in it a record for each sequence.

The 3D and the 2D benchmark share it, and so do the tables, statistics and reports that are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        """Who sings: the first field of the ID."""
        return self.id.split("_")[0]


@dataclass(frozen=True)
class MethodResult:
    """All sequences of one method.

    Attributes:
        method: its name.
        benchmark: ``3d`` or ``2d``.
        protocol: ``corrected`` or ``seed``.
        sequences: those that were measured.
        failures: ID to reason, of those that were not.
        n_samples: samples of each sequence that were used.
        conditions: what must be the same for two results to stand in one table: ``model``, ``mask_sha256``, backends.
        versions: of the libraries that the numbers depend on.
        settings: how the command was called.
        notes: on all of it.
    """

    method: str
    benchmark: str
    protocol: str
    sequences: tuple[SequenceRecord, ...]
    failures: Mapping[str, str]
    n_samples: int
    conditions: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
