"""Arrays kept on disk by what they were made from: a rerun, or one more method, need not find them again.

Entries lie in the user's cache folder, are written whole or not at all, and are read with distrust: what is broken or of
another shape is reported, and found anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from singinghead.flame_model import array_file
from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError

logger = logging.getLogger(__name__)

_FORMAT = 1
"""Of the entries and of our own code that makes them; another number makes all be found anew."""

_MAKERS = ("numpy", "scipy", "pillow", "scikit-image", "imageio-ffmpeg")
"""Packages that entries depend on, beside those that a backend names."""


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from None


def entry(kind: str, *depends_on: object) -> Path:
    """Where an entry lies, by what it is and all that it depends on."""
    key = hashlib.sha256("\n".join(map(str, (_FORMAT, *_versions(), *depends_on))).encode()).hexdigest()
    return platformdirs.user_cache_path("singinghead") / kind / key[:2] / f"{key}.npz"


@functools.cache
def _versions() -> tuple[str, ...]:
    found = []
    for package in _MAKERS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return tuple(found)


def load(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> dict[str, Floats] | None:
    """Arrays of an entry, or None where there is none that can be used.

    Args:
        path: the entry's.
        shapes: name to shape; None stands for any size.
    """
    if not path.is_file():
        return None
    try:
        content = array_file.read(path)
        arrays = {name: np.asarray(content[name], np.float64) for name in shapes}
    except (InputError, KeyError, TypeError, ValueError) as error:
        logger.warning("%s is broken and is made anew: %s", path, error)
        return None
    for name, shape in shapes.items():
        got = arrays[name].shape
        if len(got) != len(shape) or any(want not in (None, size) for want, size in zip(shape, got, strict=True)):
            logger.warning("%s is broken and is made anew: %s has shape %s", path, name, got)
            return None
    return arrays


def store(path: Path, arrays: Mapping[str, NDArray[Any]], must: bool = False) -> None:
    """Write an entry.

    Args:
        path: the entry's.
        arrays: what it holds.
        must: whether it is read again in this run; a folder that cannot be written else costs time, not results.

    Raises:
        InputError: it must be written, and cannot.
    """
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial.npz")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        if must:
            raise InputError(f"cannot be written: {error.strerror or error}", file=path) from error
