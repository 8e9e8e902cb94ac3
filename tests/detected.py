"""The stand-in head's 68 landmarks beside those of an independent detector: dlib's, trained on iBUG 300-W.

``python tests/detected.py`` prints the report. Errors are shares of the distance between the outer corners of the eyes
(landmarks 36 and 45 of the model), the norm of 300-W.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.landmarks import LandmarkSet
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.render.camera import fixed_camera
from singinghead.render.scene import head_scene
from singinghead.render.software import SoftwareRasterizer

Floats = NDArray[np.float64]

SIZE = 512
INNER, JAW_LINE = slice(17, 68), slice(0, 17)

IDENTITIES = ("mean", "seed 1", "seed 2", "seed 3", "seed 4")
# Activations of units, and the jaw's angle about x in radians.
EXPRESSIONS: dict[str, tuple[dict[str, float], float]] = {
    "neutral": ({}, 0.0),
    "jaw open 0.15": ({}, 0.15),
    "jaw open 0.3": ({}, 0.3),
    "smile": ({"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7}, 0.0),
    "pucker": ({"mouthPucker": 0.7}, 0.0),
    "half blink": ({"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}, 0.0),
    "brows up": ({"browInnerUp": 0.8, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8}, 0.0),
    "brows down": ({"browDownLeft": 0.8, "browDownRight": 0.8}, 0.0),
    "mouth stretch": ({"mouthStretchLeft": 0.7, "mouthStretchRight": 0.7}, 0.08),
    "sung o": ({"mouthFunnel": 0.6, "browInnerUp": 0.3}, 0.2),
}
YAWS = tuple(range(-40, 41, 5))


def shape_code(identity: str, n: int = 100) -> Floats:
    """(n,) identity coefficients: none for the mean, else the seed's draw from the model's normal distribution."""
    return np.zeros(n) if identity == "mean" else np.random.default_rng(int(identity.split()[1])).standard_normal(n)


class Detector:
    """dlib's frontal face detector and 68-point predictor, with the weights of ``face_recognition_models``."""

    def __init__(self) -> None:
        import dlib

        spec = importlib.util.find_spec("face_recognition_models")
        assert spec is not None
        assert spec.submodule_search_locations
        weights = Path(spec.submodule_search_locations[0]) / "models" / "shape_predictor_68_face_landmarks.dat"
        self._find: Any = dlib.get_frontal_face_detector()
        self._predict: Any = dlib.shape_predictor(str(weights))

    def __call__(self, picture: NDArray[np.uint8]) -> Floats | None:
        """(68, 2) pixels, None where no face is found."""
        found = self._find(picture, 0)
        if not found:
            return None
        largest = max(found, key=lambda box: box.area())
        return np.array([(point.x, point.y) for point in self._predict(picture, largest).parts()], np.float64)


@dataclass(frozen=True)
class Comparison:
    """One picture: what the detector sees, and where the model has it.

    Attributes:
        seen: (68, 2) pixels; None where no face is found.
        known: (68, 2) pixels.
        picture: (SIZE, SIZE, 3).
    """

    seen: Floats | None
    known: Floats
    picture: NDArray[np.uint8]

    def error(self, points: slice) -> float:
        """Mean distance over some of the points, in percent of the distance between the outer corners of the eyes."""
        if self.seen is None:
            return float("nan")
        offsets = self.seen[points] - self.known[points]
        distances = np.linalg.norm(offsets, axis=1)
        return float(100 * distances.mean() / np.linalg.norm(self.known[36] - self.known[45]))


class Comparer:
    """Draws one subject in many poses and detects it."""

    def __init__(self, head: StandIn, identity: str, detect: Detector) -> None:
        self._head, self._detect = head, detect
        self._subject = FlameModel(head.arrays).with_shape(shape_code(identity))
        self._camera = fixed_camera(self._subject)
        self._rasterizer = SoftwareRasterizer(head_scene(self._subject), self._camera, SIZE)

    def compare(self, expression: str = "neutral", yaw: float = 0.0, kind: LandmarkSet = "full") -> Comparison:
        """One frame; yaw of the head in degrees, positive to the subject's left."""
        units, jaw = EXPRESSIONS[expression]
        params = self._head.blend(**units).params
        params.global_pose[0, 1], params.jaw[0, 0] = np.radians(yaw), jaw
        picture = self._rasterizer.draw(self._subject.vertices(params)[0])
        known = self._camera.project(self._subject.landmarks(params, kind)[0], SIZE)[:, :2]
        return Comparison(self._detect(picture), known, picture)


def compare_ahead(comparers: Sequence[Comparer]) -> list[list[Comparison]]:
    """Every identity (rows) in every expression (columns), facing the camera."""
    return [[comparer.compare(expression) for expression in EXPRESSIONS] for comparer in comparers]


def errors(rows: Sequence[Sequence[Comparison]], points: slice) -> Floats:
    """Percent of the inter-ocular distance, NaN where no face was found."""
    return np.array([[found.error(points) for found in row] for row in rows])


def report() -> str:
    """Two tables in Markdown: errors by expression and identity, and what is found by yaw."""
    detect, head = Detector(), load_stand_in()
    comparers = [Comparer(head, identity, detect) for identity in IDENTITIES]
    ahead = compare_ahead(comparers)
    inner, jaw_line = errors(ahead, INNER), errors(ahead, JAW_LINE)
    lines = [_row("inner 51 points, %", *IDENTITIES, "all", "jaw line"), _row(*["---"] * 8)]
    for column, expression in enumerate(EXPRESSIONS):
        lines.append(_row(expression, *inner[:, column], np.mean(inner[:, column]), np.mean(jaw_line[:, column])))
    lines += [_row("all", *inner.mean(axis=1), inner.mean(), jaw_line.mean())]
    lines += [_row("jaw line", *jaw_line.mean(axis=1), jaw_line.mean(), ""), ""]
    lines += [_row("yaw", "found", "inner 51, %", "jaw line, %", "contour, %"), _row(*["---"] * 5)]
    for yaw in YAWS:
        full, contour = ([comparer.compare(yaw=yaw, kind=kind) for comparer in comparers] for kind in ("full", "contour"))
        found = sum(comparison.seen is not None for comparison in full)
        means = [np.nanmean(errors([row], points)) for row, points in ((full, INNER), (full, JAW_LINE), (contour, JAW_LINE))]
        lines.append(_row(f"{yaw}°", f"{found}/{len(full)}", *means))
    return "\n".join(lines)


def _row(*cells: object) -> str:
    return "| " + " | ".join(f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    print(report())
