"""The allow-list unpickler opcode by opcode: what Python 2 and old libraries wrote is read, what would hurt is refused."""

from __future__ import annotations

import io
import pickle
import struct
import time
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from singinghead.flame_model import safe_pickle
from singinghead.flame_model.errors import InputError, SingingHeadError, UnsafePickleError


class Calls:
    """Pickles as a call of any function, perhaps with a state for what it returns."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.call


def array(shape: Any, content: Any, dtype: str = "f8") -> bytes:
    """An array whose state is whatever is given."""
    make, arguments, _ = np.zeros(0).__reduce__()
    return pickle.dumps(Calls(make, *arguments, state=(1, shape, np.dtype(dtype), False, content)))


def saved(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def tensor(storage: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    load = Calls(torch.storage._load_from_bytes, storage)
    return pickle.dumps(Calls(torch._utils._rebuild_tensor_v2, load, offset, size, stride, False, {}))


def storage_of(values: torch.Tensor) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates the storages that its own pickles are made of
        return saved(values.storage())


def sparse(kind: type = scipy.sparse.csr_matrix, **changes: Any) -> bytes:
    matrix = kind(np.eye(2))
    for name, value in changes.items():
        setattr(matrix, name, value)
    return pickle.dumps(matrix)


def python2(cls: bytes, key: bytes, numbers: list[float]) -> bytes:
    """An instance that holds an array, as Python 2 wrote it in protocol 0."""
    content = "".join(f"\\x{byte:02x}" for byte in np.array(numbers, "<f8").tobytes()).encode()
    return (
        b"ccopy_reg\n_reconstructor\n(" + cls + b"c__builtin__\nobject\nNtR(S'" + key + b"'\n"
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I%d\nt" % len(numbers)
        + b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'" + content + b"'\ntbdb."
    )  # fmt: skip


def load(data: bytes) -> Any:
    return safe_pickle.loads(data, "model.pkl")


@pytest.mark.parametrize("protocol", range(6))
def test_what_models_hold_is_read_in_every_protocol(protocol: int) -> None:
    content = {
        "matrix": np.arange(6.0).reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big endian": np.arange(3, dtype=">f4"),
        "scalar": np.float32(1.5),
        "text": np.array(["lips", "nose"]),
        "tensor": torch.arange(6.0).reshape(2, 3).T,
        "none": torch.zeros(0, 3),
        "flags": torch.tensor([True, False]),
        "plain": [1, 2.5, "x", b"\xff", None, (True, {3})],
    }
    read = load(pickle.dumps(content, protocol))
    for name in ("matrix", "columns", "big endian", "text", "tensor", "none", "flags"):
        assert type(read[name]) is np.ndarray
        assert np.array_equal(read[name], np.asarray(content[name]))
    assert (read["scalar"], read["plain"]) == (content["scalar"], content["plain"])


@pytest.mark.parametrize("kind", [scipy.sparse.csc_matrix, scipy.sparse.csr_matrix])
def test_sparse_matrices_become_dense(kind: type) -> None:
    dense = np.where(np.random.default_rng(0).random((5, 40)) < 0.2, 1.5, 0)
    assert np.array_equal(load(pickle.dumps({"J_regressor": kind(dense)}))["J_regressor"], dense)


def test_python_2s_chumpy_arrays_become_arrays() -> None:
    numbers = [0.25, -3.0, 1e-300, np.pi]
    assert np.array_equal(load(python2(b"cchumpy.ch\nCh\n", b"x", numbers)), numbers)


def test_an_array_of_arrays_keeps_each_of_them() -> None:
    pair = np.fromiter([np.arange(3), np.arange(3) + 5], object)
    assert [part.tolist() for part in load(pickle.dumps(pair))] == [[0, 1, 2], [5, 6, 7]]


def test_one_array_under_two_names_stays_one() -> None:
    shared = np.arange(4.0)
    read = load(pickle.dumps({"a": shared, "b": [shared]}))
    assert read["a"] is read["b"][0]


def laughs(depth: int) -> list[Any]:
    entries: list[Any] = [1.0] * 100
    for _ in range(depth):
        entries = [entries] * 100
    return entries


within_itself: list[Any] = []
within_itself.append(within_itself)
BOMBS = {
    "an index of the memo": b"\x80\x02Nr" + struct.pack("<I", 2**28) + b".",
    "an index of the memo in digits": b"Np%d\n." % 2**28,
    "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**28) + b"abc.",
    "a bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**28) + b"abc.",
    "a frame": b"\x80\x04\x95" + struct.pack("<Q", 2**28) + b"N.",
    "a shape that multiplies text": array((b"a", 10**9), b""),
    "a shape that multiplies lists": array(([0], 10**8), b""),
    "a shape of two negatives": array((-1, -1), bytes(8)),
    "lists of the same list": pickle.dumps({"expcodes": laughs(3)}),
    "a list within itself": pickle.dumps(within_itself),
    "chumpy of the same list": b"\x80\x02cchumpy.ch\nCh\n)\x81}U\x01x" + pickle.dumps(laughs(3), 2)[2:-1] + b"sb.",
    "tuples as a key, to hash twice each": b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.",
    "tuples as a key, to hash deeply": b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s.",
    "tuples in a set": b"\x80\x04\x8f()" + b"2\x86" * 60 + b"\x90.",
    "tuples in a frozenset": b"\x80\x04()" + b"2\x86" * 60 + b"\x91.",
    "tuples in Python 2's set": b"\x80\x02c__builtin__\nset\n](" + b")" + b"2\x86" * 60 + b"e\x85R.",
    "a number of entries for a set": b"\x80\x02c__builtin__\nset\nJ\xff\xff\xff\x7f\x85R.",
    "a wide sparse matrix": sparse(_shape=(2, 10**9)),
    "a sparse matrix whose index wraps": sparse(indptr=np.array([0, 2**32 - 1, 1], np.uint32)),
    "a sparse matrix that counts backwards": sparse(indices=np.array([-1, 0], np.int32)),
    "a sparse matrix with one value for all": sparse(data=np.ones(1)),
    "entries set in an array": pickle.dumps(np.zeros(3))[:-1] + b"K\x00" + pickle.dumps(laughs(2), 2)[2:-1] + b"s.",
    "a tensor of a repeated number": tensor(saved(torch.zeros(1).expand(10**9)), (10**9,), (1,)),
    "a tensor beyond its storage": tensor(storage_of(torch.zeros(4)), (4,), (1,), offset=1),
    "a tensor from before its storage": tensor(storage_of(torch.zeros(4)), (4,), (1,), offset=-1),
    "a tensor of negative steps": tensor(storage_of(torch.zeros(4)), (2,), (-1,)),
    "a storage that was cut": tensor(storage_of(torch.zeros(400))[:-8], (2,), (1,)),
    "a storage that declares more": tensor(storage_of(torch.zeros(4)).replace(b"K\x04", b"J\xff\xff\xff\x7f"), (2,), (1,)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_neither_memory_nor_time(name: str) -> None:
    start = time.perf_counter()
    tracemalloc.start()
    try:
        result = load(BOMBS[name])
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert result is None  # an index of the memo is no harm by itself
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 60e6
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("name", ["a wide sparse matrix", "a tensor beyond its storage", "lists of the same list"])
def test_a_bomb_is_refused_as_unreadable(name: str) -> None:
    with pytest.raises(InputError, match=r"^model\.pkl: not a readable pickle: "):
        load(BOMBS[name])


CHANGES = {
    "defaults of a function": b"c_codecs\nencode\nN}U\x0c__defaults__U\x05utf16\x85s\x86b",
    "attributes of a function": b"c_codecs\nencode\n}U\x01aU\x01bsb",
    "what a function does": b"c_codecs\nencode\n}U\x09_functionNsb",
    "attributes of a class": b"cchumpy.ch\nCh\n}U\x05arrayNsb",
    "slots of a class": b"cnumpy\ndtype\nN}U\x05arrayNs\x86b",
    "a type": b"cnumpy\nndarray\n}U\x05dtypeNsb",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_pickle_does_not_change_what_the_next_one_is_read_with(name: str) -> None:
    before = {key: dict(vars(value)) for key, value in safe_pickle._ALLOWED.items()}
    with pytest.raises(InputError):
        load(b"\x80\x02" + CHANGES[name] + b"0N.")
    assert {key: dict(vars(value)) for key, value in safe_pickle._ALLOWED.items()} == before


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cnumpy.f2py\ncompile\n(tR",
        b"cnumpy\nload\nU\x01x\x85R",
        b"cnumpy.core.multiarray\nfromfile\nU\x01x\x85R",
        b"cbuiltins\nexec\nU\x00\x85R",
        b"(cbuiltins\nexec\nU\x00o",
        b"(U\x00ibuiltins\nexec\n",
        b"c__builtin__\nfile\n)\x81",
        b"\x8c\x08builtins\x8c\x04eval\x93",
        b"\x8c\x06chumpy\x8c\x05ch.Ch\x93",
        b"cchumpy\nch.Ch.__init__.__globals__\n",
        b"ctorch\nload\nU\x01x\x85R",
        b"ctorch.storage\nTypedStorage\n",
        b"cscipy.sparse._csc\ncsc_array\n",
        b"cfunctools\npartial\n",
        b"coperator\nattrgetter\n",
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_any_other_name_is_refused_however_it_is_asked_for(opcodes: bytes, protocol: int) -> None:
    with pytest.raises(UnsafePickleError, match="the pickle asks for "):
        load(bytes([0x80, protocol]) + opcodes + b".")


@pytest.mark.parametrize("opcodes", [b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"cchumpy.ch\nCh\n", b"c_codecs\nencode\n"])
def test_a_name_alone_is_no_content(opcodes: bytes) -> None:
    with pytest.raises(UnsafePickleError):
        load(b"\x80\x02]" + opcodes + b"a.")


@pytest.mark.parametrize(
    "opcodes", [b"\x82\x01", b"\x83\x01\x00", b"\x84\x01\x00\x00\x00", b"Pname\n", b"U\x04nameQ", b"\x97"]
)
def test_what_lies_outside_the_pickle_is_not_fetched(opcodes: bytes) -> None:
    with pytest.raises(InputError):
        load(b"\x80\x05" + opcodes + b".")


@pytest.mark.parametrize("name", ["object", "void"])
def test_numbers_made_of_raw_pointers_are_refused(name: str) -> None:
    dtype = np.dtype({"object": "O", "void": "V8"}[name])
    with pytest.raises(InputError):
        load(pickle.dumps(Calls(np.float64(0).__reduce__()[0], dtype, bytes(8))))
    with pytest.raises(InputError):
        load(array((1,), bytes(8), dtype.str[1:]))


PIECES = [
    *(bytes([opcode]) for opcode in b"().012]}aelqtubosR\x81\x85\x86\x87\x88\x8f\x90\x91\x94N"),
    *(
        b"h\x00",
        b"h\x01",
        b"q\x00",
        b"r\x00\x00\x00\x10",
        b"K\x00",
        b"K\x03",
        b"G" + bytes(8),
        b"U\x01x",
        b"C\x08" + bytes(8),
    ),
    *(f"c{module}\n{name}\n".encode() for module, name in safe_pickle._ALLOWED),
    *(pickle.dumps(value, 2)[2:-1] for value in (np.arange(3), torch.arange(3), scipy.sparse.csc_matrix(np.eye(2)))),
    *(b"U\x01x", b"U\x01a", b"U\x04idxs", b"U\x0fpreferred_shape", b"X\x02\x00\x00\x00f8", b"K\x03\x85", b"K\x00\x85"),
]


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_program_of_the_allowed_names_ends_in_a_traceback(pieces: list[bytes]) -> None:
    tracemalloc.start()
    try:
        load(b"\x80\x04" + b"".join(pieces) + b".")
    except SingingHeadError as error:
        assert "\n" not in str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 20e6
