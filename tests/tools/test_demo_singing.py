"""The generated singing is what its score says: heard by librosa, an ear that knows nothing of the score."""

from __future__ import annotations

import functools
import json
import pickle
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.tools.demo_singing import (
    BGM_RATE,
    FORMANTS,
    FPS,
    SONGS,
    VOCALS_RATE,
    Note,
    Song,
    accompany,
    perform,
    sing,
    write_dataset,
)

IDS = ["id0_1_0_0", "id0_1_0_1", "id1_2_0_0"]
heard = functools.cache(sing)
by_song = pytest.mark.parametrize("song", SONGS, ids=lambda song: song.name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert write_dataset(folder) == IDS
    return folder


@pytest.fixture(scope="module")
def stand_in() -> StandIn:
    return load_stand_in()


def sequence(root: Path, name: str) -> dict[str, np.ndarray]:
    return pickle.loads((root / "flame_seqs" / f"{name}.pkl").read_bytes())


def decibels(amplitude: float) -> float:
    return float(20 * np.log10(amplitude))


def sung(song: Song, times: np.ndarray, margin_s: float) -> np.ndarray:
    """Whether each time lies in a note, or within ``margin_s`` of one."""
    return np.any([(times > note.start_s - margin_s) & (times < note.end_s + margin_s) for note in song.notes], axis=0)


def test_the_release_s_layout(root: Path):
    assert (root / "test.txt").read_text().split() == IDS
    written = {str(path.relative_to(root)) for path in root.rglob("*.*")}
    folders = {"flame_seqs": "{}.pkl", "audio_seqs": "{}.wav", "bgm_seqs": "{}_bgm.wav", "truth": "{}.json"}
    assert written == {"test.txt"} | {f"{folder}/{name.format(i)}" for folder, name in folders.items() for i in IDS}
    for name in IDS:
        raw = (root / "flame_seqs" / f"{name}.pkl").read_bytes()
        assert raw[:2] == b"\x80\x04"
        codes = sequence(root, name)
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
    first, second, other = (sequence(root, name)["shapecode"] for name in IDS)
    assert np.array_equal(first, second)
    assert not np.allclose(first, other, atol=0.1)


def test_the_truth_is_the_score(root: Path):
    for song in SONGS:
        truth = json.loads((root / "truth" / f"{song.name}.json").read_text())
        assert tuple(Note(**note) for note in truth["notes"]) == song.notes
        assert np.allclose(np.diff(truth["beats_s"]), 60 / truth["beats_per_minute"])
        assert song.notes[-1].end_s < song.duration_s - 0.1


def test_written_twice_it_is_the_same_to_the_bit(root: Path, tmp_path: Path):
    write_dataset(tmp_path)
    for path in root.rglob("*.*"):
        assert (tmp_path / path.relative_to(root)).read_bytes() == path.read_bytes(), path.name


def test_clips_differ():
    first, second, third = (heard(song) for song in SONGS)
    assert max(abs(np.corrcoef(a, b)[0, 1]) for a, b in ((first, second), (first, third), (second, third))) < 0.1


@by_song
def test_pitch_is_the_score_s(song: Song):
    rate, hop = 8_000, 256
    vocals = librosa.resample(heard(song), orig_sr=VOCALS_RATE, target_sr=rate)
    pitch, voiced, _ = librosa.pyin(vocals, fmin=150, fmax=650, sr=rate, frame_length=512, hop_length=hop)
    times = librosa.times_like(pitch, sr=rate, hop_length=hop)
    steady = [note for note in song.notes if note.duration_s > 0.4]
    assert len(steady) >= 6
    for note in steady:
        inside = (times > note.start_s + 0.1) & (times < note.end_s - 0.08)
        assert voiced[inside].mean() > 0.9, note
        cents = 100 * (np.median(librosa.hz_to_midi(pitch[inside & voiced])) - note.midi)
        assert abs(cents) < 30, (note, cents)


@pytest.mark.parametrize(("voice", "midi"), [("tenor", 40), ("alto", 45)])
@pytest.mark.parametrize("vowel", ["a", "e", "i"])
def test_formants_are_the_table_s(voice: str, midi: int, vowel: str):
    # Low notes, because a spectrum is known at its harmonics only.
    song = Song("any", voice, 60, 4, f"{vowel}{midi}:1.8", duration_s=2.0)
    rate = 10_000
    vocals = librosa.resample(sing(song), orig_sr=VOCALS_RATE, target_sr=rate)[rate // 2 : 3 * rate // 2]
    predictor = librosa.lpc(librosa.effects.preemphasis(vocals) * np.hamming(len(vocals)), order=12)
    hz = np.arange(150, 3000)
    envelope = 1 / np.abs(np.polyval(predictor[::-1], np.exp(-2j * np.pi * hz / rate)))
    peaks = hz[1:-1][(envelope[1:-1] > envelope[:-2]) & (envelope[1:-1] > envelope[2:])]
    assert peaks[:2] == pytest.approx(FORMANTS[voice][vowel][:2], rel=0.06)


@by_song
def test_beats_are_found_in_the_accompaniment(song: Song):
    rate, hop = 22_050, 256
    mono = librosa.resample(accompany(song).mean(axis=1), orig_sr=BGM_RATE, target_sr=rate)
    tempo, found = librosa.beat.beat_track(y=mono, sr=rate, hop_length=hop, units="time")
    assert tempo == pytest.approx(song.beats_per_minute, rel=0.03)
    nearest = np.abs(song.beats_s[:, None] - found).min(axis=1)
    assert np.mean(nearest < 0.05) > 0.8
    assert len(found) <= len(song.beats_s) + 1


@by_song
def test_levels(song: Song):
    vocals, bgm = heard(song), accompany(song)
    assert decibels(np.abs(vocals).max()) == pytest.approx(-4, abs=0.01)
    assert decibels(np.abs(bgm).max()) == pytest.approx(-12, abs=0.01)
    assert -18 < decibels(vocals.std()) < -9
    assert -27 < decibels(bgm.std()) < -18
    assert abs(vocals.mean()) < 1e-4
    assert np.abs(bgm.mean(axis=0)).max() < 1e-4
    assert decibels(bgm[:, 0].std() / bgm[:, 1].std()) == pytest.approx(0, abs=2)
    assert np.corrcoef(bgm.T)[0, 1] < 0.999  # a stereo picture
    resampled = librosa.resample(bgm.T, orig_sr=BGM_RATE, target_sr=VOCALS_RATE)
    assert np.abs(resampled[:, : len(vocals)] + vocals).max() < 1


@by_song
def test_no_clicks_and_silent_rests(song: Song):
    vocals = heard(song)
    resting = ~sung(song, np.arange(len(vocals)) / VOCALS_RATE, margin_s=0.06)
    assert 0.1 < resting.mean() < 0.5
    assert np.abs(vocals[resting]).max() == 0
    # A click is broad: what the vocals hold above 20 kHz, where they have no harmonics, is rounding and clicks.
    windows = np.hanning(480) * np.lib.stride_tricks.sliding_window_view(vocals, 480)[::120]
    above = np.abs(np.fft.rfft(windows, axis=1))[:, 205:].max()
    assert decibels(above / 240) < -100
    # Notes swell and fade: from one 4 ms to the next, a fifth of the loudest level at most.
    level = np.lib.stride_tricks.sliding_window_view(vocals, 576)[::192].std(axis=1)
    assert np.abs(np.diff(level)).max() < 0.2 * level.max()
    for sound in (vocals, accompany(song)):
        assert np.abs(sound[[0, -1]]).max() < 1e-4


@by_song
def test_the_mouth_follows_the_voice(song: Song, stand_in: StandIn):
    jaw = perform(song, stand_in).jaw[:, 0].astype(float)
    vocals = heard(song)
    starts = np.clip(np.arange(240) * VOCALS_RATE // FPS - 800, 0, None)
    rms = np.array([vocals[start : start + 1600].std() for start in starts])
    assert np.corrcoef(jaw, rms)[0, 1] > 0.6
    correlations = [np.corrcoef(jaw[10 - lead : 230 - lead], rms[10:230])[0, 1] for lead in range(-6, 7)]
    assert 0 < np.argmax(correlations) - 6 <= 3  # the jaw leads, by 3 frames at most
    times = np.arange(240) / FPS
    open_vowels = [note for note in song.notes if note.vowel == "a" and note.duration_s > 0.4]
    assert min(jaw[np.argmin(np.abs(times - (note.start_s + note.end_s) / 2))] for note in open_vowels) > 0.12
    assert jaw[~sung(song, times, margin_s=0.18)].max() < 0.005
    assert jaw.min() >= -1e-6


def test_lips_are_round_for_u_and_wide_for_i(stand_in: StandIn):
    def code(vowel: str) -> np.ndarray:
        return perform(Song("any", "tenor", 60, 4, f"{vowel}57:2"), stand_in).expression[FPS]

    def unit(**activations: float) -> np.ndarray:
        code = stand_in.expression(**activations)
        return code / np.linalg.norm(code)

    pucker, smile = unit(mouthPucker=1), unit(mouthSmileLeft=1, mouthSmileRight=1)
    assert (code("u") - code("i")) @ pucker > 1
    assert (code("i") - code("u")) @ smile > 1


@by_song
def test_nods_meet_the_beat(song: Song, stand_in: StandIn):
    motion = perform(song, stand_in)
    speed = np.linalg.norm(np.diff(np.stack([motion.global_pose, motion.neck], axis=1), axis=0), axis=2).mean(axis=1)
    rests = (np.nonzero((speed[1:-1] < speed[:-2]) & (speed[1:-1] < speed[2:]))[0] + 1.5) / FPS

    def agreement(shift_s: float) -> float:
        apart = song.beats_s[:, None] - (rests + shift_s) % song.duration_s
        return float(np.exp(-(np.abs(apart).min(axis=1) ** 2) / (2 * 0.1**2)).mean())

    by_chance = np.array([agreement(shift) for shift in np.linspace(0.1, 7.9, 79)])
    assert agreement(0) > by_chance.mean() + 0.25
    assert agreement(0) > np.percentile(by_chance, 85)
    # Not a metronome: no two turns of the head alike.
    turns = np.abs(motion.global_pose[np.rint(song.beats_s * FPS).astype(int).clip(max=239), 1])
    assert turns.std() > 0.1 * turns.mean()


@by_song
def test_blinks(song: Song, stand_in: StandIn):
    # The unit that closes the eyes is read back out of the codes by least squares over the units that are used.
    names = ["mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile", "cheekSquint", "browOuterUp", "eyeBlink"]
    codes = [stand_in.expression(**{f"{name}Left": 1.0, f"{name}Right": 1.0}) for name in names]
    codes += [stand_in.expression(**{name: 1.0}) for name in ("mouthFunnel", "mouthPucker", "browInnerUp")]
    motion = perform(song, stand_in)
    activations, residual, *_ = np.linalg.lstsq(np.stack(codes).T, motion.expression.T, rcond=None)
    assert residual.max() < 1e-6
    assert activations.min() > -1e-3
    assert activations.max() < 1 + 1e-3
    shut = np.concatenate([[0], (activations[names.index("eyeBlink")] > 0.05).astype(int), [0]])
    starts, ends = np.nonzero(np.diff(shut) == 1)[0], np.nonzero(np.diff(shut) == -1)[0]
    assert 2 <= len(starts) <= 4
    assert (ends - starts).max() / FPS <= 0.4
    assert max(activations[names.index("eyeBlink")]) > 0.9
    assert np.diff(starts).min() / FPS > 1


@by_song
def test_motion_is_bounded(song: Song, stand_in: StandIn):
    motion = perform(song, stand_in)
    assert len(motion) == 240
    assert np.abs(motion.global_pose).max() < 0.1
    assert np.abs(motion.neck).max() < 0.15
    assert motion.jaw[:, 0].max() < 0.3
    assert np.abs(motion.jaw[:, 1:]).max() == 0
    assert np.abs(motion.eyes).max() == 0
    for name, limit in (("global_pose", 0.015), ("neck", 0.02), ("jaw", 0.075)):
        assert np.abs(np.diff(getattr(motion, name), axis=0)).max() < limit, name
    assert np.abs(motion.neck).max() > 0.03
