"""What can be wrong with one clip: its motion, its sound, and whether the two belong together."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, ParamSpec

import numpy as np
import soundfile
from numpy.typing import NDArray

from singinghead.flame_model.dataset import BGM, MOTION, VIDEO, VOCALS, Dataset
from singinghead.flame_model.errors import AngleError, InputError, NotFiniteError
from singinghead.flame_model.rotations import angle_between, rotation_angle
from singinghead.flame_model.sequence import ParamSequence, VertexSequence, load_sequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.sound import check_complete

RELEASE_FPS = 30.0
"""The rate of the dataset's own motion."""

P = ParamSpec("P")

_ROTATIONS = ("global_pose", "neck", "jaw")
_FRAMES = 240
_BLOCK = 1 << 16


class Kind(StrEnum):
    """The kinds of problems."""

    UNREADABLE = "unreadable"
    MISSING_PART = "missing_part"
    MISSING_MOTION = "missing_motion"
    MISSING_VOCALS = "missing_vocals"
    MISSING_VIDEO = "missing_video"
    NAN = "nan"
    LARGE_ANGLE = "large_angle"
    POSE_JUMP = "pose_jump"
    LENGTH = "length"
    SILENT_VOCALS = "silent_vocals"
    SAMPLE_RATE = "sample_rate"
    SHAPE = "shape"
    UNKNOWN_CLIP = "unknown_clip"
    NO_SPLIT = "no_split"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: what.
        id: the clip, or the subject of a changing shape; empty where it is about the dataset.
        detail: in words, with figures.
        file: where, if it is about one file.
    """

    kind: Kind
    id: str
    detail: str
    file: str = ""


@dataclass(frozen=True)
class Limits:
    """From where on something counts as wrong.

    Attributes:
        fps: frames a second of the motion.
        jump_deg: the largest turn of head, neck or jaw from one frame to the next, degrees. Singing stays under 4 at 30 fps
            (the largest of five fitted clips is 3.3); a lost track or frames in the wrong order turn by tens.
        length_s: by how much motion and sound may differ, seconds: three frames at 30 fps, as for a ground truth's pose.
        silence_db: vocals of an RMS below it are silent, dB of full scale: a thousandth of it.
    """

    fps: float = RELEASE_FPS
    jump_deg: float = 15.0
    length_s: float = 0.1
    silence_db: float = -60.0


@dataclass(frozen=True)
class Recording:
    """A recording's header."""

    rate: int
    channels: int
    seconds: float

    @property
    def kind(self) -> str:
        """``48000 Hz stereo``."""
        return f"{self.rate} Hz " + {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")


@dataclass
class Examined:
    """What was found out about one clip.

    Attributes:
        id: the clip.
        problems: what is wrong with it.
        frames: of its motion; None if that cannot be read.
        shape: (100,) its identity; None where its motion has none.
        vocals: None if missing or not readable.
        bgm: the same.
        lacks_bgm: no music, which is normal.
    """

    id: str
    problems: list[Problem] = field(default_factory=list)
    frames: int | None = None
    shape: NDArray[np.float32] | None = None
    vocals: Recording | None = None
    bgm: Recording | None = None
    lacks_bgm: bool = False

    def add(self, kind: Kind, detail: str, file: StoredFile | None = None) -> None:
        """Note one more problem."""
        self.problems.append(Problem(kind, self.id, detail, str(file) if file else ""))


def _without_warnings(work: Callable[P, Examined]) -> Callable[P, Examined]:
    """What the readers warn of is a problem here, and is told once."""

    @functools.wraps(work)
    def quiet(*arguments: P.args, **options: P.kwargs) -> Examined:
        logger = logging.getLogger("singinghead.flame_model")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            return work(*arguments, **options)
        finally:
            logger.setLevel(level)

    return quiet


@_without_warnings
def examine(clip_id: str, dataset: Dataset, parts: Collection[str], limits: Limits) -> Examined:
    """Look at one clip.

    Of a dataset's own clip, everything; of a prediction, its motion, and whether it is as long as ground truth and sound.

    Args:
        clip_id: the clip.
        dataset: where it lies.
        parts: those of :data:`~singinghead.flame_model.dataset.PARTS` that are there and can be read.
        limits: what is wrong.
    """
    found, is_prediction = Examined(clip_id), dataset.predictions is not None
    files = {part: dataset.file(part, clip_id) for part in parts}
    motion = dataset.sequence(clip_id) if is_prediction else files.get(MOTION)
    if motion is None and not any(files.values()):
        found.add(Kind.MISSING_MOTION, "nor anything else of it" if parts else "")
        return found
    missing = {VOCALS: Kind.MISSING_VOCALS, VIDEO: Kind.MISSING_VIDEO}
    for part in missing.keys() & parts if not is_prediction else ():
        if files[part] is None:
            found.add(missing[part], "")
    if motion:
        _examine_motion(motion, found, limits)
    elif is_prediction or MOTION in parts:
        found.add(Kind.MISSING_MOTION, "")
    if vocals := files.get(VOCALS):
        found.vocals = _examine_recording(vocals, found, None if is_prediction else limits.silence_db)
    if bgm := files.get(BGM):
        found.bgm = _examine_recording(bgm, found, None)
    found.lacks_bgm = BGM in parts and bgm is None
    if not is_prediction and (video := files.get(VIDEO)) and video.size == 0:
        found.add(Kind.UNREADABLE, "is empty", video)
    _compare_lengths(found, _truth_seconds(files.get(MOTION)) if is_prediction else None, limits)
    return found


def _examine_motion(file: StoredFile, found: Examined, limits: Limits) -> None:
    """Every sample, until one cannot be read."""
    sample, n_samples = 0, 1
    try:
        while sample < n_samples:
            sequence = load_sequence(file, sample)
            found.frames, n_samples = len(sequence), sequence.n_samples
            if isinstance(sequence, VertexSequence):
                for _ in sequence.chunks(_FRAMES):  # it raises where there is NaN
                    pass
            else:
                found.shape = sequence.shape
                _examine_pose(sequence, _which(sample, n_samples), found, limits)
            sample += 1
    except InputError as error:
        kinds = {NotFiniteError: Kind.NAN, AngleError: Kind.LARGE_ANGLE}
        found.add(kinds.get(type(error), Kind.UNREADABLE), _which(sample, n_samples) + _without_name(error, file), file)


def _examine_pose(sequence: ParamSequence, which: str, found: Examined, limits: Limits) -> None:
    large, jumps = [], []
    for name in _ROTATIONS:
        rotation = getattr(sequence.params, name)
        angles, turns = rotation_angle(rotation), np.degrees(angle_between(rotation[:-1], rotation[1:]))
        if angles.max() > np.pi:
            large.append(f"{name} by {angles.max():.2f} rad in frame {angles.argmax()}")
        if turns.max(initial=0) > limits.jump_deg:
            more = f", one of {n} jumps" if (n := int((turns > limits.jump_deg).sum())) > 1 else ""
            jumps.append(f"{name} by {turns.max():.0f}° from frame {turns.argmax()} to the next{more}")
    if large:
        found.add(Kind.LARGE_ANGLE, f"{which}{', '.join(large)}", sequence.file)
    if jumps:
        found.add(Kind.POSE_JUMP, f"{which}{', '.join(jumps)}", sequence.file)


def _examine_recording(file: StoredFile, found: Examined, silence_db: float | None) -> Recording | None:
    """Its header; and its samples, if silence is looked for."""
    try:
        with file.open() as stream:
            check_complete(stream, file)
            stream.seek(0)
            info = soundfile.info(stream)
            if info.frames == 0:
                raise InputError("holds no sound", file=file)
            if silence_db is not None:
                stream.seek(0)
                level_db = _level_db(stream)
                if np.isnan(level_db):
                    found.add(Kind.NAN, "holds NaN or infinity", file)
                elif level_db < silence_db:
                    found.add(
                        Kind.SILENT_VOCALS, f"RMS of {level_db:.0f} dB" if level_db > -200 else "digital silence", file
                    )
            return Recording(info.samplerate, info.channels, info.frames / info.samplerate)
    except InputError as error:
        found.add(Kind.UNREADABLE, _without_name(error, file), file)
    except soundfile.LibsndfileError as error:
        found.add(Kind.UNREADABLE, f"not a readable recording: {error.error_string}", file)
    except OSError as error:
        found.add(Kind.UNREADABLE, f"cannot be read: {error.strerror or error}", file)
    return None


def _level_db(stream: IO[bytes]) -> float:
    """RMS over all samples and channels in dB of full scale; NaN where a sample is not finite."""
    power, count = 0.0, 0
    for block in soundfile.blocks(stream, _BLOCK, dtype="float32"):
        power += float(np.vdot(block, block))
        count += block.size
    return float(10 * np.log10(max(power / count, 1e-30))) if np.isfinite(power) else float("nan")


def _compare_lengths(found: Examined, truth_s: float | None, limits: Limits) -> None:
    if found.frames is None:
        return
    motion_s = found.frames / limits.fps
    others = (
        ("vocals", found.vocals.seconds if found.vocals else None),
        ("BGM", found.bgm.seconds if found.bgm else None),
        ("ground truth", truth_s),
    )
    different = [
        f"{name} {seconds:.2f} s"
        for name, seconds in others
        if seconds is not None and abs(seconds - motion_s) > limits.length_s + 1e-9
    ]
    if different:
        found.add(Kind.LENGTH, f"motion {motion_s:.2f} s, {', '.join(different)}")


def _truth_seconds(truth: StoredFile | None) -> float | None:
    try:
        return len(load_sequence(truth)) / RELEASE_FPS if truth else None
    except InputError:  # the dataset's own faults are found when the dataset is checked
        return None


def _which(sample: int, n_samples: int) -> str:
    return f"sample {sample}: " if n_samples > 1 else ""


def _without_name(error: InputError, file: StoredFile) -> str:
    return str(error).removeprefix(f"{file}: ")
