"""Read pickles that nobody vouches for: an allow-list unpickler for arrays and plain containers.

A pickle is a program. This module runs none of it: every name a pickle asks for is answered by a small function or class of
ours (:mod:`~singinghead.flame_model.pickled`), which checks its arguments, or refused. What can come out is numpy arrays and
scalars, scipy sparse matrices (as dense arrays), torch tensors (as numpy arrays), chumpy's arrays (as numpy arrays, without
chumpy) and plain containers.

Declared sizes are not trusted either: an array is made only from as many bytes as the file really holds, and a list that
repeats itself by reference does not grow beyond them.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError, SingingHeadError, UnsafePickleError
from singinghead.flame_model.pickled import (
    ChumpyArray,
    ChumpySelect,
    Csc,
    Csr,
    Dtype,
    Name,
    RefusedError,
    Stub,
    checked_keys,
    checked_shape,
    collection,
    encoded,
    from_buffer,
    new_object,
    pairs,
    reconstruct,
    scalar,
)


def loads(data: bytes, file: object) -> Any:
    """Unpickle ``data``, allowing only arrays and plain containers.

    Strings of Python 2 pickles are read as latin-1, as numpy arrays in them require.

    Args:
        data: a whole pickle.
        file: where it came from, as messages name it.

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
    except RefusedError as refused:
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
            raise RefusedError(f"{module}.{name}") from None

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
        self.stack[-1].update(checked_keys(items))

    def _make_frozenset(self) -> None:
        self.append(frozenset(checked_keys(self.pop_mark())))

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
    target.update(zip(checked_keys(items[::2]), items[1::2], strict=True))
    return target


class _TorchStorageUnpickler(_Unpickler):
    """Reads the pickles at the head of a torch storage, of which one describes the storage as a persistent object."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _TORCH_TYPES:
            return _TORCH_TYPES[name]
        raise RefusedError(f"{module}.{name}")

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
    (offset,), size, stride = checked_shape((offset,)), checked_shape(size), checked_shape(stride)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if math.prod(size) > storage.size or (math.prod(size) > 0 and last >= storage.size):
        raise ValueError(f"a torch tensor declares shape {size} but its storage holds {storage.size}")
    if math.prod(size) == 0:
        return np.zeros(size, storage.dtype)
    strides = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(np.ascontiguousarray(storage)[offset:], size, strides).copy()


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
    ("numpy", "ndarray"): Name(),
    ("numpy", "dtype"): Dtype,
    ("numpy._core.multiarray", "_reconstruct"): Name(reconstruct),
    ("numpy._core.multiarray", "scalar"): Name(scalar),
    ("numpy._core.numeric", "_frombuffer"): Name(from_buffer),
    ("scipy.sparse._csc", "csc_matrix"): Csc,
    ("scipy.sparse._csr", "csr_matrix"): Csr,
    ("chumpy.ch", "Ch"): ChumpyArray,
    ("chumpy.reordering", "Select"): ChumpySelect,
    ("torch._utils", "_rebuild_tensor_v2"): Name(_torch_tensor),
    ("torch.storage", "_load_from_bytes"): Name(_torch_storage),
    ("builtins", "object"): Name(),
    ("builtins", "set"): Name(collection(lambda items: set(checked_keys(items)))),
    ("builtins", "frozenset"): Name(collection(lambda items: frozenset(checked_keys(items)))),
    ("collections", "OrderedDict"): Name(collection(pairs)),
    ("copyreg", "_reconstructor"): Name(new_object),
    ("_codecs", "encode"): Name(encoded),
}


def _count_entries(value: Any, known: dict[int, float]) -> float:
    """Entries of nested containers, counting shared ones wherever they appear; infinite for one within itself."""
    if isinstance(value, Stub):
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
    if isinstance(value, Stub):
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
    elif isinstance(value, Name | Dtype | type):
        raise RefusedError(f"a bare {type(value).__name__.strip('_').lower()}")
    else:
        return value
    seen[id(value)] = (value, result)
    return result


def _finish_dict(value: dict[Any, Any], seen: dict[int, Any]) -> dict[Any, Any]:
    seen[id(value)] = (value, value)
    for key in list(value):
        value[key] = _finish(value[key], seen)
    return value
