"""The singing voice: a source of harmonics through moving formants, and the noises of consonants and breath."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.tools.demo.phonemes import CONSONANTS, FORMANTS, VOWELS, Noise
from singinghead.tools.demo.score import Phoneme, Song
from singinghead.tools.demo.signals import ease, noise, pulses, steps, to_peak

VOCALS_RATE = 48_000
VOCALS_PEAK_DB = -4.0

_CONTROL_STEP = 100  # samples between two settings of the vocal tract: 480 a second
_HIGHEST_HZ = 12_000  # of the harmonics; above it a voice holds nothing that matters
_FADE_S = 0.04  # from one sound to the next
_BREATH = Noise(700, 5_000, 0.03)
_ASPIRATION = 0.02  # of the voice's own level, always there while it sounds


def sing(song: Song) -> Floats:
    """Sing the lines. Returns (N,) mono at :data:`VOCALS_RATE`."""
    rng, n = song.random("voice"), round(song.duration_s * VOCALS_RATE)
    wave = _voiced(song, rng, n)
    for phoneme in song.phonemes:
        if phoneme.symbol in CONSONANTS:
            _add_turbulence(wave, phoneme, rng)
    for breath in song.breaths:
        span_s = breath.end_s - breath.start_s
        _add_noise(wave, breath.start_s, span_s, 0.5 * span_s, 0.3 * span_s, _BREATH, rng)
    return to_peak(wave, VOCALS_PEAK_DB)


def _voiced(song: Song, rng: np.random.Generator, n: int) -> Floats:
    """(n,) what the vocal folds sound: near 1 in standard deviation on vowels.

    Harmonics are summed one by one, so nothing aliases and the tract may move freely. The source falls by 12 dB an
    octave, which radiation from the lips raises by 6 (Fant 1960).
    """
    samples = np.arange(n)
    knots = np.arange(0, n + _CONTROL_STEP, _CONTROL_STEP)
    times = knots / VOCALS_RATE
    pitch = _pitch(song, times, rng)
    tract = _tract(song, times)
    # A singer whose pitch passes the first formant opens the mouth until it follows (Sundberg 1987).
    tract[:, 0] = np.maximum(tract[:, 0], pitch * _share_of_vowels(song, times))
    harmonics = np.arange(1, int(_HIGHEST_HZ / pitch.max()) + 1)
    hz = pitch[:, None] * harmonics
    spectrum = (1 / harmonics).astype(complex)
    for centre, width in zip(tract.T[:5, :, None], tract.T[5:, :, None], strict=True):
        spectrum = spectrum * centre**2 / (centre**2 - hz**2 + 1j * width * hz)
    # Singers even out most of what vowels differ by in loudness.
    spectrum /= np.sum(np.abs(spectrum) ** 2, axis=1, keepdims=True) ** 0.42

    wave, phasor = np.zeros(n), np.ones(n, complex)
    turn = np.exp(2j * np.pi / VOCALS_RATE * np.cumsum(np.interp(samples, knots, pitch)))
    for amplitude in spectrum.T:
        phasor *= turn
        wave += (np.interp(samples, knots, amplitude) * phasor).real
    wave /= wave.std()
    wave += _ASPIRATION * noise(rng, n, VOCALS_RATE, 2_000, 5_000)
    return wave * np.interp(samples, knots, _loudness(song, times))


def _pitch(song: Song, times: Floats, rng: np.random.Generator) -> Floats:
    """(T,) fundamental in Hz: it glides to each note within its consonants, and trembles late in long notes."""
    notes = song.notes
    changes = np.array([(note.phonemes[0].start_s + note.start_s) / 2 - 0.02 for note in notes])
    midi = steps(times, changes, np.array([note.midi for note in notes], float), 0.09)
    # Vibrato of 40 cents sets in late, on long notes only.
    long = np.array([(note.start_s + 0.3, note.end_s) for note in notes if note.end_s - note.start_s > 0.6]).reshape(-1, 2)
    midi += 0.4 * pulses(times, long, 0.3).sum(axis=1) * np.sin(2 * np.pi * 5.5 * times)
    # Three unrelated sines are the flutter that keeps a steady voice alive (Klatt and Klatt 1990).
    flutter = np.sin(2 * np.pi * (times[:, None] * [12.7, 7.1, 4.7] + rng.random(3))).sum(axis=1)
    pitch: Floats = 440 * 2 ** ((midi - 69) / 12) * (1 + 0.001 * flutter)
    return pitch


def _tract(song: Song, times: Floats) -> Floats:
    """(T, 10) frequencies and bandwidths of five formants in Hz. It moves between sounds, and waits through rests."""
    phonemes = song.phonemes
    middles = [(before.end_s + after.start_s) / 2 for before, after in pairwise(phonemes)]
    settings = np.array([_formants(song.voice, phoneme.symbol) for phoneme in phonemes])
    tract: Floats = np.exp(steps(times, np.array([0.0, *middles]), np.log(settings), 0.06))
    return tract


def _formants(voice: str, symbol: str) -> tuple[float, ...]:
    """Five frequencies and five bandwidths in Hz; a consonant's upper two are the voice's own."""
    if symbol in VOWELS:
        return FORMANTS[voice][symbol]
    consonant, own = CONSONANTS[symbol], FORMANTS[voice]["a"]
    return (*consonant.formants, *own[3:5], *(consonant.damping * width for width in own[5:]))


def _share_of_vowels(song: Song, times: Floats) -> Floats:
    """(T,) 1 in vowels, 0 in consonants, whose narrow passages no singer widens for a high note."""
    spans = np.array([(note.vowel.start_s, note.vowel.end_s) for note in song.notes])
    share: Floats = pulses(times, spans, _FADE_S).sum(axis=1)
    return share


def _loudness(song: Song, times: Floats) -> Floats:
    """(T,) the voice's level: 1 on a vowel of middle height, more above."""
    notes = song.notes
    spans = np.array([(phoneme.start_s, phoneme.end_s) for note in notes for phoneme in note.phonemes])
    effort = np.repeat(1 + 0.2 * song.heights, [len(note.phonemes) for note in notes])
    voicing = [1.0 if p.symbol in VOWELS else CONSONANTS[p.symbol].voicing for p in song.phonemes]
    loudness: Floats = pulses(times, spans, _FADE_S) @ (effort * voicing)
    return loudness


def _add_turbulence(wave: Floats, phoneme: Phoneme, rng: np.random.Generator) -> None:
    """Add a consonant's noise: steady in a fricative, a burst that dies away after a plosive's release."""
    consonant = CONSONANTS[phoneme.symbol]
    if consonant.noise is None:
        return
    if consonant.release_s:
        after = 2 * consonant.release_s
        _add_noise(wave, phoneme.release_s, after, 0.003, after - 0.003, consonant.noise, rng)
    else:
        start_s, span_s = phoneme.start_s - _FADE_S / 2, consonant.duration_s + _FADE_S
        _add_noise(wave, start_s, span_s, _FADE_S, _FADE_S, consonant.noise, rng)


def _add_noise(
    wave: Floats, start_s: float, span_s: float, rise_s: float, fall_s: float, band: Noise, rng: np.random.Generator
) -> None:
    """Add noise in place. It is made longer than it is heard, for its spectrum's sake."""
    start, n = round(start_s * VOCALS_RATE), round(span_s * VOCALS_RATE)
    sound = noise(rng, max(n, VOCALS_RATE // 10), VOCALS_RATE, band.low_hz, band.high_hz)[:n]
    t = np.arange(n) / VOCALS_RATE
    wave[start : start + n] += band.level * sound * ease(t / rise_s) * ease((span_s - t) / fall_s)
