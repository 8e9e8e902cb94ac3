"""Zips read in place: right bytes from any process and thread, and one line for each way to be broken."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import struct
import tracemalloc
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zipped import KINDS, NAMES, by_kind, content, write_zip, wrong_reads

from singinghead.flame_model.archive import open_archive
from singinghead.flame_model.errors import InputError, SingingHeadError
from singinghead.flame_model.sequence import load_sequence
from singinghead.flame_model.stored_file import StoredFile


@by_kind
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_read_at_random_and_never_wrong(kind: str, start: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "flame_seqs.zip", kind)
    assert wrong_reads(path, 0, 20) == 0, "the parent has a handle that forks would share"
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context(start)) as pool:
        counts = [pool.submit(wrong_reads, path, seed) for seed in range(4)]
        assert wrong_reads(path, 99) == 0
        assert [count.result(timeout=60) for count in counts] == [0] * 4


def test_a_zip_file_shared_over_a_fork_does_read_wrong(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    with zipfile.ZipFile(write_zip(tmp_path / "flame_seqs.zip", "stored")) as shared:
        context = multiprocessing.get_context("fork")
        stop = context.Event()
        children = [context.Process(target=_read_until, args=(stop, shared), daemon=True) for _ in range(2)]
        for child in children:
            child.start()
        wrong = any(_is_wrong(shared) for _ in range(20_000))
        stop.set()
        for child in children:
            child.join(timeout=30)
    assert wrong


def _read_until(stop: Any, shared: zipfile.ZipFile) -> None:
    while not stop.is_set():
        _is_wrong(shared)


def _is_wrong(shared: zipfile.ZipFile) -> bool:
    try:
        return shared.read(NAMES[0]) != content(NAMES[0])
    except Exception:
        return True


def test_a_forked_child_opens_a_handle_of_its_own(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "flame_seqs.zip")
    mine = open_archive(path)
    assert open_archive(path) is mine
    child = os.fork()
    if child == 0:
        os._exit(open_archive(path) is mine)
    assert os.waitpid(child, 0)[1] == 0


@by_kind
def test_threads_read_at_random_and_never_wrong(kind: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "flame_seqs.zip", kind)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda seed: wrong_reads(path, seed, 100), range(8))) == 0


def test_a_zip_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "flame_seqs.zip"
    for text in (b"first", b"second"):
        with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
            archive.writestr("id0.pkl", text)
        (tmp_path / "new.zip").replace(path)
        assert StoredFile(path, "id0.pkl").read() == text


def test_a_stored_file_is_pickled_without_a_handle(tmp_path: Path) -> None:
    file = StoredFile(write_zip(tmp_path / "flame_seqs.zip"), NAMES[3])
    file.read()
    assert pickle.loads(pickle.dumps(file)) == file
    assert len(pickle.dumps(file)) < 500


def entry_fields(data: bytearray) -> tuple[int, int]:
    """Where the local header and the entry in the directory of a zip's only member begin."""
    return data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")


def lying(declared: int, kind: str) -> bytes:
    """A member that declares another size than it has, in both of its headers."""
    path = Path(os.environ["PYTEST_ZIP"])
    write_zip(path, kind, NAMES[:1])
    data = bytearray(path.read_bytes())
    local, central = entry_fields(data)
    data[local + 22 : local + 26] = data[central + 24 : central + 28] = struct.pack("<I", declared)
    if kind == "stored":
        data[local + 18 : local + 22] = data[central + 20 : central + 24] = struct.pack("<I", declared)
    return bytes(data)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTEST_ZIP", str(tmp_path / "made.zip"))
    return tmp_path / "flame_seqs.zip"


def refusal(path: Path, member: str = NAMES[0]) -> str:
    """What reading says, which is the same however the member is read."""
    said = set()
    tracemalloc.start()
    try:
        for read in (StoredFile.read, StoredFile.fingerprint, load_sequence, _play):
            with pytest.raises(InputError) as caught:
                read(StoredFile(path, member))  # type: ignore[operator]
            said.add(str(caught.value))
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    for words in said:
        assert words.startswith(f"{path}")
        assert "\n" not in words
        assert len(words) < len(str(path)) + 200
    return " | ".join(said)


def _play(file: StoredFile) -> None:
    with file.playable():
        pass


@by_kind
@pytest.mark.parametrize("declared", [0xFFFFFFF0, 2**31, 10**6])
def test_a_member_that_declares_more_than_there_is_takes_no_memory(declared: int, kind: str, place: Path) -> None:
    place.write_bytes(lying(declared, kind))
    assert "declares" in refusal(place) or "CRC" in refusal(place)


@by_kind
def test_a_member_that_declares_less_is_not_read_in_part(kind: str, place: Path) -> None:
    place.write_bytes(lying(10, kind))
    with pytest.raises(InputError, match="Bad CRC"):
        StoredFile(place, NAMES[0]).read()


def test_five_declared_gigabytes_are_refused_before_they_are_read(place: Path) -> None:
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr(NAMES[0], b"small")
        archive.infolist()[0].file_size = 5 * 2**30  # zip64, in the directory that is written last
        archive.infolist()[0].compress_size = 5 * 2**20
    assert "declares 5368709120 bytes" in refusal(place)


def test_a_bomb_is_refused_before_it_goes_off(place: Path) -> None:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAMES[0], b"x")
        archive.infolist()[0].file_size = 3 * 2**30
    assert "declares 3221225472 bytes" in refusal(place)


def test_an_encrypted_member_is_told(place: Path) -> None:
    data = bytearray(write_zip(place, "stored", NAMES[:1]).read_bytes())
    local, central = entry_fields(data)
    data[local + 6] |= 1
    data[central + 8] |= 1
    place.write_bytes(data)
    assert "is encrypted" in refusal(place)


def test_a_kind_of_compression_that_python_does_not_know_is_told(place: Path) -> None:
    data = bytearray(write_zip(place, "deflated", NAMES[:1]).read_bytes())
    local, central = entry_fields(data)
    data[local + 8] = data[central + 10] = 9  # deflate64, as Windows packs large zips
    place.write_bytes(data)
    assert "compression method is not supported (unpack it" in refusal(place)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused_and_the_others_are_read(place: Path) -> None:
    write_zip(place, "stored", (*NAMES[:2], NAMES[0]))
    assert "more than once" in refusal(place)
    assert StoredFile(place, NAMES[1]).read() == content(NAMES[1])


@by_kind
def test_a_truncated_zip_is_told(kind: str, place: Path) -> None:
    data = write_zip(place, kind).read_bytes()
    for length in (0, 10, len(data) // 2, len(data) - 5):
        place.write_bytes(data[:length])
        assert "not a readable zip" in refusal(place)


@by_kind
def test_a_damaged_member_is_not_handed_out(kind: str, place: Path) -> None:
    data = bytearray(write_zip(place, kind, NAMES[:1]).read_bytes())
    data[200] ^= 0xFF
    place.write_bytes(data)
    for read in (StoredFile.read, StoredFile.fingerprint, load_sequence):
        with pytest.raises(InputError, match=r"flame_seqs\.zip/flame_seqs/id0\.pkl: not a readable zip"):
            read(StoredFile(place, NAMES[0]))  # type: ignore[operator]


@pytest.mark.parametrize("member", ["missing.pkl", "../id0.pkl", "/etc/passwd", "flame_seqs/"])
def test_a_member_that_is_not_there_is_told_and_no_file_is_opened(member: str, place: Path) -> None:
    write_zip(place, "stored", ("../id0.pkl.zip", *NAMES[:1]))
    assert not StoredFile(place, member).is_file()
    assert "no such member" in refusal(place, member) or member.endswith("/")


def test_a_missing_zip_is_told(tmp_path: Path) -> None:
    file = StoredFile(tmp_path / "none.zip", "id0.pkl")
    assert not file.is_file()
    with pytest.raises(InputError, match=r"none\.zip: no such file"):
        file.read()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_ends_in_a_traceback_or_in_other_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    write_zip(path, data.draw(st.sampled_from(sorted(KINDS))), NAMES[:2])
    raw = bytearray(path.read_bytes())
    local, central = entry_fields(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.sampled_from([local, central, len(raw) - 22, 0]))
        place = min(start + data.draw(st.integers(0, 60)), len(raw) - 1)
        raw[place] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    for name in NAMES[:2]:
        file = StoredFile(path, name)
        try:
            assert file.read() == content(name)
        except SingingHeadError as error:
            assert "\n" not in str(error)
        try:
            _play(file)
        except SingingHeadError as error:
            assert "\n" not in str(error)
