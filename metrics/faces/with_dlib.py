"""dlib with the weights that ``face_recognition_models`` ships: works offline wherever its packages are installed.

Faces are found by the frontal detector on histograms of gradients, which sees them from about 80 pixels up and to about 30
degrees of yaw; landmarks by the regression trees trained on iBUG 300-W (research licence); identities by the 128-d ResNet.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import UnavailableError
from singinghead.metrics.faces.backends import Frame
from singinghead.metrics.weights import require_weights

# The predictor rounds to whole pixels, and its trees compare single ones: twice the size halves the tremble of both. A
# head that moves by a known 1.22 pixels a frame is measured at 1.38 without it and 1.29 with it.
_ENLARGED = 2
_REMEDY = "pip install -c constraints.txt -e '.[metrics2d]'"


class DlibLandmarks:
    """A face detector and a shape predictor; see :class:`~singinghead.metrics.faces.backends.LandmarkFinder`.

    Args:
        weights: the folder that is searched before the package that ships them.

    Raises:
        UnavailableError: dlib or its weights are not installed.
    """

    name = "dlib"

    def __init__(self, weights: Path | None = None) -> None:
        self._dlib = _dlib()
        trees = require_weights("dlib_landmarks", weights)
        self.version = f"dlib {self._dlib.__version__} x{_ENLARGED}, {trees.sha256[:8]}"
        self._detector: Any = self._dlib.get_frontal_face_detector()
        self._predictor: Any = self._dlib.shape_predictor(str(trees.path))

    def find(self, frame: Frame) -> Floats | None:
        """(68, 2) pixels, or None where no face is found."""
        boxes, scores, _kinds = self._detector.run(np.ascontiguousarray(frame), 0, 0.0)
        if not boxes:
            return None
        box, _score = max(zip(boxes, scores, strict=True), key=lambda found: (found[0].area(), found[1]))
        return self._landmarks(frame, box)

    def _landmarks(self, frame: Frame, box: Any) -> Floats:
        height, width = frame.shape[:2]
        margin = box.width() // 2
        left, top = max(0, box.left() - margin), max(0, box.top() - margin)
        right, bottom = min(width, box.right() + 1 + margin), min(height, box.bottom() + 1 + margin)
        enlarged = Image.fromarray(frame[top:bottom, left:right]).resize(
            ((right - left) * _ENLARGED, (bottom - top) * _ENLARGED), Image.Resampling.BILINEAR
        )
        box_there = self._dlib.rectangle(
            (box.left() - left) * _ENLARGED,
            (box.top() - top) * _ENLARGED,
            (box.right() + 1 - left) * _ENLARGED - 1,
            (box.bottom() + 1 - top) * _ENLARGED - 1,
        )
        parts = self._predictor(np.asarray(enlarged), box_there).parts()
        found = np.array([(point.x, point.y) for point in parts], np.float64)
        return np.asarray((found + 0.5) / _ENLARGED - 0.5 + (left, top))


class DlibIdentity:
    """A 128-d embedding; see :class:`~singinghead.metrics.faces.backends.IdentityEncoder`.

    It was trained for Euclidean distances (0.6 parts people), so that cosines are high throughout: 0.9 is another person.

    Args:
        weights: the folder that is searched before the package that ships them.

    Raises:
        UnavailableError: dlib or its weights are not installed.
    """

    name = "dlib"

    def __init__(self, weights: Path | None = None) -> None:
        self._dlib = _dlib()
        network = require_weights("dlib_identity", weights)
        self.version = f"dlib {self._dlib.__version__}, {network.sha256[:8]}"
        self._network: Any = self._dlib.face_recognition_model_v1(str(network.path))

    def encode(self, frame: Frame, landmarks: Floats) -> Floats:
        """(128,) of the face whose (68, 2) landmarks these are."""
        height, width = frame.shape[:2]
        points = [self._dlib.point(int(x), int(y)) for x, y in np.round(landmarks)]
        face = self._dlib.full_object_detection(self._dlib.rectangle(0, 0, width - 1, height - 1), points)
        return np.array(self._network.compute_face_descriptor(np.ascontiguousarray(frame), face), np.float64)


def _dlib() -> ModuleType:
    try:
        import dlib
    except ImportError as error:
        raise UnavailableError(f"dlib is not in this environment: {error}", remedy=_REMEDY) from None
    module: ModuleType = dlib
    return module
