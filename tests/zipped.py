"""Zips of random bytes, and reads of them in random order; importable, so that spawned processes read, too."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from singinghead.flame_model.stored_file import StoredFile

KINDS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}
by_kind = pytest.mark.parametrize("kind", KINDS)
NAMES = tuple(f"flame_seqs/id{i}.pkl" for i in range(40))


def content(name: str) -> bytes:
    rng = random.Random(name)
    return rng.randbytes(rng.randrange(1, 60_000)) + bytes(2000)


def write_zip(path: Path, kind: str = "deflated", names: tuple[str, ...] = NAMES) -> Path:
    with zipfile.ZipFile(path, "w", KINDS[kind]) as archive:
        for name in names:
            archive.writestr(name, content(name))
    return path


def wrong_reads(path: Path, seed: int, n: int = 500) -> int:
    """How many of many reads in random order are not what was written, byte by byte."""
    rng, wrong = random.Random(seed), 0
    for _ in range(n):
        file = StoredFile(path, rng.choice(NAMES))
        wrong += file.read() != content(file.member)
    return wrong
