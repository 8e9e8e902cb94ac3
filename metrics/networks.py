"""What the networks share: weights read without running them, and numbers that are the same every time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError

if TYPE_CHECKING:
    import torch

_LARGEST_BYTES = 1 << 30


def read_state_dict(path: str | PathLike[str]) -> dict[str, torch.Tensor]:
    """A network's weights by name, on the CPU.

    Raises:
        InputError: there is no such file, it is larger than 1 GB, asks for more than tensors, or holds NaN or infinity.
    """
    import torch

    path = Path(path)
    if not path.is_file():
        raise InputError("no such file", file=path)
    if path.stat().st_size > _LARGEST_BYTES:
        raise InputError("more than 1 GB: not the weights of a network of ours", file=path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251, refuses all but tensors
    except Exception as error:  # a garbled file can raise nearly anything
        reason = str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
        raise InputError(f"not readable weights: {reason}", file=path, remedy="is it complete?") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError("not a dictionary of tensors, as weights are", file=path)
    for name, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise InputError(f"{name} holds NaN or infinity", file=path)
    return dict(state)


@contextlib.contextmanager
def fitting(path: str | PathLike[str]) -> Iterator[None]:
    """Say in one line, with the file's name, that weights are another network's.

    Raises:
        InputError: in place of torch's RuntimeError, with the first of its complaints.
    """
    try:
        yield
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        complaint = (lines[1] if len(lines) > 1 else lines[0])[:200]
        raise InputError(f"weights of another network: {complaint}", file=path) from error


@contextlib.contextmanager
def exact_inference() -> Iterator[None]:
    """No gradients, no TF32, no choice of algorithms by their speed: the same numbers in every run on one machine."""
    import torch

    with torch.inference_mode(), torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False):
        yield


def check_batch(name: str, frames: NDArray[np.uint8], smallest: int = 1) -> None:
    """Refuse what is not a batch of frames.

    Raises:
        InputError: not (N, H, W, 3) uint8, empty, or smaller than ``smallest`` pixels.
    """
    if frames.dtype != np.uint8:
        raise InputError(f"{name} must be uint8, 0 to 255; got {frames.dtype}")
    if frames.ndim != 4 or frames.shape[3] != 3 or not frames.size or min(frames.shape[1:3]) < smallest:
        raise InputError(f"{name} must have shape (N, H, W, 3), H and W at least {smallest}; got {frames.shape}")
