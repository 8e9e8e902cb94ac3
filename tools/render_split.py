"""Render a whole split: on one machine or many, resumed where it was, with a record of every clip."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import os
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from singinghead.flame_model.errors import InputError
from singinghead.tools.clip_options import ClipOptions
from singinghead.tools.split_run import BatchOptions, made_folder, run_split

if TYPE_CHECKING:
    from singinghead.render.split.job import SplitJob


@dataclass(frozen=True, kw_only=True)
class Options(BatchOptions, ClipOptions):
    """Render every clip of a split to OUT/ID.mp4, with sound, and record each in OUT/manifest.jsonl.

    Run it again to go on: clips that are done are left alone; those that are missing, that failed, or that were made from
    other inputs or with other options are made. Exit code 0: all done; 1: some failed; 2: wrong use.
    """

    split: Annotated[Path, tyro.conf.Positional]
    """The list of IDs, one a line: test.txt."""
    data_root: Path
    """The dataset: flame_seqs, audio_seqs, bgm_seqs, as folders or zips."""
    out: Path
    """The folder for videos and manifest, made if it is not there."""
    sequences: Path | None = None
    """A method's predictions, ID.pkl, ID.npz or ID.npy, to render instead of the dataset's own motion."""


def render(options: Options) -> int:
    """Do what the options say; 1 if a clip is not done at the end."""
    clip_ids, manifest_name = options.clips(options.split)
    return run_split(options, _job(options, manifest_name), clip_ids, options.json)


def _job(options: Options, manifest_name: str) -> SplitJob:
    """What all clips have in common; what is wrong with it is found before anything runs."""
    from singinghead.flame_model.model import ENVIRONMENT_VARIABLE, FlameModel, choose_device
    from singinghead.render.rasterizer import choose_backend
    from singinghead.render.split.job import ENCODER_THREADS, Head, SplitJob
    from singinghead.render.video import check_output, check_rate

    if options.no_audio and options.require_audio:
        raise InputError("--no-audio contradicts --require-audio")
    options.check()
    look = options.look()
    look = replace(look, shown=look.shown.with_absolute_paths())  # a cluster's workers are in other folders
    out = options.out.absolute() if options.merge else made_folder(options.out)
    check_rate(options.fps)
    check_output(
        out / "ID.mp4",
        (options.size * len(look.shown.views), options.size),
        options.out_fps or options.fps,
        options.crf,
        options.preset,
    )
    flame = options.flame or os.environ.get(ENVIRONMENT_VARIABLE) or None
    head = Head.find(flame)
    if not options.dask and not options.merge:
        # What this machine's workers would each stumble over; and the stand-in is built once, not by each.
        model = FlameModel.load(flame)
        choose_backend(options.backend)
        if options.device not in ("auto", "cpu"):
            model.with_shape(device=choose_device(options.device))
    return SplitJob(
        data_root=options.data_root.absolute(),
        sequences=options.sequences.absolute() if options.sequences else None,
        out=out,
        manifest=manifest_name,
        head=head,
        look=replace(look, threads=options.threads, encoder_threads=ENCODER_THREADS),
        sample=options.sample,
        **options.job_sound(),
        run=uuid.uuid4().hex,
    )


def main() -> int:
    """Run the command."""
    return command.run(Options, render, "render_split")


if __name__ == "__main__":
    raise SystemExit(main())
