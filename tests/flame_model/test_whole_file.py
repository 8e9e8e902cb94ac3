"""Nothing half-written keeps its final name."""

from __future__ import annotations

from pathlib import Path

import pytest

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.whole_file import written_whole


def test_a_file_takes_the_place_of_the_old_one_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_whole(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_does_too(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with written_whole(tmp_path / "empty") as partial:
        partial.mkdir()
        (partial / "a").write_text("a")
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["a"]


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_failure_leaves_what_was_there(tmp_path: Path, is_folder: bool) -> None:
    def fail(partial: Path) -> None:
        if is_folder:
            partial.mkdir()
            partial = partial / "a"
        partial.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), written_whole(tmp_path / "a") as partial:
        fail(partial)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"its folder does not exist \(mkdir -p"), written_whole(tmp_path / "no" / "a"):
        pytest.fail("never entered")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("a")
    with pytest.raises(InputError, match="folder with files in it"), written_whole(tmp_path / "full"):
        pytest.fail("never entered")
    long = tmp_path / ("a" * 300)
    with pytest.raises(InputError, match="File name too long"), written_whole(long) as partial:
        partial.write_text("")


def test_a_file_does_not_take_the_place_of_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "a.glb").mkdir()
    with pytest.raises(InputError, match="directory"), written_whole(tmp_path / "a.glb") as partial:
        partial.write_text("a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.glb"]
