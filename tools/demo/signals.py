"""What sound and motion share: smooth steps and curves in time, and noise of a given band."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats


def ease(x: Floats) -> Floats:
    """From 0 at 0 to 1 at 1 without a kink at either end: the integral of a Hann window."""
    x = np.clip(x, 0, 1)
    return x - np.sin(2 * np.pi * x) / (2 * np.pi)


def steps(times: Floats, at: Floats, values: Floats, width_s: float) -> Floats:
    """Take on ``values`` (n,) or (n, D) one after another, each around its time of ``at`` (n,) within ``width_s``.

    The first value holds from the beginning, whatever ``at[0]`` is. Steps closer than their width run together.
    """
    taken = ease((times[:, None] - at[1:]) / width_s + 0.5)
    result: Floats = values[0] + taken @ np.diff(values, axis=0)
    return result


def pulses(times: Floats, spans: Floats, rise_s: float, fall_s: float | None = None) -> Floats:
    """(T, n) of 1 inside each span (n, 2) of seconds and 0 outside; rise and fall are centred on its ends.

    Spans that touch fade into each other.
    """
    starts, ends = spans.T
    fall_s = rise_s if fall_s is None else fall_s
    return ease((times[:, None] - starts) / rise_s + 0.5) - ease((times[:, None] - ends) / fall_s + 0.5)


def through(times: Floats, at: Floats, values: Floats) -> Floats:
    """Go through ``values`` (n, D) and come to rest in each at its time of ``at`` (n,); hold the first and the last."""
    after = np.clip(np.searchsorted(at, times), 1, len(at) - 1)
    share = (times - at[after - 1]) / (at[after] - at[after - 1])
    # A cosine turns round at once, as a head does that marks the beat; an eased step would dwell there.
    moved = (1 - np.cos(np.pi * np.clip(share, 0, 1))) / 2
    result: Floats = values[after - 1] + moved[:, None] * (values[after] - values[after - 1])
    return result


def noise(rng: np.random.Generator, n: int, rate: int, low_hz: float, high_hz: float) -> Floats:
    """(n,) noise of unit variance, from ``low_hz`` (and half of that) to ``high_hz`` (and twice that)."""
    hz: Floats = np.fft.rfftfreq(n, 1 / rate).astype(np.float64)
    band = ease(2 * hz / low_hz - 1) * ease(2 - hz / high_hz)
    made: Floats = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * band, n)
    made /= made.std()
    return made


def to_peak(wave: Floats, peak_db: float) -> Floats:
    """Scale to a peak in dBFS."""
    return wave * float(10 ** (peak_db / 20) / np.abs(wave).max())
