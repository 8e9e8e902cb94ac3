"""The written dataset: the release's layout, the truth, and methods whose errors are known."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sung import by_song, one_line

from singinghead.tools.demo.dataset import METHODS, smoothed, truth, write_dataset
from singinghead.tools.demo.motion import FPS
from singinghead.tools.demo.score import SONGS, Song

IDS = ["id0_1_0_0", "id1_2_0_0", "id2_3_0_0"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert write_dataset(folder) == IDS
    return folder


def sequence(folder: Path, name: str) -> dict[str, np.ndarray]:
    return pickle.loads((folder / f"{name}.pkl").read_bytes())


def vectors(folder: Path, name: str) -> np.ndarray:
    codes = sequence(folder, name)
    return np.concatenate([codes["expcodes"], codes["posecodes"]], axis=1).astype(float)


def test_the_release_s_layout(root: Path):
    assert (root / "test.txt").read_text().split() == IDS
    written = {str(path.relative_to(root)) for path in root.rglob("*.*")}
    layout = ["flame_seqs/{}.pkl", "audio_seqs/{}.wav", "bgm_seqs/{}_bgm.wav", "truth/{}.json"]
    layout += [f"methods/{method}/{{}}.pkl" for method in METHODS]
    assert written == {"test.txt"} | {path.format(name) for path in layout for name in IDS}
    for name in IDS:
        for folder in ("flame_seqs", *(f"methods/{method}" for method in METHODS)):
            assert (root / folder / f"{name}.pkl").read_bytes()[:2] == b"\x80\x04"
            codes = sequence(root / folder, name)
            assert {key: code.shape for key, code in codes.items()} == {
                "expcodes": (240, 50),
                "posecodes": (240, 9),
                "shapecode": (1, 100),
            }
            assert all(code.dtype == np.float32 and np.isfinite(code).all() for code in codes.values())
        vocals = soundfile.info(root / "audio_seqs" / f"{name}.wav")
        bgm = soundfile.info(root / "bgm_seqs" / f"{name}_bgm.wav")
        assert (vocals.samplerate, vocals.channels, vocals.frames, vocals.subtype) == (48_000, 1, 384_000, "PCM_16")
        assert (bgm.samplerate, bgm.channels, bgm.frames, bgm.subtype) == (44_100, 2, 352_800, "PCM_16")


def test_a_shape_belongs_to_a_subject(root: Path):
    shapes = [sequence(root / "flame_seqs", name)["shapecode"] for name in IDS]
    assert not np.allclose(shapes[0], shapes[1], atol=0.1)
    assert not np.allclose(shapes[1], shapes[2], atol=0.1)
    for method in METHODS:
        assert np.array_equal(sequence(root / "methods" / method, IDS[0])["shapecode"], shapes[0])


@by_song
def test_the_truth_is_the_score(root: Path, song: Song):
    written = json.loads((root / "truth" / f"{song.name}.json").read_text())
    assert written["voice"] == song.voice
    assert np.allclose(np.diff(written["beats_s"]), 60 / written["beats_per_minute"])
    assert [note["syllable"] for note in written["notes"]] == [note.syllable for note in song.notes]
    assert [line["text"] for line in written["lines"]] == [line.text for line in song.lines]
    assert [sound for line in written["lines"] for sound in line["phonemes"]] == written["phonemes"]
    assert len(written["phonemes"]) == len(song.phonemes)
    assert {"symbol", "start_s", "end_s"} == set(written["phonemes"][0])
    assert len(written["breaths"]) == len(written["lines"])
    assert written["methods"] == {"smoothed": {"gaussian_s": 0.08}, "late": {"delay_s": 0.12}}


@by_song
def test_closed_frames_lie_in_the_closures(song: Song):
    known = truth(song)
    for frame in known["closed_frames"]:
        assert any(start <= frame / FPS <= end for start, end in known["lip_closures"])
    for start, end in known["lip_closures"]:
        assert any(start <= frame / FPS <= end for frame in known["closed_frames"])


@by_song
def test_late_is_the_truth_120_ms_later(root: Path, song: Song):
    true, late = vectors(root / "flame_seqs", song.name), vectors(root / "methods" / "late", song.name)
    frames = np.arange(240) - 0.12 * FPS
    inside = frames >= 0

    def shifted(by: float) -> np.ndarray:
        return np.stack([np.interp(frames + by, np.arange(240), column) for column in true.T], axis=1)[inside]

    error = {by: np.abs(late[inside] - shifted(by)).mean() for by in (-1, -0.5, 0, 0.5, 1)}
    assert min(error, key=error.__getitem__) == 0
    assert error[0] < 0.1 * np.abs(true).mean()


@by_song
def test_smoothed_has_lower_peaks_and_opens_closed_lips(root: Path, song: Song):
    true, smooth = vectors(root / "flame_seqs", song.name), vectors(root / "methods" / "smoothed", song.name)
    assert np.all(smooth.max(axis=0) <= true.max(axis=0) + 1e-6)
    assert np.all(np.diff(smooth, axis=0).std(axis=0) <= np.diff(true, axis=0).std(axis=0) + 1e-6)
    assert np.allclose(smooth.mean(axis=0), true.mean(axis=0), atol=0.02)
    bilabial = [
        frame
        for frame in truth(song)["closed_frames"]
        if any(
            sound.symbol in ("m", "b", "p") and sound.start_s <= frame / FPS <= sound.release_s for sound in song.phonemes
        )
    ]
    jaw = 56
    assert true[bilabial, jaw].max() < 0.02
    assert smooth[bilabial, jaw].mean() > 0.01


def test_smoothing_is_a_gaussian_of_the_stated_width():
    impulse = np.zeros((101, 1))
    impulse[50] = 1
    response = smoothed(impulse, 1.8)[:, 0]
    assert response.sum() == pytest.approx(1)
    assert np.sqrt(response @ (np.arange(101) - 50) ** 2) == pytest.approx(1.8, rel=0.01)
    assert np.allclose(smoothed(np.ones((5, 2)), 3.0), 1), "the ends are held"


def test_written_twice_it_is_the_same_to_the_bit(root: Path, tmp_path: Path):
    write_dataset(tmp_path)
    for path in root.rglob("*.*"):
        assert (tmp_path / path.relative_to(root)).read_bytes() == path.read_bytes(), path.name


def test_a_song_of_one_line_has_a_truth():
    assert truth(one_line("-:1 ma57:1"))["lines"][0]["text"] == "ma"
    assert len({song.name for song in SONGS}) == 3
