"""The options that every command shares which renders clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from singinghead.render.clip import Look


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """How clips are drawn, encoded and heard."""

    flame: Path | None = None
    """A FLAME model file or its folder. Default: $SINGINGHEAD_FLAME, else the licence-free stand-in head."""
    no_audio: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """A silent video."""
    require_audio: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Fail, instead of warning, where the vocals are missing."""
    mix: Literal["native", "peak"] = "native"
    """Balance: as recorded, or vocals at -3 dBFS and BGM at -12 dBFS peak (boosted by 12 dB at most)."""
    vocal_gain_db: float = 0.0
    """Added to the vocals, dB."""
    bgm_gain_db: float = 0.0
    """Added to the BGM, dB."""
    size: int = 1024
    """Width and height, an even number of pixels."""
    fps: float = 30.0
    """The sequence's frames a second."""
    out_fps: float | None = None
    """The video's frames a second; motion is resampled by time. Default: --fps."""
    backend: Literal["auto", "software", "pyrender"] = "auto"
    """What draws: pyrender needs GL (EGL or OSMesa), software needs nothing; auto takes a GPU if there is one."""
    device: str = "auto"
    """Where FLAME is computed: auto, cpu, cuda."""
    camera: Literal["fixed", "fit"] = "fixed"
    """The same for all clips of a subject, or moved to see the whole motion."""
    pose: Literal["full", "zero", "gt"] = "full"
    """Head pose as given; zero; or the ground truth's, from --data-root."""
    sample: int = 0
    """Which of several samples, from 0."""
    crf: int = 18
    """x264's quality: 0 lossless, 18 visually near lossless, 51 worst."""
    preset: str = "veryfast"
    """x264's speed, ultrafast to veryslow."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""

    def look(self) -> Look:
        """How a clip is to be drawn; its device is as given, ``auto`` too."""
        from singinghead.render.clip import Look

        return Look(
            size=self.size,
            fps=self.fps,
            out_fps=self.out_fps,
            backend=self.backend,
            device=self.device,
            camera=self.camera,
            pose=self.pose,
            crf=self.crf,
            preset=self.preset,
        )
