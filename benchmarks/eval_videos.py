"""An evaluation folder to measure: the demo's generated singing as recordings, and its methods, drawn by our renderer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.render.clip import Look, Sound, render_clip
from singinghead.tools.demo.dataset import METHODS as METHODS
from singinghead.tools.demo.dataset import write_dataset


def write(root: Path, size: int, n_frames: int, n_clips: int) -> list[str]:
    """Write input_audio and generated/{gt_videos, smoothed, late}; returns the clips' IDs."""
    dataset, model = root / "dataset", FlameModel.load(None)
    ids = write_dataset(dataset)[:n_clips]
    folders = {"gt_videos": dataset / "flame_seqs", **{name: dataset / "methods" / name for name in METHODS}}
    (root / "input_audio").mkdir()
    for clip_id in ids:
        vocals = Path(shutil.copy(dataset / "audio_seqs" / f"{clip_id}.wav", root / "input_audio"))
        for name, folder in folders.items():
            sequence = load_sequence(folder / f"{clip_id}.pkl")
            assert isinstance(sequence, ParamSequence)
            short = replace(sequence, params=sequence.params.map(lambda values: values[:n_frames]))
            out = root / "generated" / name / f"{clip_id}.mp4"
            out.parent.mkdir(parents=True, exist_ok=True)
            render_clip(model, short, out, Look(size=size), Sound(vocals=vocals))
    shutil.rmtree(dataset)
    return ids
