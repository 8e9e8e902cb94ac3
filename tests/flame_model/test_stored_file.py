"""A file is the same file on disk, stored in a zip, and compressed in one."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path

import faulty_dataset
import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from singinghead.flame_model import array_file
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile

MEMBER = "audio_seqs/id0_1_0_0.wav"


def stored_in_three_ways(folder: Path, path: Path, member: str) -> dict[str, StoredFile]:
    files = {"disk": StoredFile(path)}
    for name, compression in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        zipped = folder / f"{name}, a:zip's.zip"
        with zipfile.ZipFile(zipped, "w", compression) as archive:
            archive.writestr("before.txt", "text " * 99)
            archive.write(path, member)
            archive.writestr("after.txt", "text " * 99)
        files[name] = StoredFile(zipped, member)
    return files


@pytest.fixture
def recordings(tmp_path: Path) -> dict[str, StoredFile]:
    path = tmp_path / "id0_1_0_0.wav"
    faulty_dataset.write_sound(path)
    return stored_in_three_ways(tmp_path, path, MEMBER)


@pytest.mark.parametrize("way", ["disk", "stored", "deflated"])
def test_what_it_says_of_itself(way: str, recordings: dict[str, StoredFile]) -> None:
    file, content = recordings[way], recordings["disk"].path.read_bytes()
    assert (file.name, file.stem, file.suffix) == ("id0_1_0_0.wav", "id0_1_0_0", ".wav")
    assert file.is_file()
    assert file.size == len(content)
    assert file.read() == content
    assert file.fingerprint() == hashlib.sha256(content).hexdigest()
    assert str(file) == (str(file.path) if way == "disk" else f"{file.path}/{MEMBER}")
    assert StoredFile.of(file) is file
    with file.open() as stream:
        stream.seek(100)
        assert stream.read(50) == content[100:150]


def _heard(played: str) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", played, "-f", "s16le", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.parametrize("way", ["disk", "stored", "deflated"])
def test_ffmpeg_and_soundfile_read_it(
    way: str, recordings: dict[str, StoredFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    wave, _ = soundfile.read(recordings["disk"].path, dtype="int16")
    with recordings[way].open() as stream:
        assert np.array_equal(soundfile.read(stream, dtype="int16")[0], wave)
    with recordings[way].playable() as played:
        assert len(list((tmp_path / "tmp").iterdir())) == (way == "deflated"), "only a compressed member is unpacked"
        assert np.array_equal(np.frombuffer(_heard(played), "<i2"), wave)
    assert not list((tmp_path / "tmp").iterdir())


def test_a_full_temporary_folder_is_told(recordings: dict[str, StoredFile], monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __enter__(self) -> str:
            return "/dev/full"

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(tempfile, "TemporaryDirectory", lambda **_: Full())
    with pytest.raises(InputError, match=r"id0_1_0_0\.wav: cannot be unpacked: .*TMPDIR"), recordings["deflated"].playable():
        pass


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pkl"])
def test_arrays_are_read_from_zips(suffix: str, tmp_path: Path) -> None:
    array = np.random.default_rng(0).standard_normal((7, 59)).astype(np.float32)
    path = tmp_path / f"clip{suffix}"
    if suffix == ".npy":
        np.save(path, np.asfortranarray(array))
    elif suffix == ".npz":
        np.savez(path, params=array)
    else:
        faulty_dataset.write_motion(path, array)
    for file in stored_in_three_ways(tmp_path, path, f"flame_seqs/clip{suffix}").values():
        content = array_file.read(file)
        assert np.array_equal(content["params"] if suffix == ".npz" else content, array)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    file = StoredFile(tmp_path / "none.wav")
    assert not file.is_file()
    for ask in (lambda: file.size, file.read, file.fingerprint):
        with pytest.raises(InputError, match=r"none\.wav: no such file"):
            ask()


def test_a_member_beyond_four_gigabytes_plays_in_place(recordings: dict[str, StoredFile], tmp_path: Path) -> None:
    """The recordings of the whole dataset are tens of gigabytes."""
    large = tmp_path / "audio_seqs.zip"
    with large.open("wb") as file:
        file.seek(5 * 2**30)  # a hole, which takes no room
        file.write(recordings["stored"].path.read_bytes())
    member = StoredFile(large, MEMBER)
    assert member.fingerprint() == recordings["disk"].fingerprint()
    with member.playable() as played, recordings["disk"].playable() as expected:
        assert played.startswith("subfile,,start,53687")
        assert _heard(played) == _heard(expected)
