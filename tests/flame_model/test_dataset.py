"""The release's layout, as folders and as zips, and its split lists."""

from __future__ import annotations

import logging
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from faulty_dataset import IDS, PARTS, write_dataset, write_motion, zip_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from singinghead.flame_model.dataset import Dataset, check_id, read_split, split_lines
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import ParamSequence, load_sequence


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "SingingHead")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("bare", [False, True])
def test_the_zips_hold_what_the_folders_hold(compression: int, bare: bool, root: Path, tmp_path: Path) -> None:
    folders = Dataset.open(root)
    zips = Dataset.open(zip_dataset(root, tmp_path / "zipped", compression, bare))
    assert zips.ids() == folders.ids() == tuple(sorted(IDS))
    for part in PARTS:
        assert zips.ids(part) == folders.ids(part)
        for clip_id in IDS:
            mine, theirs = folders.file(part, clip_id), zips.file(part, clip_id)
            assert mine is not None
            assert theirs is not None
            assert theirs.path == tmp_path / "zipped" / f"{part}.zip"
            assert theirs.fingerprint() == mine.fingerprint()
        assert zips.file(part, "id9_9_9_9") is None
    for clip_id in IDS:
        one, other = load_sequence(folders.sequence(clip_id)), load_sequence(zips.sequence(clip_id))  # type: ignore[arg-type]
        assert isinstance(one, ParamSequence)
        assert isinstance(other, ParamSequence)
        assert one.id == other.id == clip_id
        assert np.array_equal(one.params.to_vectors(), other.params.to_vectors())
        assert np.array_equal(one.shape, other.shape)  # type: ignore[arg-type]


def test_a_folder_wins_over_a_zip_and_that_is_said(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    zipped = zip_dataset(root, tmp_path / "zipped")
    shutil.copytree(root / "flame_seqs", zipped / "flame_seqs")
    with caplog.at_level(logging.WARNING):
        dataset = Dataset.open(zipped)
    assert caplog.messages == [f"{zipped / 'flame_seqs.zip'}: is ignored, because the folder flame_seqs is there too"]
    assert dataset.sequence(IDS[0]).path.parent == zipped / "flame_seqs"  # type: ignore[union-attr]
    assert dataset.vocals(IDS[0]).path == zipped / "audio_seqs.zip"  # type: ignore[union-attr]


def test_what_else_lies_in_a_zip_is_no_clip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "flame_seqs.zip", "w") as archive:
        for name in (
            "flame_seqs/",
            "flame_seqs/id0.pkl",
            "flame_seqs/._id0.pkl",
            "__MACOSX/flame_seqs/._id0.pkl",
            "a/b/id1.pkl",
            "../id2.pkl",
            "flame_seqs/../id3.pkl",
            "flame_seqs\\id4.pkl",
            "flame_seqs/.pkl",
            "flame_seqs/readme.txt",
        ):
            archive.writestr(name, b"x")
    dataset = Dataset.open(tmp_path)
    assert dataset.ids() == ("id0",)
    assert dataset.sequence("id1") is None


def test_predictions_move_and_the_dataset_sounds(root: Path, tmp_path: Path) -> None:
    write_motion(tmp_path / f"{IDS[0]}.pkl", np.zeros((5, 59), np.float32))
    np.save(tmp_path / f"{IDS[1]}.npy", np.zeros((5, 59), np.float32))
    own = Dataset.open(root)
    method = own.with_sequences(tmp_path)
    assert method.ids() == IDS[:2]
    assert method.sequence(IDS[1]).path == tmp_path / f"{IDS[1]}.npy"  # type: ignore[union-attr]
    assert method.sequence(IDS[2]) is None
    assert method.truth(IDS[1]) == own.sequence(IDS[1]) == own.truth(IDS[1])
    assert (method.vocals(IDS[0]), method.bgm(IDS[0]), method.video(IDS[0])) == (
        own.vocals(IDS[0]),
        own.bgm(IDS[0]),
        own.video(IDS[0]),
    )
    with pytest.raises(InputError, match="no such folder"):
        own.with_sequences(tmp_path / "nowhere")


def test_parts_that_are_not_there_have_no_files(tmp_path: Path) -> None:
    dataset = Dataset.open(tmp_path)
    assert dataset.ids() == ()
    assert not dataset.has("flame_seqs")
    assert dataset.sequence(IDS[0]) is dataset.vocals(IDS[0]) is dataset.video(IDS[0]) is None


def test_a_zip_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "flame_seqs.zip").write_bytes(b"<html>log in")
    dataset = Dataset.open(tmp_path)
    for ask in (dataset.ids, lambda: dataset.sequence(IDS[0])):
        with pytest.raises(InputError, match=r"flame_seqs\.zip: not a readable zip"):
            ask()


def test_a_split_keeps_its_order_and_forgives_what_editors_do(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_bytes(b"\xef\xbb\xbfid2_14_01_0_2\r\n\r\n  id0_1_0_0.pkl \n\tid1_2_0_0\rid3_0_0_0")
    assert read_split(path) == ("id2_14_01_0_2", "id0_1_0_0", "id1_2_0_0", "id3_0_0_0")


def test_ids_listed_twice_are_named_and_count_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "test.txt"
    path.write_text("a\nb\na.pkl\nc\n\nb\n")
    with caplog.at_level(logging.WARNING):
        assert read_split(path) == ("a", "b", "c")
    assert caplog.messages == [f"{path}: lists IDs twice, which count once: a in lines 1 and 3, b in lines 2 and 6"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "lists no IDs"),
        (b"\n \n", "lists no IDs"),
        (b"id0\n../id1\n", "line 2: '../id1' is not an ID"),
        (b"id0\nflame_seqs/id1.pkl\n", "line 2: 'flame_seqs/id1.pkl' is not an ID"),
        (b"id0\n\n..\n", "line 3: '..' is not an ID"),
        (b"id0\nid\x1b[31m1\n", "line 2: 'id\\x1b[31m1' is not an ID"),
        (b"x" * 300, "is not an ID"),
        (b"\x80\x04\x95", "is not text in UTF-8"),
        (b"id0\n\0\0\0", "is not text in UTF-8"),
        ("id0\n".encode("utf-16"), "is not text in UTF-8"),
        (b"id0\n" * 5_000_000, "more than a list of IDs"),
    ],
)
def test_what_is_no_split_is_one_line(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_split(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert words in said
    assert said.isprintable()
    assert len(said) < len(str(path)) + 150


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_a_split_that_is_not_there_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_split(tmp_path / name)


plain_ids = st.from_regex(r"id[0-9]{1,3}(_[0-9]{1,3}){3,4}", fullmatch=True)


@settings(deadline=None)
@given(st.lists(plain_ids, min_size=1, unique=True), st.data())
def test_a_written_split_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "split.txt"
    lines = [
        data.draw(st.sampled_from(["", " ", "\n", "\t"])) + clip_id + data.draw(st.sampled_from(["", ".pkl", " ", "\r"]))
        for clip_id in ids
    ]
    path.write_bytes(data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + "\n".join(lines).encode())
    assert read_split(path) == tuple(ids)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_lead_out_of_a_folder_or_end_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "split.txt"
    path.write_bytes(content)
    try:
        numbered = split_lines(path)
    except InputError as error:
        assert str(error).isprintable()
    else:
        for _, clip_id in numbered:
            assert Path("folder", clip_id).parent == Path("folder")
            assert Path("folder", clip_id).name == clip_id


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40))
def test_an_id_is_a_file_name_or_refused(text: str) -> None:
    try:
        clip_id = check_id(text)
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert Path("folder", clip_id).name == clip_id
        assert clip_id.isprintable()
        assert check_id(clip_id) in (clip_id, clip_id.removesuffix(".pkl"))
