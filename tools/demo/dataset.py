"""The songs as a dataset in the layout of the release, with the truth beside it and two methods to compare."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.params import N_SHAPE, FlameParams
from singinghead.flame_model.release_file import write_release
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.tools.demo.band import BGM_RATE, accompany
from singinghead.tools.demo.motion import FPS, blinks, nod_beats, perform
from singinghead.tools.demo.score import SONGS, Song
from singinghead.tools.demo.voice import VOCALS_RATE, sing

SUBJECTS = {"id0": "asian_male", "id1": "african_female", "id2": "caucasian_male"}
"""Whom of :attr:`~singinghead.flame_model.stand_in.StandIn.people` each subject resembles."""

METHODS = {"smoothed": {"gaussian_s": 0.08}, "late": {"delay_s": 0.12}}
"""What was done to the truth to make each method."""


def write_dataset(root: Path) -> list[str]:
    """Write :data:`~singinghead.tools.demo.score.SONGS` as the package says; returns the clips' IDs."""
    stand_in = load_stand_in()
    for folder in ("flame_seqs", "audio_seqs", "bgm_seqs", "truth", *(f"methods/{name}" for name in METHODS)):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for song in SONGS:
        motion, shape = perform(song, stand_in), shape_of(song, stand_in)
        smooth = smoothed(motion.to_vectors().astype(np.float64), METHODS["smoothed"]["gaussian_s"] * FPS)
        late = perform(song, stand_in, METHODS["late"]["delay_s"])
        write_release(root / "flame_seqs" / f"{song.name}.pkl", motion, shape)
        write_release(root / "methods" / "smoothed" / f"{song.name}.pkl", FlameParams.from_vectors(smooth), shape)
        write_release(root / "methods" / "late" / f"{song.name}.pkl", late, shape)
        soundfile.write(root / "audio_seqs" / f"{song.name}.wav", sing(song), VOCALS_RATE, "PCM_16")
        soundfile.write(root / "bgm_seqs" / f"{song.name}_bgm.wav", accompany(song), BGM_RATE, "PCM_16")
        (root / "truth" / f"{song.name}.json").write_text(json.dumps(truth(song), indent=1) + "\n", encoding="utf-8")
    names = [song.name for song in SONGS]
    (root / "test.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return names


def truth(song: Song) -> dict[str, Any]:
    """All that is known of a clip, for JSON; see the package."""
    closures, instants = song.lip_closures, np.arange(round(song.duration_s * FPS)) / FPS
    inside = (closures[:, 0] <= instants[:, None]) & (instants[:, None] <= closures[:, 1])
    return asdict(song) | {
        "beats_s": song.beats_s.tolist(),
        "notes": [_without_phonemes(asdict(note)) for note in song.notes],
        "lines": [{"text": line.text, "phonemes": [asdict(sound) for sound in line.phonemes]} for line in song.lines],
        "phonemes": [asdict(sound) for sound in song.phonemes],
        "breaths": [[breath.start_s, breath.end_s] for breath in song.breaths],
        "blinks": blinks(song).tolist(),
        "lip_closures": closures.tolist(),
        "closed_frames": np.flatnonzero(inside.any(axis=1)).tolist(),
        "nod_beats_s": nod_beats(song).tolist(),
        "methods": METHODS,
    }


def smoothed(vectors: Floats, sigma: float) -> Floats:
    """(T, D) after a Gaussian of ``sigma`` frames, the ends held."""
    reach = int(np.ceil(4 * sigma))
    weights = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    padded = np.pad(vectors, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis=0)
    result: Floats = windows @ (weights / weights.sum())
    return result


def _without_phonemes(note: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in note.items() if name != "phonemes"}


def shape_of(song: Song, stand_in: StandIn) -> Floats:
    """(1, 100) the subject's shape: a person of the stand-in's, and a little of no one else's."""
    subject = song.name.split("_")[0]
    own = np.random.default_rng([*subject.encode()]).normal(0, 0.3, (1, N_SHAPE))
    person: Floats = stand_in.people_codes[stand_in.people.index(SUBJECTS[subject])]
    return 0.8 * person + own
