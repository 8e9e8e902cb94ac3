"""The corrected protocol's metrics of a clip's parameters, landmarks, mouth and beats: what needs no whole mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.params import FlameParams
from singinghead.metrics import mouth
from singinghead.metrics.beat_scores import BeatAlignment, beat_alignment, motion_beats
from singinghead.metrics.compiled_librosa import HOP, RATE
from singinghead.metrics.definitions import beat_metrics
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.mesh_measures import ONE_SAMPLE
from singinghead.metrics.motion_distance import (
    HEAD,
    head_rotation,
    head_rotation_error,
    point_diversity,
    vector_distance,
    vector_diversity,
)
from singinghead.metrics.smoothness import head_motion
from singinghead.metrics.sound_of_clip import Heard

if TYPE_CHECKING:
    import torch

NO_PARAMS = "the predictions are vertices, not parameters"
_LMK, _POSE = "beat_lmk", "beat_pose"
_DISTANCES = ("dist_params", "dist_pose_rad", "head_rotation_deg")


@dataclass(frozen=True)
class MovingHead:
    """One sample of one clip.

    Attributes:
        params: T frames; None of generated vertices.
        landmarks: (T, 68, 3) as posed, metres; None where the model has none.
        opening: (T,) of the mouth, mm; None likewise.
    """

    params: FlameParams | None
    landmarks: torch.Tensor | None
    opening: Floats | None


def head_points(params: FlameParams) -> Floats:
    """(T, 2, 3): global and neck rotation vectors as two points."""
    return params.to_vectors()[:, HEAD].reshape(len(params), 2, 3).astype(np.float64)


def put_distances(values: MeasuredValues, heads: Sequence[MovingHead], truth: FlameParams, n_best: int) -> None:
    """Distances of parameters to the truth's, and head motion."""
    known = [head.params for head in heads if head.params is not None]
    if len(known) < len(heads):
        values.lack((*_DISTANCES, *(f"{name}_min" for name in _DISTANCES), "head_motion_deg"), NO_PARAMS)
        return
    vectors, theirs = [params.to_vectors() for params in known], truth.to_vectors()
    distances = (
        [float(vector_distance(vector, theirs)) for vector in vectors],
        [float(vector_distance(vector[:, HEAD], theirs[:, HEAD])) for vector in vectors],
        [head_rotation_error(params, truth) for params in known],
    )
    for name, of_samples in zip(_DISTANCES, distances, strict=True):
        values.put_mean_and_best(name, of_samples, n_best)
    values.put_mean("head_motion_deg", [head_motion(head_rotation(params)) for params in known])


def put_diversity(values: MeasuredValues, heads: Sequence[MovingHead], no_landmarks: str) -> None:
    """Diversity of parameters and of landmarks."""
    of_params = ("diversity_params", "diversity_pose_rad")
    if len(heads) < 2:
        values.lack((*of_params, "diversity_lmk_mm"), ONE_SAMPLE)
        return
    known = [head.params.to_vectors() for head in heads if head.params is not None]
    if len(known) < len(heads):
        values.lack(of_params, NO_PARAMS)
    else:
        vectors = np.stack(known)
        values.put("diversity_params", float(vector_diversity(vectors)))
        values.put("diversity_pose_rad", float(vector_diversity(vectors[..., HEAD])))
    landmarks = [head.landmarks for head in heads if head.landmarks is not None]
    values.put("diversity_lmk_mm", float(point_diversity(landmarks)) if landmarks else None, no_landmarks)


def put_mouth(
    values: MeasuredValues, heads: Sequence[MovingHead], truth: Floats | None, fps: float, no_landmarks: str
) -> None:
    """The mouth beside the truth's."""
    names = ("mouth_open_mm", "mouth_open_dtw_mm", "mouth_lag_ms", "lip_closure_f1")
    known = [head.opening for head in heads if head.opening is not None]
    if truth is None or len(known) < len(heads):
        values.lack(names, no_landmarks)
        return
    values.put_mean("mouth_open_mm", [mouth.opening_error(opening, truth) for opening in known])
    values.put_mean("mouth_open_dtw_mm", [mouth.warped_opening_error(opening, truth, fps) for opening in known])
    lags = [mouth.mouth_lag_ms(opening, truth, fps) for opening in known]
    values.put_mean("mouth_lag_ms", lags, "the mouth's opening has no peak of correlation with the truth's within 0.5 s")
    closures = [mouth.lip_closure_f1(opening, truth) for opening in known]
    values.put_mean("lip_closure_f1", closures, "neither mouth ever closes")


def put_sound(
    values: MeasuredValues, heads: Sequence[MovingHead], heard: Heard, fps: float, no_landmarks: str
) -> tuple[str, ...]:
    """Beats, and the mouth beside the voice.

    Returns:
        Notes: which samples are still.
    """
    beats, why_none = heard.beat_frames()
    notes = []
    for name, what in ((_LMK, "landmarks"), (_POSE, "head")):
        points = [_points(head, name) for head in heads]
        known = [point for point in points if point is not None]
        if len(known) < len(points) or beats is None:
            missing = no_landmarks if name == _LMK else NO_PARAMS
            values.lack((metric.name for metric in beat_metrics(name, "")), why_none if beats is None else missing)
            continue
        aligned = [aligned_beats(point, beats, fps) for point in known]
        _put_beats(values, name, aligned)
        still = [str(sample) for sample, alignment in enumerate(aligned) if alignment.still]
        if still:
            notes.append(f"no beats in the motion of the {what}, as in a still face: sample {', '.join(still)}")
    openings = [head.opening for head in heads if head.opening is not None]
    if not openings:
        values.put("speech_lip_correlation", None, no_landmarks)
        return tuple(notes)
    loudness, why_none = heard.loudness(len(openings[0]), fps)
    values.put_mean(
        "speech_lip_correlation",
        [] if loudness is None else [mouth.speech_lip_correlation(opening, loudness) for opening in openings],
        why_none or "the voice is silent, or the mouth still",
    )
    return tuple(notes)


def aligned_beats(points: torch.Tensor | Floats, beat_frames: Indices, fps: float) -> BeatAlignment:
    """The beats of a sound, in hops of 512 samples at 16 kHz, and of (T, N, D) points."""
    return beat_alignment(np.asarray(beat_frames * (HOP / RATE)), motion_beats(points, fps), len(points) / fps)


def _points(head: MovingHead, name: str) -> torch.Tensor | Floats | None:
    if name == _LMK:
        return head.landmarks
    return None if head.params is None else head_points(head.params)


def _put_beats(values: MeasuredValues, name: str, aligned: Sequence[BeatAlignment]) -> None:
    silent = "the sound has no beats while there is motion"
    for attribute in fields(BeatAlignment):
        if attribute.name == "still":
            continue
        metric = name if attribute.name == "score" else f"{name}_{attribute.name}"
        of_samples = [getattr(alignment, attribute.name) for alignment in aligned]
        even = "the motion has no beats, or all shifts of it score the same"
        values.put_mean(metric, of_samples, silent if aligned[0].score is None else even)
