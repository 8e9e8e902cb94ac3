"""Read pickles that nobody vouches for: an allow-list unpickler for arrays and plain containers.

A pickle is a program. This module runs none of it: every name a pickle asks for is answered by a small function or class
defined here, which checks its arguments, or refused. What can come out is numpy arrays and scalars, scipy sparse matrices
(as dense arrays), torch tensors (as numpy arrays), chumpy's arrays (as numpy arrays, without chumpy) and plain containers.

Declared sizes are not trusted either: an array is made only from as many bytes as the file really holds, and a list that
repeats itself by reference does not grow beyond them.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import struct
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError, SingingHeadError, UnsafePickleError

_MAX_DENSE_BYTES = 2**26
"""A sparse matrix that would be larger than this when dense is not one of a head model."""

_PLAIN = (str, bytes, int, float, complex, type(None), np.generic)
"""Keys of dicts and members of sets; other keys, tuples of tuples say, can take for ever to hash."""


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
        content = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        if _count_entries(content, known={}) > len(data):
            raise ValueError("its lists repeat themselves")
        return _finish(content, seen={})
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
        if isinstance(error, EOFError | MemoryError):
            reason = "truncated, it declares more than it holds"
        else:
            reason = str(error) if isinstance(error, TypeError | ValueError | pickle.UnpicklingError) else "garbled"
        raise InputError(f"not a readable pickle: {reason}", file=file, remedy="is it complete?") from error


class _RefusedError(Exception):
    """A pickle asked for a name that is not allowed."""


class _Unpickler(pickle._Unpickler):
    """Python's own unpickler in Python: the one in C allocates its memo by the index that a pickle names, up to 34 GB.

    Replaced are the opcodes that allocate as many bytes as they declare, or hash what a pickle made.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def find_class(self, module: str, name: str) -> Any:
        module = _MODULES.get(module, module)
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _fill(self.stack[-1], [key, value])

    def _set_items(self) -> None:
        items = self.pop_mark()
        _fill(self.stack[-1], items)

    def _make_dict(self) -> None:
        items = self.pop_mark()
        self.append(_fill({}, items))

    def _add_items(self) -> None:
        items = self.pop_mark()
        self.stack[-1].update(_plain(items))

    def _make_frozenset(self) -> None:
        self.append(frozenset(_plain(self.pop_mark())))

    def _read_bytearray(self) -> None:
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(length)))

    dispatch[pickle.SETITEM[0]] = _set_item
    dispatch[pickle.SETITEMS[0]] = _set_items
    dispatch[pickle.DICT[0]] = _make_dict
    dispatch[pickle.ADDITEMS[0]] = _add_items
    dispatch[pickle.FROZENSET[0]] = _make_frozenset
    dispatch[pickle.BYTEARRAY8[0]] = _read_bytearray


def _fill(target: object, items: list[Any]) -> dict[Any, Any]:
    """Add ``[key, value, key, value, ...]`` to a dict, and to nothing else that has items."""
    if not isinstance(target, dict):
        raise TypeError(f"entries set in a {type(target).__name__}")
    target.update(zip(_plain(items[::2]), items[1::2], strict=True))
    return target


def _plain(keys: list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    """Check that hashing takes no time: these are numbers and strings, or tuples of such."""
    for key in keys:
        if not all(isinstance(entry, _PLAIN) for entry in (key if isinstance(key, tuple) else (key,))):
            raise TypeError(f"a key of type {type(key).__name__}")
    return keys


class _Name:
    """What a name in a pickle stands for: it may be passed around and perhaps called, but not changed.

    Args:
        function: what a call does; without, it is refused.
    """

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        if self._function is None:
            raise TypeError("a call of what it may only name")
        return self._function(*arguments)

    def __setstate__(self, _state: object) -> None:
        raise _RefusedError("a change to a function")


def _checked_shape(shape: object) -> tuple[int, ...]:
    """A shape as a tuple of sizes: products of anything else may be as large as memory."""
    if not isinstance(shape, tuple | list) or not all(isinstance(size, int | np.integer) for size in shape):
        raise ValueError("an array without a proper shape")
    if not all(0 <= size < 2**62 for size in shape):
        raise ValueError(f"an array of shape {tuple(shape)}")
    return tuple(int(size) for size in shape)


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
        shape, dtype = _checked_shape(shape), _dtype_of(dtype)
        count = math.prod(shape)
        if isinstance(content, str):  # bytes of a Python 2 pickle
            content = content.encode("latin1")
        held = len(content) if dtype.hasobject else len(content) // max(dtype.itemsize, 1)
        if dtype.hasobject != isinstance(content, list) or held != count:
            raise ValueError(f"an array declares shape {shape} but the file holds {held} entries")
        super().__setstate__((1, shape, dtype, bool(fortran), content))  # type: ignore[arg-type]


def _dtype_of(token: object) -> np.dtype[Any]:
    if not isinstance(token, _Dtype):
        raise TypeError(f"expected a dtype, got {type(token).__name__}")
    return token.dtype


def _reconstruct(_subtype: object, shape: object, _dtype: object) -> _Array:
    if shape != (0,):  # numpy itself always writes (0,); another shape would be allocated unasked
        raise ValueError(f"an array starts with shape {_checked_shape(shape)}")
    return _Array((0,), np.int8)


def _from_buffer(buffer: bytes, dtype: object, shape: object, order: str) -> NDArray[Any]:
    return np.frombuffer(buffer, _dtype_of(dtype)).reshape(_checked_shape(shape), order="F" if order == "F" else "C")


def _scalar(dtype: object, content: bytes | str) -> Any:
    data = content.encode("latin1") if isinstance(content, str) else content
    (value,) = np.frombuffer(data, _dtype_of(dtype))
    return value


# --- scipy, chumpy, torch, Python ----------------------------------------------------------------------------------


class _Stub(ABC):
    """An object of a library that is not needed: its attributes are kept, its array is computed by :meth:`array`."""

    state: dict[str, Any]

    def __new__(cls, *_arguments: object) -> _Stub:
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


class _Sparse(_Stub):
    """``scipy.sparse.csc_matrix`` or ``csr_matrix``, whose index arrays are checked before they are used."""

    row_major: bool

    def array(self) -> NDArray[Any]:
        """Return the dense (rows, columns) array."""
        n_rows, n_columns = _checked_shape(self.state["_shape"])
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
        shape = _checked_shape(self.state["preferred_shape"])
        return np.asarray(source[np.asarray(self.state["idxs"])].reshape(shape))


class _TorchStorageUnpickler(_Unpickler):
    """Reads the pickles at the head of a torch storage, of which one describes the storage as a persistent object."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _TORCH_TYPES:
            return _TORCH_TYPES[name]
        raise _RefusedError(f"{module}.{name}")

    def persistent_load(self, pid: tuple[Any, ...]) -> tuple[np.dtype[Any], int]:
        kind, dtype, _key, _location, count, *view = pid
        if kind != "storage" or dtype not in _TORCH_TYPES.values() or any(view):
            raise TypeError("a torch storage of an unknown kind")
        return np.dtype(dtype), count


_TORCH_TYPES = {
    "BoolStorage": "?",
    "ByteStorage": "<u1",
    "CharStorage": "<i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
}


def _torch_storage(data: bytes) -> NDArray[Any]:
    """``torch.storage._load_from_bytes``, which as torch ships it unpickles with no restriction.

    The bytes are torch's older file format (``torch.serialization._legacy_save``): five pickles, namely a magic number, a
    version, the machine, the storage and its keys; then the number of entries and the entries.
    """
    stream = io.BytesIO(data)
    *_head, storage, _keys = (_TorchStorageUnpickler(stream, encoding="latin1").load() for _ in range(5))
    dtype, declared = storage
    (count,) = struct.unpack("<q", stream.read(8))
    entries = np.frombuffer(stream.read(), dtype)
    if not len(entries) == count == declared:
        raise ValueError(f"a torch storage declares {declared} entries but holds {len(entries)}")
    return entries


def _torch_tensor(storage: object, offset: int, size: object, stride: object, *_hooks: object) -> NDArray[Any]:
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise TypeError("a torch tensor without storage")
    (offset,), size, stride = _checked_shape((offset,)), _checked_shape(size), _checked_shape(stride)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if math.prod(size) > storage.size or (math.prod(size) > 0 and last >= storage.size):
        raise ValueError(f"a torch tensor declares shape {size} but its storage holds {storage.size}")
    if math.prod(size) == 0:
        return np.zeros(size, storage.dtype)
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(np.ascontiguousarray(storage)[offset:], size, strides).copy()


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


def _collection(fill: Callable[[Any], Any]) -> Callable[..., Any]:
    """A container that may be made empty or from a list, but not from a number of entries."""

    def make(items: object = ()) -> Any:
        if not isinstance(items, list | tuple):
            raise TypeError("a container made from something other than a list")
        return fill(items)

    return make


def _pairs(items: list[Any] | tuple[Any, ...]) -> OrderedDict[Any, Any]:
    pairs = [(key, value) for key, value in items]
    _plain([key for key, _value in pairs])
    return OrderedDict(pairs)


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
    ("numpy", "ndarray"): _Name(),
    ("numpy", "dtype"): _Dtype,
    ("numpy._core.multiarray", "_reconstruct"): _Name(_reconstruct),
    ("numpy._core.multiarray", "scalar"): _Name(_scalar),
    ("numpy._core.numeric", "_frombuffer"): _Name(_from_buffer),
    ("scipy.sparse._csc", "csc_matrix"): _Csc,
    ("scipy.sparse._csr", "csr_matrix"): _Csr,
    ("chumpy.ch", "Ch"): _ChumpyArray,
    ("chumpy.reordering", "Select"): _ChumpySelect,
    ("torch._utils", "_rebuild_tensor_v2"): _Name(_torch_tensor),
    ("torch.storage", "_load_from_bytes"): _Name(_torch_storage),
    ("builtins", "object"): _Name(),
    ("builtins", "set"): _Name(_collection(lambda items: set(_plain(items)))),
    ("builtins", "frozenset"): _Name(_collection(lambda items: frozenset(_plain(items)))),
    ("collections", "OrderedDict"): _Name(_collection(_pairs)),
    ("copyreg", "_reconstructor"): _Name(_new_object),
    ("_codecs", "encode"): _Name(_encode),
}


def _count_entries(value: Any, known: dict[int, float]) -> float:
    """Entries of nested containers, counting shared ones wherever they appear; infinite for one within itself."""
    if isinstance(value, _Stub):
        value = value.state
    if isinstance(value, dict):
        items: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype.hasobject):
        items = value if isinstance(value, list | tuple) else value.flat
    else:
        return 1
    if id(value) not in known:
        known[id(value)] = math.inf
        known[id(value)] = 1 + sum(_count_entries(item, known) for item in items)
    return known[id(value)]


def _finish(value: Any, seen: dict[int, Any]) -> Any:
    """Replace stubs by their arrays, wherever they are nested; ``seen`` keeps shared references shared."""
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
        if result.dtype.hasobject:
            items = (_finish(item, seen) for item in result.flat)
            result = np.fromiter(items, object, result.size).reshape(result.shape)
    elif isinstance(value, _Name | _Dtype | type):
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
