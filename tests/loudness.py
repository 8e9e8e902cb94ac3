"""Integrated loudness after ITU-R BS.1770-5, annex 1, for mono and stereo."""

from __future__ import annotations

import numpy as np
from scipy.signal import bilinear, lfilter


def lufs(sound: np.ndarray, rate: int) -> float:
    """Loudness of (N,) or (N, channels) in LUFS: K-weighted power of gated blocks of 400 ms, every 100 ms.

    The recommendation gives the two filters at 48 kHz; their analogue prototypes (De Man 2014, "Evaluation of
    implementations of the EBU R128 loudness measurement") serve any rate.
    """
    weighted = np.atleast_2d(np.asarray(sound, float).T)
    # A shelf for the head, about 4 dB from 1.7 kHz on: gain of highs and at the corner; then a high-pass at 38 Hz.
    high, corner = 10 ** (3.999843853973347 / 20), 10 ** (3.999843853973347 / 20 * 0.4996667741545416)
    w, q = _corner(1681.974450955533, rate), 0.7071752369554196
    weighted = lfilter(*bilinear([high, corner * w / q, w**2], [1, w / q, w**2], rate), weighted)
    w, q = _corner(38.13547087602444, rate), 0.5003270373238773
    # Its digital numerator is 1, -2, 1 in the recommendation, without the factor that the bilinear transform brings.
    gain = 1 + w / (2 * rate) / q + (w / (2 * rate)) ** 2
    weighted = lfilter(*bilinear([gain, 0, 0], [1, w / q, w**2], rate), weighted)
    blocks = np.lib.stride_tricks.sliding_window_view(weighted, round(0.4 * rate), axis=1)[:, :: round(0.1 * rate)]
    power = np.mean(blocks**2, axis=2).sum(axis=0)
    loud = power[_loudness(power) > -70]
    return float(_loudness(loud[_loudness(loud) > _loudness(loud.mean()) - 10].mean()))


def _corner(hz: float, rate: int) -> float:
    """Radians a second, warped so that the corner stays where it is."""
    return float(2 * rate * np.tan(np.pi * hz / rate))


def _loudness(power: np.ndarray) -> np.ndarray:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-12))
