"""Vertex errors and dynamics: against other implementations, and by the laws that they obey."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from singinghead.flame_model.errors import InputError
from singinghead.metrics.face_dynamics import RunningDeviation, squared_displacement, upper_face_dynamics_deviation
from singinghead.metrics.vertex_errors import (
    best_sample,
    errors_by_region,
    lip_error_curve,
    lip_vertex_error,
    lip_vertex_error_squared,
    vertex_error,
    vertex_error_curve,
)

T, V = 12, 40
LIPS = np.array([3, 8, 21, 30])
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)


def clip(seed: int = 0, n_samples: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples, truth, neutral."""
    rng = np.random.default_rng(seed)
    neutral = rng.normal(0, 0.1, (V, 3))
    truth = neutral + rng.normal(0, 0.003, (T, V, 3))
    return truth + rng.normal(0, 0.002, (n_samples, T, V, 3)), truth, neutral


def test_lip_error_equals_torchmetrics() -> None:
    from torchmetrics.functional.multimodal import lve

    samples, truth, _ = clip()
    for sample in samples:
        theirs = lve.lip_vertex_error(torch.from_numpy(sample), torch.from_numpy(truth), LIPS.tolist())
        assert float(lip_vertex_error_squared(sample, truth, LIPS)) == pytest.approx(float(theirs), rel=1e-6)


def test_lip_error_by_hand() -> None:
    truth = np.zeros((2, 3, 3))
    prediction = truth.copy()
    prediction[0, 1] = [0.003, 0.004, 0]  # 5 mm
    prediction[1, 2] = [0, 0, 0.001]  # 1 mm
    prediction[1, 0] = 1  # no lip
    lips = np.array([1, 2])
    assert lip_error_curve(prediction, truth, lips).tolist() == pytest.approx([5, 1])
    assert lip_vertex_error(prediction, truth, lips) == pytest.approx(3)
    assert lip_vertex_error_squared(prediction, truth, lips) == pytest.approx((25e-6 + 1e-6) / 2)
    assert vertex_error(prediction, truth, lips) == pytest.approx((5 / 2 + 1 / 2) / 2)


def codetalker_fdd(prediction: np.ndarray, truth: np.ndarray, template: np.ndarray, upper: np.ndarray) -> float:
    """Its definition, vertex by vertex: how the motion of each deviates over time, ours beside theirs."""
    differences = []
    for v in upper:
        by_truth = [sum((truth[t, v, axis] - template[v, axis]) ** 2 for axis in range(3)) for t in range(len(truth))]
        by_ours = [sum((prediction[t, v, axis] - template[v, axis]) ** 2 for axis in range(3)) for t in range(len(truth))]
        differences.append(np.std(by_truth) - np.std(by_ours))
    return float(np.mean(differences))


def test_dynamics_equal_codetalkers_formula() -> None:
    samples, truth, neutral = clip()
    ours = upper_face_dynamics_deviation(samples, truth, neutral, LIPS)
    assert ours == pytest.approx([codetalker_fdd(sample, truth, neutral, LIPS) for sample in samples], rel=1e-9)


def test_a_running_deviation_is_that_of_all_frames() -> None:
    values = np.random.default_rng(1).normal(5, 1e-3, (2, 100, 7))
    running = RunningDeviation()
    for start, end in ((0, 1), (1, 60), (60, 100)):
        running.update(values[:, start:end])
    for ddof in (0, 1):
        np.testing.assert_allclose(running.deviation(ddof), values.std(axis=1, ddof=ddof), rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_gives_the_same_numbers_and_stays_torch(dtype: torch.dtype) -> None:
    samples, truth, neutral = clip()
    tensors = [torch.from_numpy(array).to(dtype) for array in (samples, truth, neutral)]
    arrays = [tensor.numpy() for tensor in tensors]
    for function, extra in (
        (lip_vertex_error, ()),
        (lip_vertex_error_squared, ()),
        (vertex_error, ()),
        (vertex_error_curve, ()),
    ):
        ours = function(tensors[0], tensors[1], LIPS, *extra)
        assert isinstance(ours, torch.Tensor)
        np.testing.assert_allclose(ours.numpy(), function(arrays[0], arrays[1], LIPS, *extra), rtol=1e-4)
    theirs = upper_face_dynamics_deviation(*arrays, LIPS)
    np.testing.assert_allclose(upper_face_dynamics_deviation(*tensors, LIPS).numpy(), theirs, rtol=1e-2, atol=1e-10)


def test_gradients_flow_even_from_a_perfect_prediction() -> None:
    samples, truth, neutral = (torch.from_numpy(array) for array in clip())
    for start in (samples.clone(), truth.expand(3, -1, -1, -1).clone()):
        prediction = start.requires_grad_()
        loss = lip_vertex_error(prediction, truth, LIPS).sum() + vertex_error(prediction, truth).sum()
        (loss + upper_face_dynamics_deviation(prediction, truth, neutral, LIPS).sum()).backward()  # type: ignore[no-untyped-call]
        assert prediction.grad is not None
        assert torch.isfinite(prediction.grad).all()


@given(seeds)
@few
def test_a_perfect_prediction_has_no_error_and_errors_are_symmetric(seed: int) -> None:
    (sample, *_), truth, neutral = clip(seed)
    for function in (lip_vertex_error, lip_vertex_error_squared, vertex_error):
        assert function(truth, truth, LIPS) == 0
        assert function(sample, truth, LIPS) == pytest.approx(function(truth, sample, LIPS))
    assert upper_face_dynamics_deviation(truth, truth, neutral, LIPS) == 0
    forth, back = (upper_face_dynamics_deviation(a, b, neutral, LIPS) for a, b in ((sample, truth), (truth, sample)))
    assert forth == pytest.approx(-back)


@given(seeds, st.floats(0.1, 10))
@few
def test_errors_scale_and_ignore_a_common_rigid_move(seed: int, scale: float) -> None:
    samples, truth, neutral = clip(seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    moved = [array @ turn + [1, -2, 3] for array in (samples, truth, neutral)]
    for function, power in ((lip_vertex_error, 1), (lip_vertex_error_squared, 2), (vertex_error, 1)):
        plain = function(samples, truth, LIPS)
        np.testing.assert_allclose(function(moved[0], moved[1], LIPS), plain, rtol=1e-6)
        np.testing.assert_allclose(function(scale * samples, scale * truth, LIPS), scale**power * plain, rtol=1e-6)
    dynamics = upper_face_dynamics_deviation(samples, truth, neutral, LIPS)
    np.testing.assert_allclose(upper_face_dynamics_deviation(*moved, LIPS), dynamics, rtol=1e-4, atol=1e-12)
    scaled = upper_face_dynamics_deviation(scale * samples, scale * truth, scale * neutral, LIPS)
    np.testing.assert_allclose(scaled, scale**2 * dynamics, rtol=1e-6)


@given(seeds, st.permutations(range(4)))
@few
def test_the_best_sample_is_at_most_the_mean_and_order_does_not_matter(seed: int, order: list[int]) -> None:
    samples, truth, _ = clip(seed, 4)
    errors = lip_vertex_error(samples, truth, LIPS)
    assert best_sample(errors) <= errors.mean()
    assert best_sample(lip_vertex_error(samples[order], truth, LIPS)) == best_sample(errors)
    np.testing.assert_allclose(errors, [lip_vertex_error(sample, truth, LIPS) for sample in samples], rtol=1e-12)


@given(seeds)
@few
def test_more_noise_is_more_error(seed: int) -> None:
    _, truth, _ = clip(seed)
    noise = np.random.default_rng(seed).standard_normal(truth.shape)
    for function in (lip_vertex_error, lip_vertex_error_squared, vertex_error):
        errors = [float(function(truth + size * noise, truth, LIPS)) for size in (0, 1e-3, 2e-3, 5e-3)]
        assert errors == sorted(errors)


def test_regions_are_named() -> None:
    (sample, *_), truth, _ = clip()
    found = errors_by_region(sample, truth, {"lips": LIPS, "rest": np.arange(30, 40)})
    assert found == {"lips": vertex_error(sample, truth, LIPS), "rest": vertex_error(sample, truth, np.arange(30, 40))}


def test_numpy_needs_neither_torch_nor_librosa() -> None:
    """They take seconds to import."""
    code = "import sys, singinghead.metrics; assert not {'torch', 'librosa', 'scipy', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_neutral_is_subtracted() -> None:
    _, truth, neutral = clip()
    assert squared_displacement(neutral[None], neutral).max() == 0
    assert squared_displacement(truth, neutral, LIPS).shape == (T, len(LIPS))


@pytest.mark.parametrize(
    ("prediction", "truth", "words"),
    [
        (np.zeros((T, V, 3)), np.zeros((T, V + 1, 3)), "prediction must have shape"),
        (np.zeros((T + 1, V, 3)), np.zeros((T, V, 3)), "prediction must have shape"),
        (np.zeros((T, V, 3)), np.zeros((T, V)), "truth must have shape"),
        (np.zeros((0, V, 3)), np.zeros((0, V, 3)), "no frames"),
    ],
)
def test_shapes_that_do_not_fit_are_named(prediction: np.ndarray, truth: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        vertex_error(prediction, truth)
