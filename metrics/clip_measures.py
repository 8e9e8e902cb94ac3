"""One clip of one method under either protocol: what the benchmark hands chunks to, and gets a record from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from singinghead.flame_model.errors import UnavailableError
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.regions import COMPOSED
from singinghead.flame_model.sequence import ParamSequence
from singinghead.metrics import motion_measures, mouth, seed_measures
from singinghead.metrics.clips import AnySequence
from singinghead.metrics.definitions import METRICS_3D, Protocol
from singinghead.metrics.head import MeasuredHead, MeasuredSubject
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.mesh_measures import MeshMeasures, Regions
from singinghead.metrics.motion_distance import largest_turn_deg
from singinghead.metrics.motion_measures import MovingHead
from singinghead.metrics.numpy_or_torch import Array, to_numpy
from singinghead.metrics.results import SequenceRecord
from singinghead.metrics.seed_measures import MASKS, SeedMeshMeasures, SeedRegions
from singinghead.metrics.sound_of_clip import Heard

if TYPE_CHECKING:
    import torch

_TURNED_DEG = 3.0
"""Faces alone turn a mesh by less than 1 degree (songs of the demo, real clips); their heads by 6 to 18."""


@dataclass(frozen=True)
class Measuring:
    """What is the same for all clips.

    Attributes:
        head: the model.
        protocol: whose metrics.
        fps: frames a second.
        n_best: how many samples may be the best.
    """

    head: MeasuredHead
    protocol: Protocol
    fps: float
    n_best: int

    @cached_property
    def regions(self) -> Regions:
        """For the corrected protocol."""
        return Regions.of(self.head)

    @cached_property
    def seed_regions(self) -> tuple[SeedRegions | None, str]:
        """For the seed protocol, or why there are none."""
        try:
            return SeedRegions.of(self.head), ""
        except UnavailableError as error:
            return None, str(error)


class ClipMeasures(ABC):
    """What both protocols share: samples, their landmarks, and the record in the end."""

    def __init__(
        self, measuring: Measuring, person: MeasuredSubject, samples: Sequence[AnySequence], truth: FlameParams
    ) -> None:
        self._measuring, self._person, self._samples, self._truth = measuring, person, samples, truth
        self._given_landmarks: list[list[Array]] = [[] for _ in samples]
        self._turn_deg = 0.0

    @property
    def _no_landmarks(self) -> str:
        return self._measuring.head.lacks_landmarks

    def update(self, samples: Sequence[torch.Tensor], truth: torch.Tensor) -> None:
        """Take some more frames: vertices at zero head pose, (B, V, 3) of each sample and of the truth."""
        for number, (sample, vertices) in enumerate(zip(self._samples, samples, strict=True)):
            if not isinstance(sample, ParamSequence):
                self._turn_deg = max(self._turn_deg, largest_turn_deg(vertices, self._person.neutral))
                if not self._no_landmarks:
                    self._given_landmarks[number].append(self._measuring.head.landmarks(vertices))
        self._update_mesh(samples, truth)

    def record(self, clip_id: str, heard: Heard, notes: tuple[str, ...]) -> SequenceRecord:
        """All metrics of the clip."""
        values = MeasuredValues()
        notes += self._put(values, heard)
        if self._turn_deg > _TURNED_DEG:
            notes += (f"its vertices turn by up to {self._turn_deg:.0f} degrees: errors expect them at zero head pose",)
        return self._record(clip_id, values, notes, self._curves())

    def record_of_sound(self, clip_id: str, heard: Heard, elsewhere: str) -> SequenceRecord:
        """The metrics that depend on sound, with that of another clip; all others are null."""
        values = MeasuredValues()
        definitions = METRICS_3D[self._measuring.protocol]
        values.lack((metric.name for metric in definitions), "only the sound differs from the ground truth's")
        known = MeasuredValues()
        self._put_sound(known, heard)
        for name, value in known.metrics.items():
            values.put(name, value, known.reasons.get(name, ""))
        values.reasons = {name: reason for name, reason in values.reasons.items() if values.metrics[name] is None}
        return self._record(clip_id, values, (f"to the sound of {elsewhere}",), {})

    def _record(
        self, clip_id: str, values: MeasuredValues, notes: tuple[str, ...], curves: dict[str, tuple[float, ...]]
    ) -> SequenceRecord:
        metrics = values.in_order(METRICS_3D[self._measuring.protocol])
        return SequenceRecord(clip_id, metrics, values.reasons, notes, curves)

    @cached_property
    def _heads(self) -> list[MovingHead]:
        """The samples as they move, posed."""
        return [
            MovingHead(
                sample.params if isinstance(sample, ParamSequence) else None, self._landmarks(number), self._opening(number)
            )
            for number, sample in enumerate(self._samples)
        ]

    def _landmarks(self, number: int) -> torch.Tensor | None:
        import torch

        sample = self._samples[number]
        if self._no_landmarks:
            return None
        if isinstance(sample, ParamSequence):
            return self._person.landmarks(sample.params)
        return torch.cat(self._given_landmarks[number])

    def _opening(self, _number: int) -> np.ndarray | None:
        return None

    def _curves(self) -> dict[str, tuple[float, ...]]:
        return {}

    @abstractmethod
    def _update_mesh(self, samples: Sequence[torch.Tensor], truth: torch.Tensor) -> None:
        """Take some more frames."""

    @abstractmethod
    def _put(self, values: MeasuredValues, heard: Heard) -> tuple[str, ...]:
        """Note all metrics of the protocol; returns notes."""

    @abstractmethod
    def _put_sound(self, values: MeasuredValues, heard: Heard) -> tuple[str, ...]:
        """Note those that depend on sound; returns notes."""


class Corrected(ClipMeasures):
    """The corrected protocol."""

    def __init__(
        self, measuring: Measuring, person: MeasuredSubject, samples: Sequence[AnySequence], truth: FlameParams
    ) -> None:
        super().__init__(measuring, person, samples, truth)
        self._mesh = MeshMeasures(person, measuring.regions, measuring.fps, len(samples))

    def _update_mesh(self, samples: Sequence[torch.Tensor], truth: torch.Tensor) -> None:
        self._mesh.update(samples, truth)

    def _opening(self, number: int) -> np.ndarray | None:
        return self._mesh.opening(number)

    @property
    def _true_opening(self) -> np.ndarray | None:
        if self._no_landmarks:
            return None
        neutral = self._measuring.head.landmarks(self._person.neutral)
        landmarks = self._person.landmarks(self._truth.with_head_pose(None))
        return to_numpy(mouth.mouth_opening(landmarks, neutral)).astype(np.float64)

    def _put(self, values: MeasuredValues, heard: Heard) -> tuple[str, ...]:
        n_best, fps = self._measuring.n_best, self._measuring.fps
        self._mesh.put(values, n_best)
        motion_measures.put_distances(values, self._heads, self._truth, n_best)
        motion_measures.put_diversity(values, self._heads, self._no_landmarks)
        motion_measures.put_mouth(values, self._heads, self._true_opening, fps, self._no_landmarks)
        return self._put_sound(values, heard)

    def _put_sound(self, values: MeasuredValues, heard: Heard) -> tuple[str, ...]:
        return motion_measures.put_sound(values, self._heads, heard, self._measuring.fps, self._no_landmarks)

    def _curves(self) -> dict[str, tuple[float, ...]]:
        curves = {"lip_error_mm": self._mesh.curve("worst_lip"), "mouth_open_mm": self._mesh.opening(0)}
        return {name: tuple(curve.tolist()) for name, curve in curves.items() if curve is not None}


class Seed(ClipMeasures):
    """The seed protocol."""

    def __init__(
        self, measuring: Measuring, person: MeasuredSubject, samples: Sequence[AnySequence], truth: FlameParams
    ) -> None:
        super().__init__(measuring, person, samples, truth)
        self._mesh = SeedMeshMeasures(*measuring.seed_regions, len(samples))

    def _update_mesh(self, samples: Sequence[torch.Tensor], truth: torch.Tensor) -> None:
        self._mesh.update(samples, truth, self._measuring.n_best)

    def _put(self, values: MeasuredValues, heard: Heard) -> tuple[str, ...]:
        if len(self._samples) > 1:
            for chunks in zip(*(self._person.posed(sample) for sample in self._samples), strict=True):
                self._mesh.update_posed(chunks)
        n_best = self._measuring.n_best
        self._mesh.put(values, n_best)
        seed_measures.put_motion(values, self._heads, self._truth, n_best, self._no_landmarks)
        return self._put_sound(values, heard)

    def _put_sound(self, values: MeasuredValues, heard: Heard) -> tuple[str, ...]:
        seed_measures.put_sound(values, self._heads, heard, self._no_landmarks)
        return ()


def seen_by(protocol: Protocol, head: MeasuredHead) -> MeasuredHead:
    """The head as a protocol looks at it: the seed's looks at the face alone where the head pose is zero."""
    if protocol == "corrected":
        return head
    known = [head.masks[part] for name in MASKS for part in COMPOSED.get(name, (name,)) if part in head.masks]
    return head.looking_at(np.concatenate([np.zeros(0, np.int64), *known]))


def begin(measuring: Measuring, person: MeasuredSubject, samples: Sequence[AnySequence], truth: FlameParams) -> ClipMeasures:
    """Make ready for one clip; samples and truth have the same number of frames."""
    return (Corrected if measuring.protocol == "corrected" else Seed)(measuring, person, samples, truth)
