"""What a page shows: moving heads of one identity, and what is heard and known of them over time."""

from __future__ import annotations

from dataclasses import dataclass

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.model import Subject
from singinghead.flame_model.sequence import Sequence
from singinghead.render.clip import Sound
from singinghead.render.compare.captions import Color
from singinghead.render.heat import ColorScale


@dataclass(frozen=True)
class Actor:
    """One head of T frames.

    Attributes:
        name: the ground truth's, or a method's.
        color: of its curves.
        drawn: its motion as it is shown.
        straight: its motion at zero head pose, at which errors are taken.
        lips_mm: (T,) its lip error, or None where the model has no lips.
        face_mm: mean error over the face, of all frames; None likewise.
        opening_mm: (T,) of its mouth, or None where the model has no landmarks.
    """

    name: str
    color: Color
    drawn: Sequence
    straight: Sequence
    lips_mm: Floats | None = None
    face_mm: float | None = None
    opening_mm: Floats | None = None


@dataclass(frozen=True)
class Performance:
    """A clip that is to be played.

    Attributes:
        id: of the clip.
        subject: whose head all have.
        actors: the ground truth first, of which all errors are taken.
        fps: of all of them.
        scale: of the errors' colours, mm.
        sound: what is heard.
        beats: (n,) instants in seconds that are marked, or None.
        facts: what a reader should know, a sentence each.
    """

    id: str
    subject: Subject
    actors: tuple[Actor, ...]
    fps: float
    scale: ColorScale
    sound: Sound
    beats: Floats | None
    facts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.actors[0].drawn)
