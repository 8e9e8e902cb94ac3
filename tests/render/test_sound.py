"""Mixing by the contract's rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from singinghead.flame_model.errors import InputError
from singinghead.render.sound import mixed


def tone(path: Path, peak: float, seconds: float = 1.0, rate: int = 48_000, channels: int = 1, hz: float = 440) -> Path:
    wave = peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, np.repeat(wave[:, None], channels, axis=1), rate, subtype="FLOAT")
    return path


def heard(duration: float, *arguments: object, **options: object) -> tuple[np.ndarray, object]:
    with mixed(duration, *arguments, **options) as track:  # type: ignore[arg-type]
        wave, rate = soundfile.read(track.path)
    assert rate == 48_000
    assert wave.shape == (round(duration * 48_000), 2)
    return wave, track


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_one_recording_keeps_its_level(rate: int, channels: int, tmp_path: Path) -> None:
    wave, _ = heard(1.0, tone(tmp_path / "a.wav", 0.5, rate=rate, channels=channels), None)
    assert np.abs(wave[4800:-4800]).max(axis=0) == pytest.approx([0.5, 0.5], rel=0.005)


def test_the_sum_is_the_sum(tmp_path: Path) -> None:
    vocals, bgm = tone(tmp_path / "v.wav", 0.3), tone(tmp_path / "b.wav", 0.2, channels=2, hz=700)
    wave, track = heard(1.0, vocals, bgm)
    expected = soundfile.read(vocals)[0][:, None] + soundfile.read(bgm)[0]
    assert np.abs(wave - expected).max() < 1e-5
    assert (track.vocals.gain_db, track.bgm.gain_db, track.notes) == (0, 0, ())


def test_a_sum_that_would_clip_is_turned_down_as_one(tmp_path: Path) -> None:
    vocals, bgm = tone(tmp_path / "v.wav", 0.8), tone(tmp_path / "b.wav", 0.6, channels=2)
    wave, track = heard(1.0, vocals, bgm)
    assert np.abs(wave).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    assert track.vocals.gain_db == track.bgm.gain_db == pytest.approx(-1 - 20 * np.log10(1.4), abs=0.01)
    assert "turned down" in track.notes[0]


def test_the_peak_mix_sets_both_levels(tmp_path: Path) -> None:
    _, track = heard(1.0, tone(tmp_path / "v.wav", 0.9), tone(tmp_path / "b.wav", 0.9), mix="peak")
    assert track.vocals.gain_db == pytest.approx(-3 - 20 * np.log10(0.9), abs=0.02)
    assert track.bgm.gain_db == pytest.approx(-12 - 20 * np.log10(0.9), abs=0.02)


def test_the_peak_mix_boosts_by_12_db_at_most_and_never_silence(tmp_path: Path) -> None:
    _, track = heard(1.0, tone(tmp_path / "v.wav", 0.001), tone(tmp_path / "b.wav", 0.0), mix="peak")
    assert track.vocals.gain_db == 12
    assert track.bgm.gain_db == 0


def test_gains_are_added(tmp_path: Path) -> None:
    wave, track = heard(1.0, tone(tmp_path / "v.wav", 0.5), None, vocal_gain_db=-6.0)
    assert track.vocals.gain_db == -6
    assert np.abs(wave).max() == pytest.approx(0.5 * 10 ** (-6 / 20), rel=1e-3)


@pytest.mark.parametrize("seconds", [0.05, 0.37, 0.999, 1.003, 3.375])
def test_sound_is_cut_or_padded_to_the_sample_and_said_so(seconds: float, tmp_path: Path) -> None:
    wave, track = heard(1.0, tone(tmp_path / "v.wav", 0.5, seconds), None)
    n_sounding = min(round(seconds * 48_000), 48_000)
    assert np.abs(wave[: n_sounding - 60]).max() > 0.49
    assert np.abs(wave[n_sounding - 60 : n_sounding]).max() > 0.1
    assert np.all(wave[n_sounding:] == 0)
    assert ("cut" if seconds > 1 else "padded") in track.notes[0]


def test_without_recordings_there_is_silence() -> None:
    wave, track = heard(0.5, None, None)
    assert not wave.any()
    assert track.vocals is None


@pytest.mark.parametrize("content", [b"", b"RIFF1234WAVEfmt ", b"this is text"])
def test_a_broken_recording_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "v.wav"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"v\.wav: not a readable recording") as caught, mixed(1.0, path, None):
        pass
    assert "\n" not in str(caught.value)


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sound"), mixed(1.0, tone(tmp_path / "v.wav", 0.5, 0.0), None):
        pass


def test_the_mix_does_not_outlive_its_block(tmp_path: Path) -> None:
    with mixed(0.1, tone(tmp_path / "v.wav", 0.5), None) as track:
        assert track.path.exists()
    assert not track.path.parent.exists()
