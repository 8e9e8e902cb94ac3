"""The beats and the loudness of a sound; beats are kept in memory and on disk, by the content of the files.

Beats are found as the SingingHead benchmark finds them: mono at 16 kHz, the percussive part of the harmonic-percussive
separation, onset strength by the median over bands, and dynamic programming (Ellis 2007), all by librosa at hops of 512.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
from dataclasses import dataclass
from typing import Literal

import numpy as np
import platformdirs

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.compiled_librosa import HOP, RATE, beats, librosa

LOUDNESS_WINDOW_S = 1 / 15

BeatAudio = Literal["vocals", "bgm", "mix"]


@dataclass(frozen=True)
class Sound:
    """One or several recordings that sound together, each at its own loudness.

    Attributes:
        files: where they are stored.
    """

    files: tuple[StoredFile, ...]

    def samples(self) -> Floats:
        """(n,) mono at 16 kHz; the shorter ones are silent at their end."""
        parts = [_mono(file) for file in self.files]
        mixed = np.zeros(max(len(part) for part in parts))
        for part in parts:
            mixed[: len(part)] += part
        return mixed

    def beat_frames(self) -> Indices:
        """(m,) beats, in hops of 512 samples at 16 kHz; none in silence."""
        return _beat_frames(self._key(), self)

    def beats_s(self) -> Floats:
        """(m,) beats in seconds."""
        return np.asarray(self.beat_frames() * (HOP / RATE))

    def loudness(self, n_frames: int, fps: float) -> Floats:
        """(n_frames,) root mean square of the samples within 1/30 s of each frame; 0 beyond the end of the sound."""
        return loudness(self.samples(), n_frames, fps)

    def _key(self) -> str:
        digest = hashlib.sha256(f"{importlib.metadata.version('librosa')} {RATE} {HOP}".encode())
        for file in self.files:
            digest.update(file.fingerprint().encode())
        return digest.hexdigest()


def loudness(samples: Floats, n_frames: int, fps: float) -> Floats:
    """(n_frames,) RMS of 16 kHz ``samples`` in windows of 1/15 s around i / fps."""
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    center = np.arange(n_frames) / fps
    edges = [np.round((center + side * LOUDNESS_WINDOW_S / 2) * RATE).astype(np.int64) for side in (-1, 1)]
    start, end = (np.clip(edge, 0, len(samples)) for edge in edges)
    return np.asarray(np.sqrt((energy[end] - energy[start]) / (LOUDNESS_WINDOW_S * RATE)))


def detect_beats(samples: Floats) -> Indices:
    """(m,) beats of mono 16 kHz ``samples``, in hops of 512; none in silence."""
    return beats(librosa(), samples) if np.any(samples) else np.zeros(0, np.int64)


@functools.lru_cache(maxsize=4096)
def _beat_frames(key: str, sound: Sound) -> Indices:
    path = platformdirs.user_cache_path("singinghead") / "beats" / f"{key}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # not there, or not ours: found again
        return np.asarray(json.loads(path.read_text(encoding="utf-8"))["beat_frames"], np.int64)
    frames = detect_beats(sound.samples())
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    # A folder that cannot be written costs time, not results.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"beat_frames": frames.tolist()}), encoding="utf-8")
        partial.replace(path)
    return frames


@functools.lru_cache(maxsize=8)
def _mono(file: StoredFile) -> Floats:
    import soundfile

    with file.open() as stream:
        try:
            recorded, rate = soundfile.read(stream, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            reason = getattr(error, "error_string", None) or error
            raise InputError(f"not a readable sound: {reason}", file=file) from None
    mono = recorded.mean(axis=1)
    if not np.isfinite(mono).all():
        raise InputError("holds NaN or infinity", file=file)
    return np.asarray(mono if rate == RATE or not len(mono) else librosa().resample(mono, orig_sr=rate, target_sr=RATE))
