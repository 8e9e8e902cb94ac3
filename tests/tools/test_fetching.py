"""A download is there whole and right, or nothing of it is."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from pathlib import Path

import pytest
from served import Answer, serving

from singinghead.flame_model.errors import InputError, SingingHeadError, UnavailableError
from singinghead.tools import fetching
from singinghead.tools.fetching import fetch

CONTENT = os.urandom(3_000_000)


def accept(_sha256: str) -> None:
    pass


def refuse(_sha256: str) -> None:
    raise UnavailableError("is not the published file")


@pytest.fixture(params=["older", "none"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where to write; with and without an older file of the name."""
    path = tmp_path / "weights.pth"
    if request.param == "older":
        path.write_bytes(b"older")
    return path


def assert_untouched(path: Path) -> None:
    assert [(left.name, left.read_bytes()) for left in path.parent.iterdir()] in ([], [("weights.pth", b"older")])


@pytest.mark.parametrize("declared", [len(CONTENT), None])
def test_a_whole_file(declared: int | None, path: Path) -> None:
    with serving(Answer(CONTENT, declared)) as url:
        assert fetch(url, path, accept) == hashlib.sha256(CONTENT).hexdigest()
    assert path.read_bytes() == CONTENT
    assert [left.name for left in path.parent.iterdir()] == ["weights.pth"]


def test_a_redirection_is_followed_and_a_missing_folder_made(tmp_path: Path) -> None:
    answer = Answer(CONTENT, len(CONTENT), status=302, location="/elsewhere")
    with serving(answer) as url:
        fetch(url, tmp_path / "new" / "folder" / "weights.pth", accept)
    assert (tmp_path / "new" / "folder" / "weights.pth").read_bytes() == CONTENT
    assert answer.asked == ["/file.pth", "/elsewhere"]


def test_a_wrong_hash_keeps_nothing(path: Path) -> None:
    with serving(Answer(CONTENT, len(CONTENT))) as url, pytest.raises(UnavailableError, match="not the published"):
        fetch(url, path, refuse)
    assert_untouched(path)


@pytest.mark.parametrize("sent", [0, 10, 2_000_000])
def test_a_download_cut_off_in_the_middle(sent: int, path: Path) -> None:
    words = rf"ended after {sent} of 3000000 bytes \(try again"
    with serving(Answer(CONTENT[:sent], len(CONTENT))) as url, pytest.raises(UnavailableError, match=words):
        fetch(url, path, accept)
    assert_untouched(path)


def test_an_empty_answer(path: Path) -> None:
    with serving(Answer(b"", None)) as url, pytest.raises(UnavailableError, match="ended after 0 of some bytes"):
        fetch(url, path, accept)
    assert_untouched(path)


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_refusal_is_said(status: int, path: Path) -> None:
    with serving(Answer(b"no", 2, status=status)) as url, pytest.raises(UnavailableError, match=f"answers {status} "):
        fetch(url, path, accept)
    assert_untouched(path)


def test_a_server_that_is_not_there(path: Path) -> None:
    with serving(Answer(b"", 0)) as url:
        pass
    with pytest.raises(UnavailableError, match=r"cannot be reached: .*refused"):
        fetch(url, path, accept)
    assert_untouched(path)


@pytest.mark.parametrize("declared", [len(CONTENT), None])
def test_more_than_weights_can_be_is_refused(declared: int | None, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST_BYTES", 2_000_000)
    with serving(Answer(CONTENT, declared)) as url, pytest.raises(UnavailableError, match="more than"):
        fetch(url, path, accept)
    assert_untouched(path)


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with serving(Answer(CONTENT, len(CONTENT))) as url, pytest.raises(SingingHeadError, match="No space left") as caught:
        fetch(url, path, accept)
    assert caught.value.file == path
    assert_untouched(path)


def test_ctrl_c_keeps_nothing(path: Path) -> None:
    def interrupt(_sha256: str) -> None:
        raise KeyboardInterrupt

    with serving(Answer(CONTENT, len(CONTENT))) as url, pytest.raises(KeyboardInterrupt):
        fetch(url, path, interrupt)
    assert_untouched(path)


def test_what_a_killed_download_left_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".weights.pth.partial.download").write_bytes(b"left" * 2_000_000)
    with serving(Answer(CONTENT, len(CONTENT))) as url:
        fetch(url, tmp_path / "weights.pth", accept)
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("weights.pth", CONTENT)]


def test_two_downloads_of_one_file_do_not_mix(tmp_path: Path) -> None:
    with (tmp_path / ".weights.pth.partial.download").open("wb") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        with pytest.raises(UnavailableError, match="being downloaded by another process"):
            fetch("http://127.0.0.1:9/file.pth", tmp_path / "weights.pth", accept)
    assert (tmp_path / ".weights.pth.partial.download").exists()


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "x.pth", ""])
def test_only_http_is_fetched(url: str, path: Path) -> None:
    with pytest.raises(InputError, match="not an http or https address"):
        fetch(url, path, accept)
    assert_untouched(path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=r"weights\.pth: cannot be written: .* \(name a --weights\)"):
        fetch("http://127.0.0.1:9/file.pth", tmp_path / "file" / "weights.pth", accept)
