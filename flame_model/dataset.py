"""The release's layout: which file belongs to which clip.

train.txt val.txt test.txt        one ID a line
flame_seqs/ID.pkl                 motion
audio_seqs/ID.wav                 vocals
bgm_seqs/ID_bgm.wav               background music
video_seqs/ID.mp4                 the recording

Each folder may instead be the release's zip of the same name, ``flame_seqs.zip``, read where it lies.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from singinghead.flame_model.archive import open_archive
from singinghead.flame_model.array_file import SUFFIXES
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile

logger = logging.getLogger(__name__)

MOTION, VOCALS, BGM, VIDEO = "flame_seqs", "audio_seqs", "bgm_seqs", "video_seqs"

_ENDINGS = {MOTION: SUFFIXES, VOCALS: (".wav",), BGM: ("_bgm.wav",), VIDEO: (".mp4",)}
"""What follows the ID in each part's file names, the first found first."""

PARTS = tuple(_ENDINGS)
"""The parts of a dataset: folders, or zips of that name."""

_LONGEST_ID = 200  # bytes; file systems take 255, and what is made of an ID is longer
_LARGEST_SPLIT = 16 * 2**20


@dataclass(frozen=True)
class Dataset:
    """A dataset's root folder. Files are answered for any ID; None means that it is not there.

    Attributes:
        root: the folder that holds the parts.
        predictions: a folder of another method's ``ID.pkl``, ``ID.npz`` or ``ID.npy``, which :meth:`sequence` answers from.
    """

    root: Path
    predictions: Path | None = None

    @classmethod
    def open(cls, root: str | PathLike[str]) -> Dataset:
        """Open a root folder.

        Raises:
            InputError: it is not a folder.
        """
        root = Path(root)
        if not root.is_dir():
            raise InputError("no such folder", file=root, remedy="--data-root is the folder that holds flame_seqs")
        for part in PARTS:
            if (root / part).is_dir() and _zip_of(root, part).is_file():
                logger.warning("%s: is ignored, because the folder %s is there too", _zip_of(root, part), part)
        return cls(root)

    def with_sequences(self, folder: str | PathLike[str]) -> Dataset:
        """The same dataset, moved by another method: :meth:`sequence` and :meth:`ids` answer from its folder.

        Raises:
            InputError: it is not a folder.
        """
        if not Path(folder).is_dir():
            raise InputError("no such folder", file=folder, remedy="--sequences is a folder of ID.pkl, ID.npz or ID.npy")
        return replace(self, predictions=Path(folder))

    def sequence(self, clip_id: str) -> StoredFile | None:
        """The clip's motion: the method's, where predictions were given, else the dataset's own."""
        if self.predictions is None:
            return self.truth(clip_id)
        candidates = (self.predictions / f"{clip_id}{suffix}" for suffix in SUFFIXES)
        return next((StoredFile(path) for path in candidates if path.is_file()), None)

    def truth(self, clip_id: str) -> StoredFile | None:
        """The dataset's own motion."""
        return self.file(MOTION, clip_id)

    def vocals(self, clip_id: str) -> StoredFile | None:
        """The clip's singing voice."""
        return self.file(VOCALS, clip_id)

    def bgm(self, clip_id: str) -> StoredFile | None:
        """The clip's background music; a missing one is normal."""
        return self.file(BGM, clip_id)

    def video(self, clip_id: str) -> StoredFile | None:
        """The recording that the motion was fitted to."""
        return self.file(VIDEO, clip_id)

    def file(self, part: str, clip_id: str) -> StoredFile | None:
        """A clip's file of one of the :data:`PARTS`.

        Raises:
            InputError: the part is a zip that cannot be read.
        """
        place = self.place(part)
        names = [f"{clip_id}{ending}" for ending in _ENDINGS[part]]
        if place.suffix != ".zip":
            return next((StoredFile(place / name) for name in names if (place / name).is_file()), None)
        archive = open_archive(place)
        members = (member for name in names for member in (f"{part}/{name}", name))
        return next((StoredFile(place, member) for member in members if member in archive), None)

    def has(self, part: str) -> bool:
        """Whether a part is there, as a folder or a zip."""
        return self.place(part).exists()

    def place(self, part: str) -> Path:
        """Where a part is: its folder, or else its zip if there is one. A part that is not there would be a folder."""
        folder, zipped = self.root / part, _zip_of(self.root, part)
        return zipped if zipped.is_file() and not folder.is_dir() else folder

    def ids(self, part: str = MOTION) -> tuple[str, ...]:
        """The IDs of all clips that have a file in a part, sorted; those with motion by default.

        Raises:
            InputError: the part is a zip that cannot be read.
        """
        place = self.predictions if self.predictions and part == MOTION else self.place(part)
        if place.suffix == ".zip" and place.is_file():
            members = (member.removeprefix(f"{part}/") for member in open_archive(place).members)
            names = [name for name in members if "/" not in name and "\\" not in name]
        else:
            names = [path.name for path in place.iterdir()] if place.is_dir() else []
        found = {name.removesuffix(ending) for ending in _ENDINGS[part] for name in names if name.endswith(ending)}
        return tuple(sorted(clip_id for clip_id in found if clip_id and not clip_id.startswith(".")))


def read_split(path: str | PathLike[str]) -> tuple[str, ...]:
    """The IDs of a split list, in its order; of an ID that is there twice, which is warned of, the first counts.

    Raises:
        InputError: as from :func:`split_lines`; or it lists nothing.
    """
    first_line: dict[str, int] = {}
    repeated = []
    for number, clip_id in split_lines(path):
        if first_line.setdefault(clip_id, number) != number:
            repeated.append(f"{clip_id} in lines {first_line[clip_id]} and {number}")
    if repeated:
        more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""
        logger.warning("%s: lists IDs twice, which count once: %s%s", path, ", ".join(repeated[:3]), more)
    if not first_line:
        raise InputError("lists no IDs", file=path, remedy="a split has one ID a line")
    return tuple(first_line)


def split_lines(path: str | PathLike[str]) -> list[tuple[int, str]]:
    """The lines of a split list, as (number from 1, ID): one ID a line, an optional ``.pkl`` stripped, blank lines left out.

    Raises:
        InputError: it cannot be read, is no list of IDs, or a line is not an ID.
    """
    file = StoredFile.of(path)
    if file.size > _LARGEST_SPLIT:
        raise InputError(f"{file.size / 2**20:.0f} MB is more than a list of IDs", file=path, remedy="is it the right file?")
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError("is not text in UTF-8", file=path, remedy="a split has one ID a line")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                numbered.append((number, check_id(line)))
            except InputError as error:
                raise InputError(f"line {number}: {error}", file=path) from None
    return numbered


def check_id(text: str) -> str:
    """Return a clip's ID without its optional ``.pkl``.

    Raises:
        InputError: it is no file name. IDs become paths, and may not lead out of their folder.
    """
    clip_id = text.strip().removesuffix(".pkl")
    is_name = clip_id.strip() == clip_id and clip_id not in ("", ".", "..") and clip_id.isprintable()
    if not is_name or any(character in clip_id for character in "/\\") or len(clip_id.encode()) > _LONGEST_ID:
        shown = text.strip() if len(text) < 60 else f"{text.strip()[:50]}…"
        raise InputError(f"{shown!r} is not an ID", remedy="an ID is a plain name like id0_10_0_0")
    return clip_id


def _zip_of(root: Path, part: str) -> Path:
    return root / f"{part}.zip"
