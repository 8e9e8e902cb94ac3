"""FDD, the upper-face dynamics deviation: does the face above the mouth move as much as the ground truth's?

Conventions:
    A vertex's dynamics are the standard deviation over time of its squared displacement from the subject's neutral, in m².
    FDD is the ground truth's minus the prediction's, averaged over vertices: positive where the prediction is too still, 0
    at best. Over the upper face (forehead and eye region) without duplicates, at zero head pose.

Source:
    Xing et al. 2023, CodeTalker, ``main/cal_metric.py``: per sequence, population deviation, signed. ScanTalk adds the
    difference's size. The seed's formula lacks the neutral (see ``seed_formulas``).
"""

from __future__ import annotations

from dataclasses import dataclass

from singinghead.flame_model.shapes import check_shape
from singinghead.metrics.numpy_or_torch import Array, deviation, rows
from singinghead.metrics.vertex_errors import check_vertices


def squared_displacement(vertices: Array, neutral: Array, region: Array | None = None) -> Array:
    """(..., T, N) squared distances in m² of (..., T, V, 3) vertices from the (V, 3) neutral ones, both in metres."""
    moved = rows(vertices, region) - rows(neutral, region)
    return (moved * moved).sum(-1)


def upper_face_dynamics_deviation(prediction: Array, truth: Array, neutral: Array, upper_face: Array) -> Array:
    """``fdd_m2``: mean over v of std over t of ||g - n||² minus std over t of ||p - n||².

    Args:
        prediction: (..., T, V, 3) metres.
        truth: (T, V, 3) metres.
        neutral: (V, 3) the subject without expression, metres.
        upper_face: (N,) indices of vertices.

    Returns:
        (...,) m², signed; its size is ``fdd_abs_m2``. Nearest to 0 is best.
    """
    check_vertices(prediction, truth)
    check_shape("neutral", neutral, truth.shape[1], 3)
    theirs, ours = (squared_displacement(vertices, neutral, upper_face) for vertices in (truth, prediction))
    return deviation(theirs, -2, ddof=0).mean(-1) - deviation(ours, -2, ddof=0).mean(-1)


@dataclass
class RunningDeviation:
    """The deviation over time of values that come a chunk at a time (Chan, Golub and LeVeque 1983): memory stays flat.

    In float64, as the squares of displacements in metres lose half their digits in float32.
    """

    count: int = 0
    mean: Array = 0.0
    scatter: Array = 0.0

    def update(self, values: Array) -> None:
        """Take (..., T, N) values of some more frames."""
        n_new = values.shape[-2]
        mean = values.mean(-2)
        away = values - mean[..., None, :]
        total, step = self.count + n_new, mean - self.mean
        self.scatter = self.scatter + (away * away).sum(-2) + step * step * (self.count * n_new / total)
        self.mean = self.mean + step * (n_new / total)
        self.count = total

    def deviation(self, ddof: int = 0) -> Array:
        """(..., N) deviations of all frames taken."""
        return (self.scatter / (self.count - ddof)) ** 0.5
