"""Arrays from ``.pkl``, ``.npz`` and ``.npy`` files that nobody vouches for.

The readers here believe neither a file's name nor the sizes that it declares: what comes out was really in the file.
"""

from __future__ import annotations

import io
import math
import mmap
import zipfile
from collections.abc import Collection
from typing import IO, Any

import numpy as np

from singinghead.flame_model import safe_pickle
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import Source, StoredFile

_MAX_BYTES = 4 * 2**30
"""More than any model or sequence: six samples of ten minutes of FLAME vertices are 6.5 GB, ten of eight seconds 145 MB."""

SUFFIXES = (".pkl", ".npz", ".npy")


def read(source: Source, only: Collection[str] = ()) -> Any:
    """Read one file of arrays.

    Args:
        source: the file.
        only: of an ``.npz``, the arrays to read, as far as it has them; the rest, perhaps large, is passed over.

    Returns:
        What the file holds: a dict for ``.npz`` and usually for ``.pkl``, an array for ``.npy``. A plain ``.npy`` on disk is
        mapped, not loaded.

    Raises:
        InputError: the file is missing, empty, truncated, of another kind, or declares more than it holds.
        UnsafePickleError: a pickle in it asks for something other than arrays.
    """
    file = StoredFile.of(source)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"files of kind '{suffix}' are not read", file=file, remedy=f"use {', '.join(SUFFIXES)}")
    try:
        size = file.size
        with file.open() as stream:
            _check_head(stream.read(64), file)
            stream.seek(0)
            if suffix == ".npy":
                return _npy_from_bytes(stream.read(), file) if file.member else _map_npy(stream, size, file)
            if size > _MAX_BYTES:
                raise InputError(f"{size / 2**30:.1f} GB is more than a model or a sequence holds", file=file)
            return _read_npz(stream, file, only) if suffix == ".npz" else safe_pickle.loads(stream.read(), file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=file) from error


def _check_head(head: bytes, file: StoredFile) -> None:
    """Name the usual mistakes before a parser fails on them with a riddle."""
    if not head:
        raise InputError("is empty", file=file, remedy="download or write it again")
    if head.startswith(b"version https://git-lfs"):
        raise InputError("is a Git LFS pointer, not the file itself", file=file, remedy="run `git lfs pull`")
    if head.lstrip()[:1] == b"<":
        raise InputError("is a web page, not an array file", file=file, remedy="log in and download it again")


def _map_npy(stream: IO[bytes], size: int, file: StoredFile) -> Any:
    shape, fortran, dtype = _npy_header(stream, file)
    if dtype.hasobject:
        return _unpickled(stream.read(), file)
    start, n_bytes = stream.tell(), math.prod(shape) * dtype.itemsize
    if n_bytes != size - start or n_bytes < 0:
        raise InputError(f"declares shape {shape} of {dtype} ({n_bytes} bytes) but holds {size - start}", file=file)
    if n_bytes == 0:
        return np.zeros(shape, dtype)
    mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return np.ndarray(shape, dtype, buffer=mapped, offset=start, order="F" if fortran else "C")


def _read_npz(stream: IO[bytes], file: StoredFile, only: Collection[str]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(stream) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
                raise InputError("declares more than a model or a sequence holds", file=file)
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if only and name not in only:
                    continue
                # A bound on what is read, too: the declared size of a crafted member need not be its real one.
                with archive.open(member) as entry:
                    content = entry.read(member.file_size + 1)
                arrays[name] = _npy_from_bytes(content, file)
    except (InputError, OSError):
        raise
    # A broken archive can fail anywhere in zipfile and the decompressors: BadZipFile, zlib.error, struct.error and more.
    except Exception as error:
        raise InputError(f"not a readable .npz: {error}", file=file, remedy="is it complete?") from error
    return arrays


def _unpickled(data: bytes, file: StoredFile) -> Any:
    """What numpy pickled: a dict or a sparse matrix that it wrapped in an array without axes is unwrapped."""
    content = safe_pickle.loads(data, file)
    return content.item() if isinstance(content, np.ndarray) and content.ndim == 0 else content


def _npy_from_bytes(content: bytes, file: StoredFile) -> Any:
    stream = io.BytesIO(content)
    shape, fortran, dtype = _npy_header(stream, file)
    body = content[stream.tell() :]
    if dtype.hasobject:
        return _unpickled(body, file)
    if math.prod(shape) * dtype.itemsize != len(body):
        raise InputError(f"declares an array of shape {shape} but holds {len(body)} bytes", file=file)
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _npy_header(stream: IO[bytes], file: StoredFile) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of the ``.npy`` format, versions 1 to 3 (numpy.lib.format)."""
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        if dtype.kind not in "biufcSUO" or dtype.itemsize == 0:
            raise ValueError(f"entries of type {dtype}")
        # Numpy refuses a shape too large for its counters even where another axis is 0.
        if min(shape, default=0) < 0 or len(shape) > 32 or math.prod(max(length, 1) for length in shape) > 2**48:
            raise ValueError(f"shape {shape}")
    # The header is a Python literal: parsing a garbled one raises what ast, tokenize and dtype raise.
    except Exception as error:
        raise InputError(f"not a readable .npy: {error}", file=file, remedy="is it complete?") from error
    return shape, bool(fortran), dtype
