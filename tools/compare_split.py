"""A split's comparisons: the clips of a list, made, recorded and resumed as a split's renderings are."""

from __future__ import annotations

import os
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singinghead.flame_model.dataset import Dataset
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import ENVIRONMENT_VARIABLE, FlameModel
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.clips import Method, motion_file
from singinghead.render.clip import Rendered, Sound
from singinghead.render.split.job import ENCODER_THREADS, Head, Inputs, Opened, SplitJob
from singinghead.render.video import check_output
from singinghead.tools.compared_clip import load_compared
from singinghead.tools.compared_video import Comparison, write_comparison
from singinghead.tools.split_run import made_folder, run_split

if TYPE_CHECKING:
    from singinghead.tools.compare import Options

_UNUSED = ("size", "out_fps", "backend")
"""Of a look: a comparison goes by its height and its methods' rates, and is drawn by the software rasterizer."""


@dataclass(frozen=True, kw_only=True)
class CompareJob(SplitJob):
    """Each clip is a comparison.

    Attributes:
        truth: the folder of the ground truth's sequences.
        methods: whose predictions.
        comparison: how they are shown.
        pad: hold the last frames of shorter motions.
    """

    truth: Path
    methods: tuple[Method, ...]
    comparison: Comparison
    pad: bool

    def options(self) -> dict[str, Any]:
        """What picture and sound depend on, beside the inputs and the head."""
        common = {name: value for name, value in super().options().items() if name not in _UNUSED}
        own = {
            "height": self.comparison.height,
            "scale": asdict(self.comparison.scale),
            "beat_audio": self.comparison.beat_audio,
            "pad": self.pad,
            "methods": [[method.name, method.fps] for method in self.methods],
        }
        return common | {"comparison": own}

    def open(self) -> Dataset:
        """The dataset, of which a comparison with ``--gt`` needs nothing."""
        return Dataset(self.data_root)

    def inputs(self, dataset: Dataset, clip_id: str) -> Inputs:
        """The files that a comparison is made from: all motions, the recording, vocals and BGM."""
        return {
            "truth": _found(self.truth, clip_id),
            "real": dataset.video(clip_id),
            "vocals": dataset.vocals(clip_id) if self.audio else None,
            "bgm": dataset.bgm(clip_id) if self.audio else None,
        } | {f"method {method.name}": _found(method.folder, clip_id) for method in self.methods}

    def make(self, opened: Opened, clip_id: str, inputs: Inputs, out: Path, threads: int) -> Rendered:
        """Make one clip's comparison; see :class:`~singinghead.render.split.job.SplitJob`."""
        self.check_sound(inputs, clip_id)
        clip = load_compared(
            clip_id,
            self.truth,
            self.methods,
            opened.model,
            self.look.fps,
            self.look.pose,
            self.sample,
            self.pad,
            opened.device,
        )
        comparison = replace(self.comparison, look=replace(self.look, threads=threads))
        sound = self.sound(inputs) if self.audio else Sound()
        return write_comparison(clip, comparison, sound, inputs["real"], out).video


def compare_split(
    options: Options,
    split: Path,
    comparison: Comparison,
    methods: tuple[Method, ...],
    truth: Path,
    dataset: Dataset | None,
) -> int:
    """Compare all clips of a list; 1 if one is not done at the end.

    Raises:
        InputError: what was asked for does not fit together.
    """
    options.check()
    clip_ids, manifest_name = options.clips(split)
    assert options.out is not None  # as the command has seen to
    out = options.out.absolute() if options.merge else made_folder(options.out)
    check_output(out / "ID.mp4", (16, 16), options.fps, options.crf, options.preset)
    if out == truth.absolute() or any(out == method.folder.absolute() for method in methods):
        raise InputError("is a folder of sequences", file=out, remedy="--out is a folder for videos")
    flame = options.flame or os.environ.get(ENVIRONMENT_VARIABLE) or None
    if not options.dask and not options.merge:
        FlameModel.load(flame)  # the stand-in is built once, not by each worker
    shown = comparison.look.shown.with_absolute_paths()  # a cluster's workers are in other folders
    look = replace(comparison.look, shown=shown, threads=options.threads, encoder_threads=ENCODER_THREADS)
    job = CompareJob(
        data_root=(dataset.root if dataset else truth.parent).absolute(),
        sequences=None,
        out=out,
        manifest=manifest_name,
        head=Head.find(flame),
        look=look,
        sample=options.sample,
        **options.job_sound(),
        run=uuid.uuid4().hex,
        truth=truth.absolute(),
        methods=tuple(replace(method, folder=method.folder.absolute()) for method in methods),
        comparison=comparison,
        pad=options.pad,
    )
    return run_split(options, job, clip_ids, options.json)


def _found(folder: Path, clip_id: str) -> StoredFile | None:
    try:
        return motion_file(folder, clip_id)
    except InputError:  # which says so again, and better, when the clip is made
        return None
