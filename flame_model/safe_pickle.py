"""Read pickles that nobody vouches for: an allow-list unpickler for arrays and plain containers.

A pickle is a program. This module runs none of it: every name a pickle asks for is answered by a small function or class
defined here, which checks its arguments, or refused. What can come out is numpy arrays and scalars, scipy sparse matrices
(as dense arrays), torch tensors (as numpy arrays), chumpy's arrays (as numpy arrays, without chumpy) and plain containers.

Declared sizes are not trusted either: an array is made only from as many bytes as the file really holds.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError, SingingHeadError, UnsafePickleError

_MAX_DENSE_BYTES = 2**31
"""A sparse matrix that would be larger than this when dense is not one of a head model."""


def loads(data: bytes, file: str | PathLike[str]) -> Any:
    """Unpickle ``data``, allowing only arrays and plain containers.

    Strings of Python 2 pickles are read as latin-1, as numpy arrays in them require.

    Args:
        data: a whole pickle.
        file: where it came from, for messages.

    Returns:
        Containers of numpy arrays, numbers and strings.

    Raises:
        UnsafePickleError: the pickle asks for anything else. Nothing of it has been run.
        InputError: it is truncated, garbled or declares sizes that it does not hold.
    """
    try:
        return _finish(_Unpickler(io.BytesIO(data), encoding="latin1").load(), seen={})
    except _RefusedError as refused:
        raise UnsafePickleError(
            f"refused: the pickle asks for {refused}, and only arrays and plain containers are read",
            file=file,
            remedy="get the file from its authors; if you trust it, save its arrays as .npz",
        ) from None
    except SingingHeadError:
        raise
    # A malformed pickle can raise nearly anything: the opcodes index, convert, hash and call what the bytes say.
    except Exception as error:
        reason = "it declares more than it holds" if isinstance(error, MemoryError) else str(error) or repr(error)
        raise InputError(f"not a readable pickle: {reason}", file=file, remedy="is it complete?") from error


class _RefusedError(Exception):
    """A pickle asked for a name that is not allowed."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = _MODULES.get(module, module)
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None


class _Token:
    """A name that pickles pass around as an argument, but that may not be called."""

    def __init__(self, name: str) -> None:
        self.name = name


# --- numpy ---------------------------------------------------------------------------------------------------------


class _Dtype:
    """A dtype being unpickled: only plain numbers, booleans, strings and (for containers) objects; never raw flags."""

    def __init__(self, spec: object, *_align_copy: object) -> None:
        if not (isinstance(spec, str) and re.fullmatch(r"[biufcOSU]\d*", spec)):
            raise _RefusedError(f"an array of type {spec!r}")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        byte_order = state[1]
        if byte_order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(byte_order)


class _Array(np.ndarray):
    """An array being unpickled, filled only if the bytes given are as many as the shape declared."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, content = state
        dtype = _dtype_of(dtype)
        count = math.prod(shape)
        if isinstance(content, str):  # bytes of a Python 2 pickle
            content = content.encode("latin1")
        held = len(content) if dtype.hasobject else len(content) // max(dtype.itemsize, 1)
        if dtype.hasobject != isinstance(content, list) or held != count:
            raise ValueError(f"an array declares shape {tuple(shape)} but the file holds {held} entries")
        super().__setstate__((1, tuple(shape), dtype, bool(fortran), content))  # type: ignore[arg-type]


def _dtype_of(token: object) -> np.dtype[Any]:
    if not isinstance(token, _Dtype):
        raise TypeError(f"expected a dtype, got {type(token).__name__}")
    return token.dtype


def _reconstruct(_subtype: object, shape: tuple[int, ...], _dtype: object) -> _Array:
    if tuple(shape) != (0,):  # numpy itself always writes (0,); another shape would be allocated unasked
        raise ValueError(f"an array starts with shape {tuple(shape)}")
    return _Array((0,), np.int8)


def _from_buffer(buffer: bytes, dtype: object, shape: tuple[int, ...], order: str) -> NDArray[Any]:
    return np.frombuffer(buffer, _dtype_of(dtype)).reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: object, content: bytes | str) -> Any:
    data = content.encode("latin1") if isinstance(content, str) else content
    (value,) = np.frombuffer(data, _dtype_of(dtype))
    return value


# --- scipy, chumpy, torch, Python ----------------------------------------------------------------------------------


class _Stub:
    """An object of a library that is not needed: its attributes are kept, its array is computed by :meth:`array`."""

    state: dict[str, Any]

    def __new__(cls, *_arguments: object) -> _Stub:
        stub = super().__new__(cls)
        stub.state = {}
        return stub

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = dict(state)

    def array(self) -> NDArray[Any]:
        raise NotImplementedError


class _Sparse(_Stub):
    """``scipy.sparse.csc_matrix`` or ``csr_matrix``, whose index arrays are checked before they are used."""

    row_major: bool

    def array(self) -> NDArray[Any]:
        """Return the dense (rows, columns) array."""
        n_rows, n_columns = (int(size) for size in self.state["_shape"])
        major, minor = (n_rows, n_columns) if self.row_major else (n_columns, n_rows)
        data, indices, starts = (np.asarray(self.state[key]) for key in ("data", "indices", "indptr"))
        if min(major, minor) < 0 or major * minor * 8 > _MAX_DENSE_BYTES:
            raise ValueError(f"a sparse matrix declares shape ({n_rows}, {n_columns})")
        if starts.shape != (major + 1,) or starts[0] != 0 or np.any(np.diff(starts) < 0) or starts[-1] > len(indices):
            raise ValueError("a sparse matrix has a broken index")
        n_entries = int(starts[-1])
        dense = np.zeros((major, minor))
        lines = np.repeat(np.arange(major), np.diff(starts))
        np.add.at(dense, (lines, indices[:n_entries]), data[:n_entries])
        return dense if self.row_major else dense.T


class _Csc(_Sparse):
    row_major = False


class _Csr(_Sparse):
    row_major = True


class _ChumpyArray(_Stub):
    """``chumpy.ch.Ch``: an array with derivatives, of which only the array is wanted."""

    def array(self) -> NDArray[Any]:
        """Return the values."""
        return np.asarray(self.state["x"])


class _ChumpySelect(_Stub):
    """``chumpy.reordering.Select``: some entries of another array, in a new shape."""

    def array(self) -> NDArray[Any]:
        """Return the selected values."""
        source = np.asarray(self.state["a"]).ravel()
        return np.asarray(source[np.asarray(self.state["idxs"])].reshape(self.state["preferred_shape"]))


def _torch_storage(data: bytes) -> NDArray[Any]:
    """``torch.storage._load_from_bytes``, which as torch ships it unpickles with no restriction."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates the storages that its own pickles are made of
        storage = torch.load(io.BytesIO(data), weights_only=True)  # noqa: TID251 - runs no code, is bounded by data
        return np.asarray(torch.tensor([], dtype=storage.dtype).set_(storage.cpu()).numpy())


def _torch_tensor(
    storage: object, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_hooks: object
) -> NDArray[Any]:
    if not isinstance(storage, np.ndarray):
        raise TypeError("a torch tensor without storage")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride)) < 0 or math.prod(size) > storage.size or last >= max(storage.size, 1):
        raise ValueError(f"a torch tensor declares shape {tuple(size)} but its storage holds {storage.size}")
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()


def _new_object(cls: object, _base: object, _state: object) -> _Stub:
    """``copyreg._reconstructor``: how Python 2 pickles make an instance."""
    if not (isinstance(cls, type) and issubclass(cls, _Stub)):
        raise TypeError("an object of an unknown class")
    return cls()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """``_codecs.encode``: how protocol 2 writes bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes encoded as {encoding}")
    return text.encode("latin1")


def _collection(cls: Callable[[Any], Any]) -> Callable[..., Any]:
    """A container type that may be made empty or from a list, but not from a number of entries."""

    def make(items: object = ()) -> Any:
        if not isinstance(items, list | tuple):
            raise TypeError("a container made from something other than a list")
        return cls(items)

    return make


_MODULES = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
    "scipy.sparse.csc": "scipy.sparse._csc",
    "scipy.sparse.csr": "scipy.sparse._csr",
}
"""Old names of modules to the ones used in :data:`_ALLOWED`."""

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Token("numpy.ndarray"),
    ("numpy", "dtype"): _Dtype,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("scipy.sparse._csc", "csc_matrix"): _Csc,
    ("scipy.sparse._csr", "csr_matrix"): _Csr,
    ("chumpy.ch", "Ch"): _ChumpyArray,
    ("chumpy.reordering", "Select"): _ChumpySelect,
    ("torch._utils", "_rebuild_tensor_v2"): _torch_tensor,
    ("torch.storage", "_load_from_bytes"): _torch_storage,
    ("builtins", "object"): _Token("object"),
    ("builtins", "set"): _collection(set),
    ("builtins", "frozenset"): _collection(frozenset),
    ("collections", "OrderedDict"): _collection(OrderedDict),
    ("copyreg", "_reconstructor"): _new_object,
    ("_codecs", "encode"): _encode,
}


def _finish(value: Any, seen: dict[int, Any]) -> Any:
    """Replace stubs by their arrays, wherever they are nested; ``seen`` keeps shared and cyclic references."""
    if id(value) in seen:
        return seen[id(value)][1]
    if isinstance(value, _Stub):
        value.state = _finish_dict(value.state, seen)
        result: Any = value.array()
    elif isinstance(value, dict):
        return _finish_dict(value, seen)
    elif isinstance(value, list):
        seen[id(value)] = (value, value)
        value[:] = [_finish(item, seen) for item in value]
        return value
    elif isinstance(value, tuple):
        result = tuple(_finish(item, seen) for item in value)
    elif isinstance(value, np.ndarray):
        result = np.asarray(value)
        seen[id(value)] = (value, result)
        if result.dtype.hasobject:
            result.flat[:] = [_finish(item, seen) for item in result.flat]
    elif isinstance(value, _Token | _Dtype):
        raise _RefusedError(f"a bare {type(value).__name__.strip('_').lower()}")
    else:
        return value
    seen[id(value)] = (value, result)
    return result


def _finish_dict(value: dict[Any, Any], seen: dict[int, Any]) -> dict[Any, Any]:
    seen[id(value)] = (value, value)
    for key in list(value):
        value[key] = _finish(value[key], seen)
    return value
