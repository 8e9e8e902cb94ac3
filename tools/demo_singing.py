"""Generated singing for the demo: a score of sung vowels over a beat, as sound and as the motion that follows it.

A :class:`Song` says all that is sung and played in a clip. :func:`sing` makes vocals of it by source and filter,
:func:`accompany` drums, bass and chords, :func:`perform` the motion of a head: one score, so the true beats, notes and
vowels of each clip are known. :func:`write_dataset` writes three clips in the layout of the SingingHead release, with
that truth beside them. Whatever is left to chance is seeded by the clip's ID.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.params import N_EXPRESSION, N_SHAPE, FlameParams
from singinghead.flame_model.stand_in import StandIn, load_stand_in

FPS = 30
VOCALS_RATE = 48_000
BGM_RATE = 44_100  # not the vocals', so that whoever mixes them has to resample
VOCALS_PEAK_DB, BGM_PEAK_DB = -4.0, -12.0
_CONTROL_STEP = 100  # samples between two settings of the vocal tract: 480 a second

# Frequencies, then bandwidths, of formants 1 to 5 in Hz: the Csound manual's appendix "Formant Values".
FORMANTS = {
    "tenor": {
        "a": (650, 1080, 2650, 2900, 3250, 80, 90, 120, 130, 140),
        "e": (400, 1700, 2600, 3200, 3580, 70, 80, 100, 120, 120),
        "i": (290, 1870, 2800, 3250, 3540, 40, 90, 100, 120, 120),
        "o": (400, 800, 2600, 2800, 3000, 40, 80, 100, 120, 120),
        "u": (350, 600, 2700, 2900, 3300, 40, 60, 100, 120, 120),
    },
    "alto": {
        "a": (800, 1150, 2800, 3500, 4950, 80, 90, 120, 130, 140),
        "e": (400, 1600, 2700, 3300, 4950, 60, 80, 120, 150, 200),
        "i": (350, 1700, 2700, 3700, 4950, 50, 100, 120, 150, 200),
        "o": (450, 800, 2830, 3500, 4950, 70, 80, 100, 130, 135),
        "u": (325, 700, 2530, 3500, 4950, 50, 60, 170, 180, 200),
    },
}
# How far each vowel opens the jaw, in radians, and how far it moves the lips (ARKit units, 0 to 1).
JAW = {"a": 0.19, "e": 0.13, "i": 0.08, "o": 0.15, "u": 0.11}
LIPS = {
    "a": {"mouthLowerDown": 0.30, "mouthUpperUp": 0.25, "mouthStretch": 0.10},
    "e": {"mouthLowerDown": 0.25, "mouthUpperUp": 0.15, "mouthStretch": 0.25, "mouthSmile": 0.30},
    "i": {"mouthLowerDown": 0.20, "mouthUpperUp": 0.10, "mouthStretch": 0.35, "mouthSmile": 0.50},
    "o": {"mouthFunnel": 0.55, "mouthPucker": 0.25},
    "u": {"mouthFunnel": 0.25, "mouthPucker": 0.75},
}
_LIP_UNITS = sorted({unit for lips in LIPS.values() for unit in lips})
_UNPAIRED = {"browInnerUp", "mouthFunnel", "mouthPucker"}  # every other unit has a left and a right half
# How far the head is down on each beat of a bar of four and of three, in radians; the deep ones are the strong beats.
_NODS = {4: (0.08, -0.03, 0.055, -0.03), 3: (0.08, -0.05, 0.01)}
_ROOTS = {"A": 57, "B": 59, "C": 60, "D": 62, "F": 53, "G": 55}


@dataclass(frozen=True)
class Note:
    """One sung vowel of ``a e i o u``: from when and how long in seconds, how high in MIDI (69 is 440 Hz)."""

    start_s: float
    duration_s: float
    midi: int
    vowel: str

    @property
    def end_s(self) -> float:
        """When it falls silent."""
        return self.start_s + self.duration_s


@dataclass(frozen=True)
class Song:
    """The score of one clip.

    Attributes:
        name: the clip's ID.
        voice: a row of :data:`FORMANTS`.
        beats_per_minute: the tempo.
        beats_per_bar: 4, or 3 for a waltz.
        melody: ``a57:1.5`` is the vowel a on MIDI note 57 for one and a half beats, ``-:1`` a rest; ``|`` parts bars.
        chords: the triad of each bar, e.g. ``Am F C G``.
    """

    name: str
    voice: str
    beats_per_minute: float
    beats_per_bar: int
    melody: str
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
    def notes(self) -> tuple[Note, ...]:
        """The melody in seconds. The small dip that parts two notes makes the second one heard."""
        notes, beat = [], 0.0
        for pitch, beats in (token.split(":") for token in self.melody.replace("|", "").split()):
            if pitch != "-":
                start_s, duration_s = self.first_beat_s + beat * self.beat_s, (float(beats) - 0.08) * self.beat_s
                notes.append(Note(start_s, duration_s, midi=int(pitch[1:]), vowel=pitch[0]))
            beat += float(beats)
        return tuple(notes)

    def random(self, purpose: str) -> np.random.Generator:
        """This clip's own chance, independent of that for another purpose."""
        return np.random.default_rng([*f"{self.name} {purpose}".encode()])


SONGS = (
    Song(
        *("id0_1_0_0", "tenor", 126, 4),
        "a57:1.5 o60:.5 a64:1 -:1 | i65:1 e64:.5 a60:1.5 -:1 | o64:1 a67:1.5 e64:.5 i62:1 | u59:.5 o62:.5 a59:2 -:1",
        "Am F C G",
    ),
    Song(
        *("id0_1_0_1", "tenor", 126, 4),
        "u60:1 a65:2 -:1 | i64:.5 e62:.5 o60:1 a67:1 -:1 | a62:.5 e64:.5 i62:.5 o59:1.5 -:1 | u59:1 a57:2 -:1",
        "F C G Am",
    ),
    Song(
        *("id1_2_0_0", "alto", 92, 3),
        "u66:1 a69:2 | i71:.5 e69:.5 o66:1 -:1 | o67:1 a71:1.5 i74:.5 | a73:1 o69:1 -:1",
        "D Bm G A",
    ),
)


def sing(song: Song) -> Floats:
    """Sing the melody: a voice source with vibrato and glides through five moving formants in series.

    Harmonics are summed one by one, so nothing aliases and the tract may move freely. The source falls by 12 dB an
    octave, which radiation from the lips raises by 6 (Fant 1960). Returns (N,) mono at :data:`VOCALS_RATE`.
    """
    rng, notes = song.random("voice"), song.notes
    samples = np.arange(round(song.duration_s * VOCALS_RATE))
    knots = np.arange(0, len(samples) + _CONTROL_STEP, _CONTROL_STEP)
    times = knots / VOCALS_RATE

    # Through a rest the voice keeps pitch and vowel, and changes them half way.
    middles = [(before.end_s + note.start_s) / 2 for before, note in pairwise(notes)]
    changes, heights = np.array([0.0, *middles]), np.array([note.midi for note in notes], float)
    midi = _glide(times, changes, heights, 0.09)
    # Vibrato of 40 cents sets in late, on long notes only.
    late = [replace(note, start_s=note.start_s + 0.3, duration_s=note.duration_s - 0.3) for note in notes]
    depth = np.array([0.4 if note.duration_s > 0.3 else 0.0 for note in late])
    midi += _glide(times, *_timeline(late, depth, 0.0), 0.3) * np.sin(2 * np.pi * 5.5 * times)
    # Three unrelated sines are the flutter that keeps a steady voice alive (Klatt and Klatt 1990).
    flutter = np.sin(2 * np.pi * (times[:, None] * [12.7, 7.1, 4.7] + rng.random(3))).sum(axis=1)
    pitch = 440 * 2 ** ((midi - 69) / 12) * (1 + 0.001 * flutter)

    tract = np.exp(_glide(times, changes, np.log([FORMANTS[song.voice][note.vowel] for note in notes]), 0.09))
    # A singer whose pitch passes the first formant opens the mouth until it follows (Sundberg 1987).
    tract[:, 0] = np.maximum(tract[:, 0], pitch)
    harmonics = np.arange(1, int(20_000 / pitch.max()) + 1)
    hz = pitch[:, None] * harmonics
    spectrum = (1 / harmonics).astype(complex)
    for centre, width in zip(tract.T[:5, :, None], tract.T[5:, :, None], strict=True):
        spectrum = spectrum * centre**2 / (centre**2 - hz**2 + 1j * width * hz)
    # Singers even out most of what vowels differ by in loudness.
    spectrum /= np.sum(np.abs(spectrum) ** 2, axis=1, keepdims=True) ** 0.42

    wave, phasor = np.zeros(len(samples)), np.ones(len(samples), complex)
    turn = np.exp(2j * np.pi / VOCALS_RATE * np.cumsum(np.interp(samples, knots, pitch)))
    for amplitude in spectrum.T:
        phasor *= turn
        wave += (np.interp(samples, knots, amplitude) * phasor).real
    wave += 0.02 * wave.std() * _noise(rng, len(samples), VOCALS_RATE, 2_000, 9_000)  # breath
    loudness = _glide(times + 0.01, *_timeline(notes, 1 + 0.2 * _height(notes), 0.0), 0.06)
    return _to_peak(wave * np.interp(samples, knots, loudness), VOCALS_PEAK_DB)


def accompany(song: Song) -> Floats:
    """Play kick, snare and hat on the beat, bass and soft chords: (N, 2) stereo at :data:`BGM_RATE`."""
    rng, beats, strong = song.random("band"), song.beats_s, _nod_depths(song) > 0.05
    track = np.zeros((round(song.duration_s * BGM_RATE), 2))
    t = np.arange(round(0.3 * BGM_RATE)) / BGM_RATE
    hat = _noise(rng, len(t), BGM_RATE, 6_000, 16_000) * _struck(t, 0.015)
    # Without the beater's click a trained ear, or a beat tracker's, hears the snare alone.
    kick = np.sin(2 * np.pi * (50 * t - 3 * np.exp(-t / 0.03))) * _struck(t, 0.08)
    click = _noise(rng, len(t), BGM_RATE, 800, 5_000) * _struck(t, 0.01)
    snare = (0.5 * _noise(rng, len(t), BGM_RATE, 800, 9_000) + np.sin(2 * np.pi * 185 * t)) * _struck(t, 0.05)
    _play(track, 0.6 * kick + 0.3 * click, beats[strong])
    _play(track, 0.3 * snare, beats[~strong])
    _play(track, 0.2 * hat, beats, pan=0.3)
    _play(track, 0.06 * hat, beats + song.beat_s / 2, pan=0.3)

    t = np.arange(round(1.1 * song.beats_per_bar * song.beat_s * BGM_RATE)) / BGM_RATE
    soft = _ease(t / 0.15) * _ease((t[-1] - t) / 0.3)
    for bar, chord in enumerate(song.chords.split()):
        root, bar_beats = _ROOTS[chord[0]], beats[bar * song.beats_per_bar :][: song.beats_per_bar]
        one_beat = t[t < 0.95 * song.beat_s]
        _play(track, 0.4 * _tone(one_beat, root - 24) * _struck(one_beat, 0.25), bar_beats)
        for note, pan in ((root, -0.6), (root + (3 if chord.endswith("m") else 4), 0.0), (root + 7, 0.6)):
            _play(track, 0.14 * _tone(t, note) * soft, bar_beats[:1], pan)
    track = np.tanh(2 * track / np.abs(track).max())  # rounds the drums off, or nothing else is heard at this peak
    t = np.arange(len(track)) / BGM_RATE
    cut = _ease(t / 0.01) * _ease((t[-1] - t) / 0.02)  # as a clip is cut out of its song
    return _to_peak((track - track.mean(axis=0)) * cut[:, None], BGM_PEAK_DB)


def perform(song: Song, stand_in: StandIn) -> FlameParams:
    """Move a head to the song: jaw and lips with the vowels, nods on the beat, brows with the pitch, and blinks.

    The jaw leads the sound by 50 ms, the lips by 80 ms and more slowly, so that short vowels are undershot and coloured
    by their neighbours. Frame i is the instant i / :data:`FPS`.
    """
    notes, times = song.notes, np.arange(round(song.duration_s * FPS)) / FPS
    height = _height(notes)
    opening = np.array([JAW[note.vowel] for note in notes]) * (1 + 0.25 * height)
    jaw = _glide(times + 0.05, *_timeline(notes, opening, 0.0, 0.12), 0.23)[:, None] * [1, 0, 0]
    lips = np.array([[LIPS[note.vowel].get(unit, 0.0) for unit in _LIP_UNITS] for note in notes])
    curves = dict(zip(_LIP_UNITS, _glide(times + 0.08, *_timeline(notes, lips, 0.0, 0.12), 0.28).T, strict=True))
    effort = _glide(times + 0.1, *_timeline(notes, height, -0.3, 0.3), 0.4)
    raised = np.clip(effort, 0, 1)
    curves |= {"browInnerUp": 0.1 + 0.5 * raised, "browOuterUp": 0.35 * raised, "cheekSquint": 0.15 + 0.15 * raised}
    curves["eyeBlink"] = _blinks(song, times)

    head = _nods(song, times)
    head[:, 0] -= 0.02 * effort  # the chin rises with the pitch
    # Nobody's neck holds still: slow swings, well below the tempo.
    phase = times[:, None] * [0.05, 0.13, 0.11] + song.random("sway").random(3)
    neck = 0.7 * head + np.sin(2 * np.pi * phase) * [0.01, 0.03, 0.02]
    vectors = np.concatenate([_expression(stand_in, curves), 0.5 * head, neck, jaw], axis=1)
    return FlameParams.from_vectors(vectors)


def write_dataset(root: Path) -> list[str]:
    """Write :data:`SONGS` as a dataset: ``flame_seqs audio_seqs bgm_seqs test.txt`` as in the release, and ``truth``.

    Returns the clips' IDs. Subjects keep one shape over all of their clips.
    """
    stand_in = load_stand_in()
    for folder in ("flame_seqs", "audio_seqs", "bgm_seqs", "truth"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for song in SONGS:
        expression, pose = np.split(perform(song, stand_in).to_vectors(), [N_EXPRESSION], axis=1)
        # Half the population's spread: likely heads, yet told apart.
        shape = np.random.default_rng([*song.name.split("_")[0].encode()]).normal(0, 0.5, (1, N_SHAPE))
        codes = {"expcodes": expression, "posecodes": pose, "shapecode": shape}
        content = {name: np.ascontiguousarray(code, np.float32) for name, code in codes.items()}
        (root / "flame_seqs" / f"{song.name}.pkl").write_bytes(pickle.dumps(content, protocol=4))
        soundfile.write(root / "audio_seqs" / f"{song.name}.wav", sing(song), VOCALS_RATE, "PCM_16")
        soundfile.write(root / "bgm_seqs" / f"{song.name}_bgm.wav", accompany(song), BGM_RATE, "PCM_16")
        truth = asdict(song) | {"beats_s": song.beats_s.tolist(), "notes": [asdict(note) for note in song.notes]}
        (root / "truth" / f"{song.name}.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    names = [song.name for song in SONGS]
    (root / "test.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return names


def _ease(x: Floats) -> Floats:
    """From 0 at 0 to 1 at 1 without a kink at either end: the integral of a Hann window."""
    x = np.clip(x, 0, 1)
    return x - np.sin(2 * np.pi * x) / (2 * np.pi)


def _glide(times: Floats, at: Floats, values: Floats, width_s: float) -> Floats:
    """Take on ``values``, (n,) or (n, D), one after another around the times ``at``: steps blurred to ``width_s``.

    The first value holds from the beginning, whatever ``at[0]`` is. Steps closer than their width run together.
    """
    taken = _ease((times[:, None] - at[1:]) / width_s + 0.5)
    result: Floats = values[0] + taken @ np.diff(values, axis=0)
    return result


def _timeline(notes: Sequence[Note], values: Floats, rest: float, shortest_s: float = 0.0) -> tuple[Floats, Floats]:
    """When each note's value sets in, and ``rest`` in gaps of at least ``shortest_s``, for :func:`_glide`."""
    starts, ends = np.array([[note.start_s, note.end_s] for note in notes]).T
    ends = ends[np.append(starts[1:], np.inf) - ends >= shortest_s]
    at = np.concatenate([[-np.inf], starts, ends])
    rests = np.full((1 + len(ends), *values.shape[1:]), rest)
    order = np.argsort(at)
    return at[order], np.concatenate([rests[:1], values, rests[1:]])[order]


def _height(notes: Sequence[Note]) -> Floats:
    """(n,) how high each note lies in its melody, -1 to 1."""
    midi = np.array([note.midi for note in notes], float)
    height: Floats = np.clip((midi - midi.mean()) / 6, -1, 1)
    return height


def _nod_depths(song: Song) -> Floats:
    """(B,) how far the head is down on each beat, in radians: far on strong beats, up on weak ones."""
    return np.resize(_NODS[song.beats_per_bar], len(song.beats_s))


def _noise(rng: np.random.Generator, n: int, rate: int, low_hz: float, high_hz: float) -> Floats:
    """(n,) noise of unit variance, from ``low_hz`` (and half of that) to ``high_hz`` (and twice that)."""
    hz: Floats = np.fft.rfftfreq(n, 1 / rate).astype(np.float64)
    band = _ease(2 * hz / low_hz - 1) * _ease(2 - hz / high_hz)
    noise: Floats = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * band, n)
    noise /= noise.std()
    return noise


def _tone(t: Floats, midi: int) -> Floats:
    """A soft tone of four harmonics."""
    phase = 2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * t[:, None]
    tone: Floats = np.sin(phase * [1, 2, 3, 4]) @ [1, 1 / 4, 1 / 9, 1 / 16]
    return tone


def _struck(t: Floats, decay_s: float) -> Floats:
    """How loud something struck is: up in 2 ms, an exponential decay, and silence at the end."""
    return _ease(t / 0.002) * np.exp(-t / decay_s) * _ease((t[-1] - t) / 0.02)


def _play(track: Floats, sound: Floats, times_s: Floats, pan: float = 0.0) -> None:
    """Add ``sound`` (n,) to ``track`` (N, 2) at each time; ``pan`` from -1, left, to 1. It may hang over the end."""
    stereo = sound[:, None] * np.sqrt([(1 - pan) / 2, (1 + pan) / 2])
    for start in np.rint(times_s * BGM_RATE).astype(int):
        room = track[start : start + len(sound)]
        room += stereo[: len(room)]


def _to_peak(wave: Floats, peak_db: float) -> Floats:
    return wave * float(10 ** (peak_db / 20) / np.abs(wave).max())


def _nods(song: Song, times: Floats) -> Floats:
    """(T, 3) rotation in radians (x: down, y: to the left, z: to the right shoulder) that comes to rest on each beat.

    It leans to the other side every bar, and is never twice as far or quite in time.
    """
    rng, n_beats = song.random("nods"), len(song.beats_s)
    side = np.where(np.arange(n_beats) // song.beats_per_bar % 2, -1, 1)
    poses = np.stack([_nod_depths(song), 0.05 * side, 0.03 * side], axis=1)
    poses *= rng.uniform(0.5, 1.1, poses.shape)
    moves = song.beats_s - song.beat_s / 2 + rng.normal(0, 0.012, n_beats)
    return _glide(times, np.append(0, moves), np.concatenate([np.zeros((1, 3)), poses]), song.beat_s)


def _blinks(song: Song, times: Floats) -> Floats:
    """(T,) how far the eyes are shut, 0 to 1: shut in 0.1 s, open 0.2 s later, about every three seconds."""
    rng = song.random("blinks")
    age = times[:, None] - np.cumsum(np.append(rng.uniform(0.4, 1.4), 1.4 + rng.gamma(4, 0.5, size=8)))
    closure: Floats = np.sum(_ease(age / 0.1) - _ease((age - 0.12) / 0.18), axis=1)
    return closure


def _expression(stand_in: StandIn, curves: dict[str, Floats]) -> Floats:
    """(T, 50) expression of units whose activations (T,) change over time; a name without a side moves both."""
    sides = {name: [name] if name in _UNPAIRED else [f"{name}Left", f"{name}Right"] for name in curves}
    units = [stand_in.expression(**dict.fromkeys(names, 1.0)) for names in sides.values()]
    codes: Floats = np.stack(list(curves.values()), axis=1) @ np.stack(units).astype(np.float64)
    return codes
