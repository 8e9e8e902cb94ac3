"""What every command asks for that compares methods with the ground truth of one clip, and how it is found."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.dataset import MOTION, VOCALS, Dataset, check_id
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.video import check_rate

if TYPE_CHECKING:
    from singinghead.metrics.clips import Method
    from singinghead.render.clip import Sound
    from singinghead.tools.compared_clip import ComparedClip


@dataclass(frozen=True)
class Sources:
    """What there is to compare.

    Attributes:
        clip_id: of the clip.
        truth: the folder of the ground truth's sequences.
        dataset: that it belongs to, or None.
        methods: whose predictions.
        vocals: the singing voice, or None.
        bgm: the background music, or None.
    """

    clip_id: str
    truth: Path
    dataset: Dataset | None
    methods: tuple[Method, ...]
    vocals: StoredFile | None
    bgm: StoredFile | None


@dataclass(frozen=True, kw_only=True)
class ComparedOptions:
    """Which clip, of which methods, on which head, with which sound."""

    id: Annotated[str, tyro.conf.Positional]
    """The clip: a name like id0_10_0_0."""
    pred: tyro.conf.UseAppendAction[tuple[str, ...]]
    """NAME=DIR, once for each method: ID.pkl, ID.npz or ID.npy in it, parameters or vertices; NAME=DIR@25 for another frame
    rate."""
    gt: Path | None = None
    """The folder of the ground truth's sequences. Default: flame_seqs in --data-root."""
    data_root: Path | None = None
    """A dataset in the release's layout: flame_seqs, audio_seqs, bgm_seqs, video_seqs. Default: the folder around --gt."""
    vocals: Path | None = None
    """The singing voice, instead of the dataset's."""
    bgm: Path | None = None
    """The background music, instead of the dataset's."""
    no_audio: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Without sound, also in the curves below."""
    mix: Literal["native", "peak"] = "native"
    """Balance: as recorded, or vocals at -3 dBFS and BGM at -12 dBFS peak (boosted by 12 dB at most)."""
    beat_audio: Literal["vocals", "bgm", "mix", "none"] = "vocals"
    """Whose beats are marked."""
    flame: Path | None = None
    """A FLAME model file or its folder. Default: $SINGINGHEAD_FLAME, else the licence-free stand-in head."""
    scale_mm: float = 10.0
    """Where the errors' colours end."""
    fps: float = 30.0
    """Frames a second of the ground truth, of what is made, and of predictions without a rate of their own."""
    pose: Literal["full", "zero", "gt"] = "full"
    """Heads are drawn in poses of their own; in none; or in the ground truth's."""
    sample: int = 0
    """Which of several samples of each prediction, from 0."""
    pad: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Hold the last frames of shorter motions, instead of cutting all to the shortest."""
    device: str = "auto"
    """Where FLAME is computed: auto, cpu, cuda."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""

    def find(self) -> Sources:
        """Look for all of it, before anything is loaded.

        Raises:
            InputError: something is missing, or not understood.
        """
        from singinghead.tools.compared_clip import find_motions, parse_methods

        clip_id = check_id(self.id)
        check_rate(self.fps)
        methods = parse_methods(self.pred, self.fps)
        truth, dataset = self._datasets()
        find_motions(clip_id, truth, methods)
        return Sources(clip_id, truth, dataset, methods, *self._recordings(dataset, clip_id))

    def load(self, sources: Sources) -> ComparedClip:
        """Read and align the motions of :meth:`find` on the head that was asked for.

        Raises:
            InputError: a file is no motion, or does not fit the head.
        """
        # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
        from singinghead.flame_model.model import FlameModel, choose_device
        from singinghead.tools.compared_clip import load_compared

        model, device = FlameModel.load(self.flame), choose_device(self.device)
        wanted = (sources.clip_id, sources.truth, sources.methods)
        return load_compared(*wanted, model, self.fps, self.pose, self.sample, self.pad, device)

    def sound(self, sources: Sources) -> Sound:
        """What is heard; missing vocals are told, a missing BGM is normal."""
        from singinghead.render.clip import Sound

        if sources.vocals is None and not self.no_audio:
            remedy = "give --vocals or --data-root; --no-audio silences this"
            print(f"warning: no vocals of {sources.clip_id} ({remedy})", file=sys.stderr)
        return Sound(sources.vocals, sources.bgm, self.mix)

    def beats(self, sources: Sources) -> Floats | None:
        """Beats in seconds; None where there is nothing to hear."""
        from singinghead.metrics.audio_beats import Sound as Recordings

        vocals, bgm = sources.vocals, sources.bgm
        wanted = {"vocals": (vocals,), "bgm": (bgm,), "mix": (vocals, bgm), "none": ()}[self.beat_audio]
        files = tuple(file for file in wanted if file is not None)
        return Recordings(files).beats_s() if files else None

    def _datasets(self) -> tuple[Path, Dataset | None]:
        """The folder of the ground truth, and the dataset that it belongs to."""
        from singinghead.metrics.clips import is_stored

        dataset = Dataset.open(self.data_root) if self.data_root else None
        if self.gt is None:
            if dataset is None:
                raise InputError("nothing says where the ground truth is", remedy="give --gt or --data-root")
            return dataset.root / MOTION, dataset
        if not is_stored(self.gt):
            raise InputError("no such folder", file=self.gt, remedy="--gt is a folder of ID.pkl, ID.npz or ID.npy")
        around = Dataset(self.gt.resolve().parent)
        return self.gt, dataset or (around if around.has(VOCALS) else None)

    def _recordings(self, dataset: Dataset | None, clip_id: str) -> tuple[StoredFile | None, StoredFile | None]:
        """Vocals and BGM, given or found."""
        if self.no_audio:
            if self.vocals or self.bgm:
                raise InputError("--no-audio contradicts --vocals and --bgm")
            return None, None
        found = (dataset.vocals(clip_id), dataset.bgm(clip_id)) if dataset else (None, None)
        vocals, bgm = (
            StoredFile(given) if given else own for given, own in zip((self.vocals, self.bgm), found, strict=True)
        )
        for file in (vocals, bgm):
            if file is not None and not file.is_file():
                raise InputError("no such file", file=file)
        return vocals, bgm
