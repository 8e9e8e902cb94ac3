"""The clip that is compared: the ground truth and each method's motion of it, on one clock, of one length and identity."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from singinghead.flame_model import sequence
from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.landmarks import landmarks
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import Frames
from singinghead.flame_model.sequence import ParamSequence, VertexSequence, load_sequence
from singinghead.flame_model.shapes import check_shape
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.clips import AnySequence, Method, load_truth, motion_file
from singinghead.metrics.mouth import mouth_opening
from singinghead.metrics.vertex_errors import distances
from singinghead.render.clip import motion
from singinghead.render.frames import frames
from singinghead.render.painter import Frame
from singinghead.render.shown import Shown

TRUTH = "ground truth"
_FARTHEST = 10.0
"""Metres from the origin that a head's vertices never leave."""
PoseChoice = Literal["full", "zero", "gt"]


@dataclass(frozen=True)
class Measures:
    """Curves and means of one motion; None where the model lacks what they need.

    Attributes:
        lips_mm: (T,) the largest lip distance of each frame.
        face_mm: mean distance over the face, of all frames.
        opening_mm: (T,) of the mouth.
    """

    lips_mm: Floats | None
    face_mm: float | None
    opening_mm: Floats | None


@dataclass(frozen=True)
class ComparedClip:
    """Motions ready to be measured and drawn.

    Attributes:
        id: of the clip.
        subject: the ground truth's identity.
        names: the ground truth first, then the methods.
        motions: as they are, one for each name.
        drawn: the same under the head pose that was chosen.
        fps: of all of them.
        notes: what a user should know: which were cut, held, or taken as they are.
    """

    id: str
    subject: Subject
    names: tuple[str, ...]
    motions: tuple[AnySequence, ...]
    drawn: tuple[AnySequence, ...]
    fps: float
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.motions[0])

    @property
    def straight(self) -> tuple[AnySequence, ...]:
        """The motions at zero head pose, at which errors are taken; vertices are taken to be there already."""
        return tuple(_posed(one, self.motions[0], "zero") for one in self.motions)

    def of(self, names: Sequence[str]) -> ComparedClip:
        """Some of its motions, in that order."""
        places = [self.names.index(name) for name in names]
        motions, drawn = (tuple(kind[place] for place in places) for kind in (self.motions, self.drawn))
        return replace(self, names=tuple(names), motions=motions, drawn=drawn)

    def at(self, frames: Sequence[int]) -> ComparedClip:
        """Some frames of it."""
        chosen = np.asarray(frames, np.int64)
        motions, drawn = (tuple(_frames(one, chosen) for one in kind) for kind in (self.motions, self.drawn))
        return replace(self, motions=motions, drawn=drawn)

    def heads(self, shown: Shown = Shown()) -> Iterator[list[tuple[Frame, ...]]]:  # noqa: B008 - it cannot be changed
        """Yield at most 60 frames at a time: of each frame all heads as drawn, with what is shown of them."""
        streams = (
            frames(motion(self.subject, one), self.subject, shown, self.fps, getattr(one, "params", None))
            for one in self.drawn
        )
        for chunk in zip(*streams, strict=True):
            yield list(zip(*chunk, strict=True))

    def chunks(
        self,
        shown: Shown = Shown(),  # noqa: B008 - it cannot be changed
    ) -> Iterator[list[tuple[tuple[Frame, ...], tuple[Frames | None, ...]]]]:
        """Yield at most 60 frames at a time: of each frame all heads as drawn, and their errors in mm.

        Errors are taken at zero head pose; the ground truth has none.
        """
        for heads, (truth, *others) in zip(self.heads(shown), self._straight_chunks(), strict=True):
            errors = zip(*(distances(other, truth) for other in others), strict=True)
            yield [(of_all, (None, *error)) for of_all, error in zip(heads, errors, strict=True)]

    def measures(self) -> tuple[Measures, ...]:
        """What each motion, the ground truth included, scores over time."""
        regions, arrays = self.subject.arrays.regions, self.subject.arrays
        has_landmarks = "full" in arrays.landmarks
        found: list[dict[str, list[Floats]]] = [defaultdict(list) for _ in self.names]
        template = self.subject.template[None].astype(np.float32)
        neutral = landmarks(arrays, template, "full")[0] if has_landmarks else None
        for truth, *others in self._straight_chunks():
            for index, vertices in enumerate((truth, *others)):
                error = distances(vertices, truth)
                if "lips" in regions:
                    found[index]["lips"].append(error[:, regions["lips"]].max(axis=1))
                if "face" in regions:
                    found[index]["face"].append(error[:, regions["face"]].mean(axis=1))
                if neutral is not None:
                    found[index]["opening"].append(mouth_opening(landmarks(arrays, vertices, "full"), neutral))
        curves = [{name: np.concatenate(pieces) for name, pieces in kinds.items()} for kinds in found]
        return tuple(
            Measures(kinds.get("lips"), float(kinds["face"].mean()) if "face" in kinds else None, kinds.get("opening"))
            for kinds in curves
        )

    def _straight_chunks(self) -> Iterator[tuple[Frames, ...]]:
        return zip(*(motion(self.subject, one) for one in self.straight), strict=True)


def parse_methods(texts: Sequence[str], fps: float) -> tuple[Method, ...]:
    """The methods that a command line names.

    Raises:
        InputError: there is none, one is not understood, or two have the same name.
    """
    if not texts:
        raise InputError("nothing to compare", remedy="--pred NAME=DIR, once for each method")
    methods = tuple(Method.parse(text, fps) for text in texts)
    (name, count), *_ = Counter(method.name for method in methods).most_common(1)
    if count > 1:
        raise InputError(f"'{name}' is named {count} times", remedy="each --pred needs a NAME of its own")
    if any(method.name == TRUTH for method in methods):
        raise InputError(f"a method cannot be named '{TRUTH}'")
    return methods


def find_motions(clip_id: str, truth: Path, methods: Sequence[Method]) -> tuple[StoredFile, ...]:
    """Each method's file of a clip, once the ground truth has one, too.

    Raises:
        InputError: there is none; the message says whose.
    """
    folders = {TRUTH: truth, **{method.name: method.folder for method in methods}}
    found = []
    for name, folder in folders.items():
        try:
            found.append(motion_file(folder, clip_id))
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    return tuple(found[1:])


def load_compared(
    clip_id: str,
    truth: Path,
    methods: Sequence[Method],
    model: FlameModel,
    fps: float,
    pose: PoseChoice = "full",
    sample: int = 0,
    pad: bool = False,
    device: str = "cpu",
) -> ComparedClip:
    """Read and align the motions of one clip.

    Args:
        clip_id: which clip.
        truth: the folder of the ground truth's sequences, or where its zip is in its place.
        methods: whose predictions.
        model: the head.
        fps: of the ground truth, and of the comparison.
        pose: of the heads as they are drawn: their own, zero, or the ground truth's.
        sample: which of several samples of a prediction.
        pad: hold the last frames of shorter motions, instead of cutting all to the shortest.
        device: of the forward pass.

    Raises:
        InputError: a file is missing or no motion, or a mesh does not fit the model.
    """
    reference = load_truth(truth, clip_id)
    own = (load_sequence(file, sample) for file in find_motions(clip_id, truth, methods))
    resampled = (sequence.resample(one, method.fps, fps) for one, method in zip(own, methods, strict=True))
    motions: list[AnySequence] = [reference, *resampled]
    subject = model.with_shape(reference.shape, device)
    names = (TRUTH, *(method.name for method in methods))
    notes = [] if reference.shape is not None else ["the ground truth has no shape: the mean face"]
    lengths = [len(one) for one in motions]
    n_frames = max(lengths) if pad else min(lengths)
    if len(set(lengths)) > 1:
        told = ", ".join(f"{name} {length / fps:.2f} s" for name, length in zip(names, lengths, strict=True))
        notes.append(f"lengths differ ({told}): {'held' if pad else 'cut'} to {n_frames / fps:.2f} s")
    everything = np.arange(n_frames)
    motions = [_frames(one, everything) for one in motions]
    for name, one in zip(names, motions, strict=True):
        if isinstance(one, VertexSequence):
            check_shape(f"vertices of {one.file} for {model.arrays.name}", one.stored, "T", len(subject.template), 3)
            _check_metres(one)
            notes.append(f"{name}: vertices, which are taken to be at zero head pose")
    drawn = tuple(_posed(one, motions[0], pose) for one in motions)
    return ComparedClip(clip_id, subject, names, tuple(motions), drawn, fps, tuple(notes))


def _check_metres(one: VertexSequence) -> None:
    """Name the file of a mesh that is nowhere near a head; where only a later frame is, drawing it tells."""
    first = next(iter(one.chunks(1)))
    if (extent := np.abs(first).max()) > _FARTHEST:
        raise InputError(f"vertices lie {extent:g} m from the origin", file=one.file, remedy="are they in metres?")


def _posed(one: AnySequence, truth: AnySequence, pose: PoseChoice) -> AnySequence:
    if pose == "full" or isinstance(one, VertexSequence):
        return one
    assert isinstance(truth, ParamSequence)
    return replace(one, params=one.params.with_head_pose(truth.params if pose == "gt" else None))


def _frames(one: AnySequence, frames: np.ndarray[tuple[int], np.dtype[np.int64]]) -> AnySequence:
    """Those frames of a motion; of those after its end, the last."""
    chosen = np.minimum(frames, len(one) - 1)
    if isinstance(one, VertexSequence):
        return replace(one, position=one.position[chosen])
    return replace(one, params=one.params.map(lambda field: field[chosen]))
