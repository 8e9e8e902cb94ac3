"""The SingingHead benchmark's own formulas, where they differ from ours: kept to the letter, for its published tables.

Conventions:
    Metres and radians. Samples are the leading axis. Regions are the raw lists of the masks file, duplicates included.
    What is odd about each formula stands with it, and ``docs/metrics.md`` says how much it matters.

Source:
    ``metrics/metric_3d/metrics.py`` and ``beat_align_score.py`` of the SingingHead repository; checked against numbers
    that it printed.
"""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Indices
from singinghead.metrics.beat_scores import local_minima, nearness
from singinghead.metrics.motion_distance import pairs
from singinghead.metrics.numpy_or_torch import Array, deviation, length, rows, smallest, to_numpy

SMOOTHING_FRAMES = 5
TOLERANCE_FRAMES = 3


def smallest_vertex_error(prediction: Array, truth: Array, face: Array) -> Array:
    """``ve_min``: mean over t and v of the smallest over samples of ||p - g||, metres.

    The best sample is chosen anew for each vertex of each frame, so many bad samples make one good face.
    """
    distances = length(rows(prediction, face) - rows(truth, face))
    return smallest(distances, 0).mean()


def squared_positions(vertices: Array, upper_face: Array) -> Array:
    """(..., T, N) ||v||² of absolute coordinates: no neutral is subtracted, so the result depends on the origin."""
    points = rows(vertices, upper_face)
    return (points * points).sum(-1)


def dynamics_deviation(prediction: Array, truth: Array, upper_face: Array) -> Array:
    """``fdd``: mean over v of std over t of ||g||² minus that of ||p||², sample deviation (n - 1), m², signed.

    Pooled over samples, so that their signs cancel; vertices of both forehead and eye region count twice.
    """
    theirs, ours = (deviation(squared_positions(vertices, upper_face), -2, ddof=1) for vertices in (truth, prediction))
    return theirs.mean() - ours.mean()


def sequence_diversity(samples: Array) -> float:
    """``diversity*``: mean over pairs of samples of the L2 norm over the whole flattened sequence, (S, T, ...) in.

    It grows with the square root of length and size, and is 0 for one sample.
    """
    if len(samples) < 2:
        return 0.0
    flat = samples.reshape(len(samples), -1)
    return float(np.mean([float(length(flat[a] - flat[b])) for a, b in pairs(len(samples))]))


def motion_beat_frames(points: Array) -> Indices:
    """(n,) indices of the strict minima of a (T, N, D) motion's speed, after a Gaussian of 5 frames."""
    from scipy.ndimage import gaussian_filter1d

    speed = to_numpy(length(points[1:] - points[:-1]).mean(-1)).astype(np.float64)
    return local_minima(gaussian_filter1d(speed, SMOOTHING_FRAMES))


def beat_score(audio_beat_frames: Indices, points: Array) -> float | None:
    """``ba_lmk``, ``ba_pose``: mean over the sound's beats of exp(-d² / 18), d to the motion's nearest beat, in frames.

    The sound's frames are 512 samples at 16 kHz, 31.25 a second, the motion's 30 a second: perfect motion drifts out of
    step. A sound without beats has one in frame 0. Beats beyond the motion's last frame are dropped, frame for frame.

    Args:
        audio_beat_frames: (m,) in frames of the sound.
        points: (T, N, D): 68 landmarks in metres, or the pose as one point of six numbers, (T, 1, 6), which is what
            reproduces the seed's printed values.

    Returns:
        0 to 1, or None for a motion without beats, at which the seed stops with an error.
    """
    moves = motion_beat_frames(points).astype(np.float64)
    heard = audio_beat_frames if len(audio_beat_frames) else np.zeros(1, np.int64)
    inside = heard[heard < len(points) - 1].astype(np.float64)
    return float(nearness(inside, moves, TOLERANCE_FRAMES)) if len(moves) and len(inside) else None
