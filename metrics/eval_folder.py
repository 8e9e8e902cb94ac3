"""The layout of the 2D benchmark: which video of a method belongs to which true one, and which sound to both.

EVAL_FOLDER/input_audio/ID.wav            what was sung; .flac, .ogg or .mp3 too
EVAL_FOLDER/generated/gt_videos/ID.mp4    the recordings; the folder may be called gt
EVAL_FOLDER/generated/METHOD/ID.mp4       a method's videos, one folder each; .mov, .mkv, .webm or .avi too
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from singinghead.flame_model.dataset import check_id
from singinghead.flame_model.errors import InputError

AUDIO, GENERATED, TRUTHS, RESULTS = "input_audio", "generated", ("gt_videos", "gt"), "metric_results"
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")

_LAYOUT = f"it holds {AUDIO} and {GENERATED}, and {GENERATED} holds {TRUTHS[0]} and a folder for each method"


@dataclass(frozen=True)
class Videos:
    """One folder of videos.

    Attributes:
        name: the folder's, and so the method's.
        by_id: file name without its suffix, to file.
        others: names of files in it that are no videos.
    """

    name: str
    by_id: Mapping[str, Path]
    others: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> Videos:
        """List a folder; hidden files do not count.

        Raises:
            InputError: two files have one ID.
        """
        by_id: dict[str, Path] = {}
        others = []
        for path in sorted(folder.iterdir()):
            if path.name.startswith("."):
                continue
            if path.suffix.lower() not in VIDEO_SUFFIXES or not path.is_file():
                others.append(path.name)
                continue
            clip_id = check_id(path.stem)
            if clip_id in by_id:
                other = by_id[clip_id].name
                raise InputError(f"is a second video of {clip_id}, beside {other}", file=path, remedy="keep one")
            by_id[clip_id] = path
        return cls(folder.name, by_id, tuple(others))


@dataclass(frozen=True)
class EvalFolder:
    """What there is to be measured.

    Attributes:
        root: EVAL_FOLDER.
        truth: the recordings.
        methods: in the order of their names.
    """

    root: Path
    truth: Videos
    methods: tuple[Videos, ...]

    @classmethod
    def open(cls, root: str | PathLike[str]) -> EvalFolder:
        """List the videos.

        Raises:
            InputError: the folder is not laid out as it should be, there is no recording, or no method.
        """
        root = Path(root)
        generated = root / GENERATED
        if not generated.is_dir():
            raise InputError(f"has no folder {GENERATED}" if root.is_dir() else "no such folder", file=root, remedy=_LAYOUT)
        folders = sorted(path for path in generated.iterdir() if path.is_dir() and not path.name.startswith("."))
        truths = [path for path in folders if path.name in TRUTHS]
        if len(truths) != 1:
            raise InputError(f"holds {len(truths)} of {' and '.join(TRUTHS)}", file=generated, remedy="it must hold one")
        truth = Videos.of(truths[0])
        if not truth.by_id:
            raise InputError("holds no videos", file=truths[0], remedy=f"ID{VIDEO_SUFFIXES[0]}, named as the methods' are")
        methods = tuple(Videos.of(path) for path in folders if path not in truths)
        if not methods:
            raise InputError(f"holds no method beside {truth.name}", file=generated, remedy="one folder of videos for each")
        return cls(root, truth, methods)

    @property
    def results(self) -> Path:
        """Where the benchmark writes."""
        return self.root / RESULTS

    def audio(self, clip_id: str) -> Path | None:
        """What was sung in a clip, or None."""
        candidates = (self.root / AUDIO / f"{clip_id}{suffix}" for suffix in AUDIO_SUFFIXES)
        return next((path for path in candidates if path.is_file()), None)
