"""Mixing by the contract's rules."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_recording_of_nan_is_refused_and_not_noise(value: float, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "v.wav", np.append(np.zeros(99_999), value), 48_000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"v\.wav: holds NaN or infinity"), mixed(1.0, tmp_path / "v.wav", None):
        pass


@pytest.mark.parametrize("gain", [np.nan, np.inf, -np.inf, 1e9])
def test_a_gain_beyond_reason_is_refused(gain: float, tmp_path: Path) -> None:
    recording = tone(tmp_path / "a.wav", 0.5)
    with pytest.raises(InputError, match="dB for the vocals"), mixed(1.0, recording, None, vocal_gain_db=gain):
        pass
    with pytest.raises(InputError, match="dB for the bgm"), mixed(1.0, None, recording, bgm_gain_db=gain):
        pass


def test_a_name_that_ffmpeg_would_take_for_a_protocol_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "take:1.wav", 0.5)
    wave, _ = heard(1.0, Path("take:1.wav"), None)
    assert np.abs(wave).max() == pytest.approx(0.5, rel=0.005)


@pytest.mark.parametrize("seconds", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_recording(seconds: int, tmp_path: Path) -> None:
    """Bytes that Python allocates; ten minutes alone would be 230 MB as float32 stereo."""
    peaks = []
    for length in (10, seconds):
        recording = tone(tmp_path / f"{length}.wav", 0.3, length, rate=16_000)
        tracemalloc.start()
        with mixed(length, recording, recording) as track:
            peaks.append(tracemalloc.get_traced_memory()[1])
            assert soundfile.info(track.path).frames == length * 48_000
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2e6


def test_float_recordings_above_full_scale_are_turned_down_and_not_clipped(tmp_path: Path) -> None:
    wave, track = heard(1.0, tone(tmp_path / "v.wav", 1.5), None)
    assert np.abs(wave).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    assert np.sqrt((wave**2).mean()) == pytest.approx(10 ** (-1 / 20) / np.sqrt(2), rel=0.01), "still a sine"
    assert "turned down" in track.notes[0]


def test_a_truncated_recording_is_refused(tmp_path: Path) -> None:
    path = tone(tmp_path / "v.wav", 0.5)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"v\.wav: declares \d+ bytes but holds 5000"), mixed(1.0, path, None):
        pass


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_recordings_in_zips_sound_as_on_disk(compression: int, tmp_path: Path) -> None:
    vocals, bgm = tone(tmp_path / "v.wav", 0.3, rate=16_000), tone(tmp_path / "b.wav", 0.2, 0.7, 44_100, channels=2, hz=700)
    with zipfile.ZipFile(tmp_path / "seqs.zip", "w", compression) as archive:
        for path in (bgm, vocals):
            archive.write(path, f"seqs/{path.name}")
        archive.writestr("seqs/broken.wav", vocals.read_bytes()[:500])
    zipped = [StoredFile(tmp_path / "seqs.zip", f"seqs/{name}.wav") for name in ("v", "b", "broken")]
    expected, _ = heard(1.0, vocals, bgm, mix="peak")
    got, track = heard(1.0, zipped[0], zipped[1], mix="peak")
    assert np.array_equal(got, expected)
    assert str(track.vocals.file) == f"{tmp_path / 'seqs.zip'}/seqs/v.wav"
    with pytest.raises(InputError, match=r"seqs\.zip/seqs/broken\.wav: declares \d+ bytes"), mixed(1.0, zipped[2], None):
        pass
