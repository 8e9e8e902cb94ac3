"""The demo's songs as its tests hear them, each made once."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from singinghead.tools.demo.band import accompany
from singinghead.tools.demo.score import SONGS, Song
from singinghead.tools.demo.voice import sing

vocals = functools.cache(sing)
bgm = functools.cache(accompany)
by_song = pytest.mark.parametrize("song", SONGS, ids=lambda song: song.name)


def one_line(score: str, voice: str = "tenor", duration_s: float = 3.0) -> Song:
    """A song of one line at 60 beats a minute; its first beat is the first instant."""
    return Song("any", voice, 60, 4, (0,), (score,), first_beat_s=0.0, duration_s=duration_s)


def decibels(amplitude: float) -> float:
    return float(20 * np.log10(amplitude))


def within(times: np.ndarray, spans: np.ndarray, margin_s: float = 0.0) -> np.ndarray:
    """Whether each time lies in one of the (n, 2) spans, or within a margin of one."""
    starts, ends = np.asarray(spans).T
    return np.any((times[:, None] >= starts - margin_s) & (times[:, None] <= ends + margin_s), axis=1)


def spectrum(sound: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz, and power at each, of a windowed piece of sound."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 4096)) ** 2
    return np.fft.rfftfreq(4096, 1 / rate), power


def share(sound: np.ndarray, rate: int, low_hz: float, high_hz: float) -> float:
    """Share of a sound's power that lies between two frequencies."""
    hz, power = spectrum(sound, rate)
    return float(power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum())
