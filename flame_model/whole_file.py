"""Files that are there whole or not at all: whoever reads meanwhile sees the old one or the new one."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from singinghead.flame_model.errors import InputError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Lend a name beside ``path`` to write a file, or a folder of files, under; it takes its place when all went well.

    Raises:
        InputError: it cannot be written there; nothing half-written is left. A folder that is there is not replaced.
    """
    partial = path.absolute().with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        if not path.parent.is_dir():
            raise InputError("its folder does not exist", file=path, remedy=f"mkdir -p {path.parent}")
        if path.is_dir() and any(path.iterdir()):
            raise InputError("is a folder with files in it", file=path, remedy="choose another --out")
        yield partial
        for file in sorted(partial.iterdir()) if partial.is_dir() else [partial]:
            _flush(file)
        partial.replace(path)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}", file=path, remedy="choose another place"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # a folder
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 file, and its folder where that is missing; lines end as ``text`` says.

    Raises:
        InputError: it cannot be written there; nothing half-written is left.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}", file=path.parent, remedy="choose another folder"
        ) from error
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


def check_folder(folder: Path) -> None:
    """Make a folder that files are to be written to, and try it: better before hours of work than after them.

    Raises:
        InputError: nothing can be written there.
    """
    trial = folder / ".trial"
    write_whole(trial, "")
    trial.unlink(missing_ok=True)


def _flush(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())
