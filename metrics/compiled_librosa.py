"""librosa, compiled by one process at a time.

librosa compiles functions on their first use and keeps them in numba's cache on disk. That cache tells apart what one
process compiles, and mixes up what several do at the same moment: whoever loads such an entry later calls something else,
and dies of it. Two workers that begin on a fresh machine are enough.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import platformdirs

from singinghead.flame_model.arrays import Floats, Indices

RATE = 16_000
HOP = 512


@functools.cache
def librosa() -> Any:
    """The library, after its beat tracker has run once while no other process of this user's was at the same."""
    with _alone():
        import librosa as library

        beats(library, np.random.default_rng(0).uniform(-1, 1, RATE))
    return library


def beats(library: Any, samples: Floats) -> Indices:
    """(m,) beats of mono 16 kHz ``samples``, in hops of 512; see :mod:`~singinghead.metrics.audio_beats`."""
    percussive = library.effects.percussive(samples)
    onsets = library.onset.onset_strength(y=percussive, sr=RATE, hop_length=HOP, aggregate=np.median)
    _tempo, frames = library.beat.beat_track(onset_envelope=onsets, sr=RATE, hop_length=HOP)
    return np.asarray(frames, np.int64)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process is in this block; where no file can be locked, go on without."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder = platformdirs.user_cache_path("singinghead")
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((folder / "librosa.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
