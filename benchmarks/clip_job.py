"""One case of the benchmark as plain data, so that a fresh process can be told what to do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.render.rasterizer import Backend

OURS: dict[str, Backend] = {"software": "software", "pyrender": "pyrender"}
PEERS = ("N1", "N2", "N3")


@dataclass(frozen=True)
class Job:
    """One clip, drawn and encoded in one way.

    Attributes:
        case: one of :data:`OURS` or :data:`PEERS`.
        seq: the sequence's file.
        vocals: the singing voice, or empty.
        bgm: the background music, or empty.
        frames: how many to draw; the clip is repeated if it is shorter. 0 is the clip's own number.
        size: of the square picture, pixels.
        preset: x264's speed.
        device: the torch device of the forward pass.
        out: the video to write.
        fps: of motion and video.
        crf: x264's quality.
    """

    case: str
    seq: str
    vocals: str
    bgm: str
    frames: int
    size: int
    preset: str
    device: str
    out: str
    fps: float = 30.0
    crf: int = 18

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The other side of :meth:`to_json`."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """One line for a command line."""
        return json.dumps(asdict(self))

    @property
    def sound(self) -> tuple[Path | None, Path | None]:
        """Vocals and BGM."""
        vocals, bgm = (Path(path) if path else None for path in (self.vocals, self.bgm))
        return vocals, bgm

    def sequence(self, every: int = 1) -> ParamSequence:
        """The motion, or each ``every``-th frame of it.

        Raises:
            InputError: the file holds no parameters.
        """
        sequence = load_sequence(self.seq)
        if not isinstance(sequence, ParamSequence):
            raise InputError("holds vertices; the loops start from parameters", file=self.seq)
        index = np.arange(0, self.frames or len(sequence), every) % len(sequence)
        return replace(sequence, params=sequence.params.map(lambda field: field[index]))
