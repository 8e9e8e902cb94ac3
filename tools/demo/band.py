"""The band: drums, bass and chords from the song's beats and chords."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.tools.demo.score import Song
from singinghead.tools.demo.signals import ease, noise, to_peak

BGM_RATE = 44_100  # not the vocals', so that whoever mixes them has to resample
BGM_PEAK_DB = -12.0

_ROOTS = {"A": 57, "B": 59, "C": 60, "D": 62, "F": 53, "G": 55}


def accompany(song: Song) -> Floats:
    """Play kick, snare and hat on the beat, bass and soft chords: (N, 2) stereo at :data:`BGM_RATE`."""
    rng, beats, strong = song.random("band"), song.beats_s, song.strong
    track = np.zeros((round(song.duration_s * BGM_RATE), 2))
    t = np.arange(round(0.3 * BGM_RATE)) / BGM_RATE
    hat = noise(rng, len(t), BGM_RATE, 6_000, 16_000) * _struck(t, 0.015)
    # Without the beater's click a trained ear, or a beat tracker's, hears the snare alone.
    kick = np.sin(2 * np.pi * (50 * t - 3 * np.exp(-t / 0.03))) * _struck(t, 0.08)
    click = noise(rng, len(t), BGM_RATE, 800, 5_000) * _struck(t, 0.01)
    snare = (0.5 * noise(rng, len(t), BGM_RATE, 800, 9_000) + np.sin(2 * np.pi * 185 * t)) * _struck(t, 0.05)
    _play(track, 0.6 * kick + 0.3 * click, beats[strong])
    _play(track, 0.3 * snare, beats[~strong])
    _play(track, 0.2 * hat, beats, pan=0.3)
    _play(track, 0.06 * hat, beats + song.beat_s / 2, pan=0.3)

    t = np.arange(round(1.1 * song.beats_per_bar * song.beat_s * BGM_RATE)) / BGM_RATE
    soft = ease(t / 0.15) * ease((t[-1] - t) / 0.3)
    for bar, chord in enumerate(song.chords.split()):
        root, bar_beats = _ROOTS[chord[0]], beats[bar * song.beats_per_bar :][: song.beats_per_bar]
        one_beat = t[t < 0.95 * song.beat_s]
        _play(track, 0.4 * _tone(one_beat, root - 24) * _struck(one_beat, 0.25), bar_beats)
        for note, pan in ((root, -0.6), (root + (3 if chord.endswith("m") else 4), 0.0), (root + 7, 0.6)):
            _play(track, 0.14 * _tone(t, note) * soft, bar_beats[:1], pan)
    track = np.tanh(2 * track / np.abs(track).max())  # rounds the drums off, or nothing else is heard at this peak
    t = np.arange(len(track)) / BGM_RATE
    cut = ease(t / 0.01) * ease((t[-1] - t) / 0.02)  # as a clip is cut out of its song
    return to_peak((track - track.mean(axis=0)) * cut[:, None], BGM_PEAK_DB)


def _tone(t: Floats, midi: int) -> Floats:
    """A soft tone of four harmonics."""
    phase = 2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * t[:, None]
    tone: Floats = np.sin(phase * [1, 2, 3, 4]) @ [1, 1 / 4, 1 / 9, 1 / 16]
    return tone


def _struck(t: Floats, decay_s: float) -> Floats:
    """How loud something struck is: up in 2 ms, an exponential decay, and silence at the end."""
    return ease(t / 0.002) * np.exp(-t / decay_s) * ease((t[-1] - t) / 0.02)


def _play(track: Floats, sound: Floats, times_s: Floats, pan: float = 0.0) -> None:
    """Add ``sound`` (n,) to ``track`` (N, 2) at each time; ``pan`` from -1, left, to 1. It may hang over the end."""
    stereo = sound[:, None] * np.sqrt([(1 - pan) / 2, (1 + pan) / 2])
    for start in np.rint(times_s * BGM_RATE).astype(int):
        room = track[start : start + len(sound)]
        room += stereo[: len(room)]
