"""The networks that metrics need, and where their weights are looked for. Nothing is ever downloaded unasked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

ENVIRONMENT_VARIABLE = "SINGINGHEAD_WEIGHTS"


@dataclass(frozen=True)
class Network:
    """One file of weights.

    Attributes:
        name: what we call it.
        file: its published file name.
        needed_for: metrics, by name.
        sha256_prefix: the hash that its publisher put into the name, or empty where none is published.
    """

    name: str
    file: str
    needed_for: str
    sha256_prefix: str


NETWORKS = (
    Network("inception", "weights-inception-2015-12-05-6726825d.pth", "FID, KID", "6726825d"),
    Network("alexnet", "alexnet-owt-7be5be79.pth", "LPIPS", "7be5be79"),
    Network("fan", "2DFAN4-11f355bf06.pth.tar", "F-LMD and M-LMD by fan", "11f355bf06"),
    Network("s3fd", "s3fd-619a316812.pth", "F-LMD and M-LMD by fan", "619a316812"),
    Network("arcface", "w600k_r50.onnx", "CSIM by arcface", ""),
)


def search_folders(folder: str | PathLike[str] | None = None) -> list[Path]:
    """Where weights are looked for, in order: ``folder``, ``$SINGINGHEAD_WEIGHTS``, torch hub's cache."""
    torch_home = os.environ.get("TORCH_HOME") or Path.home() / ".cache" / "torch"
    given = [folder, os.environ.get(ENVIRONMENT_VARIABLE)]
    return [*(Path(place) for place in given if place), Path(torch_home) / "hub" / "checkpoints"]


def find_weights(network: Network, folder: str | PathLike[str] | None = None) -> Path | None:
    """The network's file, or None where it is in none of :func:`search_folders`."""
    return next((place / network.file for place in search_folders(folder) if (place / network.file).is_file()), None)
