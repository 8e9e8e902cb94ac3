"""Inputs that follow from a seed, for which the seed's own 3D metric code printed the numbers here.

The rules: B, S, T, V = 2, 3, 60, 5023; every product with a noise is cast to float32, and every sum is taken in float32.
Printed with librosa 0.11.0, numpy 2.4.6, torch 2.13.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

N_SEQUENCES, N_SAMPLES, N_FRAMES, N_VERTICES = 2, 3, 60, 5023

LIPS = np.concatenate([np.arange(3000, 3250), [3000, 3010, 3020, 3030]])
FACE = np.arange(500, 2287)
FOREHEAD, EYE_REGION = np.arange(100, 233), np.arange(176, 927)
UPPER_FACE_TWICE = np.concatenate([FOREHEAD, EYE_REGION])

GOLDEN: dict[str, Any] = {
    "lve_mean": 0.0038025090470910072,
    "lve_min": 0.0037622745148837566,
    "ve_mean": 0.00159552413970232,
    "ve_min": 0.0010429074754938483,
    "fdd": -4.4835935113951564e-05,
    "mindist": 2.257711887359619,
    "meandist": 2.2846343517303467,
    "mindist_pose": 0.6539236307144165,
    "meandist_pose": 0.7014057636260986,
    "diversity": 25.13549041748047,
    "diversity_pose": 8.084323406219482,
    "diversity_verts": 1.3439581394195557,
    "diversity_face": 0.8018194139003754,
    "ba_lmk": 0.229379551810291,
    "ba_pose": 0.19348167041049155,
    "audio_beat_frames": [32, 48, 63, 79, 95, 110, 126, 141, 157, 173, 188, 204, 220, 235],
}


def _noise(rng: np.random.Generator, size: float, *shape: int) -> np.ndarray:
    return (size * rng.standard_normal(shape)).astype(np.float32)


def _all_inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    template = rng.uniform(-0.1, 0.1, (N_VERTICES, 3)).astype(np.float32)
    truth = template + _noise(rng, 0.002, N_SEQUENCES, N_FRAMES, N_VERTICES, 3)
    samples = truth[:, None] + _noise(rng, 0.001, N_SEQUENCES, N_SAMPLES, N_FRAMES, N_VERTICES, 3)
    motion = rng.standard_normal((N_SEQUENCES, N_FRAMES, 59)).astype(np.float32)
    return truth, samples, motion, motion[:, None] + _noise(rng, 0.3, N_SEQUENCES, N_SAMPLES, N_FRAMES, 59)


def vertex_inputs() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each sequence the truth (T, V, 3) and its samples (S, T, V, 3), with the lips and the face."""
    truth, samples, *_ = _all_inputs()
    for one, several in zip(truth, samples, strict=True):
        yield one, several, LIPS, FACE


def motion_inputs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each sequence the truth (T, 59) and its samples (S, T, 59)."""
    *_, truth, samples = _all_inputs()
    yield from zip(truth, samples, strict=True)


def clicks() -> np.ndarray:
    """8 s at 16 kHz with a click every half second, from 0.5 s to before 7.8 s."""
    sound, k = np.zeros(8 * 16000), np.arange(320)
    for beat in np.arange(0.5, 7.8, 0.5):
        start = int(beat * 16000)
        sound[start : start + 320] += np.sin(2 * np.pi * 1000 * k / 16000) * np.exp(-k / 80)
    return sound
