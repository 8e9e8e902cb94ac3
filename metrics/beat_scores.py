"""Beat alignment: does motion come to rest on the beats of the sound?

Conventions:
    Beats are instants in seconds from the first frame. Frame i stands for time i / fps, so the speed between frames i and
    i + 1 belongs to (i + 1/2) / fps. A motion's beats are the strict local minima of its speed, the mean over points of
    ||x(i+1) - x(i)|| fps, after a Gaussian of 1/6 s. Scores are from 0 to 1, higher is better, but only beside chance: any
    lively motion scores about 0.3.

Source:
    The form of Siyao et al. 2022, Bailando: how near each beat of the sound has one of the motion. AIST++ (Li et al. 2021)
    asks the other way round, here ``precision``. The F-measure is that of beat tracking, 70 ms (Davies et al. 2009;
    mir_eval). Clocks in seconds, sigma 0.1 s: at 30 frames a second Bailando's three frames. The seed's clocks disagree
    (see ``seed_formulas``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import check_shape
from singinghead.metrics.numpy_or_torch import Array, length, to_numpy

SMOOTHING_S = 1 / 6
TOLERANCE_S = 0.1
PAIRED_WITHIN_S = 0.07
_SHIFT_S = 1 / 30


@dataclass(frozen=True)
class BeatAlignment:
    """How the beats of a sound and of a motion meet; None is undefined.

    Attributes:
        score: mean over the sound's beats of exp(-d² / 2 sigma²), d to the motion's nearest beat.
        precision: the same from the motion's beats.
        f1: of pairs within 70 ms, each beat in one pair at most.
        over_chance: ``score`` minus its mean over all circular shifts of the motion, a thirtieth of a second apart.
        z: ``over_chance`` divided by the deviation over those shifts.
        still: the motion has no beats, and so scores 0.
    """

    score: float | None
    precision: float | None
    f1: float | None
    over_chance: float | None
    z: float | None
    still: bool


def motion_beats(points: Array, fps: float, smoothing_s: float = SMOOTHING_S) -> Floats:
    """(n,) seconds of the strict local minima of a motion's smoothed speed.

    Args:
        points: (T, N, D) any points in any unit: 68 landmarks, or the head's two rotation vectors as two points.
        fps: frames a second.
        smoothing_s: sigma of the Gaussian in seconds; speeds are mirrored beyond the ends.
    """
    from scipy.ndimage import gaussian_filter1d

    (n_frames, *_) = check_shape("points", points, "T", "N", "D")
    if n_frames < 2:
        return np.zeros(0)
    speed = to_numpy(length(points[1:] - points[:-1]).mean(-1)).astype(np.float64) * fps
    smooth = gaussian_filter1d(speed, smoothing_s * fps)
    return np.asarray((local_minima(smooth) + 0.5) / fps)


def local_minima(curve: Floats) -> Indices:
    """(n,) indices of entries smaller than both neighbours."""
    return np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])) + 1


def beat_alignment(
    audio_beats_s: Floats, motion_beats_s: Floats, duration_s: float, tolerance_s: float = TOLERANCE_S
) -> BeatAlignment:
    """Compare the beats of a sound with those of a motion.

    Args:
        audio_beats_s: (m,) seconds; those before 0 or from ``duration_s`` on, where there is no motion, are left out.
        motion_beats_s: (n,) seconds.
        duration_s: of the motion.
        tolerance_s: sigma.

    Returns:
        All None where the sound has no beats; 0, and no ``z``, where the motion has none.

    Raises:
        InputError: beats are not vectors of finite numbers, or the duration is not positive.
    """
    for name, beats in (("audio_beats_s", audio_beats_s), ("motion_beats_s", motion_beats_s)):
        check_shape(name, beats, "n")
        if not np.isfinite(beats).all():
            raise InputError(f"{name} holds NaN or infinity")
    if not duration_s > 0:
        raise InputError(f"duration_s must be positive; got {duration_s}")
    heard = audio_beats_s[(audio_beats_s >= 0) & (audio_beats_s < duration_s)]
    still = len(motion_beats_s) == 0
    if len(heard) == 0:
        return BeatAlignment(None, None, None, None, None, still)
    if still:
        return BeatAlignment(0.0, 0.0, 0.0, 0.0, None, still)
    score = float(nearness(heard, motion_beats_s, tolerance_s))
    shifts = np.arange(1, max(2, round(duration_s / _SHIFT_S))) * _SHIFT_S
    chance = nearness(heard, (motion_beats_s + shifts[:, None]) % duration_s, tolerance_s)
    spread = float(chance.std())
    over_chance = score - float(chance.mean())
    return BeatAlignment(
        score=score,
        precision=float(nearness(motion_beats_s, heard, tolerance_s)),
        f1=2 * n_paired(heard, motion_beats_s, PAIRED_WITHIN_S) / (len(heard) + len(motion_beats_s)),
        over_chance=over_chance,
        z=over_chance / spread if spread > 1e-9 else None,
        still=still,
    )


def nearness(beats: Floats, others: Floats, tolerance: float) -> Floats:
    """(...,) mean over (m,) ``beats`` of exp(-d² / 2 tolerance²), d to the nearest of (..., n) ``others``."""
    distance = np.abs(others[..., None, :] - beats[:, None]).min(axis=-1)
    return np.asarray(np.exp(-(distance**2) / (2 * tolerance**2)).mean(axis=-1))


def n_paired(first: Floats, second: Floats, within: float) -> int:
    """The largest number of pairs of one each that lie no further apart; sorted times need only be gone through once."""
    a, b = np.sort(first), np.sort(second)
    i = j = pairs = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= within:
            i, j, pairs = i + 1, j + 1, pairs + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return pairs
