"""The seed protocol: one clip of one method, measured by :mod:`~singinghead.metrics.seed_formulas` while it streams by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.metrics import seed_formulas
from singinghead.metrics.face_dynamics import RunningDeviation
from singinghead.metrics.head import MeasuredHead
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.mesh_measures import on_device
from singinghead.metrics.motion_distance import HEAD, pairs, vector_distance
from singinghead.metrics.motion_measures import NO_PARAMS, MovingHead
from singinghead.metrics.numpy_or_torch import Array, largest, length, to_numpy
from singinghead.metrics.sound_of_clip import Heard

if TYPE_CHECKING:
    import torch

    from singinghead.flame_model.params import FlameParams


MASKS = ("lips", "face", "upper_face")


@dataclass(frozen=True)
class SeedRegions:
    """The raw lists of masks, duplicates and all, on the head's device.

    Attributes:
        lips: where they lie among the vertices that are computed at zero head pose.
        face: likewise.
        upper_face: likewise.
        posed_face: the face among all vertices.
    """

    lips: Array
    face: Array
    upper_face: Array
    posed_face: Array

    @classmethod
    def of(cls, head: MeasuredHead) -> SeedRegions:
        """Those of a head.

        Raises:
            UnavailableError: it lacks one of them.
        """
        lips, face, upper_face = (on_device(head.position(head.mask_list(name)), head.device) for name in MASKS)
        return cls(lips, face, upper_face, posed_face=on_device(head.mask_list("face"), head.device))


class SeedMeshMeasures:
    """The seed's metrics of vertices: errors at zero head pose, diversity as posed."""

    def __init__(self, regions: SeedRegions | None, why_no_regions: str, n_samples: int) -> None:
        self._regions, self._why = regions, why_no_regions
        self._lips: list[list[Array]] = [[] for _ in range(n_samples)]
        self._face: list[list[Array]] = [[] for _ in range(n_samples)]
        self._smallest: list[Array] = []
        self._truth_dynamics = RunningDeviation()
        self._dynamics = [RunningDeviation() for _ in range(n_samples)]
        n_pairs = n_samples * (n_samples - 1) // 2
        self._squares: dict[str, list[Array]] = {name: [0.0] * n_pairs for name in ("verts", "face")}

    def update(self, samples: Sequence[torch.Tensor], truth: torch.Tensor, n_best: int) -> None:
        """Take some more frames at zero head pose, (B, V, 3) each; ``n_best`` samples may be the best."""
        if self._regions is None:
            return
        distances = [length(vertices - truth) for vertices in samples]
        on_face = [distance[:, self._regions.face] for distance in distances]
        for sample, distance in enumerate(distances):
            self._lips[sample].append(largest(distance[:, self._regions.lips]))
            self._face[sample].append(on_face[sample].mean(-1))
        smallest = on_face[0]
        for other in on_face[1:n_best]:
            smallest = smallest.minimum(other)
        self._smallest.append(smallest.mean(-1))
        upper = self._regions.upper_face
        self._truth_dynamics.update(seed_formulas.squared_positions(truth, upper).double())
        for dynamics, vertices in zip(self._dynamics, samples, strict=True):
            dynamics.update(seed_formulas.squared_positions(vertices, upper).double())

    def update_posed(self, samples: Sequence[torch.Tensor]) -> None:
        """Take some more frames as posed, (B, V, 3) each; for diversity, and so of several samples only."""
        import torch

        for pair, (a, b) in enumerate(pairs(len(samples))):
            difference = samples[a] - samples[b]
            squares = difference.mul_(difference).sum(-1)
            self._squares["verts"][pair] += squares.sum(dtype=torch.float64)
            if self._regions is not None:
                self._squares["face"][pair] += squares[:, self._regions.posed_face].double().sum()

    def put(self, values: MeasuredValues, n_best: int) -> None:
        """Note the seed's metrics of the mesh."""
        of_pairs = {name: [float(square) ** 0.5 for square in squares] for name, squares in self._squares.items()}
        values.put("diversity_verts", float(np.mean(of_pairs["verts"])) if of_pairs["verts"] else 0.0)
        if self._regions is None:
            values.lack(("lve_mean", "lve_min", "ve_mean", "ve_min", "fdd", "diversity_face"), self._why)
            return
        values.put("diversity_face", float(np.mean(of_pairs["face"])) if of_pairs["face"] else 0.0)
        lips, face = ([_mean(pieces) for pieces in of_samples] for of_samples in (self._lips, self._face))
        _put_mean_and_min(values, "lve", lips, n_best)
        values.put_mean("ve_mean", face)
        values.put("ve_min", _mean(self._smallest))
        differences = [
            float(self._truth_dynamics.deviation(ddof=1).mean() - dynamics.deviation(ddof=1).mean())
            for dynamics in self._dynamics
        ]
        values.put("fdd", float(np.mean(differences)))


def put_motion(
    values: MeasuredValues, heads: Sequence[MovingHead], truth: FlameParams, n_best: int, no_landmarks: str
) -> None:
    """Note the seed's metrics of parameters, and the diversity of landmarks as posed."""
    known = [head.params.to_vectors() for head in heads if head.params is not None]
    if len(known) < len(heads):
        names = ("meandist", "mindist", "meandist_pose", "mindist_pose", "diversity", "diversity_pose")
        values.lack(names, NO_PARAMS)
    else:
        vectors, theirs = np.stack(known), truth.to_vectors()
        for name, columns in (("", slice(None)), ("_pose", HEAD)):
            chosen = vectors[..., columns]
            distances = [float(distance) for distance in vector_distance(chosen, theirs[:, columns])]
            values.put_mean(f"meandist{name}", distances)
            values.put(f"mindist{name}", min(distances[:n_best]))
            values.put(f"diversity{name}", seed_formulas.sequence_diversity(chosen))
    landmarks = [to_numpy(head.landmarks) for head in heads if head.landmarks is not None]
    value = seed_formulas.sequence_diversity(np.stack(landmarks)) if landmarks else None
    values.put("diversity_lmk", value, no_landmarks)


def put_sound(values: MeasuredValues, heads: Sequence[MovingHead], heard: Heard, no_landmarks: str) -> None:
    """Note the seed's beat alignment, mean over samples."""
    beats, why_none = heard.beat_frames()
    for name, why_no_points in (("ba_lmk", no_landmarks), ("ba_pose", NO_PARAMS)):
        points = [_points(head, name) for head in heads]
        known = [point for point in points if point is not None]
        if beats is None or len(known) < len(points):
            values.put(name, None, why_none if beats is None else why_no_points)
            continue
        scores = [seed_formulas.beat_score(beats, point) for point in known]
        values.put_mean(name, scores, "the motion has no beats, at which the seed stops with an error")


def _points(head: MovingHead, name: str) -> torch.Tensor | Floats | None:
    if name == "ba_lmk":
        return head.landmarks
    return None if head.params is None else head.params.to_vectors()[:, None, HEAD].astype(np.float64)


def _put_mean_and_min(values: MeasuredValues, name: str, of_samples: Sequence[float], n_best: int) -> None:
    values.put_mean(f"{name}_mean", of_samples)
    values.put(f"{name}_min", min(of_samples[:n_best]))


def _mean(pieces: Sequence[Array]) -> float:
    return float(np.concatenate([to_numpy(piece) for piece in pieces]).astype(np.float64).mean())
