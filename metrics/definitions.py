"""Every metric's name, unit and direction: what a table prints beside a number. Formulas stand with their functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "zero", "truth"]
"""Which value is the best: the lowest, the highest, that nearest to 0, or that nearest to the ground truth's own."""

Protocol = Literal["corrected", "seed"]


@dataclass(frozen=True)
class Metric:
    """One column of a table.

    Attributes:
        name: as the contract spells it; definition and unit are part of it, where two definitions exist.
        unit: ``mm``, ``m2``, ``deg``; empty for a pure number.
        better: which value is the best.
        meaning: one line for people.
    """

    name: str
    unit: str
    better: Better
    meaning: str


REGIONS_3D = ("lips", "eye_region", "forehead", "nose")
"""Regions whose vertex error has a column of its own."""

_BEST = "; of each sequence its best sample"
_ALL_PARAMS = "expression, head and jaw as one vector"


def _with_best(metric: Metric) -> tuple[Metric, Metric]:
    """A metric, and the same of each sequence's best sample."""
    return metric, Metric(f"{metric.name}_min", metric.unit, metric.better, metric.meaning + _BEST)


def beat_metrics(name: str, what: str) -> tuple[Metric, ...]:
    """The five numbers of beat alignment: ``name`` and its variants."""
    return (
        Metric(name, "", "higher", f"beats of the sound that {what} meets"),
        Metric(f"{name}_precision", "", "higher", f"beats of {what} that the sound meets"),
        Metric(f"{name}_f1", "", "higher", f"beats of sound and of {what} that pair within 70 ms"),
        Metric(f"{name}_over_chance", "", "higher", f"{name} less its mean over circular shifts"),
        Metric(f"{name}_z", "", "higher", f"{name}_over_chance in deviations of those shifts"),
    )


_ERRORS = (
    Metric("lve_l2_mm", "mm", "lower", "largest lip distance of a frame"),
    Metric("lve_sq_m2", "m2", "lower", "largest squared lip distance of a frame"),
    Metric("ve_mm", "mm", "lower", "mean distance over the face"),
    Metric("mve_mm", "mm", "lower", "mean distance over all vertices"),
    Metric("fdd_m2", "m2", "zero", "upper-face dynamics, ground truth minus prediction"),
    Metric("fdd_abs_m2", "m2", "lower", "upper-face dynamics, size of the difference"),
    Metric("dist_params", "", "lower", f"L2 of {_ALL_PARAMS}"),
    Metric("dist_pose_rad", "rad", "lower", "L2 of global and neck rotation vectors"),
    Metric("head_rotation_deg", "deg", "lower", "angle between the heads' rotations"),
)

CORRECTED_3D: tuple[Metric, ...] = (
    *(column for metric in _ERRORS for column in _with_best(metric)),
    *(Metric(f"ve_mm_{region}", "mm", "lower", f"mean distance over {region}") for region in REGIONS_3D),
    Metric("diversity_params", "", "truth", f"L2 between samples of {_ALL_PARAMS}"),
    Metric("diversity_pose_rad", "rad", "truth", "L2 between samples of global and neck rotation vectors"),
    Metric("diversity_lmk_mm", "mm", "truth", "L2 between samples of the 68 landmarks, head pose kept"),
    Metric("diversity_verts_mm", "mm", "truth", "L2 between samples of all vertices, head pose zero"),
    Metric("diversity_face_mm", "mm", "truth", "L2 between samples of the face's vertices, head pose zero"),
    *beat_metrics("beat_lmk", "the landmarks' motion"),
    *beat_metrics("beat_pose", "the head's motion"),
    Metric("mouth_open_mm", "mm", "lower", "error of the mouth's opening"),
    Metric("mouth_open_dtw_mm", "mm", "lower", "error of the mouth's opening after time warping"),
    Metric("mouth_lag_ms", "ms", "zero", "how much later the mouth moves"),
    Metric("lip_closure_f1", "", "higher", "frames with closed lips that are found"),
    Metric("speech_lip_correlation", "", "truth", "correlation of loudness and the mouth's opening"),
    Metric("jitter_mm_s2", "mm/s2", "truth", "mean acceleration of vertices"),
    Metric("velocity_error_mm_s", "mm/s", "lower", "mean difference of vertex velocities"),
    Metric("head_motion_deg", "deg", "truth", "spread of the head's rotation about its mean"),
)
"""All 3D metrics of the corrected protocol, in the order of the tables."""

SEED_3D: tuple[Metric, ...] = (
    Metric("lve_mean", "m", "lower", "largest lip distance of a frame, mean of the samples"),
    Metric("lve_min", "m", "lower", "largest lip distance of a frame, best sample"),
    Metric("ve_mean", "m", "lower", "mean distance over the face, mean of the samples"),
    Metric("ve_min", "m", "lower", "distance over the face, smallest over samples at each vertex and frame"),
    Metric("fdd", "m2", "zero", "deviation over time of squared upper-face coordinates, ground truth minus prediction"),
    Metric("mindist", "", "lower", f"L2 of {_ALL_PARAMS}, best sample"),
    Metric("meandist", "", "lower", f"L2 of {_ALL_PARAMS}, mean of the samples"),
    Metric("mindist_pose", "rad", "lower", "L2 of global and neck rotation vectors, best sample"),
    Metric("meandist_pose", "rad", "lower", "L2 of global and neck rotation vectors, mean of the samples"),
    Metric("diversity", "", "truth", "L2 between samples of whole sequences of parameters"),
    Metric("diversity_pose", "rad", "truth", "L2 between samples of whole sequences of head rotations"),
    Metric("diversity_lmk", "m", "truth", "L2 between samples of whole sequences of landmarks"),
    Metric("diversity_verts", "m", "truth", "L2 between samples of whole sequences of vertices"),
    Metric("diversity_face", "m", "truth", "L2 between samples of whole sequences of the face's vertices"),
    Metric("ba_lmk", "", "higher", "beats of the sound that the landmarks' motion meets, on unequal clocks"),
    Metric("ba_pose", "", "higher", "beats of the sound that the head's motion meets, on unequal clocks"),
)
"""All 3D metrics of the seed protocol: its names, its formulas, metres and radians."""

METRICS_3D: dict[Protocol, tuple[Metric, ...]] = {"corrected": CORRECTED_3D, "seed": SEED_3D}


def corrected_2d(landmarks: str, identity: str) -> tuple[Metric, ...]:
    """All 2D metrics of the corrected protocol, in the order of the tables; names end in the backend that looks at faces.

    Args:
        landmarks: ``dlib`` or ``fan``.
        identity: ``dlib`` or ``arcface``.
    """
    return (
        Metric("psnr_db", "dB", "higher", "peak signal-to-noise ratio of a frame"),
        Metric("ssim", "", "higher", "structural similarity, uniform windows of 7 x 7"),
        Metric("ssim_wang", "", "higher", "structural similarity, Gaussian windows, as published"),
        Metric("cpbd", "", "truth", "share of edges too sharp to be seen as blurred"),
        Metric("lpips_alex", "", "lower", "perceptual distance, AlexNet"),
        Metric("fid_clean", "", "lower", "Fréchet distance of all frames' Inception features"),
        Metric("kid_clean", "", "lower", "kernel distance of all frames' Inception features"),
        Metric(f"f_lmd_px_{landmarks}", "px", "lower", "distance of the face's landmarks"),
        Metric(f"m_lmd_px_{landmarks}", "px", "lower", "distance of the mouth's landmarks"),
        Metric(f"f_lmd_iod_{landmarks}", "", "lower", "distance of the face's landmarks over that of the eyes' corners"),
        Metric(f"m_lmd_iod_{landmarks}", "", "lower", "distance of the mouth's landmarks over that of the eyes' corners"),
        *beat_metrics(f"beat_lmk_{landmarks}", "the landmarks' motion"),
        Metric(f"csim_{identity}", "", "higher", "cosine between embeddings of the face"),
    )


SEED_2D: tuple[Metric, ...] = (
    Metric("FID", "", "lower", "Fréchet distance of all frames' Inception features"),
    Metric("PSNR", "dB", "higher", "peak signal-to-noise ratio of a frame"),
    Metric("SSIM", "", "higher", "structural similarity, uniform windows of 7 x 7"),
    Metric("CPBD", "", "higher", "share of edges too sharp to be seen as blurred"),
    Metric("LPIPS", "", "lower", "perceptual distance, AlexNet given half of the contrast"),
    Metric("F-LMD", "px", "lower", "distance of the face's landmarks, the mouth's centred apart"),
    Metric("M-LMD", "px", "lower", "distance of the mouth's landmarks"),
    Metric("BA", "", "higher", "beats of the sound that the landmarks' motion meets, on unequal clocks"),
)
"""All 2D metrics of the seed protocol: its names and its formulas."""
