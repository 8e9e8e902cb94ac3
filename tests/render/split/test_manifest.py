"""The record of a run survives whatever ends the process that writes it."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singinghead.render.split import manifest
from singinghead.render.split.manifest import Record


def done(clip_id: str, ended: str = "", **more: object) -> Record:
    return Record(clip_id, "done", ended=ended, **more)


@given(
    names=st.lists(st.text('abé"\n\\', min_size=1, max_size=4), min_size=2, max_size=6),
    torn=st.integers(0, 10_000),
)
def test_a_crash_within_a_line_costs_that_line_alone(
    names: list[str], torn: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("torn") / manifest.NAME
    records = [done(f"{index}{name}", notes=("one", "two"), output={"bytes": 3}) for index, name in enumerate(names)]
    manifest.append(path, *records[:-2])
    whole = path.read_bytes() if path.exists() else b""
    manifest.append(path, records[-2])
    line = path.read_bytes()[len(whole) :]
    cut = torn % len(line)
    path.write_bytes(whole + line[:cut])
    before = {record.id: record for record in records[:-2]}
    kept = {records[-2].id: records[-2]} if cut == len(line) - 1 else {}  # only the end of the line is missing
    assert manifest.read(path) == before | kept
    manifest.append(path, records[-1])
    assert manifest.read(path) == before | kept | {records[-1].id: records[-1]}
    for record in records[:-2]:
        assert manifest.read(path, record.id) == {record.id: record}


def test_the_last_record_of_an_id_is_the_valid_one(tmp_path: Path) -> None:
    path = tmp_path / manifest.NAME
    assert manifest.read(path) == {}
    manifest.append(path, Record("a", "failed", "it broke"), done("a"), done("b"), Record("b", "failed", "it broke"))
    assert {clip_id: record.status for clip_id, record in manifest.read(path).items()} == {"a": "done", "b": "failed"}


def test_lines_that_are_no_records_and_fields_of_later_versions_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / manifest.NAME
    path.write_text('{"id": "a", "status": "done", "from": "the future"}\n[1]\nnonsense\n{"id": "b"}\n\n')
    assert manifest.read(path) == {"a": done("a")}


def test_nothing_is_left_of_a_record_for_which_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / manifest.NAME
    manifest.append(path, done("a"))
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: len(data) // 2]))
    with pytest.raises(OSError, match="No space left") as error:
        manifest.append(path, done("b"))
    assert error.value.errno == errno.ENOSPC
    assert path.read_bytes() == before


def test_shards_merge_by_what_ended_last_and_merging_twice_adds_nothing(tmp_path: Path) -> None:
    manifest.append(tmp_path / manifest.NAME, done("a", "2026-01-02"), done("b", "2026-01-01"))
    manifest.append(tmp_path / manifest.shard_name(0, 2), Record("a", "failed", ended="2026-01-01"))
    manifest.append(tmp_path / manifest.shard_name(1, 2), Record("b", "failed", ended="2026-01-03"), done("c"))
    assert manifest.shard_name(1, 2) == "manifest.1-of-2.jsonl"
    for _ in range(2):
        merged = manifest.merge(tmp_path)
        assert {clip_id: record.status for clip_id, record in merged.items()} == {"a": "done", "b": "failed", "c": "done"}
        assert manifest.read(tmp_path / manifest.NAME) == merged
        assert len((tmp_path / manifest.NAME).read_bytes().splitlines()) == 4


def append_many(path: Path, name: str) -> None:
    for index in range(50):
        manifest.append(path, done(f"{name}{index}", notes=("x" * 5000,)))


def test_many_processes_append_at_once(tmp_path: Path) -> None:
    path = tmp_path / manifest.NAME
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_many, args=(path, name)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(manifest.read(path)) == len(path.read_bytes().splitlines()) == 200
