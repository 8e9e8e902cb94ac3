"""A file of a dataset, wherever it is stored: on disk, or in the release's zip, which is read where it lies."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePosixPath

from singinghead.flame_model.archive import open_archive
from singinghead.flame_model.errors import InputError


@dataclass(frozen=True)
class StoredFile:
    """A file on disk, or a member of a zip.

    It holds no handle, so that it can be pickled and sent to another process.

    Attributes:
        path: the file, or the zip.
        member: the name inside the zip, e.g. ``flame_seqs/id0_10_0_0.pkl``; empty for a file on disk.
    """

    path: Path
    member: str = ""

    @classmethod
    def of(cls, source: Source) -> StoredFile:
        """The same file, if it is one already; or the one at a path."""
        return source if isinstance(source, StoredFile) else cls(Path(source))

    def __str__(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def name(self) -> str:
        """``id0_10_0_0.pkl``."""
        return self._location.name

    @property
    def stem(self) -> str:
        """``id0_10_0_0``."""
        return self._location.stem

    @property
    def suffix(self) -> str:
        """``.pkl``."""
        return self._location.suffix

    @property
    def _location(self) -> PurePosixPath | Path:
        return PurePosixPath(self.member) if self.member else self.path

    @property
    def size(self) -> int:
        """Bytes of its content.

        Raises:
            InputError: it is not there.
        """
        if self.member:
            return open_archive(self.path).size(self.member)
        with self._told():
            return self.path.stat().st_size

    def is_file(self) -> bool:
        """Whether it is there."""
        return self.path.is_file() and (not self.member or self.member in open_archive(self.path))

    def read(self) -> bytes:
        """Its whole content.

        Raises:
            InputError: it is missing or cannot be read; in a zip, it is broken, encrypted, there twice or declares more than
                it holds.
        """
        if self.member:
            return open_archive(self.path).read(self.member)
        with self._told():
            return self.path.read_bytes()

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader | io.BytesIO]:
        """A stream of its content that can be sought in, for soundfile; a member is held in memory.

        Raises:
            InputError: as from :meth:`read`.
        """
        if self.member:
            yield io.BytesIO(self.read())
            return
        with self._told():
            stream = self.path.open("rb")
        with stream:
            yield stream

    def fingerprint(self) -> str:
        """SHA-256 of its content, in hexadecimal: equal where the content is, stored anyhow.

        Raises:
            InputError: as from :meth:`read`.
        """
        with self.open() as stream, self._told():
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @contextmanager
    def playable(self) -> Iterator[str]:
        """What ffmpeg and moviepy play it by, for the length of the block.

        That is an absolute path, so that ffmpeg takes no name for a protocol; a place in the zip for a member that is stored
        as it is; a temporary file for a compressed one.

        Raises:
            InputError: as from :meth:`read`.
        """
        if not self.member:
            yield str(self.path.absolute())
            return
        archive = open_archive(self.path)
        span = archive.span(self.member)
        if span is not None:
            yield f"subfile,,start,{span[0]},end,{span[1]},,:{self.path.absolute()}"
            return
        with tempfile.TemporaryDirectory(prefix="singinghead-") as folder:
            copy = Path(folder) / f"member{self.suffix}"
            try:
                with copy.open("wb") as stream:
                    stream.writelines(archive.blocks(self.member))
            except OSError as error:
                raise InputError(
                    f"cannot be unpacked: {error.strerror}", file=self, remedy="set TMPDIR to a disk with room"
                ) from error
            yield str(copy)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise InputError("no such file", file=self) from None
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or error}", file=self) from error


Source = str | PathLike[str] | StoredFile
"""What names a file to the functions that read one."""
