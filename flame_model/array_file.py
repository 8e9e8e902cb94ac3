"""Arrays from ``.pkl``, ``.npz`` and ``.npy`` files that nobody vouches for.

The readers here believe neither a file's name nor the sizes that it declares: what comes out was really in the file.
"""

from __future__ import annotations

import io
import math
import mmap
import zipfile
from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from singinghead.flame_model import safe_pickle
from singinghead.flame_model.errors import InputError

_MAX_BYTES = 4 * 2**30
"""More than any model or sequence: six samples of ten minutes of FLAME vertices are 6.5 GB, ten of eight seconds 145 MB."""

SUFFIXES = (".pkl", ".npz", ".npy")


def read(path: str | PathLike[str], only: Collection[str] = ()) -> Any:
    """Read one file of arrays.

    Args:
        path: the file.
        only: of an ``.npz``, the arrays to read, as far as it has them; the rest, perhaps large, is passed over.

    Returns:
        What the file holds: a dict for ``.npz`` and usually for ``.pkl``, an array for ``.npy``. A large plain ``.npy`` is
        mapped, not loaded.

    Raises:
        InputError: the file is missing, empty, truncated, of another kind, or declares more than it holds.
        UnsafePickleError: a pickle in it asks for something other than arrays.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"files of kind '{suffix}' are not read", file=path, remedy=f"use {', '.join(SUFFIXES)}")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _check_head(file.read(64), path)
            file.seek(0)
            if suffix == ".npy":
                return _read_npy(file, size, path)
            if size > _MAX_BYTES:
                raise InputError(f"{size / 2**30:.1f} GB is more than a model or a sequence holds", file=path)
            return _read_npz(file, path, only) if suffix == ".npz" else safe_pickle.loads(file.read(), path)
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from error


def _check_head(head: bytes, path: Path) -> None:
    """Name the usual mistakes before a parser fails on them with a riddle."""
    if not head:
        raise InputError("is empty", file=path, remedy="download or write it again")
    if head.startswith(b"version https://git-lfs"):
        raise InputError("is a Git LFS pointer, not the file itself", file=path, remedy="run `git lfs pull`")
    if head.lstrip()[:1] == b"<":
        raise InputError("is a web page, not an array file", file=path, remedy="log in and download it again")


def _read_npy(file: IO[bytes], size: int, path: Path) -> Any:
    shape, fortran, dtype = _npy_header(file, path)
    if dtype.hasobject:
        return _unpickled(file.read(), path)
    start, n_bytes = file.tell(), math.prod(shape) * dtype.itemsize
    if n_bytes != size - start or n_bytes < 0:
        raise InputError(f"declares shape {shape} of {dtype} ({n_bytes} bytes) but holds {size - start}", file=path)
    if n_bytes == 0:
        return np.zeros(shape, dtype)
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.ndarray(shape, dtype, buffer=mapped, offset=start, order="F" if fortran else "C")


def _read_npz(file: IO[bytes], path: Path, only: Collection[str]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
                raise InputError("declares more than a model or a sequence holds", file=path)
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if only and name not in only:
                    continue
                # A bound on what is read, too: the declared size of a crafted member need not be its real one.
                with archive.open(member) as stream:
                    content = stream.read(member.file_size + 1)
                arrays[name] = _npy_from_bytes(content, path)
    except (InputError, OSError):
        raise
    # A broken archive can fail anywhere in zipfile and the decompressors: BadZipFile, zlib.error, struct.error and more.
    except Exception as error:
        raise InputError(f"not a readable .npz: {error}", file=path, remedy="is it complete?") from error
    return arrays


def _unpickled(data: bytes, path: Path) -> Any:
    """What numpy pickled: a dict or a sparse matrix that it wrapped in an array without axes is unwrapped."""
    content = safe_pickle.loads(data, path)
    return content.item() if isinstance(content, np.ndarray) and content.ndim == 0 else content


def _npy_from_bytes(content: bytes, path: Path) -> Any:
    file = io.BytesIO(content)
    shape, fortran, dtype = _npy_header(file, path)
    body = content[file.tell() :]
    if dtype.hasobject:
        return _unpickled(body, path)
    if math.prod(shape) * dtype.itemsize != len(body):
        raise InputError(f"declares an array of shape {shape} but holds {len(body)} bytes", file=path)
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _npy_header(file: IO[bytes], path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of the ``.npy`` format, versions 1 to 3 (numpy.lib.format)."""
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
        if dtype.kind not in "biufcSUO" or dtype.itemsize == 0:
            raise ValueError(f"entries of type {dtype}")
        # Numpy refuses a shape too large for its counters even where another axis is 0.
        if min(shape, default=0) < 0 or len(shape) > 32 or math.prod(max(length, 1) for length in shape) > 2**48:
            raise ValueError(f"shape {shape}")
    # The header is a Python literal: parsing a garbled one raises what ast, tokenize and dtype raise.
    except Exception as error:
        raise InputError(f"not a readable .npy: {error}", file=path, remedy="is it complete?") from error
    return shape, bool(fortran), dtype
