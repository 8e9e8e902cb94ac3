"""FAN (Bulat and Tzimiropoulos 2017) by the ``face-alignment`` package, whose landmarks the benchmark's authors used.

The package would download its networks; here they come from files, or it is said what is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import UnavailableError
from singinghead.metrics.faces.backends import Frame
from singinghead.metrics.weights import require_weights


class FanLandmarks:
    """The s3fd detector and 2DFAN-4; see :class:`~singinghead.metrics.faces.backends.LandmarkFinder`.

    Args:
        weights: the folder that is searched first for the two networks.

    Raises:
        UnavailableError: the package or a network is not on this machine.
        InputError: a network is not the published one.
    """

    name = "fan"

    def __init__(self, weights: Path | None = None) -> None:
        detector, landmarks = (require_weights(name, weights) for name in ("s3fd", "fan"))
        self._alignment = _alignment(detector.path, landmarks.path)
        self.version = f"face-alignment {_version()}, {detector.sha256[:8]}, {landmarks.sha256[:8]}"

    def find(self, frame: Frame) -> Floats | None:
        """(68, 2) pixels, or None where no face is found."""
        boxes = [np.asarray(box) for box in self._alignment.face_detector.detect_from_image(frame.copy())]
        if not boxes:
            return None
        largest = max(boxes, key=lambda box: ((box[2] - box[0]) * (box[3] - box[1]), box[4]))
        (points,) = self._alignment.get_landmarks_from_image(frame, detected_faces=[largest])
        return np.asarray(points, np.float64)


def _alignment(detector: Path, landmarks: Path) -> Any:
    try:
        import face_alignment
        import torch
        from face_alignment.models import FAN
    except ImportError as error:
        raise UnavailableError(
            f"face-alignment is not in this environment: {error}", remedy="pip install -c constraints.txt -e '.[fan]'"
        ) from None

    class FromFiles(face_alignment.FaceAlignment):  # type: ignore[misc]
        def _load_native(self, network_name: str, network_size: int, device: str, dtype: torch.dtype) -> Any:
            network = FAN(network_size)
            network.load_state_dict(torch.load(landmarks, map_location=device, weights_only=True))  # noqa: TID251
            return network.to(device, dtype=dtype).eval()

    return FromFiles(
        face_alignment.LandmarksType.TWO_D,
        device="cpu",
        compile=False,
        face_detector="sfd",
        face_detector_kwargs={"path_to_detector": str(detector)},
    )


def _version() -> str:
    import importlib.metadata

    return importlib.metadata.version("face-alignment")
