"""Render one sequence to one mp4 with sound."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import psutil
import tyro

from singinghead.flame_model.dataset import BGM, MOTION, VOCALS, Dataset, check_id
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import load_sequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.tools.clip_options import ClipOptions


@dataclass(frozen=True, kw_only=True)
class Options(ClipOptions):
    """Render one sequence to one mp4 with sound.

    Vocals and BGM are found in the dataset: beside the sequence's folder (../audio_seqs/ID.wav, ../bgm_seqs/ID_bgm.wav),
    or under --data-root; or they are given.
    """

    seq: Annotated[str, tyro.conf.Positional]
    """The sequence: a .pkl, .npz or .npy file, or with --data-root an ID."""
    out: Path | None = None
    """The video to write, overwritten if it exists. Default: ID.mp4 in the working directory."""
    data_root: Path | None = None
    """A dataset in the release's layout: flame_seqs, audio_seqs, bgm_seqs, each a folder or the release's zip."""
    vocals: Path | None = None
    """The singing voice, instead of the dataset's."""
    bgm: Path | None = None
    """The background music, instead of the dataset's."""


def render(options: Options) -> None:
    """Do what the options say, and tell what was done."""
    if options.no_audio and (options.vocals or options.bgm or options.require_audio):
        raise InputError("--no-audio contradicts --vocals, --bgm and --require-audio")
    file, dataset = find_sequence(options)
    sequence = load_sequence(file, options.sample)
    vocals, bgm = find_sound(options, dataset, sequence.id)

    # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
    from tqdm import tqdm

    from singinghead.flame_model.model import FlameModel, choose_device
    from singinghead.render.clip import Sound, load_truth, render_clip

    look = replace(options.look(), device=choose_device(options.device))
    rendered = render_clip(
        FlameModel.load(options.flame),
        sequence,
        options.out or Path(f"{sequence.id}.mp4"),
        look,
        Sound(vocals, bgm, options.mix, options.vocal_gain_db, options.bgm_gain_db),
        load_truth(dataset, sequence, look),
        counted=lambda frames, total: tqdm(frames, desc=sequence.id, total=total, unit="frame", disable=None),
    )
    notes = (*(rendered.sound.notes if rendered.sound else ("silent",)), *rendered.notes)
    render_fps = rendered.frames / rendered.seconds
    print(
        f"{rendered.out}: {rendered.frames} frames, {rendered.duration:.3f} s, {render_fps:.1f} frames/s"
        f" | model: {rendered.model} | backend: {rendered.backend} | shape: {rendered.identity}"
        + "".join(f" | {note}" for note in (*notes, *(f"layer: {layer}" for layer in rendered.layers)))
    )
    if options.json:
        command.print_json(
            {
                "id": sequence.id,
                "out": str(rendered.out),
                "frames": rendered.frames,
                "fps": rendered.fps,
                "duration": rendered.duration,
                "wall_seconds": time.time() - psutil.Process().create_time(),
                "render_fps": render_fps,
                "backend": rendered.backend,
                "model": rendered.model,
                "identity": rendered.identity,
                "camera": options.camera,
                "pose": options.pose,
                "layers": [str(layer) for layer in rendered.layers],
                "audio": sound_record(rendered.sound),
            }
        )


def find_sequence(options: Options) -> tuple[StoredFile, Dataset | None]:
    """The sequence's file, and the dataset it lies in or was said to belong to."""
    dataset = Dataset.open(options.data_root) if options.data_root else None
    path = Path(options.seq)
    if path.is_file():
        inside_release = path.resolve().parent.name == "flame_seqs"
        return StoredFile(path), dataset or (Dataset(path.resolve().parent.parent) if inside_release else _beside(path))
    if dataset is None or len(path.parts) > 1:
        raise InputError("no such file", file=path, remedy="an ID alone, without folders, needs --data-root")
    found = dataset.sequence(check_id(options.seq))
    if found is None:
        raise InputError(f"no sequence of ID '{options.seq}'", file=dataset.place(MOTION))
    return found, dataset


def _beside(path: Path) -> Dataset | None:
    """The folder above the sequence's, if sound lies there."""
    dataset = Dataset(path.resolve().parent.parent)
    return dataset if dataset.has(VOCALS) or dataset.has(BGM) else None


def find_sound(options: Options, dataset: Dataset | None, clip_id: str) -> tuple[StoredFile | None, StoredFile | None]:
    """Vocals and BGM, given or found; missing vocals are told, a missing BGM is normal."""
    if options.no_audio:
        return None, None
    vocals, bgm = (dataset.vocals(clip_id), dataset.bgm(clip_id)) if dataset else (None, None)
    vocals = StoredFile(options.vocals) if options.vocals else vocals
    bgm = StoredFile(options.bgm) if options.bgm else bgm
    if vocals is None:
        place = str(dataset.place(VOCALS)) if dataset else "a dataset around the sequence"
        problem = f"no vocals of {clip_id} in {place}"
        if options.require_audio:
            raise InputError(problem, remedy="give --vocals or --data-root")
        print(f"warning: {problem} (give --vocals or --data-root; --no-audio silences this)", file=sys.stderr)
    return vocals, bgm


def sound_record(sound: object) -> dict[str, object] | None:
    """What was mixed, for JSON."""
    from singinghead.render.sound import Soundtrack, Track

    if not isinstance(sound, Soundtrack):
        return None

    def track(recording: Track | None) -> dict[str, object] | None:
        if recording is None:
            return None
        return {"path": str(recording.file), "duration": recording.duration, "gain_db": recording.gain_db}

    return {
        "vocals": track(sound.vocals),
        "bgm": track(sound.bgm),
        "peak": sound.peak,
        "notes": list(sound.notes),
    }


def main() -> int:
    """Run the command."""
    return command.run(Options, render, "render_seq")


if __name__ == "__main__":
    raise SystemExit(main())
