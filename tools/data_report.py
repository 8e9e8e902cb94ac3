"""What was found wrong with a dataset, put together and told to a person, a program or a file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.tools.clip_checks import Examined, Kind, Limits, Problem

REPORT_SUFFIXES = (".json", ".csv")

_SHOWN = 5
_UNITS = ((3600, "hours"), (60, "minutes"), (1, "seconds"))
_SAME_SHAPE = 1e-3  # of coefficients whose standard deviation is near 1; the face differs by a hundredth of a millimetre

_TOLD: dict[Kind, tuple[str, str]] = {
    Kind.MISSING_PART: ("a part of the dataset is not there", "download it, or put the release's zip in its place"),
    Kind.UNREADABLE: ("files that cannot be read", "download or write them again"),
    Kind.MISSING_MOTION: ("no motion", "download it again, or take the IDs off the split list"),
    Kind.MISSING_VOCALS: ("no vocals", "these render silent or with music alone, and have no beat or lip scores"),
    Kind.MISSING_VIDEO: ("no recorded video, where others have one", "only comparisons with the real video need it"),
    Kind.NAN: ("NaN or infinity", "these do not render: write them again, or leave them out"),
    Kind.LARGE_ANGLE: (
        "rotations by more than half a turn (π)",
        "in degrees? or wrapped around: not fit for means and metrics",
    ),
    Kind.POSE_JUMP: (
        "jumps of the pose, over {jump_deg:g}° a frame",
        "look at them: a lost track, or frames in the wrong order",
    ),
    Kind.LENGTH: ("motion and sound differ in length, by over {length_s:g} s", "another --fps? else sound is cut or padded"),
    Kind.SILENT_VOCALS: ("silent vocals, RMS under {silence_db:g} dB", "leave them out of beat and lip scores"),
    Kind.SAMPLE_RATE: ("sound of another rate or channels than most", "rendering resamples; other programs may not"),
    Kind.SHAPE: ("subjects whose shape changes between clips", "metrics take each clip's own: is it the same person?"),
    Kind.UNKNOWN_CLIP: ("predictions of clips that the dataset does not have", "are the files named by the dataset's IDs?"),
    Kind.NO_SPLIT: ("clips in no split list", "train.txt, val.txt and test.txt do not name them"),
    Kind.DUPLICATE: ("IDs listed more than once", "a clip in two splits is trained and tested on"),
}
"""Each kind as a heading, and what to do about it."""


@dataclass
class Survey:
    """All clips of a dataset, put together as they are examined; it keeps few bytes of each.

    Attributes:
        limits: what counts as wrong.
        n_clips: how many were looked at.
        n_frames: of all motion.
        n_without_bgm: clips without music, which is normal.
        subjects: the first fields of the IDs.
        problems: what is wrong.
        notes: what was not looked at, and why.
    """

    limits: Limits
    n_clips: int = 0
    n_frames: int = 0
    n_without_bgm: int = 0
    subjects: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _sound: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {"vocals": {}, "BGM": {}})
    _shapes: dict[str, list[tuple[NDArray[np.float32], list[str]]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, clip: Examined) -> None:
        """Count one more clip."""
        self.n_clips += 1
        self.n_frames += clip.frames or 0
        self.n_without_bgm += clip.lacks_bgm
        subject = subject_of(clip.id)
        self.subjects.add(subject)
        self.problems += clip.problems
        for name, recording in (("vocals", clip.vocals), ("BGM", clip.bgm)):
            if recording:
                self._sound[name].setdefault(recording.kind, []).append(clip.id)
        if clip.shape is not None:
            for shape, ids in self._shapes[subject]:
                if np.abs(shape - clip.shape).max() <= _SAME_SHAPE:
                    ids.append(clip.id)
                    return
            self._shapes[subject].append((clip.shape, [clip.id]))

    def finish(self) -> None:
        """Find what only shows when all clips are known, odd sample rates and shapes that change; order problems by kind."""
        odd: dict[str, list[str]] = defaultdict(list)
        for name, kinds in self._sound.items():
            usual = max(kinds, key=lambda kind: len(kinds[kind]), default="")
            for kind, ids in kinds.items():
                for clip_id in ids if kind != usual else ():
                    odd[clip_id].append(f"{name} {kind}, most are {usual}")
        self.problems += [Problem(Kind.SAMPLE_RATE, clip_id, "; ".join(details)) for clip_id, details in odd.items()]
        for subject, shapes in self._shapes.items():
            if len(shapes) > 1:
                usual_shape, usual_ids = max(shapes, key=lambda entry: len(entry[1]))
                difference = max(float(np.abs(shape - usual_shape).max()) for shape, _ in shapes)
                others = [clip_id for _, ids in shapes if ids is not usual_ids for clip_id in ids]
                detail = (
                    f"{len(shapes)} shapes, coefficients differ by up to {difference:.2g}; other than most: {_some(others)}"
                )
                self.problems.append(Problem(Kind.SHAPE, subject, detail))
        order = list(_TOLD)
        self.problems.sort(key=lambda problem: order.index(problem.kind))

    def sound(self) -> dict[str, dict[str, int]]:
        """How many clips' vocals, and music, are of each rate and number of channels, the most first."""
        return {
            name: {kind: len(ids) for kind, ids in sorted(kinds.items(), key=lambda entry: -len(entry[1]))}
            for name, kinds in self._sound.items()
        }

    def by_kind(self) -> dict[Kind, list[Problem]]:
        """The problems by kind, what hinders most first."""
        return {kind: found for kind in _TOLD if (found := [problem for problem in self.problems if problem.kind == kind])}

    def record(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "clips": self.n_clips,
            "subjects": len(self.subjects),
            "frames": self.n_frames,
            "sound": self.sound(),
            "clips_without_bgm": self.n_without_bgm,
            "notes": self.notes,
            "limits": asdict(self.limits),
            "n_problems": len(self.problems),
            "by_kind": {kind: len(problems) for kind, problems in self.by_kind().items()},
            "problems": [asdict(problem) for problem in self.problems],
        }


def summary(survey: Survey, root: Path) -> Iterator[str]:
    """Yield the lines that a person can act on: what was looked at, then each kind of problem with examples.

    Args:
        survey: what was found.
        root: what files are named relative to.
    """
    seconds = survey.n_frames / survey.limits.fps
    length = next(f"{seconds / unit:.1f} {name}" for unit, name in _UNITS if seconds >= unit or unit == 1)
    yield f"{root}: {_count(survey.n_clips, 'clip')} of {_count(len(survey.subjects), 'subject')}, {length} of motion"
    for name, kinds in survey.sound().items():
        if kinds:
            n_without = survey.n_without_bgm if name == "BGM" else 0
            none = f"; {_count(n_without, 'clip')} without, which is normal" if n_without else ""
            yield f"  {name:<6}  {', '.join(f'{count:,} x {kind}' for kind, count in kinds.items())}{none}"
    yield from (f"  note    {note}" for note in survey.notes)
    yield ""
    if not survey.problems:
        yield "Nothing is wrong."
        return
    affected = {problem.id for problem in survey.problems if problem.id} - survey.subjects
    yield f"{_count(len(survey.problems), 'problem')}, {_count(len(affected), 'clip')} affected:"
    for kind, problems in survey.by_kind().items():
        title, advice = _TOLD[kind]
        yield ""
        yield f"{len(problems):>6,}  {title.format(**asdict(survey.limits))}"
        labels = [_label(problem, root) for problem in problems[:_SHOWN]]
        width = max(map(len, labels))
        for label, problem in zip(labels, problems, strict=False):
            yield f"        {label:<{width}}  {problem.detail}".rstrip()
        if len(problems) > _SHOWN:
            yield f"        and {len(problems) - _SHOWN:,} more{_by_subject(problems)}"
        yield f"        -> {advice}"


def check_report(path: Path) -> None:
    """Refuse a report that could not be written, before the work.

    Raises:
        InputError: another kind of file, or its folder is not there.
    """
    if path.suffix.lower() not in REPORT_SUFFIXES:
        raise InputError("a report is .json or .csv", file=path)
    if not path.absolute().parent.is_dir():
        raise InputError("its folder is not there", file=path, remedy="make it first")


def write_report(path: Path, survey: Survey) -> None:
    """Write one row a problem (``.csv``), or the whole record (``.json``); whole, or not at all.

    Raises:
        InputError: it cannot be written.
    """
    if path.suffix.lower() == ".json":
        text = json.dumps(survey.record(), ensure_ascii=False, indent=1) + "\n"
    else:
        table = io.StringIO()
        writer = csv.DictWriter(table, ["kind", "id", "detail", "file"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(problem) for problem in survey.problems)
        text = table.getvalue()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=path) from error
    finally:
        partial.unlink(missing_ok=True)


def subject_of(clip_id: str) -> str:
    """The first field of an ID."""
    return clip_id.split("_", 1)[0]


def _label(problem: Problem, root: Path) -> str:
    return problem.file.removeprefix(f"{root}/") or problem.id


def _by_subject(problems: list[Problem]) -> str:
    """Where they are thickest, if there are several subjects and clips that bear their names."""
    counts = Counter(subject_of(problem.id) for problem in problems if "_" in problem.id)
    return f"; most in {', '.join(f'{name} ({n:,})' for name, n in counts.most_common(3))}" if len(counts) > 1 else ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
