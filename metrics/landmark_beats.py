"""Beat alignment of landmarks found in a video: do the face's movements come to rest on the beats of the sound?

The definition is :mod:`singinghead.metrics.beat_scores`'s; here is what videos add to it: frames without a face. Where
one to three follow each other (0.1 s, less than the smoothing of 1/6 s), the landmarks in between are taken as moving
evenly; more make the motion unknown, and the metric null.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.metrics.beat_scores import BeatAlignment, beat_alignment, motion_beats, nearness
from singinghead.metrics.landmark_distances import has_face
from singinghead.metrics.seed_formulas import TOLERANCE_FRAMES, motion_beat_frames

BRIDGED_FRAMES = 3


def landmark_beat_alignment(landmarks: Floats, audio_beats_s: Floats, fps: float) -> BeatAlignment:
    """Compare the beats of a sound with those of (T, 68, 2) landmarks without NaN; :func:`bridged` makes them."""
    return beat_alignment(audio_beats_s, motion_beats(landmarks, fps), len(landmarks) / fps)


def bridged(landmarks: Floats) -> Floats | None:
    """(T, 68, 2) landmarks with short gaps filled evenly, at the ends by the nearest frame; None where a gap is too long."""
    found = has_face(landmarks)
    if found.all():
        return landmarks
    if not found.any() or _longest_run(~found) > BRIDGED_FRAMES:
        return None
    frames, known = np.arange(len(landmarks)), np.flatnonzero(found)
    filled = landmarks.reshape(len(landmarks), -1).copy()
    for column in filled.T:
        column[~found] = np.interp(frames[~found], known, column[known])
    return filled.reshape(landmarks.shape)


def seed_beat_score(audio_beat_frames: Indices, landmarks: Floats) -> float | None:
    """``BA`` of the seed: its clocks disagree as in 3D, and motion without beats has one in its first frame.

    Args:
        audio_beat_frames: (m,) in hops of 512 samples at 16 kHz; a sound without beats has one in frame 0.
        landmarks: (T, 68, 2) pixels, 30 frames a second.

    Returns:
        0 to 1; None where no beat of the sound lies within the motion.
    """
    moves = motion_beat_frames(landmarks).astype(np.float64)
    heard = audio_beat_frames if len(audio_beat_frames) else np.zeros(1, np.int64)
    inside = heard[heard < len(landmarks) - 1].astype(np.float64)
    if not len(inside):
        return None
    return float(nearness(inside, moves if len(moves) else np.zeros(1), TOLERANCE_FRAMES))


def _longest_run(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
