"""A clip's motion from files: the ground truth, and a method's samples of it on the same clock and of the same length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from singinghead.flame_model import sequence
from singinghead.flame_model.archive import open_archive
from singinghead.flame_model.array_file import SUFFIXES
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import ParamSequence, VertexSequence, load_sequence
from singinghead.flame_model.stored_file import StoredFile

MAY_DIFFER_S = 0.1
"""How much shorter or longer than the ground truth a prediction may be: it is cut, or the ground truth is."""

AnySequence = ParamSequence | VertexSequence


@dataclass(frozen=True)
class Method:
    """Where a method's predictions lie.

    Attributes:
        name: of the method.
        folder: it holds ``ID.pkl``, ``ID.npz`` or ``ID.npy``.
        fps: frames a second of what lies there.
    """

    name: str
    folder: Path
    fps: float = 30.0

    @classmethod
    def parse(cls, text: str, fps: float) -> Method:
        """``NAME=DIR`` at the common rate, or ``NAME=DIR@25`` at its own.

        Raises:
            InputError: it has another form, or the folder is not there.
        """
        name, equals, place = text.partition("=")
        name, folder, rate = name.strip(), place, fps
        before, at, number = place.rpartition("@")
        if at and not Path(place).exists():
            folder = before
            try:
                rate = float(number)
            except ValueError:
                rate = math.nan
            if not 0 < rate < math.inf:
                raise InputError(f"'{number}' in '{text}' is no number of frames a second", remedy="NAME=DIR@25")
        if not (name and equals and folder):
            raise InputError(f"'{text}' names no method", remedy="NAME=DIR, or NAME=DIR@25 for 25 frames a second")
        if not Path(folder).is_dir():
            raise InputError(
                "no such folder", file=folder, remedy=f"the predictions of {name} are ID.pkl, .npz or .npy in it"
            )
        return cls(name, Path(folder), rate)

    def samples(self, clip_id: str, fps: float) -> tuple[AnySequence, ...]:
        """All samples of one clip, resampled to ``fps``.

        Raises:
            InputError: the folder has no such clip, or its file is no sequence.
        """
        file = motion_file(self.folder, clip_id)
        first = load_sequence(file)
        rest = (load_sequence(file, sample) for sample in range(1, first.n_samples))
        return tuple(sequence.resample(sample, self.fps, fps) for sample in (first, *rest))

    def count_samples(self, ids: Iterable[str]) -> int | None:
        """The smallest number of samples of any clip that can be read; None where none can."""
        counts = []
        for clip_id in ids:
            try:
                counts.append(load_sequence(motion_file(self.folder, clip_id)).n_samples)
            except InputError:
                continue  # it fails again, and is listed, when it is measured
        return min(counts, default=None)


def load_truth(folder: Path, clip_id: str) -> ParamSequence:
    """The ground truth of one clip.

    Raises:
        InputError: it is missing, or no FLAME parameters.
    """
    truth = load_sequence(motion_file(folder, clip_id))
    if not isinstance(truth, ParamSequence):
        raise InputError("the ground truth must be FLAME parameters, not vertices", file=truth.file)
    return truth


def motion_file(folder: Path, clip_id: str) -> StoredFile:
    """The file of one clip in a folder of sequences.

    Raises:
        InputError: there is none.
    """
    found = find_stored(folder, [f"{clip_id}{suffix}" for suffix in SUFFIXES])
    if found is None:
        raise InputError(f"no {clip_id}.pkl, .npz or .npy", file=folder)
    return found


def is_stored(folder: Path) -> bool:
    """Whether a folder is there, or the release's zip of its name in its place."""
    return folder.is_dir() or _zip_of(folder).is_file()


def find_stored(folder: Path, names: Iterable[str]) -> StoredFile | None:
    """The first of some files that lies in a folder, or in the zip of its name where there is no such folder.

    Raises:
        InputError: the zip cannot be read.
    """
    zipped = _zip_of(folder)
    if folder.is_dir() or not zipped.is_file():
        return next((StoredFile(folder / name) for name in names if (folder / name).is_file()), None)
    archive = open_archive(zipped)
    members = (member for name in names for member in (f"{folder.name}/{name}", name))
    return next((StoredFile(zipped, member) for member in members if member in archive), None)


def _zip_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.zip")


def common_length(n_frames: int, samples: Sequence[AnySequence], fps: float) -> tuple[int, str]:
    """How many frames ground truth and samples share, and a note if that is fewer than either has.

    Raises:
        InputError: a sample is shorter or longer than the ground truth by more than 0.1 s.
    """
    shared = min(n_frames, *(len(sample) for sample in samples))
    for sample in samples:
        if abs(len(sample) - n_frames) / fps > MAY_DIFFER_S + 1e-9:
            raise InputError(
                f"lasts {len(sample) / fps:.2f} s, but the ground truth {n_frames / fps:.2f} s", file=sample.file
            )
    longest = max(n_frames, *(len(sample) for sample in samples))
    return (
        shared,
        f"cut to {shared} frames: ground truth and prediction differ by {longest - shared}" if longest > shared else "",
    )


def cut(motion: AnySequence, n_frames: int) -> AnySequence:
    """The first frames of a sequence."""
    if isinstance(motion, VertexSequence):
        return replace(motion, position=motion.position[:n_frames])
    return replace(motion, params=motion.params.map(lambda x: x[:n_frames]))
