"""How much each departure from the seed's 3D metrics changes: the figures in docs/metrics.md, by both formulas.

The motion is that of :mod:`known_answers`; samples are the ground truth with noise of 0.05 on every parameter.
"""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from known_answers import FPS, halved, noisy, write_methods

from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics import face_dynamics, motion_distance, seed_formulas, vertex_errors
from singinghead.metrics.audio_beats import Sound
from singinghead.metrics.beat_scores import beat_alignment, motion_beats
from singinghead.metrics.clips import load_truth
from singinghead.metrics.compiled_librosa import HOP, RATE
from singinghead.metrics.head import MeasuredHead, MeasuredSubject
from singinghead.metrics.motion_distance import HEAD

NOISE = 0.05
Table = dict[str, float]


@dataclass(frozen=True)
class Options:
    """Print what the seed's formulas and ours say of the same motion: the demo's songs on the stand-in head."""

    samples: int = 10
    """Noisy samples of each clip."""


def of_vertices(head: MeasuredHead, person: MeasuredSubject, truth: ParamSequence, samples: list[FlameParams]) -> Table:
    """Errors, dynamics and the diversity of vertices."""

    def vertices(params: FlameParams, chunks: Callable[..., object] = person.zero_pose) -> np.ndarray:
        return np.concatenate([chunk.numpy() for chunk in chunks(replace(truth, params=params))])  # type: ignore[attr-defined]

    lips, face, upper_face = (np.unique(head.mask_list(name)) for name in ("lips", "face", "upper_face"))
    g, p = vertices(truth.params), np.stack([vertices(sample) for sample in samples])
    posed = np.stack([vertices(sample, person.posed) for sample in samples])
    lve, ve = vertex_errors.lip_vertex_error(p, g, lips), vertex_errors.vertex_error(p, g, face)
    found = {
        "lve_l2_mm": lve.mean(),
        "lve_sq_m2": vertex_errors.lip_vertex_error_squared(p, g, lips).mean(),
        "lve_l2 squared, m2": (lve.mean() / 1000) ** 2,
        "ve_mm": ve.mean(),
        "ve_mm_min": ve.min(),
        "seed ve_min, mm": 1000 * seed_formulas.smallest_vertex_error(p, g, face),
        "diversity_verts_mm": motion_distance.point_diversity(p),
        "diversity_verts_mm, as posed": motion_distance.point_diversity(posed),
    }
    exact, twice, neutral = g.astype(np.float64), head.mask_list("upper_face"), person.template
    for name, moved in (("halved", vertices(halved(truth.params)).astype(np.float64)), ("noisy", p[0].astype(np.float64))):
        corrected = face_dynamics.upper_face_dynamics_deviation(moved, exact, neutral, upper_face)
        found |= {
            f"fdd_m2, {name}": corrected,
            f"fdd_abs_m2, {name}": abs(corrected),
            f"seed fdd, {name}": seed_formulas.dynamics_deviation(moved, exact, twice),
            f"seed fdd, {name}, origin moved 0.1 m": seed_formulas.dynamics_deviation(moved + 0.1, exact + 0.1, twice),
            f"seed fdd, {name}, neutral subtracted": seed_formulas.dynamics_deviation(
                moved - neutral, exact - neutral, twice
            ),
        }
    return {name: float(value) for name, value in found.items()}


def of_motion(truth: FlameParams, samples: list[FlameParams], sound: Sound) -> Table:
    """The diversity of parameters, and beats."""
    vectors = np.stack([sample.to_vectors() for sample in samples])
    pose, frames = truth.to_vectors()[:, HEAD].astype(np.float64), sound.beat_frames()
    shaken = noisy(truth).to_vectors()[:, HEAD].astype(np.float64)
    on_one_clock = np.round(frames * (HOP / RATE) * FPS - 0.5).astype(np.int64)

    def score(points: np.ndarray) -> float:
        return beat_alignment(sound.beats_s(), motion_beats(points, FPS), len(truth) / FPS).score or 0.0

    return {
        "diversity_params": float(motion_distance.vector_diversity(vectors)),
        "seed diversity": seed_formulas.sequence_diversity(vectors),
        "seed diversity, half the length": seed_formulas.sequence_diversity(vectors[:, : len(truth) // 2]),
        "beat_pose": score(pose.reshape(-1, 2, 3)),
        "seed ba_pose": seed_formulas.beat_score(frames, pose[:, None]) or 0.0,
        "seed ba_pose, one clock": seed_formulas.beat_score(on_one_clock, pose[:, None]) or 0.0,
        "beat_pose, noisy": score(shaken.reshape(-1, 2, 3)),
        "beat_pose, noisy, one point of six": score(shaken[:, None]),
    }


def show(options: Options) -> None:
    """Make, measure and print the mean over clips."""
    head, rng, found = MeasuredHead.load(allow_stand_in=True), np.random.default_rng(0), []
    with tempfile.TemporaryDirectory(prefix="singinghead-departures-") as folder:
        for clip_id in write_methods(Path(folder)):
            truth = load_truth(Path(folder) / "flame_seqs", clip_id)
            vectors = truth.params.to_vectors()
            noise = NOISE * rng.standard_normal((options.samples, *vectors.shape))
            samples = [FlameParams.from_vectors(sample) for sample in (vectors + noise).astype(np.float32)]
            sound = Sound((StoredFile(Path(folder) / "bgm_seqs" / f"{clip_id}_bgm.wav"),))
            person = head.subject(truth.shape)
            found.append(of_vertices(head, person, truth, samples) | of_motion(truth.params, samples, sound))
    for name in found[0]:
        print(f"{name:42} {np.mean([clip[name] for clip in found]):.4g}")


def main() -> int:
    """Run the command."""
    return command.run(Options, show, "departures")


if __name__ == "__main__":
    raise SystemExit(main())
