"""Text files that are there whole or not at all: whoever reads meanwhile sees the old one or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from singinghead.flame_model.errors import InputError


def check_folder(folder: Path) -> None:
    """Make a folder that files are to be written to, and try it: better before hours of work than after them.

    Raises:
        InputError: nothing can be written there.
    """
    trial = folder / ".trial"
    write_whole(trial, "")
    trial.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a UTF-8 file, and its folder where that is missing; lines end as ``text`` says.

    Raises:
        InputError: it cannot be written there; nothing half-written is left.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}", file=path, remedy="choose another folder"
        ) from error
