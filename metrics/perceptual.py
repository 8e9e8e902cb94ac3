"""How different two frames look: LPIPS with AlexNet, version 0.1.

R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018. Five layers of an
AlexNet trained on ImageNet (torchvision's weights, a file of the user's), each unit-normalized over its channels; squared
differences weighted by the published heads (in the package ``lpips``), averaged over the picture and summed.

Convention: lower is better, 0 for identical frames. The network is made for values from -1 to 1, which is what it gets here.
The seed gives it 0 to 1, which lowers the contrast that it sees to a half: ``seed_range`` reproduces that.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.metrics.networks import check_batch, exact_inference, fitting, read_state_dict
from singinghead.metrics.weights import require_weights

if TYPE_CHECKING:
    import torch

_TAPS = (1, 4, 7, 9, 11)
"""The rectified outputs of AlexNet's five convolutions, by index in torchvision's ``features``."""

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""From -1 to 1, to the mean and spread that ImageNet's pictures were given to AlexNet with."""

_SMALLEST = 63  # AlexNet's pooling leaves nothing of less
_TINY = 1e-10


class Lpips:
    """The network, on one device.

    Args:
        trunk: torchvision's ``alexnet-owt-7be5be79.pth``.
        device: ``cpu``, ``cuda`` or another of torch's.

    Raises:
        InputError: a file that holds other weights.
        MissingWeightsError: the package ``lpips``, which brings the heads, is not installed.
    """

    def __init__(self, trunk: str | PathLike[str], device: str = "cpu") -> None:
        import torch
        from torchvision.models import alexnet

        heads = read_state_dict(require_weights("lpips_heads").path)
        features = {
            name.removeprefix("features."): value
            for name, value in read_state_dict(trunk).items()
            if not name.startswith("classifier.")
        }
        with torch.device("meta"):  # nothing drawn at random, only to be replaced
            self._trunk = alexnet(weights=None).features
        with fitting(trunk):
            self._trunk.load_state_dict(features, assign=True)
        for module in self._trunk:
            if isinstance(module, torch.nn.ReLU):
                module.inplace = False  # the taps are kept
        self._trunk.to(device, torch.float32).eval()
        self._heads = [heads[f"lin{layer}.model.1.weight"].to(device) for layer in range(len(_TAPS))]
        self._shift, self._scale = (torch.tensor(v, device=device)[:, None, None] for v in (_SHIFT, _SCALE))
        self.device = device

    def distances(
        self, frames: NDArray[np.uint8], truths: NDArray[np.uint8], seed_range: bool = False
    ) -> NDArray[np.float64]:
        """LPIPS of each frame to its true one.

        Args:
            frames: (N, H, W, 3) uint8 sRGB, at least 63 pixels high and wide.
            truths: the same.
            seed_range: give the network 0 to 1, as the seed does.

        Returns:
            (N,), 0 for identical frames.

        Raises:
            InputError: other shapes or types.
        """
        check_batch("frames", frames, _SMALLEST)
        check_batch("truths", truths, _SMALLEST)
        if frames.shape != truths.shape:
            raise InputError(f"frames {frames.shape} and truths {truths.shape} differ in shape")
        with exact_inference():
            total: torch.Tensor | float = 0.0
            layers = zip(self._layers(frames, seed_range), self._layers(truths, seed_range), self._heads, strict=True)
            for one, other, head in layers:
                difference = (one - other) ** 2
                total = total + (difference * head).sum(dim=1).mean(dim=(1, 2))
            result: NDArray[np.float64] = np.asarray(total.cpu(), np.float64)  # type: ignore[union-attr]
        return result

    def _layers(self, frames: NDArray[np.uint8], seed_range: bool) -> list[torch.Tensor]:
        import torch

        values = torch.tensor(frames, device=self.device).permute(0, 3, 1, 2).float() / 255
        activation = ((values if seed_range else 2 * values - 1) - self._shift) / self._scale
        layers = []
        for index, module in enumerate(self._trunk[: _TAPS[-1] + 1]):
            activation = module(activation)
            if index in _TAPS:
                layers.append(activation / (activation.square().sum(dim=1, keepdim=True).sqrt() + _TINY))
        return layers
