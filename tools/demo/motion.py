"""The performance: the song as the motion of a head. All of it is a function of continuous time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stand_in import StandIn
from singinghead.tools.demo.mouth import mouth
from singinghead.tools.demo.score import Song
from singinghead.tools.demo.signals import ease, pulses, through

FPS = 30

_UNPAIRED = {
    "browInnerUp",
    "jawOpen",
    "mouthFunnel",
    "mouthPucker",
    "mouthRollLower",
    "mouthRollUpper",
}  # without left and right
_DEPTHS = (0.09, -0.04, 0.02)  # radians of the head, down, on a heavy beat and the light ones after it
_LEAN = np.array([0.05, 0.03])  # radians to the side, every other bar: about the vertical, to the shoulder
_LATEST_S = 0.02  # a nod is early or late by this at most
_PASSED_OVER = 0.12  # share of light beats without a nod


def perform(song: Song, stand_in: StandIn, delay_s: float = 0.0) -> FlameParams:
    """Move a head to the song: lips and jaw with the sounds, nods on the beat, brows with the pitch, breaths, blinks.

    Frame i is the instant i / :data:`FPS`, less ``delay_s``: all of the performance comes that much later.
    """
    times = np.arange(round(song.duration_s * FPS)) / FPS - delay_s
    jaw, units = mouth(song, times)
    effort, breath = _effort(song, times), _breath(song, times)
    raised, drift = np.clip(effort, 0, 1), _drift(song, times)
    units |= {
        "browInnerUp": 0.12 + 0.5 * raised + 0.2 * breath + 0.04 * drift[:, 0],
        "browOuterUp": 0.12 + 0.35 * raised + 0.04 * drift[:, 1],
        "cheekSquint": 0.15 + 0.2 * raised,
        "eyeBlink": _blinked(song, times),
    }
    units["jawOpen"] = jaw / stand_in.blend(jawOpen=1).params.jaw[0, 0]
    head = through(times, *_nods(song))
    head[:, 0] -= 0.008 * breath  # head and shoulders rise
    body, neck = 0.45 * head + 0.001 * drift[:, 2:5], 0.7 * head + 0.002 * drift[:, 5:8]
    face = stand_in.blend(**_on_both_sides(units)).params
    return replace(face, global_pose=body.astype(np.float32), neck=neck.astype(np.float32))


def nod_beats(song: Song) -> Floats:
    """(n,) seconds at which a nod comes to rest: within 20 ms of a beat, but not on every one."""
    return _nods(song)[0][1:-1]


def blinks(song: Song) -> Floats:
    """(n,) seconds at which the eyes begin to shut: every two to five seconds, and rather after a line than in it."""
    rng, line_ends = song.random("blinks"), np.array([line.end_s for line in song.lines])
    times = [rng.uniform(0.4, 1.4)]
    while times[-1] < song.duration_s:
        following = times[-1] + rng.uniform(2.8, 4.2)
        nearest = line_ends[np.abs(line_ends - following).argmin()] + 0.12
        times.append(nearest if abs(nearest - following) < 0.8 else following)
    return np.array([time for time in times if time < song.duration_s - 0.3])


def _nods(song: Song) -> tuple[Floats, Floats]:
    """When the head rests, (n,) seconds, and how it is turned then, (n, 3) radians.

    About x it is down, y to the left, z to the right shoulder. Never twice as far or quite in time; it leans to the other
    side every bar, goes through slow swings well below the tempo, and the chin rises with the pitch.
    """
    rng, beats = song.random("nods"), song.beats_s
    in_bar = np.arange(len(beats)) % song.beats_per_bar
    since_heavy = in_bar - np.array([max(b for b in song.strong_beats if b <= beat) for beat in in_bar])
    side = np.where(np.arange(len(beats)) // song.beats_per_bar % 2, -1, 1)[:, None]
    poses = np.column_stack([np.array(_DEPTHS)[since_heavy], side * _LEAN]) * rng.uniform(0.7, 1.15, (len(beats), 3))
    times = beats + np.clip(rng.normal(0, 0.01, len(beats)), -_LATEST_S, _LATEST_S)
    poses += np.sin(2 * np.pi * (times[:, None] * [0.05, 0.13, 0.11] + rng.random(3))) * [0.01, 0.03, 0.02]
    poses[:, 0] -= 0.03 * _effort(song, times)
    nodded = song.strong | (rng.random(len(beats)) > _PASSED_OVER)
    times = np.concatenate([[beats[0] - song.beat_s], times[nodded], [beats[-1] + song.beat_s]])
    return times, np.pad(poses[nodded], ((1, 1), (0, 0)))


def _blinked(song: Song, times: Floats) -> Floats:
    """(T,) how far the eyes are shut, 0 to 1: shut in 0.13 s, open 0.25 s later."""
    age = times[:, None] - blinks(song)
    closure: Floats = np.sum(ease(age / 0.13) - ease((age - 0.15) / 0.22), axis=1)
    return closure


def _effort(song: Song, times: Floats) -> Floats:
    """(T,) how much the face strains: -1 on the lowest notes, 1 on the highest, a little down in rests."""
    spans = np.array([(note.phonemes[0].start_s, note.end_s) for note in song.notes]) - 0.1
    effort: Floats = pulses(times, spans, 0.4) @ (song.heights + 0.3) - 0.3
    return effort


def _breath(song: Song, times: Floats) -> Floats:
    """(T,) how far it is breathed in, 0 to 1: up with a breath, down over the line's first half second."""
    spans = np.array([(breath.start_s + 0.1, breath.end_s + 0.25) for breath in song.breaths])
    breath: Floats = pulses(times, spans, 0.3, 0.5).sum(axis=1)
    return breath


def _drift(song: Song, times: Floats) -> Floats:
    """(T, 8) small unrelated movements of deviation near 1: sums of four slow sines, never the same twice."""
    rng = song.random("drift")
    hz, phase = rng.uniform(0.1, 0.9, (4, 8)), rng.random((4, 8))
    drift: Floats = np.sin(2 * np.pi * (times[:, None, None] * hz + phase)).sum(axis=1) / np.sqrt(2)
    return drift


def _on_both_sides(units: dict[str, Floats]) -> dict[str, Floats]:
    """Activations by ARKit's names from names of which all but :data:`_UNPAIRED` move both sides."""
    sides = {name: [name] if name in _UNPAIRED else [f"{name}Left", f"{name}Right"] for name in units}
    return {side: units[name] for name in units for side in sides[name]}
