"""The faces of one video: landmarks of every frame, embeddings of every sixth, found as its frames go by or read from disk.

They are found once, whatever asks for them, and kept by the video's content, the backends and the frames' size. An
identity changes slowly and its network is the slowest part: five embeddings a second are enough, whatever ``--every`` is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.metrics import stored_arrays
from singinghead.metrics.faces.backends import N_LANDMARKS, Frame, IdentityEncoder, LandmarkFinder
from singinghead.metrics.landmark_distances import has_face
from singinghead.metrics.video_reader import CLOCK_FPS

IDENTITY_EVERY = 6


@dataclass(frozen=True)
class FoundFaces:
    """What was found in a video.

    Attributes:
        landmarks: (T, 68, 2) pixels, NaN where no face was found; T frames at 30 a second.
        embeddings: (ceil(T / 6), D), likewise; None without an identity backend.
    """

    landmarks: Floats
    embeddings: Floats | None

    @property
    def n_without(self) -> int:
        """Frames without a face."""
        return int((~has_face(self.landmarks)).sum())

    def cut(self, n_frames: int) -> FoundFaces:
        """The first frames."""
        n_embeddings = -(-n_frames // IDENTITY_EVERY)
        embeddings = None if self.embeddings is None else self.embeddings[:n_embeddings]
        return FoundFaces(self.landmarks[:n_frames], embeddings)


class FaceSearch:
    """Looks at one video's frames in their order, or knows already what it would find.

    Args:
        video_hash: SHA-256 of the file.
        size: of the frames, pixels.
        finder: of landmarks.
        encoder: of identities, or None.
    """

    def __init__(self, video_hash: str, size: int, finder: LandmarkFinder, encoder: IdentityEncoder | None) -> None:
        self._finder, self._encoder = finder, encoder
        seen = (video_hash, size, CLOCK_FPS, finder.name, finder.version)
        self._landmarks_path = stored_arrays.entry("landmarks", *seen)
        self._landmarks: list[Floats] = []
        self._stored = _stored(self._landmarks_path, "landmarks", (None, N_LANDMARKS, 2))
        self._embeddings_path: Path | None = None
        self._embeddings: list[Floats | None] = []
        self._stored_embeddings: Floats | None = None
        if encoder is not None:
            self._embeddings_path = stored_arrays.entry("identities", *seen, IDENTITY_EVERY, encoder.name, encoder.version)
            self._stored_embeddings = _stored(self._embeddings_path, "embeddings", (None, None))

    @property
    def is_known(self) -> bool:
        """Whether no frame need be looked at."""
        return self._stored is not None and (self._encoder is None or self._stored_embeddings is not None)

    def update(self, index: int, frame: Frame) -> None:
        """Take frame ``index``; all frames from 0 on are to be given."""
        if self._stored is None:
            found = self._finder.find(frame)
            landmarks = np.full((N_LANDMARKS, 2), np.nan) if found is None else found
            self._landmarks.append(landmarks)
        else:
            landmarks = self._stored[index]
        if self._encoder is not None and self._stored_embeddings is None and index % IDENTITY_EVERY == 0:
            has_one = bool(np.isfinite(landmarks).all())
            self._embeddings.append(self._encoder.encode(frame, landmarks) if has_one else None)

    def finish(self) -> FoundFaces:
        """What was found in the whole video; it is stored, if it was not."""
        if self._stored is None:
            self._stored = np.stack(self._landmarks)
            stored_arrays.store(self._landmarks_path, {"landmarks": self._stored})
        if self._embeddings_path is not None and self._stored_embeddings is None:
            size = next((len(known) for known in self._embeddings if known is not None), 1)
            rows = [np.full(size, np.nan) if known is None else known for known in self._embeddings]
            self._stored_embeddings = np.stack(rows)
            stored_arrays.store(self._embeddings_path, {"embeddings": self._stored_embeddings})
        return FoundFaces(self._stored, self._stored_embeddings)


def _stored(path: Path, name: str, shape: tuple[int | None, ...]) -> Floats | None:
    arrays = stored_arrays.load(path, {name: shape})
    return None if arrays is None else arrays[name]
