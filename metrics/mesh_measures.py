"""The corrected protocol's metrics of the mesh: one clip of one method, measured while its vertices stream by.

Each chunk of vertices is looked at once, for all metrics, and forgotten: memory does not grow with the clip but by some
numbers a frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.errors import UnavailableError
from singinghead.metrics import mouth
from singinghead.metrics.definitions import REGIONS_3D
from singinghead.metrics.face_dynamics import RunningDeviation, squared_displacement
from singinghead.metrics.head import MeasuredHead, MeasuredSubject
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.motion_distance import pairs
from singinghead.metrics.numpy_or_torch import Array, largest, length, to_numpy
from singinghead.metrics.vertex_errors import MM

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Regions:
    """The vertices that metrics look at.

    Attributes:
        known: name to indices on the head's device.
        lacking: name to the reason why there are none.
    """

    known: Mapping[str, Array]
    lacking: Mapping[str, str]

    @classmethod
    def of(cls, head: MeasuredHead) -> Regions:
        """Those of a head, without duplicates."""
        known, lacking = {}, {}
        for name in dict.fromkeys(("lips", "face", "upper_face", *REGIONS_3D)):
            try:
                known[name] = on_device(head.position(np.unique(head.mask_list(name))), head.device)
            except UnavailableError as error:
                lacking[name] = str(error)
        return cls(known, lacking)


def on_device(indices: Indices, device: str) -> torch.Tensor:
    """Indices as a tensor."""
    import torch

    return torch.from_numpy(indices).to(device)


@dataclass
class Sample:
    """What is kept of one sample's vertices.

    Attributes:
        curves: for each error (T,) mm a frame, in pieces.
        dynamics: of the squared displacement of the upper face.
        openings: of the mouth, (T,) mm in pieces.
        speeds: mean velocity error (T - 1,) and mean acceleration (T - 2,), in metres and frames, in pieces.
        last_error: (1, V, 3) that of the frame before.
        last: (2, V, 3) the two frames before.
    """

    curves: dict[str, list[Array]] = field(default_factory=dict)
    dynamics: RunningDeviation = field(default_factory=RunningDeviation)
    openings: list[Array] = field(default_factory=list)
    speeds: dict[str, list[Array]] = field(default_factory=lambda: {"velocity": [], "acceleration": []})
    last_error: Array | None = None
    last: Array | None = None


class MeshMeasures:
    """The metrics of vertices at zero head pose."""

    def __init__(self, person: MeasuredSubject, regions: Regions, fps: float, n_samples: int) -> None:
        self._head, self._regions, self._fps = person.head, regions, fps
        self._neutral = person.neutral
        self._samples = [Sample() for _ in range(n_samples)]
        self._truth_dynamics = RunningDeviation()
        self._diversity: dict[str, list[Array]] = {"verts": [], "face": []}
        self._neutral_gap = None if self._head.lacks_landmarks else self._head.landmarks(self._neutral)

    def update(self, samples: Sequence[torch.Tensor], truth: torch.Tensor) -> None:
        """Take some more frames.

        Args:
            samples: of each (B, V, 3) metres.
            truth: (B, V, 3) metres.
        """
        if "upper_face" in self._regions.known:
            self._truth_dynamics.update(self._upper_face(truth))
        for kept, vertices in zip(self._samples, samples, strict=True):
            self._look_at(kept, vertices, truth)
        if len(samples) > 1:
            between = [length(samples[a] - samples[b]) for a, b in pairs(len(samples))]
            self._diversity["verts"].append(sum(distance.mean(-1) for distance in between) / len(between))
            if "face" in self._regions.known:
                face = self._regions.known["face"]
                self._diversity["face"].append(sum(distance[:, face].mean(-1) for distance in between) / len(between))

    def _upper_face(self, vertices: torch.Tensor) -> torch.Tensor:
        moved: torch.Tensor = squared_displacement(vertices, self._neutral, self._regions.known["upper_face"])
        return moved.double()

    def _look_at(self, kept: Sample, vertices: torch.Tensor, truth: torch.Tensor) -> None:
        import torch

        error = vertices - truth
        distance = length(error)
        _append(kept.curves, "all", distance.mean(-1))
        for name, region in self._regions.known.items():
            chosen = distance[:, region]
            _append(kept.curves, name, chosen.mean(-1))
            if name == "lips":
                _append(kept.curves, "worst_lip", largest(chosen))
        if "upper_face" in self._regions.known:
            kept.dynamics.update(self._upper_face(vertices))
        if self._neutral_gap is not None:
            kept.openings.append(mouth.mouth_opening(self._head.landmarks(vertices), self._neutral_gap))
        errors = error if kept.last_error is None else torch.cat((kept.last_error, error))
        frames = vertices if kept.last is None else torch.cat((kept.last, vertices))
        speeds = frames[1:] - frames[:-1]
        kept.speeds["velocity"].append(length(errors[1:] - errors[:-1]).mean(-1))
        kept.speeds["acceleration"].append(length(speeds[1:] - speeds[:-1]).mean(-1))
        kept.last_error, kept.last = error[-1:], frames[-2:]

    def curve(self, name: str, sample: int = 0) -> Floats | None:
        """(T,) mm of one error of one sample: ``worst_lip``, ``all`` or a region; None where the head lacks it."""
        pieces = self._samples[sample].curves.get(name)
        return MM * _joined(pieces) if pieces else None

    def opening(self, sample: int) -> Floats | None:
        """(T,) mm; None where the head has no landmarks."""
        return _joined(self._samples[sample].openings) if self._samples[sample].openings else None

    def put(self, values: MeasuredValues, n_best: int) -> None:
        """Note all metrics of the mesh."""
        self._put_errors(values, n_best)
        self._put_dynamics(values, n_best)
        self._put_diversity(values)
        scales = {"jitter_mm_s2": ("acceleration", MM * self._fps**2), "velocity_error_mm_s": ("velocity", MM * self._fps)}
        for name, (kind, scale) in scales.items():
            curves = [_joined(kept.speeds[kind]) for kept in self._samples]
            means = [scale * float(curve.mean()) if len(curve) else None for curve in curves]
            values.put_mean(name, means, "the clip has too few frames")

    def _put_errors(self, values: MeasuredValues, n_best: int) -> None:
        n_samples = range(len(self._samples))
        for name, curve in (("lve_l2_mm", "worst_lip"), ("ve_mm", "face"), ("mve_mm", "all")):
            of_samples = [self.curve(curve, sample) for sample in n_samples]
            means = [float(found.mean()) for found in of_samples if found is not None]
            if not means:
                reason = self._regions.lacking["lips" if curve == "worst_lip" else curve]
                values.lack((name, f"{name}_min"), reason)
            else:
                values.put_mean_and_best(name, means, n_best)
            if name == "lve_l2_mm":
                squares = [float(((found / MM) ** 2).mean()) for found in of_samples if found is not None]
                if squares:
                    values.put_mean_and_best("lve_sq_m2", squares, n_best)
                else:
                    values.lack(("lve_sq_m2", "lve_sq_m2_min"), self._regions.lacking["lips"])
        for region in REGIONS_3D:
            of_samples = [self.curve(region, sample) for sample in n_samples]
            means = [float(found.mean()) for found in of_samples if found is not None]
            values.put_mean(f"ve_mm_{region}", means, self._regions.lacking.get(region, ""))

    def _put_dynamics(self, values: MeasuredValues, n_best: int) -> None:
        if "upper_face" not in self._regions.known:
            names = ("fdd_m2", "fdd_m2_min", "fdd_abs_m2", "fdd_abs_m2_min")
            values.lack(names, self._regions.lacking["upper_face"])
            return
        moves = float(self._truth_dynamics.deviation().mean())
        differences = [moves - float(kept.dynamics.deviation().mean()) for kept in self._samples]
        values.put_mean_and_best("fdd_m2", differences, n_best, abs)
        values.put_mean_and_best("fdd_abs_m2", [abs(difference) for difference in differences], n_best)

    def _put_diversity(self, values: MeasuredValues) -> None:
        for name, pieces in self._diversity.items():
            why = ONE_SAMPLE if len(self._samples) < 2 else self._regions.lacking.get(name, "")
            values.put(f"diversity_{name}_mm", MM * float(_joined(pieces).mean()) if pieces else None, why)


ONE_SAMPLE = "there is one sample"


def _append(curves: dict[str, list[Array]], name: str, values: Array) -> None:
    curves.setdefault(name, []).append(values)


def _joined(pieces: Sequence[Array]) -> Floats:
    return np.concatenate([to_numpy(piece) for piece in pieces]).astype(np.float64)
