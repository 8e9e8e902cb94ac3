"""The 2D benchmark's command with a log of what it decodes and looks at, which stops in the middle of a clip if told to.

Run as a process of its own: ``watched_measuring.py LOG CLIP arguments...``; CLIP is where it stops, or ``-``. A line of the
log is ``decode VIDEO``, ``look``, ``done CLIP`` or ``stopped PID``. It is a module too, for worker processes to import.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from singinghead.metrics import calculate_2d_metrics, clip_2d, evaluate_2d, instruments, video_reader

_LOG, _STOP = "WATCHED_LOG", "WATCHED_STOP"
_STOP_AT = 5


class BrightFaces:
    """A finder that sees a face wherever it looks, which moves with the brightness."""

    name, version = "dlib", "watched 1"

    def find(self, frame: np.ndarray) -> np.ndarray:
        _note("look")
        return np.random.default_rng(0).uniform(10, 50, (68, 2)) * frame.mean() / 100


class MeanColors:
    """An encoder by mean colour."""

    name, version = "dlib", "watched 1"

    def encode(self, frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return frame.mean(axis=(0, 1)).astype(np.float64)


def measure(clip: clip_2d.Clip, measuring: instruments.Measuring2D) -> clip_2d.ClipOutcome:
    """The benchmark's own function of that name, watched."""
    instruments.open_landmarks = lambda _name, _weights: BrightFaces()  # type: ignore[assignment,misc]
    instruments.open_identity = lambda _name, _weights: MeanColors()  # type: ignore[assignment,misc]

    @contextlib.contextmanager
    def opened(path: Path, size: int) -> Iterator[Iterator[np.ndarray]]:
        _note(f"decode {path.parent.name}/{path.name}")
        with video_reader.open_frames(path, size) as frames:
            yield _stopping(frames) if clip.id == os.environ[_STOP] else frames

    clip_2d.open_frames = opened  # type: ignore[assignment]
    outcome = clip_2d.measure_clip(clip, measuring)
    _note(f"done {clip.id}")
    return outcome


def _stopping(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames):
        if number == _STOP_AT:
            _note(f"stopped {os.getpid()}")
            time.sleep(120)  # until it is killed
        yield frame


def _note(line: str) -> None:
    with Path(os.environ[_LOG]).open("a") as log:  # one write, so that lines of two processes do not mix
        log.write(f"{line}\n")


def main() -> int:
    """Run the command, watched."""
    os.environ[_LOG], os.environ[_STOP] = sys.argv[1:3]
    del sys.argv[1:3]
    evaluate_2d.measure_clip = measure  # type: ignore[assignment]
    return calculate_2d_metrics.main()


if __name__ == "__main__":
    import watched_measuring  # under its own name, by which a worker finds it

    raise SystemExit(watched_measuring.main())
