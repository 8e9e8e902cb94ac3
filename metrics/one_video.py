"""One video by itself: its sharpness, its frames' features, its faces; measured as its frames go by, or known from disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.metrics import stored_arrays
from singinghead.metrics.faces.found_faces import FaceSearch, FoundFaces
from singinghead.metrics.image_quality import Frame
from singinghead.metrics.instruments import Instruments, Measuring2D
from singinghead.metrics.sharpness import cpbd, luminance
from singinghead.metrics.video_reader import probe

BATCH = 16
"""Frames that a network sees at once."""


class OneVideo:
    """A video file under measurement.

    Args:
        path: the file.
        measuring: how.
        instruments: with what.

    Attributes:
        path: the file.
        facts: of it.
        content: SHA-256 of it.

    Raises:
        InputError: the file is no whole video.
    """

    def __init__(self, path: Path, measuring: Measuring2D, instruments: Instruments) -> None:
        self.path, self.facts, self.content = path, probe(path), stored_arrays.content_hash(path)
        self._every = measuring.every
        seen = (self.content, measuring.size)
        self._frames_entry = stored_arrays.entry("frames", *seen, measuring.every)
        self._frames = stored_arrays.load(self._frames_entry, {"sharpness": (None,), "n_frames": ()})
        self._sharpness: list[float] = []
        self._search = None
        if instruments.landmarks is not None:
            self._search = FaceSearch(self.content, measuring.size, instruments.landmarks, instruments.identity)
        self._inception = instruments.inception
        self._features: list[np.ndarray] = []
        self._batch: list[Frame] = []
        self.features_entry: Path | None = None
        self._features_known = True
        if self._inception is not None:
            version = instruments.versions["inception"]
            self.features_entry = stored_arrays.entry("features", *seen, measuring.every, version)
            self._features_known = read_features(self.features_entry) is not None

    @property
    def is_known(self) -> bool:
        """Whether no frame need be looked at."""
        searched = self._search is None or self._search.is_known
        return searched and self._frames is not None and self._features_known

    def update(self, index: int, frame: Frame) -> None:
        """Take frame ``index`` of 30 a second, (size, size, 3) uint8; all frames from 0 on are to be given."""
        if self._search is not None:
            self._search.update(index, frame)
        if index % self._every:
            return
        if self._frames is None:
            self._sharpness.append(cpbd(luminance(frame)))
        if not self._features_known:
            self._batch.append(frame)
            if len(self._batch) == BATCH:
                self._see()

    def finish(self, n_frames: int) -> None:
        """Note that the video ended after ``n_frames``, and store what was measured."""
        if self._frames is None:
            self._frames = {"sharpness": np.array(self._sharpness), "n_frames": np.array(n_frames)}
            stored_arrays.store(self._frames_entry, self._frames)
        if not self._features_known and self.features_entry is not None:
            self._see()
            stored_arrays.store(self.features_entry, {"features": np.concatenate(self._features)}, must=True)
            self._features_known = True
        if self._search is not None:
            self._search.finish()

    @property
    def n_frames(self) -> int:
        """How many frames of 30 a second it has; known at its end."""
        return int(self._known()["n_frames"])

    @property
    def sharpness(self) -> float:
        """CPBD, mean over frames."""
        return float(np.mean(self._known()["sharpness"]))

    @property
    def faces(self) -> FoundFaces | None:
        """What was found in it, or None without a backend."""
        return None if self._search is None else self._search.finish()

    def _known(self) -> Mapping[str, Floats]:
        if self._frames is None:
            raise InputError("was not read to its end", file=self.path)
        return self._frames

    def _see(self) -> None:
        if self._batch and self._inception is not None:
            self._features.append(self._inception.features(np.stack(self._batch)))
        self._batch.clear()


def read_features(path: Path) -> Floats | None:
    """(n, 2048) of a video's frames, or None."""
    stored = stored_arrays.load(path, {"features": (None, None)})
    return None if stored is None else stored["features"]
