"""Who is at work on what: locks that the kernel gives back when their holder dies, and folders for unfinished files.

Locks are ``flock``'s. On network file systems they hold between machines where the system passes them on: NFS does (Linux
2.6.12 and later, without ``nolock``/``local_lock=flock``), Lustre if mounted with ``flock``; where locks hold on each
machine alone, give every machine its own ``--shard``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from singinghead.flame_model.errors import UnavailableError

_ATTEMPTS = 50
"""At what another process may undo at the same moment."""


@contextlib.contextmanager
def claimed(root: Path, name: str) -> Iterator[Path | None]:
    """Claim a name for the length of a ``with`` block.

    Args:
        root: the folder in which claims are kept: ``locks/NAME``, and ``files/NAME/OWNER/`` to write in.
        name: what is claimed, a plain file name.

    Yields:
        A new, empty folder, removed at the end with all that is in it; or None: another process holds the claim.

    Raises:
        UnavailableError: the file system locks no files.
    """
    with _locked(root, name) as is_ours:
        if not is_ours:
            yield None
            return
        place = root / "files" / name
        try:
            _remove(place)  # what a dead holder left
            own = place / owner()
            _make(own)
            yield own
        finally:
            _remove(place)


def remove_abandoned(work: Path) -> None:
    """Remove what dead processes left in the folders of claims that lie in a folder, and those in which nothing is claimed.

    What live processes hold, on this machine or others, is left alone.
    """
    for root in (work / kind for kind in _names(work)):
        for name in _names(root / "locks") | _names(root / "files"):
            with _locked(root, name) as is_ours:
                if is_ours:
                    _remove(root / "files" / name)
        _remove_if_empty(root / "files", root / "locks", root)
    _remove_if_empty(work)


def owner() -> str:
    """This process, told apart from all others that run or ran: host, process ID, and when it started."""
    started = psutil.Process().create_time()
    return f"{socket.gethostname()}.{os.getpid()}.{round(1000 * started):x}"


@contextlib.contextmanager
def _locked(root: Path, name: str) -> Iterator[bool]:
    path = root / "locks" / name
    descriptor = _lock(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _lock(path: Path) -> int | None:
    while True:
        _make(path.parent)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:  # another process has just removed the folder
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise UnavailableError(
                f"this file system locks no files: {error.strerror}",
                file=path.parent,
                remedy="mount it with locks, or choose an --out elsewhere",
            ) from error
        os.close(descriptor)  # its holder removed it before it let go


def _make(folder: Path) -> None:
    """Make a folder and those above it, of which another process may be removing the empty ones."""
    for attempt in range(_ATTEMPTS):
        try:
            return folder.mkdir(parents=True, exist_ok=True)
        except (FileNotFoundError, FileExistsError):
            if attempt == _ATTEMPTS - 1:
                raise


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(place: Path) -> None:
    """Remove a folder in which a dying encoder may still write its last."""
    for _attempt in range(_ATTEMPTS):
        shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            return


def _names(folder: Path) -> set[str]:
    """What is in a folder; nothing if it is not there, or no longer."""
    try:
        return {path.name for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _remove_if_empty(*folders: Path) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # something is in it; or another process was quicker
            folder.rmdir()
