"""Weights of the right names and shapes and of seeded random numbers, for networks whose real ones may not be shipped."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchvision.models import alexnet


def drawn(names_and_shapes: dict[str, torch.Tensor], seed: int) -> dict[str, torch.Tensor]:
    """Random weights that keep activations in bounds, for tensors on the meta device."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, like in names_and_shapes.items():
        fan_in = max(like[0].numel(), 1) if like.dim() > 1 else 1
        values = torch.randn(like.shape, generator=generator) * (2 / fan_in) ** 0.5
        if name.endswith("running_var"):
            values = 0.5 + torch.rand(like.shape, generator=generator)
        elif name.endswith("bn.weight"):
            values = 1 + 0.1 * values
        elif like.dim() == 1:
            values = 0.1 * values
        state[name] = values.to(like.dtype)
    return state


def write_alexnet(path: Path, seed: int = 0) -> Path:
    """The trunk, and one small tensor of the classifier, which the published file holds too and nobody needs here."""
    with torch.device("meta"):
        state = alexnet(weights=None).features.state_dict()
    weights = {f"features.{name}": value for name, value in drawn(dict(state), seed).items()}
    torch.save(weights | {"classifier.6.bias": torch.zeros(1000)}, path)
    return path


class _Unfilled(FeatureExtractorInceptionV3):
    """The network's names and shapes, without weights."""

    def load_state_dict(self, *_arguments: object, **_options: object) -> None:
        pass


def write_inception(path: Path, seed: int = 0) -> Path:
    nothing = path.with_name("nothing.pth")
    torch.save({}, nothing)
    with torch.device("meta"):
        network: nn.Module = _Unfilled("inception", ["2048"], feature_extractor_weights_path=str(nothing))
    nothing.unlink()
    torch.save(drawn(dict(network.state_dict()), seed), path)
    return path
