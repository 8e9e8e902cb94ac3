"""The voice sings what the score says: heard by librosa, an ear that knows nothing of the score."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from loudness import lufs
from sung import by_song, decibels, one_line, share, spectrum, vocals, within

from singinghead.tools.demo.phonemes import FORMANTS
from singinghead.tools.demo.score import SONGS, Phoneme, Song
from singinghead.tools.demo.voice import VOCALS_RATE, sing

CONSONANT_IN_A = "-:1 a50:.5 {}a50:1"


def consonant(symbol: str) -> tuple[np.ndarray, Phoneme]:
    """A consonant between two vowels a: all of the sound, and where it is."""
    song = one_line(CONSONANT_IN_A.format(symbol))
    return vocals(song), next(sound for sound in song.phonemes if sound.symbol == symbol)


def part(sound: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    return sound[round(start_s * VOCALS_RATE) : round(end_s * VOCALS_RATE)]


def middle(symbol: str) -> np.ndarray:
    sound, phoneme = consonant(symbol)
    return part(sound, phoneme.start_s + 0.03, phoneme.release_s - 0.02)


def level_of_vowel() -> float:
    return float(part(vocals(one_line("-:1 a50:1.5")), 1.2, 2.2).std())


def test_songs_differ():
    sung = [vocals(song) for song in SONGS]
    assert max(abs(np.corrcoef(sung[i], sung[j])[0, 1]) for i, j in ((0, 1), (0, 2), (1, 2))) < 0.1


@by_song
def test_pitch_is_the_score_s(song: Song):
    rate, hop = 8_000, 256
    sound = librosa.resample(vocals(song), orig_sr=VOCALS_RATE, target_sr=rate)
    pitch, voiced, _ = librosa.pyin(sound, fmin=70, fmax=650, sr=rate, frame_length=1024, hop_length=hop)
    times = librosa.times_like(pitch, sr=rate, hop_length=hop)
    steady = [note for note in song.notes if note.vowel.end_s - note.vowel.start_s > 0.35]
    assert len(steady) >= 6
    for note in steady:
        inside = (times > note.vowel.start_s + 0.1) & (times < note.vowel.end_s - 0.08)
        assert voiced[inside].mean() > 0.9, note
        cents = 100 * (np.median(librosa.hz_to_midi(pitch[inside & voiced])) - note.midi)
        assert abs(cents) < 30, (note, cents)


@pytest.mark.parametrize(("voice", "midi"), [("tenor", 40), ("alto", 45), ("bass", 36)])
@pytest.mark.parametrize("vowel", ["a", "e", "i"])
def test_formants_are_the_table_s(voice: str, midi: int, vowel: str):
    # Low notes, because a spectrum is known at its harmonics only.
    song = one_line(f"-:.5 {vowel}{midi}:1.8", voice, duration_s=2.5)
    rate = 10_000
    sound = librosa.resample(sing(song), orig_sr=VOCALS_RATE, target_sr=rate)[rate : 2 * rate]
    predictor = librosa.lpc(librosa.effects.preemphasis(sound) * np.hamming(len(sound)), order=12)
    hz = np.arange(150, 3000)
    envelope = 1 / np.abs(np.polyval(predictor[::-1], np.exp(-2j * np.pi * hz / rate)))
    peaks = hz[1:-1][(envelope[1:-1] > envelope[:-2]) & (envelope[1:-1] > envelope[2:])]
    assert peaks[:2] == pytest.approx(FORMANTS[voice][vowel][:2], rel=0.06)


@pytest.mark.parametrize("symbol", ["m", "n"])
def test_a_nasal_murmurs_low(symbol: str):
    murmur = middle(symbol)
    assert share(murmur, VOCALS_RATE, 0, 500) > 0.9
    assert share(murmur, VOCALS_RATE, 1_000, 8_000) < 0.05
    hz, power = spectrum(murmur, VOCALS_RATE)
    assert hz[power.argmax()] < 340, "at or below its first formant"
    assert -15 < decibels(murmur.std() / level_of_vowel()) < -3


def test_a_nasal_is_voiced_on_pitch():
    song = one_line("-:1 mam50:1 mam50:1")
    sound = librosa.resample(vocals(song), orig_sr=VOCALS_RATE, target_sr=8_000)
    pitch, voiced, _ = librosa.pyin(sound, fmin=80, fmax=300, sr=8_000, frame_length=1024, hop_length=128)
    times = librosa.times_like(pitch, sr=8_000, hop_length=128)
    inside = within(times, np.array([(p.start_s, p.end_s) for p in song.phonemes if p.symbol == "m"][1:3]), -0.03)
    assert inside.sum() > 5
    assert voiced[inside].mean() > 0.9
    assert abs(np.median(librosa.hz_to_midi(pitch[inside & voiced])) - 50) < 0.3


@pytest.mark.parametrize("symbol", ["p", "t"])
def test_an_unvoiced_plosive_is_silent_then_bursts(symbol: str):
    sound, phoneme = consonant(symbol)
    assert np.abs(part(sound, phoneme.start_s + 0.021, phoneme.release_s - 0.001)).max() == 0
    burst = part(sound, phoneme.release_s, phoneme.release_s + 0.02)
    assert decibels(burst.std() / level_of_vowel()) > -25


@pytest.mark.parametrize("symbol", ["b", "d"])
def test_a_voiced_plosive_hums_behind_closed_lips(symbol: str):
    hum = middle(symbol)
    assert share(hum, VOCALS_RATE, 0, 400) > 0.9
    assert -35 < decibels(hum.std() / level_of_vowel()) < -12


def test_bursts_tell_the_place():
    bursts = {}
    for symbol in "pt":
        sound, phoneme = consonant(symbol)
        bursts[symbol] = part(sound, phoneme.release_s, phoneme.release_s + 0.015)
    assert share(bursts["p"], VOCALS_RATE, 3_000, 20_000) < 0.1
    assert share(bursts["t"], VOCALS_RATE, 3_000, 20_000) > 0.8


def test_fricatives_tell_the_place():
    above = {symbol: share(middle(symbol), VOCALS_RATE, 4_000, 24_000) for symbol in ("s", "sh", "f")}
    assert above["s"] > 0.9
    assert above["sh"] < 0.8
    assert above["f"] < 0.9
    assert share(middle("sh"), VOCALS_RATE, 1_500, 8_000) > 0.9
    levels = {symbol: decibels(middle(symbol).std() / level_of_vowel()) for symbol in ("s", "sh", "f")}
    assert levels["s"] > levels["f"] + 6
    assert max(levels.values()) < -8


@pytest.mark.parametrize(("voiced", "unvoiced"), [("v", "f"), ("z", "s")])
def test_v_and_z_are_voiced(voiced: str, unvoiced: str):
    assert share(middle(voiced), VOCALS_RATE, 50, 500) > 0.5
    assert share(middle(unvoiced), VOCALS_RATE, 50, 500) < 0.05


@by_song
def test_vowels_begin_on_the_beat(song: Song):
    """The voice passes half of its level there, after consonants that interrupt it."""
    sound = vocals(song)
    for note in song.notes:
        if note.phonemes[0].symbol in ("p", "t", "s", "sh", "f"):
            level = np.array(
                [_low(part(sound, note.start_s + t, note.start_s + t + 0.01)) for t in np.arange(-0.05, 0.1, 0.002)]
            )
            half = np.flatnonzero(level > 0.5 * level[-10:].mean())[0] * 0.002 - 0.045
            assert abs(half) < 0.025, (note.syllable, half)


def _low(piece: np.ndarray) -> float:
    """Level without most of the noise of consonants: means of 16 samples."""
    return float(piece.reshape(-1, 16).mean(axis=1).std())


@by_song
def test_levels(song: Song):
    sound = vocals(song)
    assert decibels(np.abs(sound).max()) == pytest.approx(-4, abs=0.01)
    assert -17.5 < lufs(sound, VOCALS_RATE) < -11.5
    assert abs(sound.mean()) < 1e-4


def test_the_meter_reads_what_the_recommendation_says():
    """A sine of 997 Hz at full scale in one channel reads -3.01 LUFS, by its definition; two channels 3 dB more."""
    for rate in (48_000, 44_100):
        sine = np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate)
        assert lufs(sine, rate) == pytest.approx(-3.01, abs=0.03)
        assert lufs(np.stack([sine, sine], axis=1) / 10, rate) == pytest.approx(-20, abs=0.03)
        half_silent = np.concatenate([sine, np.zeros(5 * rate)])
        assert lufs(half_silent, rate) == pytest.approx(-3.01, abs=0.2), "silence is gated"


@by_song
def test_rests_are_silent_but_for_breaths(song: Song):
    sound = vocals(song)
    times = np.arange(len(sound)) / VOCALS_RATE
    sung = within(times, np.array([(line.start_s, line.end_s) for line in song.lines]), 0.03)
    breaths = np.array([(breath.start_s, breath.end_s) for breath in song.breaths])
    silent = ~sung & ~within(times, breaths)
    assert silent.mean() > 0.05
    assert np.abs(sound[silent]).max() == 0
    for start_s, end_s in breaths:
        level = decibels(part(sound, start_s + 0.1, end_s - 0.1).std() / sound[sung].std())
        assert -40 < level < -20
        assert share(part(sound, start_s, end_s), VOCALS_RATE, 350, 10_000) > 0.99


@by_song
def test_no_clicks(song: Song):
    sound = vocals(song)
    # A click is broad: what the vocals hold above 20 kHz, where they have no harmonics, is rounding and clicks.
    windows = np.hanning(480) * np.lib.stride_tricks.sliding_window_view(sound, 480)[::120]
    above = np.abs(np.fft.rfft(windows, axis=1))[:, 205:].max()
    assert decibels(above / 240) < -85
    # Notes swell and fade: over 30 ms, more than a period, the level changes by a fifth of the loudest in 4 ms at most.
    level = np.lib.stride_tricks.sliding_window_view(sound, 1440)[::192].std(axis=1)
    assert np.abs(np.diff(level)).max() < 0.2 * level.max()
    assert np.abs(sound[[0, -1]]).max() < 1e-4
