"""The band keeps the score's beat: found by librosa."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from loudness import lufs
from sung import bgm, by_song, decibels, vocals

from singinghead.tools.demo.band import BGM_RATE
from singinghead.tools.demo.score import Song
from singinghead.tools.demo.voice import VOCALS_RATE


@by_song
def test_beats_are_found_in_the_accompaniment(song: Song):
    rate, hop = 22_050, 256
    mono = librosa.resample(bgm(song).mean(axis=1), orig_sr=BGM_RATE, target_sr=rate)
    tempo, found = librosa.beat.beat_track(y=mono, sr=rate, hop_length=hop, units="time")
    assert tempo == pytest.approx(song.beats_per_minute, rel=0.03)
    nearest = np.abs(song.beats_s[:, None] - found).min(axis=1)
    assert np.mean(nearest < 0.05) > 0.8
    assert len(found) <= len(song.beats_s) + 1


@by_song
def test_levels(song: Song):
    music = bgm(song)
    assert decibels(np.abs(music).max()) == pytest.approx(-12, abs=0.01)
    assert -23.5 < lufs(music, BGM_RATE) < -20.5
    assert np.abs(music.mean(axis=0)).max() < 1e-4
    assert decibels(music[:, 0].std() / music[:, 1].std()) == pytest.approx(0, abs=2)
    assert np.corrcoef(music.T)[0, 1] < 0.999  # a stereo picture
    assert np.abs(music[[0, -1]]).max() < 1e-4
    resampled = librosa.resample(music.T, orig_sr=BGM_RATE, target_sr=VOCALS_RATE)
    assert np.abs(resampled[:, : len(vocals(song))] + vocals(song)).max() < 1
