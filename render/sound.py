"""Vocals and background music to one track: read and mixed with moviepy, streamed, and cut to the video's length.

Levels: by default both keep their native balance, and one attenuation of the sum is applied only if it would clip. The
``peak`` mix brings vocals to -3 dBFS and music to -12 dBFS, as the HAL-VAL thesis on this dataset does.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import Source, StoredFile

SAMPLE_RATE = 48_000
CHANNELS = 2

Mix = Literal["native", "peak"]

CEILING_DB = -1.0
"""Where the peak of a sum that would clip is brought to: AAC overshoots a little, and full scale would clip there."""

_VOCALS_PEAK_DB, _BGM_PEAK_DB, _MAX_BOOST_DB = -3.0, -12.0, 12.0
_MAX_GAIN_DB = 60.0
_BLOCK_S = 0.1
_TOLERANCE_S = 0.0005


@dataclass(frozen=True)
class Track:
    """One recording and how loud it is put in.

    Attributes:
        file: the recording, of any kind that libsndfile reads.
        duration: seconds.
        gain_db: what was applied to it, the attenuation of the sum included.
    """

    file: StoredFile
    duration: float
    gain_db: float


@dataclass(frozen=True)
class Soundtrack:
    """What was mixed, for the record.

    Attributes:
        path: a 48 kHz stereo WAV of exactly the video's length; it lives as long as the ``with`` block of :func:`mixed`.
        vocals: the singing voice, or None.
        bgm: the background music, or None.
        peak: of the mix, 1 being full scale.
        notes: what a user should know: what was cut, padded or turned down.
    """

    path: Path
    vocals: Track | None
    bgm: Track | None
    peak: float
    notes: tuple[str, ...]


@contextlib.contextmanager
def mixed(
    duration: float,
    vocals: Source | None,
    bgm: Source | None,
    mix: Mix = "native",
    vocal_gain_db: float = 0.0,
    bgm_gain_db: float = 0.0,
) -> Iterator[Soundtrack]:
    """Mix a clip's sound into a temporary WAV.

    Args:
        duration: of the video, seconds; the sound is cut to it, or padded with silence.
        vocals: the singing voice.
        bgm: the background music.
        mix: ``native`` balance, or each brought to its ``peak``, boosted by 12 dB at most.
        vocal_gain_db: added to the vocals' gain.
        bgm_gain_db: added to the music's gain.

    Raises:
        InputError: a recording that cannot be read.
    """
    n_samples = round(duration * SAMPLE_RATE)
    with contextlib.ExitStack() as stack:
        names = (("vocals", vocals, vocal_gain_db, _VOCALS_PEAK_DB), ("bgm", bgm, bgm_gain_db, _BGM_PEAK_DB))
        clips, files, gains, notes = {}, {}, {}, []
        for name, source, extra_db, peak_db in names:
            if source is None:
                continue
            if not abs(extra_db) <= _MAX_GAIN_DB:
                raise InputError(f"a gain of {extra_db:g} dB for the {name} is not within ±{_MAX_GAIN_DB:g} dB")
            files[name] = StoredFile.of(source)
            clip = clips[name] = stack.enter_context(_opened(files[name]))
            gains[name] = extra_db
            if mix == "peak" and (peak := _peak(clip, 1.0, n_samples)) > 0:
                gains[name] += min(peak_db - _decibels(peak), _MAX_BOOST_DB)
            difference = clip.duration - duration
            if abs(difference) > _TOLERANCE_S:
                done = "cut" if difference > 0 else "padded with silence"
                notes.append(f"{name} of {clip.duration:.2f} s {done} to the video's {duration:.2f} s")
        total = _sum(clips, gains, duration)
        peak = _peak(total, 1.0, n_samples)
        joint_db = CEILING_DB - _decibels(peak) if peak > 1 else 0.0
        if joint_db:
            notes.append(f"sound turned down by {-joint_db:.1f} dB: vocals and BGM together would clip")
        factor = 10 ** (joint_db / 20)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="singinghead-"))
        path = Path(folder) / "mix.wav"
        with _told(path), soundfile.SoundFile(path, "w", SAMPLE_RATE, CHANNELS, subtype="PCM_24") as file:
            for block in _blocks(total, factor, n_samples):
                file.write(block)
        tracks = {name: Track(files[name], clip.duration, gains[name] + joint_db) for name, clip in clips.items()}
        yield Soundtrack(path, tracks.get("vocals"), tracks.get("bgm"), peak * factor, tuple(notes))


@contextlib.contextmanager
def _opened(file: StoredFile) -> Iterator[Any]:
    """A moviepy clip of one recording, of its own length and level."""
    from moviepy import AudioClip

    with contextlib.ExitStack() as stack:
        try:
            with file.open() as stream:
                info = soundfile.info(stream)
                if info.frames == 0:
                    raise InputError("holds no sound", file=file)
                stream.seek(0)
                check_complete(stream, file)
                stream.seek(0)
                is_float = info.subtype in ("FLOAT", "DOUBLE")
                if is_float and not all(np.isfinite(part).all() for part in soundfile.blocks(stream, 1 << 16)):
                    raise InputError("holds NaN or infinity", file=file)
            played = stack.enter_context(file.playable())
            reader = _reader(played, info.frames / info.samplerate, min(info.channels, CHANNELS))
        except (soundfile.LibsndfileError, OSError) as error:
            reason = error.error_string if isinstance(error, soundfile.LibsndfileError) else str(error).splitlines()[0]
            raise InputError(f"not a readable recording: {reason}", file=file, remedy="use WAV, FLAC or MP3") from error
        stack.callback(reader.close)
        yield AudioClip(reader.get_frame, duration=reader.duration, fps=SAMPLE_RATE)


def check_complete(stream: IO[bytes], file: StoredFile) -> None:
    """Refuse a WAV that ends before it says: libsndfile takes a broken download for a short recording.

    Args:
        stream: its content, at the beginning.
        file: what it is, for the message.

    Raises:
        InputError: it is truncated.
    """
    kind, declared = stream.read(4), int.from_bytes(stream.read(4), "little")
    held = file.size
    if kind == b"RIFF" and held + 1 < declared + 8 < 2**32:  # writers to pipes declare 2³² - 1; a pad byte may be missing
        raise InputError(f"declares {declared + 8} bytes but holds {held}", file=file, remedy="is it complete?")


def _reader(played: str, duration: float, n_channels: int) -> Any:
    """Moviepy's reader, at our sample rate, with four of its habits undone.

    It asks ffmpeg for stereo, which turns mono down by 3 dB and so would shift vocals against music; for integers, which
    clip what a float recording has above full scale; it rounds the duration to 10 ms, cutting the end off; and it confuses
    times with masks when a file is shorter than two blocks.
    """
    from moviepy.audio.io.readers import FFMPEG_AudioReader

    class FloatReader(FFMPEG_AudioReader):  # type: ignore[misc]
        def initialize(self, start_time: float = 0) -> None:
            self.format, self.codec = "f32le", "pcm_f32le"
            super().initialize(start_time)

        def read_chunk(self, chunksize: int) -> NDArray[np.float64]:
            read = np.frombuffer(self.proc.stdout.read(4 * self.nchannels * int(chunksize)), "<f4")
            chunk = np.zeros((int(chunksize), self.nchannels))  # silent after the end
            chunk[: len(read) // self.nchannels] = read.reshape(-1, self.nchannels)
            self.pos += int(chunksize)
            return chunk

    buffer_size = round(4 * _BLOCK_S * SAMPLE_RATE)
    reader = FloatReader(played, buffer_size, fps=SAMPLE_RATE, nbytes=4, nchannels=n_channels)
    reader.duration, reader.buffersize, reader.buffer = duration, buffer_size, None
    reader.initialize()
    reader.buffer_around(0)
    return reader


def _sum(clips: dict[str, Any], gains: dict[str, float], duration: float) -> Any:
    from moviepy import AudioClip, CompositeAudioClip

    if not clips:
        return AudioClip(lambda t: np.zeros((np.size(t), CHANNELS)), duration=duration, fps=SAMPLE_RATE)
    return CompositeAudioClip([clip.with_volume_scaled(10 ** (gains[name] / 20)) for name, clip in clips.items()])


def _blocks(clip: Any, factor: float, n_samples: int) -> Iterator[NDArray[np.float64]]:
    """The first ``n_samples`` of a clip, and silence after its end, in short (block, 2) arrays."""
    block = round(_BLOCK_S * SAMPLE_RATE)
    for start in range(0, n_samples, block):
        samples = np.arange(start, min(start + block, n_samples))
        inside = samples[samples < clip.duration * SAMPLE_RATE]
        sound = np.zeros((len(samples), CHANNELS))
        if len(inside):
            sound[: len(inside)] = factor * clip.get_frame(inside / SAMPLE_RATE)
        yield sound


def _peak(clip: Any, factor: float, n_samples: int) -> float:
    return max((float(np.abs(block).max()) for block in _blocks(clip, factor, n_samples)), default=0.0)


def _decibels(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-10)))


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(
            f"the mix cannot be written: {error}", file=path, remedy="set TMPDIR to a disk with room"
        ) from error
