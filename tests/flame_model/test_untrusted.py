"""Files that nobody vouches for: none of them runs code, takes the machine's memory, or ends in a traceback."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from written_flame import write_model

from singinghead.flame_model import safe_pickle
from singinghead.flame_model.errors import InputError, SingingHeadError, UnsafePickleError
from singinghead.flame_model.flame_file import read_flame
from singinghead.flame_model.sequence import load_sequence

HUGE = 3_000_000_000


def clip(n_frames: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "expcodes": rng.standard_normal((n_frames, 50)).astype(np.float32),
        "posecodes": (0.1 * rng.standard_normal((n_frames, 9))).astype(np.float32),
        "shapecode": rng.standard_normal((1, 100)).astype(np.float32),
    }


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def torch_bytes(planted: object) -> bytes:
    """What a tensor's storage pickles as, with something planted in it."""
    stream = io.BytesIO()
    torch.save(planted, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


MARK = "touched-by-a-pickle"
ATTACKS = {
    "os.system": lambda: pickle.dumps(Calls(os.system, f"touch {MARK}")),
    "protocol 0": lambda: f"cposix\nsystem\n(S'touch {MARK}'\ntR.".encode(),
    "INST": lambda: f"(S'touch {MARK}'\niposix\nsystem\n.".encode(),
    "eval": lambda: pickle.dumps(Calls(eval, f"open('{MARK}', 'w')")),
    "getattr": lambda: pickle.dumps(Calls(getattr, "text", "upper")),
    "subprocess": lambda: pickle.dumps({**clip(), "extra": Calls(subprocess.Popen, ["touch", MARK])}),
    "numpy.save": lambda: pickle.dumps(Calls(np.save, MARK, np.zeros(1))),
    "open": lambda: pickle.dumps(Calls(open, MARK, "w")),
    "extension": lambda: b"\x80\x02\x82\x01.",
    "persistent id": lambda: b"\x80\x02U\x01aQ.",
    "nested name": lambda: b"\x80\x04\x8c\x05numpy\x8c\x0flib.npyio.DataSource\x93.",
    "tensor": lambda: pickle.dumps(
        {"static_lmk_faces_idx": Calls(torch.storage._load_from_bytes, torch_bytes(Calls(os.system, f"touch {MARK}")))}
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("wrapper", ["pkl", "npy", "npz"])
def test_a_pickle_that_tries_to_run_code_is_refused_and_does_nothing(
    attack: str, wrapper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ATTACKS[attack]()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"clip.{wrapper}"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": ()})
    if wrapper == "npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("expcodes.npy", header.getvalue() + data)
    else:
        path.write_bytes(data if wrapper == "pkl" else header.getvalue() + data)

    with pytest.raises(InputError) as caught:
        load_sequence(path)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / MARK).exists()


def test_the_attacks_would_work_on_pickle_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would prove nothing."""
    monkeypatch.chdir(tmp_path)
    for attack in ("os.system", "protocol 0", "INST", "tensor"):
        pickle.loads(ATTACKS[attack]())
        assert (tmp_path / MARK).exists(), attack
        (tmp_path / MARK).unlink()


def test_a_refusal_names_what_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UnsafePickleError, match=r"posix\.system"):
        safe_pickle.loads(ATTACKS["os.system"](), "clip.pkl")


def test_code_in_the_landmark_file_beside_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
    (tmp_path / "landmark_embedding.npy").write_bytes(stream.getvalue() + ATTACKS["tensor"]())
    with pytest.raises(InputError, match=r"landmark_embedding\.npy"):
        read_flame(tmp_path)
    assert not (tmp_path / MARK).exists()


def npy(shape: tuple[int, ...], body: bytes = b"") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue() + body


def reconstruct(shape: tuple[int, ...]) -> bytes:
    return pickle.dumps(Calls(np.zeros(0).__reduce__()[0], np.ndarray, shape, b"b"))


def array_state(dtype: str, shape: tuple[int, ...], content: object) -> bytes:
    """An array whose state declares a shape of its own."""

    class Planted:
        def __reduce__(self) -> Any:
            make, arguments, _ = np.zeros(0).__reduce__()
            return make, arguments, (1, shape, np.dtype(dtype), False, content)

    return pickle.dumps(Planted())


def tensor(size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own tensors pickle as what torch deprecates
        storage = torch.zeros(4).storage()
    return pickle.dumps(Calls(torch._utils._rebuild_tensor_v2, storage, 0, size, stride, False, {}))


def changed(**entries: Any) -> bytes:
    return pickle.dumps({**clip(), **entries})


def zip_bytes(name: str, body: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, body)
    return stream.getvalue()


with_nan, with_angle = clip()["expcodes"].copy(), clip()["posecodes"].copy()
with_nan[3, 7] = np.nan
with_angle[2, 6] = 7.0
BAD = {
    "empty.pkl": (b"", "empty"),
    "truncated.pkl": (pickle.dumps(clip())[:-200], "truncated"),
    "text.pkl": (b"these are no numbers\n", "not a readable pickle"),
    "page.pkl": (b"<!doctype html><html>log in</html>", "web page"),
    "lfs.pkl": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "nan.pkl": (changed(expcodes=with_nan), "NaN or infinity, first in frame 3"),
    "degrees.pkl": (changed(posecodes=with_angle), "over 2π"),
    "shape.pkl": (changed(expcodes=np.zeros((5, 51), np.float32)), "(T, 50); got (5, 51)"),
    "frames.pkl": (changed(posecodes=np.zeros((4, 9), np.float32)), "(5, 9); got (4, 9)"),
    "identity.pkl": (changed(shapecode=np.zeros((1, 300), np.float32)), "shapecode"),
    "integers.pkl": (changed(expcodes=np.zeros((5, 50), np.int64)), "floating point; got int64"),
    "objects.pkl": (changed(expcodes=[[None] * 50] * 5), "floating point; got object"),
    "no_frames.pkl": (pickle.dumps(clip(0)), "no frames"),
    "keys.pkl": (pickle.dumps({"exp": np.zeros((5, 50))}), "no 'expcodes' in it (found exp)"),
    "list.pkl": (pickle.dumps([1, 2, 3]), "holds a list"),
    "width58.npy": (npy((5, 58), bytes(5 * 58 * 4)), "neither parameters"),
    "width56.npy": (npy((5, 56), bytes(5 * 56 * 4)), "neither parameters"),
    "vertices.pkl": (pickle.dumps(np.zeros((4, 10, 3), np.float32)), "in .npy"),
    "truncated.npy": (npy((5, 59), bytes(1000)), "holds 1000"),
    "text.npy": (b"these are no numbers", "not a readable .npy"),
    "text.npz": (b"these are no numbers", "not a readable .npz"),
    "keys.npz": (zip_bytes("readme.txt", b"hello"), "not a readable .npy"),
    "kind.txt": (b"1 2 3", "files of kind '.txt'"),
    "huge.npy": (npy((10**12, 59)), "declares shape"),
    "negative.npy": (npy((-1, 59)), "shape"),
    "huge.npz": (zip_bytes("expcodes.npy", npy((10**12, 50))), "declares an array"),
    "huge_start.pkl": (reconstruct((HUGE,)), "starts with shape"),
    "huge_array.pkl": (array_state("f8", (HUGE,), bytes(80)), "holds 10 entries"),
    "huge_objects.pkl": (array_state("O", (HUGE,), [None]), "holds 1 entries"),
    "huge_call.pkl": (pickle.dumps(Calls(np.ndarray, (HUGE,))), "not a readable pickle"),
    "huge_bytearray.pkl": (pickle.dumps(Calls(bytearray, HUGE)), "builtins.bytearray"),
    "huge_bytes.pkl": (b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.", "more than it holds"),
    "huge_tensor.pkl": (tensor((HUGE,), (1,)), "declares shape"),
    "huge_stride.pkl": (tensor((2,), (HUGE,)), "declares shape"),
    "repeating_tensor.pkl": (tensor((HUGE,), (0,)), "declares shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_ends_in_one_clear_line_and_little_memory(name: str, tmp_path: Path) -> None:
    content, words = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            load_sequence(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.count(str(path)) == 1
    assert words in message
    assert "\n" not in message
    assert peak < 20e6


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_sequence(tmp_path / "missing.pkl")


SEEDS = {
    ".pkl": [pickle.dumps(clip(2), protocol=protocol) for protocol in (2, 4, 5)]
    + [pickle.dumps({"static_lmk_faces_idx": torch.zeros(3), "x": Calls(set, [1, 2])})],
    ".npy": [npy((2, 59), bytes(472)), npy((1, 4, 3), bytes(48))],
    ".npz": [zip_bytes("expcodes.npy", npy((2, 50), bytes(400)))],
}


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good file with some bytes overwritten, cut out or put in."""
    suffix = draw(st.sampled_from(sorted(SEEDS)))
    data = bytearray(draw(st.sampled_from(SEEDS[suffix])))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, min(len(data), 400)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return suffix, bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@settings(max_examples=600, deadline=None)
@given(damaged())
def test_no_damage_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, file: tuple[str, bytes]) -> None:
    suffix, data = file
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(data)
    for read in (load_sequence, read_flame):
        try:
            read(path)
        except SingingHeadError as error:
            assert "\n" not in str(error)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([*b"().012]}aeghilqtu\x80\x81\x85\x86\x87\x88\x89\x8c\x93\x94\x95RNbcdGKM"]), max_size=60))
def test_no_soup_of_opcodes_ends_in_a_traceback(opcodes: list[int]) -> None:
    try:
        safe_pickle.loads(bytes(opcodes) + b".", "soup.pkl")
    except SingingHeadError as error:
        assert "\n" not in str(error)
