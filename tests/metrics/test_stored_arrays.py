"""Entries on disk: found again by all that they depend on, never believed when broken, never half-written."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.metrics import stored_arrays

ARRAYS = {"landmarks": np.random.default_rng(0).standard_normal((3, 68, 2)), "n": np.array(3)}
SHAPES = {"landmarks": (None, 68, 2), "n": ()}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_was_stored_comes_back_to_the_last_bit() -> None:
    path = stored_arrays.entry("landmarks", "video", 256, "dlib")
    assert stored_arrays.load(path, SHAPES) is None
    holding_gaps = {**ARRAYS, "landmarks": np.where(ARRAYS["landmarks"] > 1, np.nan, ARRAYS["landmarks"])}
    stored_arrays.store(path, holding_gaps)
    found = stored_arrays.load(path, SHAPES)
    assert found is not None
    for name, array in holding_gaps.items():
        assert np.array_equal(found[name], array, equal_nan=True)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("other", [("landmarks", "video2", 256, "dlib"), ("landmarks", "video", 512, "dlib"),
                                   ("landmarks", "video", 256, "fan"), ("identities", "video", 256, "dlib")])  # fmt: skip
def test_another_video_size_or_backend_is_another_entry(other: tuple[str, ...]) -> None:
    assert stored_arrays.entry(*other) != stored_arrays.entry("landmarks", "video", 256, "dlib")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", None])
def test_a_broken_entry_is_said_and_made_anew(content: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    path = stored_arrays.entry("landmarks", "video")
    stored_arrays.store(path, ARRAYS)
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    with caplog.at_level(logging.WARNING):
        assert stored_arrays.load(path, SHAPES) is None
    assert "is broken and is made anew" in caplog.text
    assert path.name in caplog.text


@pytest.mark.parametrize("shapes", [{"landmarks": (None, 5, 2)}, {"landmarks": (None,)}, {"other": (None,)}])
def test_an_entry_of_other_content_is_made_anew(
    shapes: dict[str, tuple[int | None, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    path = stored_arrays.entry("landmarks", "video")
    stored_arrays.store(path, ARRAYS)
    assert stored_arrays.load(path, shapes) is None
    assert "is broken and is made anew" in caplog.text


def test_a_folder_that_cannot_be_written_matters_only_to_what_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, where the folder should be")
    path = stored_arrays.entry("landmarks", "video")
    stored_arrays.store(path, ARRAYS)
    with pytest.raises(InputError, match="cannot be written"):
        stored_arrays.store(path, ARRAYS, must=True)


def test_content_decides(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (stored_arrays.content_hash(tmp_path / name) for name in "abc")
    assert a == b != c
    with pytest.raises(InputError, match="cannot be read"):
        stored_arrays.content_hash(tmp_path / "missing")
