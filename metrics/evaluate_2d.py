"""The 2D benchmark: the videos of several methods against the recordings, clip after clip, in worker processes.

Each video is decoded once, straight from its file, and nothing is written but what a rerun would otherwise find again.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from singinghead.flame_model.errors import InputError
from singinghead.metrics import clip_workers
from singinghead.metrics.clip_2d import AGAINST_ITSELF, TRUTH, Clip, ClipOutcome, measure_clip
from singinghead.metrics.eval_folder import EvalFolder
from singinghead.metrics.instruments import Instruments, Measuring2D, open_instruments
from singinghead.metrics.pooled_2d import PooledRow, compare_features, without_values
from singinghead.metrics.results import MethodResult, SequenceRecord

_PACKAGES = ("singinghead", "numpy", "scipy", "scikit-image", "pillow", "librosa", "soundfile", "imageio-ffmpeg")

Counted = Callable[[Iterable[Any], int], Iterable[Any]]


@dataclass
class _Row:
    """One row of the table as it grows."""

    name: str
    records: dict[str, SequenceRecord] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    features: dict[str, Path] = field(default_factory=dict)
    n_frames: int = 0
    n_without_face: int = 0
    clips_without_face: int = 0

    def add(self, clip_id: str, outcome: ClipOutcome) -> None:
        """Take what came of one clip."""
        if self.name in outcome.records:
            self.records[clip_id] = outcome.records[self.name]
            self.n_frames += outcome.n_frames[self.name]
            without = outcome.n_without_face.get(self.name, 0)
            self.n_without_face += without
            self.clips_without_face += without > 0
            if self.name in outcome.features:
                self.features[clip_id] = outcome.features[self.name]
        elif self.name in outcome.failures:
            self.failures[clip_id] = outcome.failures[self.name]


def evaluate(
    folder: EvalFolder,
    measuring: Measuring2D,
    n_workers: int = 0,
    settings: Mapping[str, Any] | None = None,
    counted: Counted = lambda clips, _n: clips,
) -> list[MethodResult]:
    """Measure every method.

    Args:
        folder: the videos.
        measuring: how.
        n_workers: processes; 0 works in this one.
        settings: how it was called, for the record.
        counted: wraps the clips that come to their end, whose number it is told, for a progress bar.

    Returns:
        The ground truth's result, then the methods'. A clip that cannot be measured is among the failures.

    Raises:
        InputError: a file of weights is broken, or a method has the name of the ground truth's row.
    """
    if any(method.name == TRUTH for method in folder.methods):
        raise InputError(f"the name '{TRUTH}' is taken", file=folder.root, remedy="give the method another")
    instruments = open_instruments(measuring)
    rows = {name: _Row(name) for name in (TRUTH, *(method.name for method in folder.methods))}
    clips = _clips(folder)
    work = functools.partial(measure_clip, measuring=measuring)
    for done in counted(clip_workers.run(work, clips, n_workers), len(clips)):
        outcome = done.outcome or ClipOutcome(failures=dict.fromkeys((TRUTH, *done.task.generated), done.failure))
        for row in rows.values():
            row.add(done.task.id, outcome)
    for method in folder.methods:
        failures = rows[method.name].failures
        failures |= dict.fromkeys(sorted(folder.truth.by_id.keys() - method.by_id.keys()), "has no video")
        failures |= dict.fromkeys(
            sorted(method.by_id.keys() - folder.truth.by_id.keys()), "has no ground truth of this name"
        )
    pooled = _pooled(rows, measuring, instruments)
    return [_result(row, folder, measuring, instruments, pooled[row.name], settings or {}) for row in rows.values()]


def _clips(folder: EvalFolder) -> list[Clip]:
    """Every clip with a true video; what methods have beside them cannot be measured."""
    return [
        Clip(
            clip_id,
            path,
            {method.name: method.by_id[clip_id] for method in folder.methods if clip_id in method.by_id},
            folder.audio(clip_id),
        )
        for clip_id, path in folder.truth.by_id.items()
    ]


def _pooled(rows: Mapping[str, _Row], measuring: Measuring2D, instruments: Instruments) -> dict[str, PooledRow]:
    truth, *methods = rows.values()
    ids = [clip_id for clip_id in sorted(truth.records) if all(clip_id in row.records for row in methods)]
    if instruments.inception is None or not ids:
        why = instruments.lacking.get("inception", "no clip was measured for every method")
        return dict.fromkeys(rows, without_values(measuring.pooled, ids, why))
    of_methods = {row.name: compare_features(measuring.pooled, ids, row.features, truth.features) for row in methods}
    return {TRUTH: without_values(measuring.pooled, ids, AGAINST_ITSELF), **of_methods}


def _result(
    row: _Row,
    folder: EvalFolder,
    measuring: Measuring2D,
    instruments: Instruments,
    pooled: PooledRow,
    settings: Mapping[str, Any],
) -> MethodResult:
    return MethodResult(
        method=row.name,
        benchmark="2d",
        protocol=measuring.protocol,
        definitions=measuring.definitions,
        sequences=tuple(row.records[clip_id] for clip_id in sorted(row.records)),
        failures=dict(sorted(row.failures.items())),
        n_samples=1,
        conditions={
            "size": measuring.size,
            "every": measuring.every,
            "landmarks": instruments.versions.get("landmarks", "none"),
            "identity": instruments.versions.get("identity", "none"),
        },
        versions=_versions() | instruments.versions,
        settings=settings,
        notes=_notes(row, folder, pooled),
        role="ground truth" if row.name == TRUTH else "method",
        pooled=pooled.values,
    )


def _notes(row: _Row, folder: EvalFolder, pooled: PooledRow) -> tuple[str, ...]:
    """What holds for all of a row: frames, faces that were not found, and how many clips have which note."""
    videos = folder.truth if row.name == TRUTH else next(method for method in folder.methods if method.name == row.name)
    said = [f"{row.n_frames} frames of 30 a second in {len(row.records)} clips"]
    if row.n_without_face:
        said.append(f"no face in {row.n_without_face} frames of {row.clips_without_face} clips")
    if videos.others:
        said.append(f"{len(videos.others)} files are no videos: {', '.join(videos.others[:3])}")
    said += pooled.notes
    of_clips = Counter(re.sub(r"\d+(\.\d+)?", "N", note) for record in row.records.values() for note in record.notes)
    return (*said, *(f"{count} clips: {note}" for note, count in sorted(of_clips.items())))


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def settings_of(options: Any) -> dict[str, Any]:
    """A command's options as plain values, for the record."""
    return {
        name: value if isinstance(value, bool | int | float | str | None) else str(value)
        for name, value in asdict(options).items()
    }
