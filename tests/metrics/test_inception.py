"""The Inception network's plumbing against torch-fidelity's own, with the same random weights; and clean-fid's resizing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import written_networks
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from singinghead.flame_model.errors import InputError
from singinghead.metrics.inception import N_FEATURES, SIZE, Inception, cleanly_resized


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_networks.write_inception(tmp_path_factory.mktemp("weights") / "inception.pth")


@pytest.fixture(scope="module")
def network(weights: Path) -> Inception:
    return Inception(weights)


def test_features_equal_torch_fidelitys(network: Inception, weights: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)  # a size neither one resizes
    reference = FeatureExtractorInceptionV3("reference", [str(N_FEATURES)], feature_extractor_weights_path=str(weights))
    with torch.no_grad():
        (expected,) = reference(torch.tensor(frames).permute(0, 3, 1, 2))
    features = network.features(frames)
    assert features.shape == (2, N_FEATURES)
    assert features.dtype == np.float32
    assert np.ptp(features) > 0.1
    assert features == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-4 * float(np.abs(features).max()))


def test_a_frames_features_are_the_same_in_any_batch_and_every_time(network: Inception) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)
    together = network.features(frames)
    assert np.array_equal(together, network.features(frames))
    alone = np.concatenate([network.features(frame[None]) for frame in frames])
    assert together == pytest.approx(alone, abs=1e-5 * float(np.abs(alone).max()))


def test_resizing_keeps_levels_and_size_and_averages_fine_stripes() -> None:
    flat = np.full((128, 96, 3), (10, 120, 250), np.uint8)
    resized = cleanly_resized(flat)
    assert resized.shape == (3, SIZE, SIZE)
    assert resized.dtype == np.float32
    assert np.abs(resized - np.array([10, 120, 250])[:, None, None]).max() < 1e-3
    stripes = np.zeros((4 * SIZE, 4 * SIZE, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(cleanly_resized(stripes)[:, 4:-4, 4:-4] - 127.5).max() < 3


def test_resizing_is_not_rounded_and_does_not_overshoot() -> None:
    edge = np.zeros((64, 64, 3), np.uint8)
    edge[:, 32:] = 255
    resized = cleanly_resized(edge)
    assert (resized.min(), resized.max()) == (0, 255)  # bicubic rings at edges; cut off
    assert np.any(resized != np.round(resized))


def test_a_frame_of_its_own_size_is_left_alone() -> None:
    frame = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    assert np.array_equal(cleanly_resized(frame), np.moveaxis(frame, 2, 0))


def test_other_weights_are_one_clear_line(tmp_path: Path) -> None:
    torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "part.pth")
    with pytest.raises(InputError, match=r"part\.pth: weights of another network: Missing") as caught:
        Inception(tmp_path / "part.pth")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("shape", [(2, 8, 8), (0, 8, 8, 3), (1, 8, 8, 4)])
def test_other_shapes_are_refused(network: Inception, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="frames must have shape"):
        network.features(np.zeros(shape, np.uint8))
