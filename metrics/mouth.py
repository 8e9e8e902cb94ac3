"""The mouth over time: how far it opens, when, and whether it closes and moves with the voice.

Conventions:
    Opening is the gap of the inner lips' middle landmarks (62 above, 66 below, from 0, of the 68 in iBUG order) along the
    head's up axis at zero head pose, minus the subject's neutral gap: (T,) in mm, 0 at rest, negative where pressed.

Sources:
    Lip closure and warping after DiffPoseTalk and THEval; Sakoe and Chiba 1978 for the warping; the speech-lip correlation
    (SLCC) after Chae-Yeon et al. 2025, "Perceptually accurate 3D talking head generation".
"""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import check_shape
from singinghead.metrics.numpy_or_torch import Array
from singinghead.metrics.vertex_errors import MM

UPPER_LIP, LOWER_LIP = 62, 66
CLOSED_MM = 1.0
REACH_S = 0.5
"""How far apart in time two mouths are compared: the largest lag, and the band of the warping."""


def mouth_opening(landmarks: Array, neutral: Array) -> Array:
    """The opening of each frame.

    Args:
        landmarks: (..., T, 68, 3) metres, at zero head pose, y up.
        neutral: (68, 3) the subject's without expression.

    Returns:
        (..., T) mm.
    """
    check_shape("neutral", neutral, 68, 3)
    gap = landmarks[..., UPPER_LIP, 1] - landmarks[..., LOWER_LIP, 1]
    return MM * (gap - (neutral[UPPER_LIP, 1] - neutral[LOWER_LIP, 1]))


def opening_error(prediction: Floats, truth: Floats) -> float:
    """``mouth_open_mm``: mean over t of |p - g|, in mm, from 0; lower is better."""
    _check_pair(prediction, truth)
    return float(np.abs(prediction - truth).mean())


def warped_opening_error(prediction: Floats, truth: Floats, fps: float, reach_s: float = REACH_S) -> float:
    """``mouth_open_dtw_mm``: mean of |p - g| along the warping path of least sum, in mm, from 0; lower is better.

    Steps are (1, 0), (0, 1) and (1, 1), and no frame meets one more than ``reach_s`` away.
    """
    _check_pair(prediction, truth)
    n_frames, reach = len(truth), min(round(reach_s * fps), len(truth) - 1)
    offset = np.arange(-reach, reach + 1)
    partner = np.arange(n_frames)[:, None] + offset
    cost = np.abs(prediction[np.clip(partner, 0, n_frames - 1)] - truth[:, None])
    cost[(partner < 0) | (partner >= n_frames)] = np.inf
    total = np.full(cost.shape, np.inf)
    for frame, row in enumerate(cost):
        inside = np.flatnonzero(np.isfinite(row))
        along = np.cumsum(row[inside])
        if frame == 0:
            total[0, inside] = along
            continue
        # The frame before meets partner j at column j + 1, and partner j - 1 at column j.
        before = np.minimum(total[frame - 1], np.append(total[frame - 1, 1:], np.inf))[inside]
        total[frame, inside] = along + np.minimum.accumulate(before + row[inside] - along)
    return float(total[-1, reach] / _path_length(total, reach))


def _path_length(total: Floats, column: int) -> int:
    """Steps back from the last pair to the first, along least sums."""
    frame, length = len(total) - 1, 1
    while True:
        ways = {}
        if frame > 0:
            ways[frame - 1, column] = total[frame - 1, column]  # both advance
            if column + 1 < total.shape[1]:
                ways[frame - 1, column + 1] = total[frame - 1, column + 1]
        if column > 0:
            ways[frame, column - 1] = total[frame, column - 1]
        best = min(ways, key=ways.__getitem__, default=None)
        if best is None or not np.isfinite(ways[best]):
            return length
        (frame, column), length = best, length + 1


def mouth_lag_ms(prediction: Floats, truth: Floats, fps: float, reach_s: float = REACH_S) -> float | None:
    """``mouth_lag_ms``: how much later the prediction's mouth moves, in ms; positive when late, nearest to 0 is best.

    The lag k of the largest Pearson correlation of p(t + k) and g(t), |k| at most ``reach_s``, refined by the parabola
    through its neighbours. None where there is no such peak: a still mouth, or none that resembles the truth's.
    """
    _check_pair(prediction, truth)
    reach = min(round(reach_s * fps), len(truth) - 3)
    if reach < 1:
        return None
    correlation = np.array([_correlation_at(prediction, truth, lag) for lag in range(-reach, reach + 1)])
    if np.isnan(correlation).any():
        return None
    peak = int(correlation.argmax())
    if peak in (0, 2 * reach) or correlation[peak] <= 0:
        return None
    left, middle, right = correlation[peak - 1 : peak + 2]
    curvature = left - 2 * middle + right
    refined = 0.0 if curvature == 0 else 0.5 * (left - right) / curvature
    return float(1000 * (peak - reach + refined) / fps)


def _correlation_at(prediction: Floats, truth: Floats, lag: int) -> float:
    late, early = (prediction[lag:], truth[: len(truth) - lag]) if lag >= 0 else (prediction[:lag], truth[-lag:])
    correlation = pearson(late, early)
    return np.nan if correlation is None else correlation


def lip_closure_f1(prediction: Floats, truth: Floats, closed_mm: float = CLOSED_MM) -> float | None:
    """``lip_closure_f1``: 2 TP / (2 TP + FP + FN) of frames that open by less than ``closed_mm``; 0 to 1, higher is better.

    None where neither mouth ever closes.
    """
    _check_pair(prediction, truth)
    found, meant = prediction < closed_mm, truth < closed_mm
    total = int(found.sum() + meant.sum())
    return 2 * int((found & meant).sum()) / total if total else None


def speech_lip_correlation(opening: Floats, loudness: Floats) -> float | None:
    """``speech_lip_correlation``: Pearson correlation, -1 to 1, of opening and the voice's loudness at the same frames.

    Read it beside the ground truth's own. None where either is constant: silence, a still mouth.
    """
    _check_pair(opening, loudness)
    return pearson(opening, loudness)


def pearson(first: Floats, second: Floats) -> float | None:
    """Correlation of two vectors; None where one does not vary."""
    a, b = (values.astype(np.float64) - values.mean(dtype=np.float64) for values in (first, second))
    scale = np.sqrt((a @ a) * (b @ b))
    flat = min(np.ptp(first), np.ptp(second)) <= 1e-9
    return None if flat or scale == 0 else float(np.clip(a @ b / scale, -1, 1))


def _check_pair(first: Floats, second: Floats) -> None:
    (n_frames,) = check_shape("truth", second, "T")
    check_shape("prediction", first, n_frames)
    if n_frames == 0:
        raise InputError("truth holds no frames")
