"""A zip that nobody vouches for, read where it lies: its members by name, in any order, from any process or thread.

Each process has a handle of its own: one that came over a fork shares its position in the file with the parent's, and gave
wrong bytes in 158 of 2,000 reads. The directory (12,196 members in the release's zips) is read once a process.
"""

from __future__ import annotations

import functools
import os
import struct
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from singinghead.flame_model.errors import InputError

_MAX_BYTES = 4 * 2**30
"""More than any recording or sequence of a dataset; a larger one is taken for a trap."""

_MAX_RATIO = 1100
"""Deflate packs 1032 bytes into one at the most."""

_BLOCK = 1 << 20

_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Before each member: signature, then the lengths of its name and its extra field (PKWARE's APPNOTE, 4.3.7)."""

_MARK_ENCRYPTED = 1


class Archive:
    """One zip's directory, and this process's handle of it. Get it from :func:`open_archive`.

    Args:
        path: the zip.

    Raises:
        InputError: it cannot be read, or is not a zip.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _told(path):
            self._zip = zipfile.ZipFile(path)
            self._size = path.stat().st_size
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        self._entries = {entry.filename: entry for entry in entries}
        self._repeated = {name for name, count in Counter(entry.filename for entry in entries).items() if count > 1}
        self._lock = threading.Lock()  # zipfile counts its open members without one

    @property
    def members(self) -> tuple[str, ...]:
        """The names of all members, in the zip's order."""
        return tuple(self._entries)

    def __contains__(self, member: str) -> bool:
        return member in self._entries

    def size(self, member: str) -> int:
        """Bytes of a member when unpacked, as declared."""
        return self._entry(member).file_size

    def read(self, member: str) -> bytes:
        """A member's whole content, its checksum proven.

        Raises:
            InputError: no such member, or one that is broken, encrypted, there twice or larger than it may be.
        """
        return b"".join(self.blocks(member))

    def blocks(self, member: str) -> Iterator[bytes]:
        """Yield a member's content a megabyte at a time.

        Raises:
            InputError: as from :meth:`read`.
        """
        held, declared = 0, self.size(member)
        with self._opened(member) as stream:
            while block := stream.read(_BLOCK):
                held += len(block)
                yield block
            if held != declared:
                raise zipfile.BadZipFile(f"declares {declared} bytes but holds {held}")

    def span(self, member: str) -> tuple[int, int] | None:
        """Where in the zip a member's own bytes begin and end; None for one that is compressed.

        Raises:
            InputError: as from :meth:`read`.
        """
        entry = self._entry(member)
        if entry.compress_type != zipfile.ZIP_STORED:
            return None
        with self._opened(member), self.path.open("rb") as file:
            file.seek(entry.header_offset)
            _, name_length, extra_length = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        start = entry.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        return start, start + entry.file_size

    def _entry(self, member: str) -> zipfile.ZipInfo:
        try:
            return self._entries[member]
        except KeyError:
            raise InputError("no such member", file=f"{self.path}/{member}") from None

    @contextmanager
    def _opened(self, member: str) -> Iterator[IO[bytes]]:
        entry, name = self._entry(member), f"{self.path}/{member}"
        if member in self._repeated:
            raise InputError("is in the zip more than once", file=name, remedy="which one is meant? pack it again")
        if entry.flag_bits & _MARK_ENCRYPTED:
            raise InputError("is encrypted", file=name, remedy="unpack the zip with its password")
        stored = entry.compress_type == zipfile.ZIP_STORED
        if (
            entry.header_offset + entry.compress_size > self._size
            or entry.file_size > entry.compress_size * (1 if stored else _MAX_RATIO) + (0 if stored else 1024)
            or entry.file_size > _MAX_BYTES
        ):
            raise InputError(
                f"declares {entry.file_size} bytes, more than the zip or a recording holds",
                file=name,
                remedy="is it complete?",
            )
        with self._lock, _told(name), self._zip.open(entry) as stream:
            yield stream


def open_archive(path: Path) -> Archive:
    """The zip at a path, with a handle that belongs to this process; opened again only if the file was replaced.

    Raises:
        InputError: it cannot be read, or is not a zip.
    """
    with _told(path):
        state = path.stat()
    return _opened_archive(path, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))


@functools.lru_cache(maxsize=16)
def _opened_archive(path: Path, _state: tuple[int, ...]) -> Archive:
    return Archive(path)


# A forked child must not read through its parent's handles.
os.register_at_fork(after_in_child=_opened_archive.cache_clear)


@contextmanager
def _told(name: object) -> Iterator[None]:
    """Say in one line whatever zipfile and the decompressors make of a broken archive."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError("no such file", file=name) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=name) from error
    except NotImplementedError as error:
        raise InputError(f"is packed in an unusual way: {error}", file=name, remedy="unpack it, or pack it again") from error
    # BadZipFile, zlib.error, struct.error, EOFError and more, by where it is broken.
    except Exception as error:
        raise InputError(
            f"not a readable zip: {error or type(error).__name__}", file=name, remedy="is it complete?"
        ) from error
