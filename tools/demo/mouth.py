"""The mouth: jaw and lips from the timing of phonemes, coarticulated.

Each sound wants jaw and lips somewhere, and dominates its time and, less and less, the time around it; the mouth is where
the dominating sounds want it, on average (Cohen and Massaro 1993, "Modeling coarticulation in synthetic visual speech").
Weak sounds thus take on their neighbours' shape. Over the lips' closing, m, b and p are absolute: while they last, the
lips are shut, whatever the neighbours want.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.tools.demo.score import Phoneme, Song
from singinghead.tools.demo.signals import pulses

_LEAD_S = 0.03  # the face is there before the sound
_REACH_S = 0.075  # how far a sound's dominance reaches beyond it
_CLOSE_S, _OPEN_S = 0.12, 0.15  # how long the lips take to meet and to part
_TOUCH_S = 0.03  # of these, how long they touch already, or still


@dataclass(frozen=True)
class Viseme:
    """What a sound wants of the mouth.

    Attributes:
        jaw: how far it opens the jaw, radians.
        lips: activations of ARKit's units, 0 to 1; a name without a side is both.
        strength: how much it dominates its neighbours; a vowel has 1.
    """

    jaw: float
    lips: dict[str, float] = field(default_factory=dict)
    strength: float = 1.0


VISEMES = {
    "a": Viseme(0.140, {"mouthLowerDown": 0.30, "mouthUpperUp": 0.25, "mouthStretch": 0.10}),
    "e": Viseme(0.110, {"mouthLowerDown": 0.25, "mouthUpperUp": 0.15, "mouthStretch": 0.20, "mouthSmile": 0.30}),
    "i": Viseme(0.075, {"mouthLowerDown": 0.25, "mouthUpperUp": 0.15, "mouthStretch": 0.25, "mouthSmile": 0.50}),
    "o": Viseme(0.115, {"mouthFunnel": 0.40, "mouthPucker": 0.45}),
    "u": Viseme(0.085, {"mouthFunnel": 0.25, "mouthPucker": 0.95}),
    "w": Viseme(0.055, {"mouthFunnel": 0.20, "mouthPucker": 1.0}, strength=1.5),
    "f": Viseme(0.045, {"mouthRollLower": 0.55, "mouthUpperUp": 0.30, "mouthLowerDown": 0.10}, strength=2.0),
    "v": Viseme(0.045, {"mouthRollLower": 0.50, "mouthUpperUp": 0.30, "mouthLowerDown": 0.10}, strength=2.0),
    "s": Viseme(0.030, {"mouthLowerDown": 0.30, "mouthUpperUp": 0.15, "mouthStretch": 0.25}, strength=1.2),
    "z": Viseme(0.030, {"mouthLowerDown": 0.30, "mouthUpperUp": 0.15, "mouthStretch": 0.25}, strength=1.2),
    "sh": Viseme(0.035, {"mouthFunnel": 0.55, "mouthPucker": 0.25, "mouthUpperUp": 0.10}, strength=1.5),
    "t": Viseme(0.045, {"mouthLowerDown": 0.20, "mouthUpperUp": 0.10}, strength=0.7),
    "d": Viseme(0.050, {"mouthLowerDown": 0.20, "mouthUpperUp": 0.10}, strength=0.6),
    "n": Viseme(0.050, {"mouthLowerDown": 0.20, "mouthUpperUp": 0.10}, strength=0.6),
    "l": Viseme(0.070, {"mouthLowerDown": 0.20, "mouthUpperUp": 0.15}, strength=0.6),
    "m": Viseme(0.030, strength=0.3),
    "b": Viseme(0.030, strength=0.3),
    "p": Viseme(0.030, strength=0.3),
    "breath": Viseme(0.060, {"mouthLowerDown": 0.10, "mouthUpperUp": 0.10, "mouthFunnel": 0.10}),
    "rest": Viseme(0.0),
}
CLOSED = Viseme(0.0, {"mouthPress": 0.15, "mouthRollLower": 0.10, "mouthRollUpper": 0.05})
"""Shut lips. Those that were pouted stay so."""

_UNITS = sorted({unit for viseme in [*VISEMES.values(), CLOSED] for unit in viseme.lips})
_JAW = len(_UNITS)


def mouth(song: Song, times: Floats) -> tuple[Floats, dict[str, Floats]]:
    """(T,) opening of the jaw in radians, and (T,) activations of the lips' units, at any times in seconds."""
    sounds = _sounds(song)
    visemes = [VISEMES[sound.symbol] for sound in sounds]
    wanted = np.array([_as_row(viseme) for viseme in visemes])
    # High notes are sung with an open mouth.
    wanted[:, _JAW] *= 1 + 0.25 * _heights(song, sounds)
    spans = np.array([(sound.start_s, sound.end_s) for sound in sounds])
    early = times[:, None] + _LEAD_S
    apart = np.maximum(0, np.maximum(spans[:, 0] - early, early - spans[:, 1]))
    # Never quite zero, or nothing would dominate far outside the clip.
    dominance = np.array([viseme.strength for viseme in visemes]) * (np.exp(-((apart / _REACH_S) ** 2)) + 1e-12)
    shape = dominance @ wanted / dominance.sum(axis=1, keepdims=True)

    shut = np.array(_as_row(CLOSED))
    closing = song.lip_closures + np.array([_TOUCH_S - _CLOSE_S / 2, _OPEN_S / 2 - _TOUCH_S])
    open_share = np.prod(1 - pulses(times, closing, _CLOSE_S, _OPEN_S), axis=1, keepdims=True)
    pout = shape[:, _UNITS.index("mouthPucker")].copy()
    shape = shut + open_share * (shape - shut)
    shape[:, _UNITS.index("mouthPucker")] = pout
    return shape[:, _JAW], dict(zip(_UNITS, shape.T, strict=False))


def _sounds(song: Song) -> list[Phoneme]:
    """All that the mouth does, one thing after another: phonemes, breaths, and rests between them."""
    sounds = sorted([*song.phonemes, *song.breaths], key=lambda sound: sound.start_s)
    starts = [-1.0, *(sound.end_s for sound in sounds)]
    ends = [*(sound.start_s for sound in sounds), song.duration_s + 1.0]
    rests = [Phoneme("rest", *span) for span in zip(starts, ends, strict=True) if span[1] - span[0] > 0.1]
    return [*sounds, *rests]


def _heights(song: Song, sounds: list[Phoneme]) -> Floats:
    """(n,) how high the note of each sound lies, -1 to 1; 0 for what is not sung."""
    height = {p: height for note, height in zip(song.notes, song.heights, strict=True) for p in note.phonemes}
    return np.array([height.get(sound, 0.0) for sound in sounds])


def _as_row(viseme: Viseme) -> list[float]:
    return [*(viseme.lips.get(unit, 0.0) for unit in _UNITS), viseme.jaw]
