"""What became of every clip: ``manifest.jsonl``, one JSON record a line, the last of an ID being the valid one.

Any number of processes append to one file, under its lock. A process that dies while it writes leaves part of a line at
worst: the next to append ends that line, and whoever reads passes over lines that are no record.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

NAME = "manifest.jsonl"
_OF_SHARDS = "manifest.*-of-*.jsonl"


@dataclass(frozen=True)
class Record:
    """One attempt at one clip.

    Attributes:
        id: the clip.
        status: ``done`` or ``failed``.
        error: why it failed, in one line; else None.
        wall_seconds: from claim to record.
        attempt: from 1, within a run.
        started: UTC, ISO 8601.
        ended: the same.
        host: that the worker ran on.
        version: of singinghead.
        model: ``name`` and ``sha256`` of the head.
        backend: what drew; empty where nothing was drawn.
        inputs: ``motion``, ``truth``, ``vocals`` and ``bgm`` by :class:`~singinghead.render.split.job.Input`, as dicts;
            None for what is not there.
        options: everything asked for that the picture or the sound depends on.
        output: ``bytes``, ``mtime_ns``, ``sha256``, ``frames``, ``fps``, ``seconds``; empty if it failed.
        notes: what a user should know: warnings, sound that was cut, padded or turned down.
    """

    id: str
    status: Literal["done", "failed"]
    error: str | None = None
    wall_seconds: float = 0.0
    attempt: int = 1
    started: str = ""
    ended: str = ""
    host: str = ""
    version: str = ""
    model: Mapping[str, str] = field(default_factory=dict)
    backend: str = ""
    inputs: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def line(self) -> bytes:
        """This record as the manifest holds it."""
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Record | None:
        """The record of a line, or None if it holds none: part of one, cut short by a crash."""
        try:
            values = json.loads(line)
            known = {name: values[name] for name in (entry.name for entry in fields(cls)) if name in values}
            return cls(**known | {"notes": tuple(known.get("notes", ()))})
        except (ValueError, TypeError):
            return None


def append(path: Path, *records: Record) -> None:
    """Append records: all of them, on the disk when this returns, or none.

    Raises:
        OSError: the disk is full, or does not lock files.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        lines = b"\n" * is_torn + b"".join(record.line() for record in records)
        try:
            if os.write(descriptor, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def read(path: Path, only: str | None = None) -> dict[str, Record]:
    """The last record of each ID, or of one ID; nothing if there is no such file."""
    needle = b"" if only is None else json.dumps(only, ensure_ascii=False).encode()
    found: dict[str, Record] = {}
    try:
        with path.open("rb") as file:
            for line in file:
                record = Record.of_line(line) if needle in line else None
                if record is not None and only in (None, record.id):
                    found[record.id] = record
    except FileNotFoundError:
        pass
    return found


def read_all(folder: Path, only: str | None = None) -> dict[str, Record]:
    """The last record of each ID in a folder's manifests, those of shards too."""
    return newest(read(path, only) for path in (folder / NAME, *sorted(folder.glob(_OF_SHARDS))))


def newest(manifests: Iterable[Mapping[str, Record]]) -> dict[str, Record]:
    """Of several manifests' records the one that ended last, for each ID."""
    found: dict[str, Record] = {}
    for records in manifests:
        for clip_id, record in records.items():
            if clip_id not in found or found[clip_id].ended < record.ended:
                found[clip_id] = record
    return found


def shard_name(index: int, count: int) -> str:
    """The manifest of one shard."""
    return f"manifest.{index}-of-{count}.jsonl"


def merge(folder: Path) -> dict[str, Record]:
    """Bring a folder's records, those of shards too, into its ``manifest.jsonl``; return the last of each ID."""
    own, everything = read(folder / NAME), read_all(folder)
    missing = [record for clip_id, record in everything.items() if own.get(clip_id) != record]
    if missing:
        append(folder / NAME, *missing)
    return everything
