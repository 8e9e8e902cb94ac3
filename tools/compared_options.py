"""What every command asks for that compares methods with the ground truth, and how it is found."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from singinghead.flame_model.dataset import MOTION, VOCALS, Dataset
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.tools.clip_options import SoundOptions

if TYPE_CHECKING:
    from singinghead.render.clip import Sound


@dataclass(frozen=True, kw_only=True)
class ComparedOptions(SoundOptions):
    """Which methods are compared with which ground truth, and what is heard."""

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
    beat_audio: Literal["vocals", "bgm", "mix", "none"] = "vocals"
    """Whose beats are marked."""
    scale_mm: float = 10.0
    """Where the errors' colours end."""
    pad: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Hold the last frames of shorter motions, instead of cutting all to the shortest."""

    def check_sound(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            InputError: it does.
        """
        if self.no_audio and (self.vocals or self.bgm or self.require_audio):
            raise InputError("--no-audio contradicts --vocals, --bgm and --require-audio")

    def datasets(self) -> tuple[Path, Dataset | None]:
        """The folder of the ground truth, and the dataset that it belongs to.

        Raises:
            InputError: it is not there, or nothing says where it is.
        """
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

    def sound(self, dataset: Dataset | None, clip_id: str) -> Sound:
        """Vocals and BGM, given or found; missing vocals are told, a missing BGM is normal.

        Raises:
            InputError: a file is not there.
        """
        from singinghead.render.clip import Sound

        if self.no_audio:
            return Sound()
        found = (dataset.vocals(clip_id), dataset.bgm(clip_id)) if dataset else (None, None)
        vocals, bgm = (
            StoredFile(given) if given else own for given, own in zip((self.vocals, self.bgm), found, strict=True)
        )
        for file in (vocals, bgm):
            if file is not None and not file.is_file():
                raise InputError("no such file", file=file)
        if vocals is None:
            problem = f"no vocals of {clip_id}"
            if self.require_audio:
                raise InputError(problem, remedy="give --vocals or --data-root")
            print(f"warning: {problem} (give --vocals or --data-root; --no-audio silences this)", file=sys.stderr)
        return Sound(vocals, bgm, self.mix, self.vocal_gain_db, self.bgm_gain_db)
