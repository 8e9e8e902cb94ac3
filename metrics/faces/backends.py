"""The tools that look at faces, each known by its name. Their numbers differ, so the name is part of every metric's.

Conventions:
    Frames are (H, W, 3) uint8 sRGB. Landmarks are the 68 points of iBUG 300-W in pixels, x to the right and y down, where
    (0, 0) is the middle of the first pixel. Of several faces in a frame the largest counts (the largest box; of equal ones
    that of the highest score). Each frame is looked at alone: where no face is found there is none, and nothing is carried
    over from its neighbours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats

LandmarkBackend = Literal["dlib", "fan"]
IdentityBackend = Literal["dlib", "arcface"]

Frame = NDArray[np.uint8]
N_LANDMARKS = 68


class LandmarkFinder(Protocol):
    """Finds the landmarks of the largest face.

    Attributes:
        name: of the backend.
        version: what else its results depend on: libraries, weights.
    """

    name: str
    version: str

    def find(self, frame: Frame) -> Floats | None:
        """(68, 2) pixels, or None where no face is found."""
        ...


class IdentityEncoder(Protocol):
    """Turns a face into a vector that tells people apart by its direction.

    Attributes:
        name: of the backend.
        version: what else its results depend on: libraries, weights.
    """

    name: str
    version: str

    def encode(self, frame: Frame, landmarks: Floats) -> Floats:
        """(D,) of the face whose (68, 2) landmarks these are."""
        ...


def open_landmarks(name: LandmarkBackend, weights: Path | None = None) -> LandmarkFinder:
    """Open a landmark backend.

    Args:
        name: ``dlib`` or ``fan``.
        weights: the folder that is searched first.

    Raises:
        UnavailableError: a package or a file of weights is not on this machine; says which, and what to do.
        InputError: a file of weights is not the published one.
    """
    if name == "dlib":
        from singinghead.metrics.faces.with_dlib import DlibLandmarks

        return DlibLandmarks(weights)
    from singinghead.metrics.faces.with_fan import FanLandmarks

    return FanLandmarks(weights)


def open_identity(name: IdentityBackend, weights: Path | None = None) -> IdentityEncoder:
    """Open an identity backend: ``dlib`` or ``arcface``; arguments and errors as :func:`open_landmarks`'."""
    if name == "dlib":
        from singinghead.metrics.faces.with_dlib import DlibIdentity

        return DlibIdentity(weights)
    from singinghead.metrics.faces.with_arcface import ArcFaceIdentity

    return ArcFaceIdentity(weights)
