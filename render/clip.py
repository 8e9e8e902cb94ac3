"""One clip, whole: motion, identity and sound in, a video file out. Frames are streamed from end to end."""

from __future__ import annotations

import importlib.metadata
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.dataset import Dataset
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import CHUNK, FlameModel, Subject
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.sequence import ParamSequence, Sequence, VertexSequence, load_sequence, resample
from singinghead.flame_model.shapes import check_shape
from singinghead.flame_model.stored_file import Source
from singinghead.render.layer_files import LayerFiles
from singinghead.render.rasterizer import Backend, open_rasterizer
from singinghead.render.shown import Shown
from singinghead.render.sound import Mix, Soundtrack, mixed
from singinghead.render.staging import Stage
from singinghead.render.video import VideoWriter, check_output, check_rate

logger = logging.getLogger(__name__)

PoseChoice = Literal["full", "zero", "gt"]
CameraChoice = Literal["fixed", "fit"]
FrameCounter = Callable[[Iterable[NDArray[np.uint8]], int], Iterable[NDArray[np.uint8]]]

_LONGEST_CUT_S = 0.1
"""By how much a prediction and its ground truth may differ in length before the pose of the latter is refused."""


@dataclass(frozen=True)
class Look:
    """How a clip is drawn and encoded.

    Attributes:
        size: of the square picture, or of each of several side by side, an even number of pixels.
        fps: the motion's rate.
        out_fps: the video's rate; None is the motion's.
        backend: ``auto``, ``software`` or ``pyrender``.
        device: the torch device of the forward pass.
        camera: ``fixed``, the same for all clips of a subject, or ``fit`` to the motion.
        pose: head pose as given, zero, or the ground truth's.
        crf: x264's quality.
        preset: x264's speed.
        threads: that draw; None: as many as there are cores, up to 8.
        encoder_threads: None: x264's own choice by the cores. Where motion is fast, the pictures depend on it.
        shown: what is drawn beside the plain head.
    """

    size: int = 1024
    fps: float = 30.0
    out_fps: float | None = None
    backend: Backend = "auto"
    device: str = "cpu"
    camera: CameraChoice = "fixed"
    pose: PoseChoice = "full"
    crf: int = 18
    preset: str = "veryfast"
    threads: int | None = None
    encoder_threads: int | None = None
    shown: Shown = field(default_factory=Shown)


@dataclass(frozen=True)
class Sound:
    """What is heard; see :func:`singinghead.render.sound.mixed`. Without vocals and BGM the video is silent."""

    vocals: Source | None = None
    bgm: Source | None = None
    mix: Mix = "native"
    vocal_gain_db: float = 0.0
    bgm_gain_db: float = 0.0


@dataclass(frozen=True)
class Rendered:
    """What was made.

    Attributes:
        out: the video.
        frames: how many.
        fps: their rate.
        duration: seconds.
        seconds: from parameters to closed file.
        backend: what drew.
        model: whose head it is.
        identity: where the subject's shape came from.
        sound: what was mixed, or None for a silent video.
        layers: the files and folders written beside the video.
        notes: what a user should know of the motion, and of the anatomy that the model has no room for.
    """

    out: Path
    frames: int
    fps: float
    duration: float
    seconds: float
    backend: str
    model: str
    identity: str
    sound: Soundtrack | None
    layers: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def render_clip(
    model: FlameModel,
    sequence: Sequence,
    out: Path,
    look: Look,
    sound: Sound,
    truth: ParamSequence | None = None,
    counted: FrameCounter = lambda frames, _total: frames,
) -> Rendered:
    """Render one clip to an mp4.

    Args:
        model: the head.
        sequence: its motion.
        out: the video to write.
        look: how.
        sound: vocals and music.
        truth: the ground truth of the clip, for its identity and its pose.
        counted: wraps the frames as they pass, for a progress bar.

    Raises:
        InputError: what was asked for does not fit together, or a file is not usable.
        UnavailableError: the backend or device is not on this machine.
        EncodingError: ffmpeg failed.
    """
    started = time.perf_counter()
    out_fps = look.fps if look.out_fps is None else look.out_fps
    check_rate(look.fps)
    check_output(out, (look.size * len(look.shown.views), look.size), out_fps, look.crf, look.preset)
    if look.shown.colour_by == "error":
        sequence, truth = _compared(sequence, look, truth)
    prepared = prepare(model, sequence, look, truth)
    subject, sequence = prepared.subject, prepared.sequence
    params = sequence.params if isinstance(sequence, ParamSequence) else None
    against = _against(model, truth, look, out_fps) if look.shown.colour_by == "error" else None
    duration = len(sequence) / out_fps

    def chunks() -> Iterator[Frames]:
        return motion(subject, sequence)

    stage = Stage.of(subject, chunks, look.shown, look.size, look.camera == "fit", len(sequence))
    with open_rasterizer(look.backend, stage.scene, stage.rig.camera, look.size) as rasterizer:
        comment = "; ".join(
            f"{key}: {value}"
            for key, value in (
                ("model", model.arrays.name),
                ("backend", rasterizer.name),
                *stage.notes(out_fps).items(),
                ("pose", look.pose),
                ("identity", prepared.identity),
                ("made by", f"singinghead {importlib.metadata.version('singinghead')}"),
            )
        )
        metadata = {"title": sequence.id, "comment": comment}
        with soundtrack(sound, duration) as track:
            wav = track.path if track else None
            encoding = (out_fps, wav, look.crf, look.preset, metadata, look.encoder_threads)
            with (
                VideoWriter(out, stage.picture_size, *encoding) as video,
                LayerFiles(out, look.shown.extra_layers, stage.layer_facts(out_fps), look.shown.alpha_as) as files,
            ):
                threads = min(look.threads or rasterizer.threads, rasterizer.threads)
                pictures = stage.pictures(rasterizer, threads, chunks(), out_fps, params, against, files)
                with closing(pictures):
                    for picture in counted(pictures, len(sequence)):
                        video.write(picture)
        return Rendered(
            out=out,
            frames=video.n_frames,
            fps=out_fps,
            duration=duration,
            seconds=time.perf_counter() - started,
            backend=rasterizer.name,
            model=model.arrays.name,
            identity=prepared.identity,
            sound=track,
            layers=tuple(files.names.values()),
            notes=(f"anatomy: {stage.scene.note}",) if stage.scene.note else (),
        )


def load_truth(dataset: Dataset | None, sequence: Sequence, look: Look) -> ParamSequence | None:
    """The dataset's own sequence of this clip, where its identity, pose or motion is wanted and it is there."""
    lacks_shape = isinstance(sequence, ParamSequence) and sequence.shape is None
    if dataset is None or not (lacks_shape or look.pose == "gt" or look.shown.colour_by == "error"):
        return None
    file = dataset.truth(sequence.id)
    truth = load_sequence(file) if file else None
    return truth if isinstance(truth, ParamSequence) else None


@dataclass(frozen=True)
class Prepared:
    """Who moves, and how.

    Attributes:
        subject: with the identity baked in.
        sequence: the motion, posed and resampled as wished.
        identity: where the subject's shape came from.
        shape: its coefficients, or None for the mean face.
    """

    subject: Subject
    sequence: Sequence
    identity: str
    shape: Frames | None


def prepare(model: FlameModel, sequence: Sequence, look: Look, truth: ParamSequence | None = None) -> Prepared:
    """Choose the identity, and make the motion what ``look`` says: its pose, its rates, its device.

    Raises:
        InputError: as :func:`render_clip`.
    """
    shape, identity = _identity(sequence, truth)
    out_fps = look.fps if look.out_fps is None else look.out_fps
    sequence = resample(_posed(sequence, look, truth), look.fps, out_fps)
    subject = model.with_shape(shape, look.device)
    if isinstance(sequence, VertexSequence):
        check_shape(
            f"vertices of {sequence.file.name} for {model.arrays.name}", sequence.stored, "T", len(subject.template), 3
        )
    return Prepared(subject, sequence, identity, shape)


def motion(subject: Subject, sequence: Sequence) -> Iterator[Frames]:
    """Yield (at most 60, V, 3) vertices in metres, in order."""
    if isinstance(sequence, VertexSequence):
        return sequence.chunks(CHUNK)
    return subject.chunks(sequence.params)


def soundtrack(sound: Sound, duration: float) -> AbstractContextManager[Soundtrack | None]:
    """The mix of a clip's sound for the length of a ``with`` block; None where it has none."""
    if sound.vocals is None and sound.bgm is None:
        return nullcontext(None)
    return mixed(duration, sound.vocals, sound.bgm, sound.mix, sound.vocal_gain_db, sound.bgm_gain_db)


def _identity(sequence: Sequence, truth: ParamSequence | None) -> tuple[Frames | None, str]:
    """The subject's shape: the file's own, else the ground truth's, else the mean face."""
    if isinstance(sequence, VertexSequence):
        return None, "the vertices' own"
    if sequence.shape is not None:
        return sequence.shape, "the sequence's own"
    if truth is not None and truth.shape is not None:
        return truth.shape, "the ground truth's"
    return None, "the mean face"


def _posed(sequence: Sequence, look: Look, truth: ParamSequence | None) -> Sequence:
    if look.pose == "full":
        return sequence
    if isinstance(sequence, VertexSequence):
        raise InputError("vertices are posed already", file=sequence.file, remedy="--pose zero and gt need parameters")
    if look.pose == "zero":
        return replace(sequence, params=sequence.params.with_head_pose(None))
    if truth is None:
        raise InputError(
            "no ground truth to take the pose from",
            file=sequence.file,
            remedy="--pose gt needs --data-root with flame_seqs",
        )
    own, other = _cut_alike(sequence, truth, look)
    return replace(sequence, params=own.params.with_head_pose(other.params))


def _compared(sequence: Sequence, look: Look, truth: ParamSequence | None) -> tuple[ParamSequence, ParamSequence]:
    """A prediction and its ground truth, as far as both go."""
    if isinstance(sequence, VertexSequence):
        raise InputError("vertices are posed already", file=sequence.file, remedy="--colour-by error needs parameters")
    if truth is None:
        raise InputError(
            "no ground truth to compare with",
            file=sequence.file,
            remedy="--colour-by error needs --data-root with flame_seqs",
        )
    return _cut_alike(sequence, truth, look)


def _against(model: FlameModel, truth: ParamSequence | None, look: Look, out_fps: float) -> tuple[Subject, FlameParams]:
    """The ground truth's subject and motion, at the video's rate."""
    assert truth is not None  # as _compared has seen to
    resampled = resample(truth, look.fps, out_fps)
    assert isinstance(resampled, ParamSequence)
    return model.with_shape(truth.shape, look.device), resampled.params


def _cut_alike(sequence: ParamSequence, truth: ParamSequence, look: Look) -> tuple[ParamSequence, ParamSequence]:
    """Both, as long as the shorter one, unless that is far too short."""
    n_frames = min(len(sequence), len(truth))
    excess = max(len(sequence), len(truth)) - n_frames
    if excess > _LONGEST_CUT_S * look.fps:
        raise InputError(
            f"has {len(sequence)} frames and its ground truth {len(truth)}: they do not go together",
            file=sequence.file,
        )
    if excess:
        logger.warning("%s: cut by %d frames to go with the ground truth", sequence.file, excess)
    own, other = (replace(s, params=s.params.map(lambda field: field[:n_frames])) for s in (sequence, truth))
    return own, other
