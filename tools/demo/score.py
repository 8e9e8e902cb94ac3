"""What is sung and when: songs, their lines, notes and phonemes.

A singer puts the vowel on the beat, so consonants come before it, out of the time of the sound before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, pairwise, takewhile

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.tools.demo.phonemes import BILABIALS, CONSONANTS, VOWELS

_SOUND = "|".join(sorted([*VOWELS, *CONSONANTS], key=len, reverse=True))
_CONSONANT = "|".join(CONSONANTS)
_TOKEN = re.compile(
    rf"(?:(?P<syllable>(?:{_CONSONANT})*[{VOWELS}](?:{_CONSONANT})*)(?P<joined>-?)(?P<midi>\d+)|-):(?P<beats>[\d.]+)"
)
_RELEASE_BEATS = 0.08
_BREATH_S = 0.34
_PAUSE_S = 0.05  # between a breath and the sounds beside it


@dataclass(frozen=True)
class Phoneme:
    """One sound: what, and from when to when in seconds."""

    symbol: str
    start_s: float
    end_s: float

    @property
    def release_s(self) -> float:
        """When a closure opens: at the burst of a plosive, else at the end."""
        return self.end_s - CONSONANTS[self.symbol].release_s if self.symbol in CONSONANTS else self.end_s


@dataclass(frozen=True)
class Note:
    """One sung syllable.

    Attributes:
        start_s: when its vowel begins: on the beat.
        end_s: when its last sound ends.
        midi: how high; 69 is 440 Hz.
        syllable: as it is written.
        phonemes: its sounds; those of its onset come before ``start_s``.
    """

    start_s: float
    end_s: float
    midi: int
    syllable: str
    phonemes: tuple[Phoneme, ...]

    @property
    def vowel(self) -> Phoneme:
        """The sound that is sung."""
        return next(phoneme for phoneme in self.phonemes if phoneme.symbol in VOWELS)


@dataclass(frozen=True)
class Line:
    """What is sung in one breath."""

    text: str
    notes: tuple[Note, ...]

    @property
    def phonemes(self) -> tuple[Phoneme, ...]:
        """All of its sounds, one after another."""
        return tuple(phoneme for note in self.notes for phoneme in note.phonemes)

    @property
    def start_s(self) -> float:
        """When its first sound begins."""
        return self.phonemes[0].start_s

    @property
    def end_s(self) -> float:
        """When its last sound ends."""
        return self.phonemes[-1].end_s


@dataclass(frozen=True)
class Song:
    """The score of one clip.

    Attributes:
        name: the clip's ID.
        voice: a row of :data:`~singinghead.tools.demo.phonemes.FORMANTS`.
        beats_per_minute: the tempo.
        beats_per_bar: the metre.
        strong_beats: which beats of a bar are heavy, from 0.
        score: ``ma57:1.5`` is the syllable ma on MIDI note 57 for one and a half beats, its word goes on after
            ``ma-57:1.5``; ``-:1`` is a rest. ``|`` parts bars, and each text of the tuple is a line.
        chords: the triad of each bar, e.g. ``Am F C G``.
        first_beat_s: when the first bar begins.
        duration_s: of the clip.
    """

    name: str
    voice: str
    beats_per_minute: float
    beats_per_bar: int
    strong_beats: tuple[int, ...]
    score: tuple[str, ...]
    chords: str = ""
    first_beat_s: float = 0.19
    duration_s: float = 8.0

    @property
    def beat_s(self) -> float:
        """Time from beat to beat, in seconds."""
        return 60 / self.beats_per_minute

    @property
    def beats_s(self) -> Floats:
        """(B,) times of all beats in the clip, in seconds."""
        return np.arange(self.first_beat_s, self.duration_s, self.beat_s)

    @property
    def strong(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(B,) whether each beat is heavy."""
        return np.isin(np.arange(len(self.beats_s)) % self.beats_per_bar, self.strong_beats)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The score in seconds."""
        score = [[_Token.read(token) for token in line.replace("|", "").split()] for line in self.score]
        pairs = pairwise([*chain(*score), _Token(beats=0)])
        start_s, lines = self.first_beat_s, []
        for tokens in score:
            notes = []
            for token, following in islice(pairs, len(tokens)):
                end_s = start_s + token.beats * self.beat_s
                if token.syllable:
                    # The next onset takes its time from this note; before a rest the voice stops a little early.
                    notes.append(token.sung(start_s, end_s - (following.onset_s or _RELEASE_BEATS * self.beat_s)))
                start_s = end_s
            lines.append(Line(_text(tokens), tuple(notes)))
        return tuple(lines)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All sung syllables."""
        return tuple(note for line in self.lines for note in line.notes)

    @property
    def phonemes(self) -> tuple[Phoneme, ...]:
        """All sounds."""
        return tuple(phoneme for line in self.lines for phoneme in line.phonemes)

    @property
    def heights(self) -> Floats:
        """(n,) how high each note lies in the melody, -1 to 1."""
        midi = np.array([note.midi for note in self.notes], float)
        heights: Floats = np.clip((midi - midi.mean()) / 6, -1, 1)
        return heights

    @property
    def breaths(self) -> tuple[Phoneme, ...]:
        """One before each line, as long as the rest there allows."""
        ends = [0.0, *(line.end_s for line in self.lines[:-1])]
        spans = [(end + _PAUSE_S, line.start_s - _PAUSE_S) for end, line in zip(ends, self.lines, strict=True)]
        return tuple(Phoneme("breath", max(start, end - _BREATH_S), end) for start, end in spans)

    @property
    def lip_closures(self) -> Floats:
        """(n, 2) seconds from when to when the lips are shut: in m, b, p, and in rests that leave the time for it."""
        bilabial = [(p.start_s, p.release_s) for p in self.phonemes if p.symbol in BILABIALS]
        sounds = sorted([*self.phonemes, *self.breaths], key=lambda sound: sound.start_s)
        starts = [-1.0, *(sound.end_s for sound in sounds)]
        ends = [*(sound.start_s for sound in sounds), self.duration_s + 1.0]
        # The mouth takes 0.18 s to close after a sound that opens it, and 0.12 s to open before the next.
        shut = [False, *(sound.symbol in BILABIALS for sound in sounds)]
        rests = [
            (start if closed else start + 0.18, end - 0.12)
            for start, end, closed in zip(starts, ends, shut, strict=True)
            if end - start > 0.4
        ]
        spans: list[list[float]] = []
        for start, end in sorted([*bilabial, *rests]):
            if spans and start - spans[-1][1] < 1e-6:
                spans[-1][1] = end
            else:
                spans.append([start, end])
        return np.clip(spans, 0, self.duration_s).reshape(-1, 2)

    def random(self, purpose: str) -> np.random.Generator:
        """This clip's own chance, independent of that for another purpose."""
        return np.random.default_rng([*f"{self.name} {purpose}".encode()])


SONGS = (
    Song(
        *("id0_1_0_0", "tenor", 126, 4, (0, 2)),
        (
            "-:1 ma-57:1 la64:1 bo60:1 | pi-65:1 lu-64:.5 ma60:1.5 -:1 |",
            "so64:1 fa-67:1.5 mi64:.5 du62:1 | ba-59:.5 do62:.5 vam59:2 -:1",
        ),
        "Am F C G",
    ),
    Song(
        *("id1_2_0_0", "alto", 92, 3, (0,)),
        (
            "-:1 lu-66:1 la69:1 | mi-71:.5 na69:.5 mo66:1 -:1 |",
            "wo67:1 she-71:1.5 li74:.5 | ba-73:1 num69:1 -:1",
        ),
        "D Bm G A",
    ),
    Song(
        *("id2_3_0_0", "bass", 114, 5, (0, 3)),
        (
            "-:1 bom45:1 ba-48:.5 da50:.5 dum45:1 -:1 |",
            "pa47:1 zu-48:1 bi52:.5 to48:.5 mam43:1 -:1 |",
            "wa50:1 ne-48:.5 po47:.5 va45:1 tum40:1.2 -:.8",
        ),
        "Am C Am",
    ),
)


@dataclass(frozen=True)
class _Token:
    """One word of the score: a rest if it has no syllable."""

    beats: float
    syllable: str = ""
    joined: bool = False
    midi: int = 0

    @classmethod
    def read(cls, token: str) -> _Token:
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise InputError(f"a score cannot have {token!r}", remedy="ma57:1.5 is a syllable, -:1 a rest")
        return cls(float(match["beats"]), match["syllable"] or "", bool(match["joined"]), int(match["midi"] or 0))

    @property
    def sounds(self) -> list[str]:
        return re.findall(_SOUND, self.syllable)

    @property
    def onset_s(self) -> float:
        """How long the consonants before the vowel take."""
        return sum(_consonants_s(takewhile(lambda sound: sound not in VOWELS, self.sounds)))

    def sung(self, start_s: float, end_s: float) -> Note:
        """This syllable with its vowel on ``start_s`` and its last consonant up to ``end_s``."""
        sounds = self.sounds
        index = next(index for index, sound in enumerate(sounds) if sound in VOWELS)
        before = start_s - self.onset_s + np.cumsum([0.0, *_consonants_s(sounds[:index])])
        after = end_s - np.cumsum([0.0, *_consonants_s(reversed(sounds[index + 1 :]))])[::-1]
        bounds = [*before.tolist(), *after.tolist()]
        phonemes = [Phoneme(sound, *span) for sound, span in zip(sounds, pairwise(bounds), strict=True)]
        return Note(start_s, end_s, self.midi, self.syllable, tuple(phonemes))


def _consonants_s(sounds: Iterable[str]) -> list[float]:
    return [CONSONANTS[sound].duration_s for sound in sounds]


def _text(tokens: Iterable[_Token]) -> str:
    return "".join(token.syllable + ("" if token.joined else " ") for token in tokens if token.syllable).strip()
