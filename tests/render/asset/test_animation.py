"""Basis and skeleton together move the vertices as FLAME does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asset_clips import HEADS, clip, singing, subject
from hypothesis import given, settings
from hypothesis import strategies as st

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import VertexSequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.asset.animation import animation_of, checked_motion, largest_error
from singinghead.render.asset.joints import flame_joints
from singinghead.render.scene import head_scene


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.floats(0, 2), st.floats(0, 0.6))
@settings(max_examples=6, deadline=None)
@pytest.mark.parametrize("head", HEADS)
def test_random_motion_is_kept_to_a_twentieth_of_a_millimetre(
    head: str, seed: int, n_frames: int, expression: float, angle: float
) -> None:
    vectors = np.random.default_rng(seed).standard_normal((n_frames, 59)) * ([expression] * 50 + [angle] * 9)
    sequence = clip(FlameParams.from_vectors(vectors))
    sequence.params.eyes[:] = angle * np.random.default_rng(seed + 1).standard_normal((n_frames, 6))
    animation = animation_of(subject(head), sequence)
    truth = subject(head).vertices(sequence.params)
    played = np.concatenate(list(animation.chunks()))
    error = np.linalg.norm(played - truth, axis=2).max()
    assert error < 5e-5
    assert largest_error(animation, subject(head), sequence) == pytest.approx(error)


def test_joints_that_only_turned_would_miss() -> None:
    """What the moving joints are for: without their translation the same animation is wrong."""
    sequence = clip(singing(20))
    animation = animation_of(subject("FLAME layout"), sequence)
    still = flame_joints(subject("FLAME layout"), FlameParams.zeros(20))
    turning = replace(animation, joints=replace(animation.joints, translations=still.translations))
    assert largest_error(animation, subject("FLAME layout"), sequence) < 5e-5
    assert largest_error(turning, subject("FLAME layout"), sequence) > 1e-4


def test_rotations_never_jump_to_the_other_of_two_equal_quaternions() -> None:
    turning = FlameParams.zeros(40)
    turning.global_pose[:, 1] = np.linspace(-6, 6, 40)
    rotations = flame_joints(subject("stand-in"), turning).rotations[:, 0]
    assert (rotations[1:] * rotations[:-1]).sum(axis=1).min() > 0.9


def generated(vertices: np.ndarray) -> VertexSequence:
    file = StoredFile(Path("clip.npy"))
    return VertexSequence("clip", file, vertices.astype(np.float32), np.arange(len(vertices), dtype=float))


@pytest.mark.parametrize("head", HEADS)
def test_generated_vertices_need_some_more_displacements_than_components_made_them(head: str) -> None:
    params = singing(150)
    params.expression[:, 12:] = 0
    params.neck[:] = 0
    sequence = generated(subject(head).vertices(params))
    animation = animation_of(subject(head), sequence)
    assert largest_error(animation, subject(head), sequence) < 5e-5
    assert 12 <= len(animation.basis.names) < 45
    turned = animation.joints.rotations[:, 0]
    assert np.linalg.norm(turned[:, :3], axis=1).max() > 0.1, "the head's rotation is the joint's"


def test_vertices_that_shake_each_on_its_own_need_a_displacement_a_frame() -> None:
    still = subject("stand-in").template
    shaken = still + np.random.default_rng(0).normal(0, 1e-3, (9, *still.shape))
    sequence = generated(shaken)
    animation = animation_of(subject("stand-in"), sequence)
    assert len(animation.basis.names) == 8
    assert largest_error(animation, subject("stand-in"), sequence) < 5e-5


def test_vertices_that_stand_still_need_none() -> None:
    sequence = generated(np.repeat(subject("stand-in").template[None], 5, axis=0))
    assert animation_of(subject("stand-in"), sequence).basis.names == ()


def test_a_frame_that_cannot_be_drawn_is_named() -> None:
    vertices = np.repeat(subject("stand-in").template[None], 70, axis=0)
    vertices[65, 3] = 1e3
    with pytest.raises(InputError, match=r"clip.npy: frame 65: vertices lie 1000 m"):
        list(checked_motion(subject("stand-in"), generated(vertices), head_scene(subject("stand-in"))))
