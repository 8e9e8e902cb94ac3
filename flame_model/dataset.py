"""The release's layout: which file belongs to which clip.

train.txt val.txt test.txt        one ID a line
flame_seqs/ID.pkl                 motion
audio_seqs/ID.wav                 vocals
bgm_seqs/ID_bgm.wav               background music
video_seqs/ID.mp4                 the recording
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from singinghead.flame_model.array_file import SUFFIXES
from singinghead.flame_model.errors import InputError


@dataclass(frozen=True)
class Dataset:
    """A dataset's root folder. Paths are answered for any ID; None means that the file is not there."""

    root: Path

    @classmethod
    def open(cls, root: str | PathLike[str]) -> Dataset:
        """Open a root folder.

        Raises:
            InputError: it is not a folder.
        """
        if not Path(root).is_dir():
            raise InputError("no such folder", file=root, remedy="--data-root is the folder that holds flame_seqs")
        return cls(Path(root))

    def sequence(self, clip_id: str) -> Path | None:
        """The clip's own motion, the ground truth."""
        return _existing(*(self.root / "flame_seqs" / f"{clip_id}{suffix}" for suffix in SUFFIXES))

    def vocals(self, clip_id: str) -> Path | None:
        """The clip's singing voice."""
        return _existing(self.root / "audio_seqs" / f"{clip_id}.wav")

    def bgm(self, clip_id: str) -> Path | None:
        """The clip's background music; a missing one is normal."""
        return _existing(self.root / "bgm_seqs" / f"{clip_id}_bgm.wav")


def check_id(text: str) -> str:
    """Return a clip's ID without its optional ``.pkl``.

    Raises:
        InputError: it is no file name. IDs become paths, and may not lead out of their folder.
    """
    clip_id = text.strip().removesuffix(".pkl")
    if not clip_id or clip_id in (".", "..") or any(character in clip_id for character in "/\\\0"):
        raise InputError(f"'{text}' is not an ID", remedy="an ID is a plain name like id0_10_0_0")
    return clip_id


def _existing(*candidates: Path) -> Path | None:
    return next((path for path in candidates if path.is_file()), None)
