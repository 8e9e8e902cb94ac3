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
            f"cannot be written: {error.strerror or error}", file=path, remedy="choose another --out"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # a folder
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _flush(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())
