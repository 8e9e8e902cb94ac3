"""The 3D benchmark: methods against the ground truth, a clip after another.

For each clip the ground truth's vertices and every sample's are computed once, 60 frames at a time and all methods side by
side, and used for all metrics. Memory holds one chunk of each, whatever the number of clips and their length. What is posed
is needed of 68 landmarks only, whose 204 vertices a smaller forward pass computes.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singinghead.flame_model.errors import InputError, SingingHeadError
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence, VertexSequence
from singinghead.metrics import clip_measures
from singinghead.metrics.clip_measures import ClipMeasures, Measuring, seen_by
from singinghead.metrics.clips import AnySequence, Method, common_length, cut, load_truth
from singinghead.metrics.definitions import METRICS_3D, Metric, Protocol
from singinghead.metrics.head import MeasuredHead, MeasuredSubject
from singinghead.metrics.results import MethodResult, Role, SequenceRecord
from singinghead.metrics.sound_of_clip import Recordings

if TYPE_CHECKING:
    import torch

GROUND_TRUTH, STILL_FACE, SHUFFLED_AUDIO = "ground truth", "still face", "shuffled audio"
_BASELINES: dict[str, Role] = {GROUND_TRUTH: "ground truth", STILL_FACE: "baseline", SHUFFLED_AUDIO: "baseline"}
_PACKAGES = ("singinghead", "numpy", "scipy", "torch", "librosa", "soundfile")


@dataclass(frozen=True)
class Benchmark:
    """What methods are measured against, and how.

    Attributes:
        head: the model and its masks.
        truth: the folder of the ground truth's sequences.
        recordings: where sound lies.
        protocol: ``corrected``, or ``seed`` for its numbers.
        fps: of the ground truth, frames a second; predictions of another rate are resampled to it.
        baselines: whether to measure the ground truth itself, a still face and the ground truth to another clip's sound.
    """

    head: MeasuredHead
    truth: Path
    recordings: Recordings = field(default_factory=Recordings)
    protocol: Protocol = "corrected"
    fps: float = 30.0
    baselines: bool = True


@dataclass
class _Row:
    """One row of the table as it grows."""

    name: str
    role: Role
    method: Method | None = None
    records: list[SequenceRecord] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass
class _Run:
    """One clip of one row while it is measured; ``streams`` yield vertices, and None stands for the truth's own."""

    row: _Row
    samples: tuple[AnySequence, ...]
    n_frames: int
    notes: tuple[str, ...]
    measures: ClipMeasures
    streams: list[Iterator[torch.Tensor] | None]


def evaluate(
    methods: Sequence[Method],
    ids: Sequence[str],
    benchmark: Benchmark,
    settings: Mapping[str, Any] | None = None,
    counted: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> list[MethodResult]:
    """Measure methods over a list of clips.

    Args:
        methods: what to measure, each of another name.
        ids: the clips.
        benchmark: against what.
        settings: how it was called, for the record.
        counted: wraps the clips, for a progress bar.

    Returns:
        A result for each baseline, then for each method. A clip that cannot be measured is among its failures.

    Raises:
        InputError: two methods have one name, or that of a baseline; there are none, or no clips.
    """
    names = [method.name for method in methods]
    if not methods or not ids:
        raise InputError("there is nothing to measure: no methods, or no sequences")
    for name in names:
        if names.count(name) > 1 or name in _BASELINES:
            raise InputError(f"the name '{name}' is taken", remedy="give each method its own")
    rows = [_Row(name, role) for name, role in _BASELINES.items()] if benchmark.baselines else []
    rows += [_Row(method.name, "method", method) for method in methods]
    counts = [count for method in methods if (count := method.count_samples(ids)) is not None]
    head = seen_by(benchmark.protocol, benchmark.head)
    measuring = Measuring(head, benchmark.protocol, benchmark.fps, min(counts, default=1))
    for number, clip_id in enumerate(counted(ids)):
        elsewhere = ids[(number + 1) % len(ids)]
        _measure_clip(clip_id, elsewhere, rows, benchmark, measuring)
    return [_result(row, benchmark, measuring.n_best, settings or {}) for row in rows]


def _measure_clip(clip_id: str, elsewhere: str, rows: Sequence[_Row], benchmark: Benchmark, measuring: Measuring) -> None:
    """Measure one clip for every row."""
    try:
        truth = load_truth(benchmark.truth, clip_id)
        person = measuring.head.subject(truth.shape)
    except SingingHeadError as error:
        for row in rows:
            row.failures[clip_id] = str(error)
        return
    runs = []
    for row in rows:
        if row.name != SHUFFLED_AUDIO:
            with _failing(row, clip_id):
                runs.append(_begin(row, clip_id, truth, person, benchmark.fps, measuring))
    longest = max((run.n_frames for run in runs), default=0)
    start = 0
    for true_vertices in person.zero_pose(cut(truth, longest)) if runs else ():
        for run in list(runs):
            survived = False
            with _failing(run.row, clip_id):
                _advance(run, start, true_vertices)
                survived = True
            if not survived:
                runs.remove(run)
        start += len(true_vertices)
    heard = benchmark.recordings.hear(clip_id)
    for run in runs:
        with _failing(run.row, clip_id):
            record = run.measures.record(clip_id, heard, run.notes)
            run.row.records.append(record)
    truths_own = next((run for run in runs if run.row.name == GROUND_TRUTH), None)
    shuffled = next((row for row in rows if row.name == SHUFFLED_AUDIO), None)
    if shuffled is not None:
        if truths_own is None:
            shuffled.failures[clip_id] = "the ground truth could not be measured"
        elif elsewhere == clip_id:
            shuffled.failures[clip_id] = "there is no other clip whose sound could be heard"
        else:
            record = truths_own.measures.record_of_sound(clip_id, benchmark.recordings.hear(elsewhere), elsewhere)
            shuffled.records.append(record)


class _failing:  # noqa: N801 - reads as a word
    """Turn an error that has a name into a failure of one row."""

    def __init__(self, row: _Row, clip_id: str) -> None:
        self._row, self._id = row, clip_id

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, SingingHeadError):
            self._row.failures[self._id] = str(error)
            return True
        return False


def _begin(row: _Row, clip_id: str, truth: ParamSequence, person: MeasuredSubject, fps: float, measuring: Measuring) -> _Run:
    """Load a row's samples, and make ready."""
    samples, notes = _samples(row, clip_id, truth, fps)
    n_frames, was_cut = common_length(len(truth), samples, fps)
    model = person.head.arrays
    for sample in samples:
        if isinstance(sample, VertexSequence) and sample.stored.shape[1] != len(model.template):
            raise InputError(
                f"has {sample.stored.shape[1]} vertices a frame, but {model.name} {len(model.template)}",
                file=sample.file,
            )
    samples = tuple(cut(sample, n_frames) for sample in samples)
    notes += [was_cut] if was_cut else []
    if truth.shape is None:
        notes.append("the ground truth has no shape: measured on the mean face")
    true_params = truth.params.map(lambda x: x[:n_frames])
    measures = clip_measures.begin(measuring, person, samples, true_params)
    streams = [None if row.name == GROUND_TRUTH else person.zero_pose(sample) for sample in samples]
    return _Run(row, samples, n_frames, tuple(notes), measures, streams)


def _samples(row: _Row, clip_id: str, truth: ParamSequence, fps: float) -> tuple[tuple[AnySequence, ...], list[str]]:
    """A row's samples of a clip, and notes on them."""
    if row.method is not None:
        resampled = [] if row.method.fps == fps else [f"resampled from {row.method.fps:g} to {fps:g} frames a second"]
        return row.method.samples(clip_id, fps), resampled
    if row.name == GROUND_TRUTH:
        return (truth,), []
    still = FlameParams.zeros(len(truth))
    return (ParamSequence(clip_id, truth.file, still, truth.shape),), []


def _advance(run: _Run, start: int, true_vertices: torch.Tensor) -> None:
    """Take the next chunk of a run, as far as it goes."""
    n_frames = min(len(true_vertices), run.n_frames - start)
    if n_frames > 0:
        chunks = [true_vertices if stream is None else next(stream) for stream in run.streams]
        run.measures.update([chunk[:n_frames] for chunk in chunks], true_vertices[:n_frames])


@functools.cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def _result(row: _Row, benchmark: Benchmark, n_best: int, settings: Mapping[str, Any]) -> MethodResult:
    definitions: tuple[Metric, ...] = METRICS_3D[benchmark.protocol]
    notes = []
    if benchmark.head.arrays.is_stand_in:
        notes.append("measured on the stand-in head: these numbers compare with no others")
    if row.role == "method":
        notes.append(f"*_min: best of {n_best} sample{'s' * (n_best != 1)}, the fewest that a method compared has of a clip")
    return MethodResult(
        method=row.name,
        benchmark="3d",
        protocol=benchmark.protocol,
        definitions=definitions,
        sequences=tuple(row.records),
        failures=row.failures,
        n_samples=n_best,
        conditions=benchmark.head.conditions | {"beat_audio": benchmark.recordings.beat_audio, "fps": benchmark.fps},
        versions=_versions(),
        settings=settings,
        notes=tuple(notes),
        role=row.role,
    )
