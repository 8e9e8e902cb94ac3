"""What the names in a pickle stand for, in the place of the libraries' own functions and classes.

Each checks what it is given before it makes anything, and makes arrays only from bytes that are there.
:mod:`~singinghead.flame_model.safe_pickle` says which name is answered by which.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAX_DENSE_BYTES = 2**26
"""A sparse matrix that would be larger than this when dense is not one of a head model."""

_PLAIN = (str, bytes, int, float, complex, type(None), np.generic)
"""Keys of dicts and members of sets; other keys, tuples of tuples say, can take for ever to hash."""


class RefusedError(Exception):
    """A pickle asked for a name that is not allowed."""


def checked_keys(keys: list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    """Check that hashing takes no time: these are numbers and strings, or tuples of such."""
    for key in keys:
        if not all(isinstance(entry, _PLAIN) for entry in (key if isinstance(key, tuple) else (key,))):
            raise TypeError(f"a key of type {type(key).__name__}")
    return keys


class Name:
    """What a name in a pickle stands for: it may be passed around and perhaps called, but not changed.

    Args:
        function: what a call does; without, it is refused.
    """

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        """Do what the function does, if it may be called."""
        if self._function is None:
            raise TypeError("a call of what it may only name")
        return self._function(*arguments)

    def __setstate__(self, _state: object) -> None:
        raise RefusedError("a change to a function")


def checked_shape(shape: object) -> tuple[int, ...]:
    """A shape as a tuple of sizes: products of anything else may be as large as memory."""
    if not isinstance(shape, tuple | list) or not all(isinstance(size, int | np.integer) for size in shape):
        raise ValueError("an array without a proper shape")
    if not all(0 <= size < 2**62 for size in shape):
        raise ValueError(f"an array of shape {tuple(shape)}")
    return tuple(int(size) for size in shape)


# ** numpy


class Dtype:
    """A dtype being unpickled: only plain numbers, booleans, strings and (for containers) objects; never raw flags."""

    def __init__(self, spec: object, *_align_copy: object) -> None:
        if not (isinstance(spec, str) and re.fullmatch(r"[biufcOSU]\d*", spec)):
            raise RefusedError(f"an array of type {spec!r}")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        byte_order = state[1]
        if byte_order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(byte_order)


class _Array(np.ndarray):
    """An array being unpickled, filled only if the bytes given are as many as the shape declared."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, content = state
        shape, dtype = checked_shape(shape), _dtype_of(dtype)
        count = math.prod(shape)
        if isinstance(content, str):  # bytes of a Python 2 pickle
            content = content.encode("latin1")
        held = len(content) if dtype.hasobject else len(content) // max(dtype.itemsize, 1)
        if dtype.hasobject != isinstance(content, list) or held != count:
            raise ValueError(f"an array declares shape {shape} but the file holds {held} entries")
        super().__setstate__((1, shape, dtype, bool(fortran), content))  # type: ignore[arg-type]


def _dtype_of(token: object) -> np.dtype[Any]:
    if not isinstance(token, Dtype):
        raise TypeError(f"expected a dtype, got {type(token).__name__}")
    return token.dtype


def reconstruct(_subtype: object, shape: object, _dtype: object) -> _Array:
    """``numpy._core.multiarray._reconstruct``: an empty array, whose state follows."""
    if shape != (0,):  # numpy itself always writes (0,); another shape would be allocated unasked
        raise ValueError(f"an array starts with shape {checked_shape(shape)}")
    return _Array((0,), np.int8)


def from_buffer(buffer: bytes, dtype: object, shape: object, order: str) -> NDArray[Any]:
    """``numpy._core.numeric._frombuffer``: how protocol 5 writes an array."""
    return np.frombuffer(buffer, _dtype_of(dtype)).reshape(checked_shape(shape), order="F" if order == "F" else "C")


def scalar(dtype: object, content: bytes | str) -> Any:
    """``numpy._core.multiarray.scalar``: one number."""
    data = content.encode("latin1") if isinstance(content, str) else content
    (value,) = np.frombuffer(data, _dtype_of(dtype))
    return value


# ** scipy, chumpy, Python


class Stub(ABC):
    """An object of a library that is not needed: its attributes are kept, its array is computed by :meth:`array`."""

    state: dict[str, Any]

    def __new__(cls, *_arguments: object) -> Stub:
        """Make an empty one, whatever the library's own class is made with."""
        stub = super().__new__(cls)
        stub.state = {}
        return stub

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise TypeError(f"an object whose state is a {type(state).__name__}")
        self.state = dict(state)

    @abstractmethod
    def array(self) -> NDArray[Any]:
        """Return what the object stands for."""


class _Sparse(Stub):
    """``scipy.sparse.csc_matrix`` or ``csr_matrix``, whose index arrays are checked before they are used."""

    row_major: bool

    def array(self) -> NDArray[Any]:
        """Return the dense (rows, columns) array."""
        n_rows, n_columns = checked_shape(self.state["_shape"])
        major, minor = (n_rows, n_columns) if self.row_major else (n_columns, n_rows)
        data = np.asarray(self.state["data"])
        indices, starts = (
            np.asarray(self.state[key]).astype(np.int64, casting="same_kind") for key in ("indices", "indptr")
        )
        if major * minor * 8 > _MAX_DENSE_BYTES:
            raise ValueError(f"a sparse matrix declares shape ({n_rows}, {n_columns})")
        if starts.shape != (major + 1,) or starts[0] != 0 or np.any(np.diff(starts) < 0) or starts[-1] > len(indices):
            raise ValueError("a sparse matrix has a broken index")
        n_entries = int(starts[-1])
        if np.any(indices[:n_entries] < 0) or len(data) < n_entries:
            raise ValueError("a sparse matrix has a broken index")
        dense = np.zeros((major, minor))
        lines = np.repeat(np.arange(major), np.diff(starts))
        np.add.at(dense, (lines, indices[:n_entries]), data[:n_entries])
        return dense if self.row_major else dense.T


class Csc(_Sparse):
    """``scipy.sparse.csc_matrix``."""

    row_major = False


class Csr(_Sparse):
    """``scipy.sparse.csr_matrix``."""

    row_major = True


class ChumpyArray(Stub):
    """``chumpy.ch.Ch``: an array with derivatives, of which only the array is wanted."""

    def array(self) -> NDArray[Any]:
        """Return the values."""
        return np.asarray(self.state["x"])


class ChumpySelect(Stub):
    """``chumpy.reordering.Select``: some entries of another array, in a new shape."""

    def array(self) -> NDArray[Any]:
        """Return the selected values."""
        source = np.asarray(self.state["a"]).ravel()
        shape = checked_shape(self.state["preferred_shape"])
        return np.asarray(source[np.asarray(self.state["idxs"])].reshape(shape))


def new_object(cls: object, _base: object, _state: object) -> Stub:
    """``copyreg._reconstructor``: how Python 2 pickles make an instance."""
    if not (isinstance(cls, type) and issubclass(cls, Stub)):
        raise TypeError("an object of an unknown class")
    return cls()


def encoded(text: str, encoding: str = "latin1") -> bytes:
    """``_codecs.encode``: how protocol 2 writes bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes encoded as {encoding}")
    return text.encode("latin1")


def collection(fill: Callable[[Any], Any]) -> Callable[..., Any]:
    """A container that may be made empty or from a list, but not from a number of entries."""

    def make(items: object = ()) -> Any:
        if not isinstance(items, list | tuple):
            raise TypeError("a container made from something other than a list")
        return fill(items)

    return make


def pairs(items: list[Any] | tuple[Any, ...]) -> OrderedDict[Any, Any]:
    """A ``collections.OrderedDict`` of ``[key, value]`` pairs."""
    entries = [(key, value) for key, value in items]
    checked_keys([key for key, _value in entries])
    return OrderedDict(entries)
