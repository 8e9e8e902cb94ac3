"""The networks and detectors of the 2D metrics, opened once a process; what cannot be had is said, not replaced."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from singinghead.flame_model.errors import UnavailableError
from singinghead.metrics.definitions import SEED_2D, Metric, Protocol, corrected_2d
from singinghead.metrics.faces.backends import (
    IdentityBackend,
    IdentityEncoder,
    LandmarkBackend,
    LandmarkFinder,
    open_identity,
    open_landmarks,
)
from singinghead.metrics.weights import require_weights

if TYPE_CHECKING:
    from singinghead.metrics.inception import Inception
    from singinghead.metrics.perceptual import Lpips

Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Measuring2D:
    """How videos are measured; the same for all of them.

    Attributes:
        protocol: ``corrected``, or ``seed`` for its names and formulas.
        size: of the frames, pixels.
        every: frames and their landmarks are compared at every n-th frame of 30 a second; beats take them all.
        landmarks: the backend that finds them.
        identity: the backend that tells people apart.
        weights: the folder that is searched first for networks.
    """

    protocol: Protocol = "corrected"
    size: int = 256
    every: int = 1
    landmarks: LandmarkBackend = "dlib"
    identity: IdentityBackend = "dlib"
    weights: Path | None = None

    @property
    def definitions(self) -> tuple[Metric, ...]:
        """The columns."""
        return SEED_2D if self.protocol == "seed" else corrected_2d(self.landmarks, self.identity)

    @property
    def pooled(self) -> tuple[str, ...]:
        """Metrics of all frames at once."""
        return ("FID",) if self.protocol == "seed" else ("fid_clean", "kid_clean")


@dataclass(frozen=True)
class Instruments:
    """What is there to measure with.

    Attributes:
        landmarks: finds them; None without its packages or weights.
        identity: tells people apart, likewise; None too where landmarks are.
        perceptual: LPIPS, likewise.
        inception: for FID and KID, likewise.
        lacking: of those that are None, why.
        versions: of those that are there.
    """

    landmarks: LandmarkFinder | None
    identity: IdentityEncoder | None
    perceptual: Lpips | None
    inception: Inception | None
    lacking: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@functools.lru_cache(maxsize=2)
def open_instruments(measuring: Measuring2D) -> Instruments:
    """Open all that can be opened; each is opened once in a process.

    Raises:
        InputError: a file of weights is there, but broken.
    """
    lacking: dict[str, str] = {}
    versions: dict[str, str] = {}

    def attempt(name: str, opening: Callable[[], Opened]) -> Opened | None:
        try:
            return opening()
        except UnavailableError as error:
            lacking[name] = str(error)
            return None

    landmarks = attempt("landmarks", lambda: open_landmarks(measuring.landmarks, measuring.weights))
    identity = None
    if measuring.protocol == "corrected":
        identity = attempt("identity", lambda: open_identity(measuring.identity, measuring.weights))
        if landmarks is None:
            identity, lacking["identity"] = None, lacking["landmarks"]
    perceptual = attempt("perceptual", lambda: _perceptual(measuring.weights, versions))
    inception = attempt("inception", lambda: _inception(measuring.weights, versions))
    if landmarks is not None:
        versions["landmarks"] = landmarks.version
    if identity is not None:
        versions["identity"] = identity.version
    return Instruments(landmarks, identity, perceptual, inception, lacking, versions)


def _perceptual(weights: Path | None, versions: dict[str, str]) -> Lpips:
    trunk = require_weights("alexnet", weights)
    _need("torchvision")
    from singinghead.metrics.perceptual import Lpips

    network = Lpips(trunk.path)
    versions["lpips_alex"] = f"{trunk.sha256[:8]}, torch {importlib.metadata.version('torch')}"
    return network


def _inception(weights: Path | None, versions: dict[str, str]) -> Inception:
    weights_file = require_weights("inception", weights)
    _need("torch_fidelity")
    from singinghead.metrics.inception import Inception

    network = Inception(weights_file.path)
    versions["inception"] = f"{weights_file.sha256[:8]}, torch {importlib.metadata.version('torch')}"
    return network


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise UnavailableError(
            f"{package} is not in this environment", remedy="pip install -c constraints.txt -e '.[metrics2d]'"
        )
