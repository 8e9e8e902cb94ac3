"""What the faces of a generated video say beside those of the true one: F-LMD, M-LMD, beats, CSIM; by either protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.metrics.beat_scores import BeatAlignment
from singinghead.metrics.compiled_librosa import HOP, RATE
from singinghead.metrics.definitions import Protocol, beat_metrics
from singinghead.metrics.faces.found_faces import FoundFaces
from singinghead.metrics.landmark_beats import BRIDGED_FRAMES, bridged, landmark_beat_alignment, seed_beat_score
from singinghead.metrics.landmark_distances import identity_similarity, landmark_distance, seed_landmark_distance
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.video_reader import CLOCK_FPS

_UNKNOWN_MOTION = f"the motion is not known: more than {BRIDGED_FRAMES} frames in a row have no face"


def distance_names(protocol: Protocol, backend: str) -> tuple[str, ...]:
    """Metrics of landmarks beside the true ones."""
    if protocol == "seed":
        return "F-LMD", "M-LMD"
    return tuple(f"{part}_lmd_{unit}_{backend}" for unit in ("px", "iod") for part in ("f", "m"))


def beat_names(protocol: Protocol, backend: str) -> tuple[str, ...]:
    """Metrics of the landmarks' motion beside the sound."""
    return ("BA",) if protocol == "seed" else tuple(metric.name for metric in beat_metrics(f"beat_lmk_{backend}", ""))


def put_distances(
    values: MeasuredValues, faces: FoundFaces, truth: FoundFaces, every: int, protocol: Protocol, backend: str
) -> tuple[str, ...]:
    """Note F-LMD and M-LMD over every n-th frame of two videos of one length.

    Returns:
        Notes: how many frames were left out.
    """
    names = distance_names(protocol, backend)
    found, true = faces.landmarks[::every], truth.landmarks[::every]
    lacking = _without_face(found, true)
    if protocol == "seed":
        seed_measured = seed_landmark_distance(found, true)
        _put_all(values, names, seed_measured, lacking)
        counted = "count as no distance" if seed_measured else ""
    else:
        measured = landmark_distance(found, true)
        _put_all(values, names, astuple(measured) if measured else None, lacking)
        counted = "are left out of landmark metrics" if measured else ""
    return (f"{lacking}, which {counted} ({backend})",) if lacking and counted else ()


def put_beats(
    values: MeasuredValues, faces: FoundFaces, audio_beats: Indices | None, no_beats: str, protocol: Protocol, backend: str
) -> tuple[str, ...]:
    """Note beat alignment.

    Args:
        values: where.
        faces: of the video.
        audio_beats: (m,) in hops of 512 samples at 16 kHz, or None.
        no_beats: why they are None.
        protocol: whose names and formulas.
        backend: of the landmarks.

    Returns:
        Notes: a still face, bridged gaps.
    """
    names = beat_names(protocol, backend)
    landmarks = bridged(faces.landmarks)
    if audio_beats is None or landmarks is None:
        nobody = faces.n_without == len(faces.landmarks)
        values.lack(names, no_beats if audio_beats is None else "no face in any frame" if nobody else _UNKNOWN_MOTION)
        return ()
    notes = [f"{faces.n_without} frames without a face are bridged evenly for beats"] if faces.n_without else []
    if protocol == "seed":
        values.put("BA", seed_beat_score(audio_beats, landmarks), "no beat of the sound lies within the motion")
        return tuple(notes)
    aligned = landmark_beat_alignment(landmarks, np.asarray(audio_beats * (HOP / RATE)), CLOCK_FPS)
    numbers = [getattr(aligned, field.name) for field in fields(BeatAlignment) if field.name != "still"]
    silent = "the sound has no beats while there is motion"
    even = "the motion has no beats, or all shifts of it score the same"
    for name, number in zip(names, numbers, strict=True):
        values.put(name, number, silent if aligned.score is None else even)
    return (*notes, "still face: its motion has no beats") if aligned.still else tuple(notes)


def put_identity(values: MeasuredValues, name: str, faces: FoundFaces, truth: FoundFaces) -> None:
    """Note CSIM of two videos of one length, whose embeddings are known."""
    assert faces.embeddings is not None
    assert truth.embeddings is not None
    if faces.embeddings.shape != truth.embeddings.shape:  # of width 1: one of them has no face at all
        values.put(name, None, "no face in any frame of one of the videos")
        return
    values.put(name, identity_similarity(faces.embeddings, truth.embeddings), "no frame has a face in both videos")


def _put_all(values: MeasuredValues, names: Sequence[str], numbers: Sequence[float] | None, why: str) -> None:
    for index, name in enumerate(names):
        values.put(name, numbers[index] if numbers else None, why)


def _without_face(landmarks: Floats, truth: Floats) -> str:
    n_without, n_true_without = (int(np.isnan(points).any(axis=(1, 2)).sum()) for points in (landmarks, truth))
    if not n_without and not n_true_without:
        return ""
    of = f"of {len(landmarks)} frames"
    return f"no face in {n_without} {of}, in {n_true_without} of the true ones"
