"""What FID and KID see of a frame: 2,048 features of the Inception network of 2015, after clean-fid's resizing.

The network is torch-fidelity's port of the original one. The resizing is that of G. Parmar, R. Zhang and J.-Y. Zhu, "On
aliased resizing and surprising subtleties in GAN evaluation", CVPR 2022: each channel as floating-point numbers, Pillow's
antialiased bicubic filter to 299 x 299, cut to 0 to 255 and not rounded.
"""

from __future__ import annotations

import io
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from singinghead.metrics.networks import check_batch, exact_inference, fitting, read_state_dict

if TYPE_CHECKING:
    import torch

SIZE = 299
N_FEATURES = 2048

_LAYERS = (
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "MaxPool_2",
    "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
    "Mixed_7a", "Mixed_7b", "Mixed_7c", "AvgPool",
)  # fmt: skip


class Inception:
    """The network, on one device.

    Args:
        weights: torch-fidelity's ``weights-inception-2015-12-05-6726825d.pth``.
        device: ``cpu``, ``cuda`` or another of torch's.

    Raises:
        InputError: a file that holds other weights.
    """

    def __init__(self, weights: str | PathLike[str], device: str = "cpu") -> None:
        import torch
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        content = io.BytesIO()  # torch-fidelity would unpickle the file with no restriction: it gets what was read with one
        torch.save(read_state_dict(weights), content)
        content.seek(0)
        with fitting(weights):
            network = FeatureExtractorInceptionV3("inception", [str(N_FEATURES)], feature_extractor_weights_path=content)
        self._layers = [getattr(network, name).to(device) for name in _LAYERS]
        self.device = device

    def features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The features of each frame.

        Args:
            frames: (N, H, W, 3) uint8 sRGB, of any size.

        Returns:
            (N, 2048) float32, each frame's, within rounding, independent of the others.

        Raises:
            InputError: another shape or type.
        """
        import torch

        check_batch("frames", frames)
        resized = torch.from_numpy(np.stack([cleanly_resized(frame) for frame in frames])).to(self.device)
        with exact_inference():
            activation: torch.Tensor = (resized - 128) / 128
            for layer in self._layers:
                activation = layer(activation)
            features: NDArray[np.float32] = np.asarray(activation.flatten(1).cpu(), np.float32)
        return features


def cleanly_resized(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """One frame (H, W, 3) uint8 as (3, 299, 299) float32, 0 to 255."""
    channels = [Image.fromarray(channel.astype(np.float32)) for channel in np.moveaxis(frame, 2, 0)]
    resized = [np.asarray(channel.resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for channel in channels]
    cut: NDArray[np.float32] = np.clip(np.stack(resized), 0, 255)
    return cut
