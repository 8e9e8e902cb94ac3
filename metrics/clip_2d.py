"""One clip of the 2D benchmark: the true video and every method's of that name, decoded once and side by side.

Of each video one frame is in memory. What was measured before, of the same files and in the same way, comes from disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from singinghead.flame_model.arrays import Indices
from singinghead.flame_model.errors import InputError, SingingHeadError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.audio_beats import Sound
from singinghead.metrics.eval_folder import AUDIO
from singinghead.metrics.face_measures import beat_names, distance_names, put_beats, put_distances, put_identity
from singinghead.metrics.image_quality import Frame
from singinghead.metrics.instruments import Instruments, Measuring2D, open_instruments
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.one_video import OneVideo
from singinghead.metrics.results import SequenceRecord
from singinghead.metrics.video_pair import VideoPair
from singinghead.metrics.video_reader import open_frames

TRUTH = "ground truth"
"""The name of its row."""

AGAINST_ITSELF = "compares with the ground truth, which this is"


@dataclass(frozen=True)
class Clip:
    """The files of one clip.

    Attributes:
        id: the clip's.
        truth: the true video.
        generated: method to video.
        audio: what was sung, or None.
    """

    id: str
    truth: Path
    generated: Mapping[str, Path]
    audio: Path | None


@dataclass(frozen=True)
class ClipOutcome:
    """What came of one clip; every method, and the ground truth, is among records or failures.

    Attributes:
        records: row to record.
        failures: row to reason.
        features: row to the file of its frames' features, where there are any.
        n_frames: row to its frames of 30 a second.
        n_without_face: row to those without a face.
    """

    records: dict[str, SequenceRecord] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    features: dict[str, Path] = field(default_factory=dict)
    n_frames: dict[str, int] = field(default_factory=dict)
    n_without_face: dict[str, int] = field(default_factory=dict)


def measure_clip(clip: Clip, measuring: Measuring2D) -> ClipOutcome:
    """Measure one clip of every method.

    Raises:
        InputError: a file of weights is broken; nothing else, the rest is among the failures.
    """
    instruments = open_instruments(measuring)
    outcome = ClipOutcome()
    pairs: dict[str, VideoPair] = {}
    with _failing(outcome, TRUTH):
        truth = OneVideo(clip.truth, measuring, instruments)
        for name, path in clip.generated.items():
            with _failing(outcome, name):
                pairs[name] = VideoPair(OneVideo(path, measuring, instruments), truth, measuring, instruments)
        _play(truth, pairs, measuring, outcome)
        beats, no_beats = _beats(clip)
        measured = _Measured(clip.id, measuring, instruments, beats, no_beats)
        outcome.records[TRUTH] = measured.of_truth(truth)
        _count(outcome, TRUTH, truth)
        for name, pair in pairs.items():
            if name not in outcome.failures:
                with _failing(outcome, name):
                    outcome.records[name] = measured.of_pair(pair)
                    _count(outcome, name, pair.video)
    if TRUTH in outcome.failures:
        for name in clip.generated:
            outcome.failures.setdefault(name, f"the ground truth cannot be measured: {outcome.failures[TRUTH]}")
    return outcome


def _play(truth: OneVideo, pairs: Mapping[str, VideoPair], measuring: Measuring2D, outcome: ClipOutcome) -> None:
    """Show every video that is not known yet to whoever looks at it, all on one clock; what breaks is out.

    Raises:
        InputError: the true video is damaged.
    """
    videos = {name: pair.video for name, pair in pairs.items() if not (pair.is_known and pair.video.is_known)}
    if not truth.is_known or any(not pair.is_known for pair in pairs.values()):
        videos[TRUTH] = truth
    with contextlib.ExitStack() as stack:
        streams = {name: stack.enter_context(open_frames(video.path, measuring.size)) for name, video in videos.items()}
        index = 0
        while streams:
            shown: dict[str, Frame] = {}
            for name in list(streams):
                frame = _next(streams, name, outcome)
                if frame is not None:
                    videos[name].update(index, frame)
                    shown[name] = frame
                elif name not in outcome.failures:
                    videos[name].finish(index)
            if TRUTH in shown and index % measuring.every == 0:
                for name in shown.keys() - {TRUTH}:
                    if not pairs[name].is_known:
                        pairs[name].update(shown[name], shown[TRUTH])
            index += 1
    for name, pair in pairs.items():
        if name not in outcome.failures:
            pair.finish()


def _next(streams: dict[str, Iterator[Frame]], name: str, outcome: ClipOutcome) -> Frame | None:
    """A video's next frame; None at its end, or where it is damaged, which is noted."""
    try:
        frame = next(streams[name], None)
    except SingingHeadError as error:
        if name == TRUTH:
            raise
        outcome.failures[name] = str(error)
        frame = None
    if frame is None:
        del streams[name]
    return frame


@dataclass(frozen=True)
class _Measured:
    """What a clip's videos have in common when their numbers are put together."""

    clip_id: str
    measuring: Measuring2D
    instruments: Instruments
    beats: Indices | None
    no_beats: str

    def of_truth(self, truth: OneVideo) -> SequenceRecord:
        """The ground truth's own row: its sharpness and its beats."""
        values = MeasuredValues()
        pooled = self.measuring.pooled
        values.lack((metric.name for metric in self.measuring.definitions if metric.name not in pooled), AGAINST_ITSELF)
        return self._record(values, truth, self._own(values, truth))

    def of_pair(self, pair: VideoPair) -> SequenceRecord:
        """A method's row."""
        values = MeasuredValues()
        pair.put(values)
        notes = [*pair.notes(), *self._own(values, pair.video)]
        protocol, backend = self.measuring.protocol, self.measuring.landmarks
        faces, true_faces = pair.video.faces, pair.truth.faces
        if faces is None or true_faces is None:
            values.lack(distance_names(protocol, backend), self.instruments.lacking["landmarks"])
        else:
            cut, true_cut = faces.cut(pair.n_frames), true_faces.cut(pair.n_frames)
            notes += put_distances(values, cut, true_cut, self.measuring.every, protocol, backend)
        if protocol == "corrected":
            name = f"csim_{self.measuring.identity}"
            if faces is None or true_faces is None or self.instruments.identity is None:
                values.put(name, None, self.instruments.lacking["identity"])
            else:
                put_identity(values, name, cut, true_cut)
        return self._record(values, pair.video, notes)

    def _own(self, values: MeasuredValues, video: OneVideo) -> tuple[str, ...]:
        """Note what a video has by itself."""
        protocol, backend = self.measuring.protocol, self.measuring.landmarks
        values.put("CPBD" if protocol == "seed" else "cpbd", video.sharpness)
        if video.faces is None:
            values.lack(beat_names(protocol, backend), self.instruments.lacking["landmarks"])
            return ()
        return put_beats(values, video.faces, self.beats, self.no_beats, protocol, backend)

    def _record(self, values: MeasuredValues, video: OneVideo, notes: list[str] | tuple[str, ...]) -> SequenceRecord:
        pooled = self.measuring.pooled
        columns = [metric for metric in self.measuring.definitions if metric.name not in pooled]
        metrics = values.in_order(columns)
        reasons = {name: values.reasons[name] for name, value in metrics.items() if value is None}
        return SequenceRecord(self.clip_id, metrics, reasons, tuple(notes))


def _beats(clip: Clip) -> tuple[Indices | None, str]:
    """Beats of what was sung, in hops of 512 samples at 16 kHz; None and the reason without it."""
    if clip.audio is None:
        return None, f"no {AUDIO}/{clip.id}.wav"
    try:
        return np.asarray(Sound((StoredFile.of(clip.audio),)).beat_frames()), ""
    except InputError as error:
        return None, str(error)


def _count(outcome: ClipOutcome, name: str, video: OneVideo) -> None:
    outcome.n_frames[name] = video.n_frames
    if video.faces is not None:
        outcome.n_without_face[name] = video.faces.n_without
    if video.features_entry is not None:
        outcome.features[name] = video.features_entry


@contextlib.contextmanager
def _failing(outcome: ClipOutcome, name: str) -> Iterator[None]:
    """Turn an error into a failure of one row."""
    try:
        yield
    except SingingHeadError as error:
        outcome.failures[name] = str(error)
