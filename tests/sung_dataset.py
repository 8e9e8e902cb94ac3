"""A small dataset that the metrics' tests write: a FLAME-layout model, motion, clicks to sing to, and methods."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from golden_inputs import clicks
from written_flame import V, write_model

IDS = ("id0_1_0_0", "id1_1_0_0", "id1_2_0_0")
T = 67

MASKS = {
    "lips": np.array([5, 9, 9, 40, 77]),
    "face": np.arange(20, 90),
    "forehead": np.arange(90, 110),
    "eye_region": np.arange(100, 120),
    "nose": np.arange(60, 70),
}


@dataclass(frozen=True)
class Dataset:
    """Where it lies."""

    root: Path

    @property
    def truth(self) -> Path:
        return self.root / "flame_seqs"

    @property
    def model(self) -> Path:
        return self.root / "flame"

    def method(self, name: str) -> Path:
        folder = self.root / "methods" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def vectors(self, clip_id: str) -> np.ndarray:
        """(T, 59) of the ground truth."""
        content = pickle.loads((self.truth / f"{clip_id}.pkl").read_bytes())
        return np.concatenate([content["expcodes"], content["posecodes"]], axis=1)

    def shape(self, clip_id: str) -> np.ndarray:
        content = pickle.loads((self.truth / f"{clip_id}.pkl").read_bytes())
        return np.asarray(content["shapecode"])[0]

    def write_noisy(self, name: str, n_samples: int = 1, size: float = 0.1, seed: int = 5) -> Path:
        """A method: the ground truth and noise."""
        rng = np.random.default_rng(seed)
        for clip_id in IDS:
            noise = size * rng.standard_normal((n_samples, T, 59))
            np.save(self.method(name) / f"{clip_id}.npy", (self.vectors(clip_id) + noise).astype(np.float32))
        return self.method(name)


def smooth_motion(rng: np.random.Generator, n_frames: int = T) -> np.ndarray:
    """(T, 59) expression, head and jaw, each a sum of waves."""
    t = np.arange(n_frames)[:, None, None] / 30
    waves = np.sin(2 * np.pi * rng.uniform(1, 6, (4, 59)) * t + rng.uniform(0, 6, (4, 59))).sum(axis=1)
    return (waves * np.where(np.arange(59) < 50, 0.5, 0.05)).astype(np.float32)


def write_sequence(path: Path, vectors: np.ndarray, shape: np.ndarray) -> None:
    content = {"expcodes": vectors[:, :50], "posecodes": vectors[:, 50:], "shapecode": shape[None]}
    path.write_bytes(pickle.dumps({name: np.asarray(code, np.float32) for name, code in content.items()}))


def write_dataset(root: Path) -> Dataset:
    rng = np.random.default_rng(4)
    for folder in ("flame", "flame_seqs", "audio_seqs", "bgm_seqs"):
        (root / folder).mkdir(parents=True)
    write_model(root / "flame")
    (root / "flame" / "FLAME_masks.pkl").write_bytes(pickle.dumps(MASKS))
    assert max(int(mask.max()) for mask in MASKS.values()) < V
    for number, clip_id in enumerate(IDS):
        write_sequence(root / "flame_seqs" / f"{clip_id}.pkl", smooth_motion(rng), rng.standard_normal(100))
        sound = np.roll(clicks(), 4000 * number)[: 16000 * 3]
        soundfile.write(root / "audio_seqs" / f"{clip_id}.wav", sound, 16000)
        soundfile.write(root / "bgm_seqs" / f"{clip_id}_bgm.wav", np.repeat(sound, 2)[: len(sound)], 16000)
    (root / "test.txt").write_text("".join(f"{clip_id}\n" for clip_id in IDS))
    return Dataset(root)
