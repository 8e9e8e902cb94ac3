"""How far vertices lie from the ground truth's: LVE, VE and MVE.

Conventions:
    Vertices are in metres, (T, V, 3), at zero head pose with the jaw kept, of the ground truth's identity. Predictions may
    have leading axes, e.g. one of samples: (S, T, V, 3). Results are in mm (m² where squared), of the leading axes. 0 is a
    perfect prediction, and lower is better.

Sources:
    LVE: Richard et al. 2021, MeshTalk, over the frames' largest lip distances. CodeTalker's ``main/cal_metric.py``, ScanTalk
    and torchmetrics' ``lip_vertex_error`` square the distance, the SingingHead benchmark does not: here both, by name.
    MVE: Nocentini et al., ScanTalk. Best of samples: ProbTalk3D's coverage error, over whole sequences.
"""

from __future__ import annotations

from collections.abc import Mapping

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import check_shape
from singinghead.metrics.numpy_or_torch import Array, largest, length, rows, smallest

MM = 1000.0
"""Millimetres in a metre."""


def lip_error_curve(prediction: Array, truth: Array, lips: Array) -> Array:
    """The largest lip distance of each frame.

    Args:
        prediction: (..., T, V, 3) metres.
        truth: (T, V, 3) metres.
        lips: (N,) indices of the lips' vertices.

    Returns:
        (..., T) mm, from 0.
    """
    check_vertices(prediction, truth)
    return MM * largest(length(rows(prediction, lips) - rows(truth, lips)))


def lip_vertex_error(prediction: Array, truth: Array, lips: Array) -> Array:
    """``lve_l2_mm``: mean over t of max over lip vertices of ||p - g||, in mm; arguments of :func:`lip_error_curve`."""
    return lip_error_curve(prediction, truth, lips).mean(-1)


def lip_vertex_error_squared(prediction: Array, truth: Array, lips: Array) -> Array:
    """``lve_sq_m2``: mean over t of max over lip vertices of ||p - g||², in m²; what most papers print as LVE."""
    return ((lip_error_curve(prediction, truth, lips) / MM) ** 2).mean(-1)


def distances(prediction: Array, truth: Array) -> Array:
    """How far each vertex lies from the ground truth's: what the other functions take means and maxima of.

    Args:
        prediction: (..., T, V, 3) metres.
        truth: (T, V, 3) metres.

    Returns:
        (..., T, V) mm, from 0.
    """
    check_vertices(prediction, truth)
    return MM * length(prediction - truth)


def vertex_error_curve(prediction: Array, truth: Array, region: Array | None = None) -> Array:
    """The mean distance of each frame, over a region or over all vertices.

    Args:
        prediction: (..., T, V, 3) metres.
        truth: (T, V, 3) metres.
        region: (N,) indices of vertices, or None for all.

    Returns:
        (..., T) mm, from 0.
    """
    check_vertices(prediction, truth)
    return MM * length(rows(prediction, region) - rows(truth, region)).mean(-1)


def vertex_error(prediction: Array, truth: Array, region: Array | None = None) -> Array:
    """``ve_mm`` over the face, ``mve_mm`` over all: mean over t and v of ||p - g||; see :func:`vertex_error_curve`."""
    return vertex_error_curve(prediction, truth, region).mean(-1)


def errors_by_region(prediction: Array, truth: Array, regions: Mapping[str, Array]) -> dict[str, Array]:
    """:func:`vertex_error` over each of some named regions, in mm."""
    return {name: vertex_error(prediction, truth, region) for name, region in regions.items()}


def best_sample(errors: Array) -> Array:
    """``*_min``: the smallest of (S, ...) errors of whole sequences, over the samples; at most their mean."""
    return smallest(errors, 0)


def check_vertices(prediction: Array, truth: Array) -> None:
    """Require vertices of the same frames and the same mesh.

    Raises:
        InputError: which names the argument.
    """
    n_frames, n_vertices = check_shape("truth", truth, "T", "V", 3)
    if tuple(prediction.shape[-3:]) != (n_frames, n_vertices, 3):
        raise InputError(f"prediction must have shape (..., {n_frames}, {n_vertices}, 3); got {tuple(prediction.shape)}")
    if n_frames == 0:
        raise InputError("truth holds no frames")
