"""A small dataset in the release's layout, its zips, and copies of it with one thing wrong."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

IDS = ("id0_1_0_0", "id0_1_0_1", "id1_2_0_0", "id2_14_01_0_2")
N_FRAMES = 30
RATE = 16_000
PARTS = {"flame_seqs": ".pkl", "audio_seqs": ".wav", "bgm_seqs": "_bgm.wav", "video_seqs": ".mp4"}


def motion(clip_id: str = IDS[0], n_frames: int = N_FRAMES) -> dict[str, Any]:
    """Smooth nodding and singing; one shape a subject."""
    subject = np.random.default_rng([*clip_id.split("_")[0].encode()])
    times = np.arange(n_frames)[:, None] / 30
    clip = np.random.default_rng([*clip_id.encode()])
    wave = np.sin(2 * np.pi * (times * clip.uniform(0.2, 1, 59) + clip.random(59))).astype(np.float32)
    return {
        "expcodes": 0.5 * wave[:, :50],
        "posecodes": 0.05 * wave[:, 50:],
        "shapecode": subject.standard_normal((1, 100)).astype(np.float32),
    }


def write_motion(path: Path, content: Any) -> None:
    path.write_bytes(pickle.dumps(content))


def write_sound(path: Path, seconds: float = N_FRAMES / 30, peak: float = 0.3, rate: int = RATE, channels: int = 1) -> None:
    times = np.arange(round(seconds * rate)) / rate
    wave = peak * np.sin(2 * np.pi * 220 * times)
    soundfile.write(path, np.repeat(wave[:, None], channels, axis=1), rate)


def write_dataset(root: Path, ids: tuple[str, ...] = IDS) -> Path:
    """Nothing is wrong with it; the recordings are only there."""
    for part in PARTS:
        (root / part).mkdir(parents=True)
    for clip_id in ids:
        write_motion(root / "flame_seqs" / f"{clip_id}.pkl", motion(clip_id))
        write_sound(root / "audio_seqs" / f"{clip_id}.wav")
        write_sound(root / "bgm_seqs" / f"{clip_id}_bgm.wav", peak=0.2, rate=22_050, channels=2)
        (root / "video_seqs" / f"{clip_id}.mp4").write_bytes(b"a video")
    (root / "train.txt").write_text("".join(f"{clip_id}\n" for clip_id in ids[:-1]))
    (root / "test.txt").write_text(f"{ids[-1]}\n")
    return root


def zip_dataset(root: Path, zipped: Path, compression: int = zipfile.ZIP_STORED, bare: bool = False) -> Path:
    """The same in zips, members ``flame_seqs/ID.pkl`` or ``ID.pkl``."""
    zipped.mkdir(parents=True)
    for part in PARTS:
        with zipfile.ZipFile(zipped / f"{part}.zip", "w", compression) as archive:
            for path in sorted((root / part).iterdir()):
                archive.write(path, path.name if bare else f"{part}/{path.name}")
    for path in root.glob("*.txt"):
        (zipped / path.name).write_bytes(path.read_bytes())
    return zipped
