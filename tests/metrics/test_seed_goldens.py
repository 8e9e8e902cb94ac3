"""The seed protocol's formulas against the numbers that the seed's own code printed, from seeded inputs."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from golden_inputs import GOLDEN, UPPER_FACE_TWICE, clicks, motion_inputs, vertex_inputs

from singinghead.metrics import audio_beats, seed_formulas
from singinghead.metrics.motion_distance import HEAD, vector_distance
from singinghead.metrics.vertex_errors import best_sample, lip_vertex_error, vertex_error


@functools.cache
def measured() -> dict[str, float]:
    """Each of the batch's sequences on its own, and their mean."""
    sequences = []
    for truth, samples, lips, face in vertex_inputs():
        lip_errors = lip_vertex_error(samples, truth, lips) / 1000
        sequences.append(
            {
                "lve_mean": lip_errors.mean(),
                "lve_min": best_sample(lip_errors),
                "ve_mean": vertex_error(samples, truth, face).mean() / 1000,
                "ve_min": seed_formulas.smallest_vertex_error(samples, truth, face),
                "fdd": seed_formulas.dynamics_deviation(samples, truth, UPPER_FACE_TWICE),
                "diversity_verts": seed_formulas.sequence_diversity(samples),
                "diversity_face": seed_formulas.sequence_diversity(samples[:, :, face]),
            }
        )
    for sequence, (truth, samples) in zip(sequences, motion_inputs(), strict=True):
        distances = vector_distance(samples, truth)
        pose_distances = vector_distance(samples[..., HEAD], truth[..., HEAD])
        sequence |= {
            "mindist": best_sample(distances),
            "meandist": distances.mean(),
            "mindist_pose": best_sample(pose_distances),
            "meandist_pose": pose_distances.mean(),
            "diversity": seed_formulas.sequence_diversity(samples),
            "diversity_pose": seed_formulas.sequence_diversity(samples[..., HEAD]),
        }
    return {name: float(np.mean([sequence[name] for sequence in sequences])) for name in sequences[0]}


@pytest.mark.parametrize("name", sorted(set(GOLDEN) - {"ba_lmk", "ba_pose", "audio_beat_frames"}))
def test_vertices_and_parameters(name: str) -> None:
    assert measured()[name] == pytest.approx(GOLDEN[name], rel=2e-5)


def test_beats_of_the_sound() -> None:
    assert audio_beats.detect_beats(clicks()).tolist() == GOLDEN["audio_beat_frames"]


@pytest.mark.parametrize("name", ["ba_lmk", "ba_pose"])
def test_beat_alignment(name: str) -> None:
    rng = np.random.default_rng(1)
    landmarks = np.cumsum((0.001 * rng.standard_normal((1, 1, 240, 68, 3))).astype(np.float32), axis=2)
    pose = np.cumsum((0.01 * rng.standard_normal((1, 1, 240, 6))).astype(np.float32), axis=2)
    points = landmarks[0, 0] if name == "ba_lmk" else pose.reshape(240, 1, 6)
    assert seed_formulas.beat_score(np.array(GOLDEN["audio_beat_frames"]), points) == pytest.approx(GOLDEN[name], rel=1e-6)


def test_one_sample_has_diversity_0_and_a_still_motion_no_score() -> None:
    assert seed_formulas.sequence_diversity(np.ones((1, 60, 59))) == 0
    assert seed_formulas.beat_score(np.array([32]), np.zeros((240, 68, 3))) is None


def test_no_beats_of_the_sound_are_one_in_the_first_frame() -> None:
    points = np.cumsum(np.random.default_rng(2).standard_normal((240, 2, 3)), axis=0)
    none = seed_formulas.beat_score(np.zeros(0, np.int64), points)
    assert none == seed_formulas.beat_score(np.array([0]), points)
