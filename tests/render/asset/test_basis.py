"""The basis of a clip: the shapes it stands for, what is left out of it, and its weights."""

from __future__ import annotations

import numpy as np
import pytest
from asset_clips import HEADS, singing, subject
from hypothesis import given
from hypothesis import strategies as st

from singinghead.flame_model.params import FlameParams
from singinghead.render.asset.basis import in_16_bits, param_basis, rebased


def some_directions(rng: np.random.Generator, sizes: np.ndarray) -> np.ndarray:
    return sizes[:, None, None] * rng.standard_normal((len(sizes), 9, 3))


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9), st.floats(0, 0.1))
def test_what_is_left_out_stays_within_its_bound_and_weights_span_0_to_1(
    seed: int, n_frames: int, n_directions: int, left_out: float
) -> None:
    rng = np.random.default_rng(seed)
    directions = some_directions(rng, 10.0 ** rng.uniform(-4, 0, n_directions))
    coefficients = rng.uniform(-3, 1, (n_frames, n_directions)) * (rng.random(n_directions) < 0.8)
    origin = rng.standard_normal((9, 3))
    basis = rebased(tuple(map(str, range(n_directions))), origin, directions, coefficients, left_out)
    truth = origin + np.tensordot(coefficients, directions, axes=1)
    missed = np.linalg.norm(basis.shapes(slice(None)) - truth, axis=2).max()
    assert missed <= left_out + 1e-12
    assert np.array_equal(basis.weights.min(axis=0, initial=0), np.zeros(len(basis.names)))
    assert np.array_equal(basis.weights.max(axis=0, initial=0), np.ones(len(basis.names)) * (n_frames > 1))
    assert len(basis.displacements) == len(basis.names) == basis.weights.shape[1]


def test_nothing_is_left_out_that_a_tighter_bound_would_keep() -> None:
    rng = np.random.default_rng(0)
    directions, coefficients = some_directions(rng, np.full(6, 0.01)), rng.uniform(-1, 1, (20, 6))
    names = tuple("abcdef")
    assert rebased(names, np.zeros((9, 3)), directions, coefficients, 0).names == names
    assert len(rebased(names, np.zeros((9, 3)), directions, coefficients, 1).names) == 0


def test_components_that_a_clip_does_not_use_are_not_in_its_basis() -> None:
    params = singing(30)
    still = FlameParams.zeros(30)
    params.expression[:, 5:] = 0
    basis = param_basis(subject("FLAME layout"), params)
    assert {name for name in basis.names if name.startswith("expression")} == {f"expression_{i:02}" for i in range(5)}
    assert not any("eye" in name for name in basis.names)
    assert any(name.startswith("jaw_rotation") for name in basis.names)
    assert param_basis(subject("FLAME layout"), still).names == ()


@pytest.mark.parametrize("head", HEADS)
def test_clips_share_a_basis_if_given_one_after_the_other(head: str) -> None:
    first, second = singing(20, 1), singing(30, 2)
    together = FlameParams.from_vectors(np.concatenate([first.to_vectors(), second.to_vectors()]))
    shared, own = param_basis(subject(head), together), param_basis(subject(head), second)
    difference = shared.shapes(slice(20, 50)) - own.shapes(slice(0, 30))
    assert np.linalg.norm(difference, axis=2).max() < 4e-5


@given(st.integers(0, 2**32 - 1), st.floats(-6, 1))
def test_16_bits_hold_displacements_to_half_a_step(seed: int, magnitude: float) -> None:
    displacements = 10**magnitude * np.random.default_rng(seed).standard_normal((3, 8, 3))
    steps, reach = in_16_bits(displacements)
    step = reach / 32767
    assert np.abs(steps).max() == 32767
    assert np.abs(steps * step - displacements).max() <= 0.5001 * step


def test_quantizing_again_changes_nothing() -> None:
    basis = param_basis(subject("stand-in"), singing(30)).quantized()
    assert np.array_equal(in_16_bits(basis.displacements)[0], in_16_bits(basis.quantized().displacements)[0])
    assert np.abs(basis.displacements - basis.quantized().displacements).max() < 1e-12
