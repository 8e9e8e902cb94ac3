"""The options that commands share which draw clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from singinghead.render.clip import Look


@dataclass(frozen=True, kw_only=True)
class SoundOptions:
    """How clips are heard."""

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

    def job_sound(self) -> dict[str, Any]:
        """The same as fields of a :class:`~singinghead.render.split.job.SplitJob`."""
        return {
            "audio": not self.no_audio,
            "require_audio": self.require_audio,
            "mix": self.mix,
            "vocal_gain_db": self.vocal_gain_db,
            "bgm_gain_db": self.bgm_gain_db,
        }


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """Whose head moves, and how."""

    flame: Path | None = None
    """A FLAME model file or its folder. Default: $SINGINGHEAD_FLAME, else the licence-free stand-in head."""
    fps: float = 30.0
    """The sequence's frames a second."""
    device: str = "auto"
    """Where FLAME is computed: auto, cpu, cuda."""
    pose: Literal["full", "zero", "gt"] = "full"
    """Head pose as given; zero; or the ground truth's, from --data-root."""
    sample: int = 0
    """Which of several samples, from 0."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""


@dataclass(frozen=True, kw_only=True)
class PictureOptions(HeadOptions):
    """How heads are drawn and encoded, one clip's or several methods'."""

    camera: Literal["fixed", "fit"] = "fixed"
    """The same for all clips of a subject, or moved to see the whole motion."""
    crf: int = 18
    """x264's quality: 0 lossless, 18 visually near lossless, 51 worst."""
    preset: str = "veryfast"
    """x264's speed, ultrafast to veryslow."""
    view: str = "front"
    """From where: front, left, right, three-quarter; several, separated by commas, stand side by side in one video."""
    turntable: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """The camera goes once around the head while the clip lasts."""
    wireframe: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the mesh's visible edges over the surface."""
    landmarks: Literal["contour", "full"] | None = None
    """Draw 68 landmarks where they are visible: with the contour that slides as the head turns, or the fixed ones."""
    regions: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the borders of the model's named regions."""
    colour_by: Literal["region", "speed", "error"] | None = None
    """Colour the head: by named regions; by speed, mm/s; by the distance from the ground truth, mm, at zero pose."""
    colour_max: float | None = None
    """End of the colours' scale, mm/s or mm. Default: 200 for speed, 10 for error."""
    style: Literal["house", "paper", "studio"] = "house"
    """Materials, lights and background: living skin in soft light, pale clay on white for print, or a dark room."""
    no_anatomy: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """The bare mesh: FLAME's has neither teeth nor a mouth inside, and is otherwise given both, and irises."""
    background: str | None = None
    """A colour (#rrggbb or a name) or an image file, fitted."""
    texture: Path | None = None
    """The skin: a PNG or JPEG in the head's texture coordinates, or FLAME's mean albedo (.npz)."""

    def look(self) -> Look:
        """How a clip is to be drawn; its device is as given, ``auto`` too."""
        from singinghead.render.clip import Look
        from singinghead.render.shown import Shown

        return Look(
            fps=self.fps,
            device=self.device,
            camera=self.camera,
            pose=self.pose,
            crf=self.crf,
            preset=self.preset,
            shown=Shown(
                views=_listed(self.view),
                turntable=self.turntable,
                wireframe=self.wireframe,
                landmarks=self.landmarks,
                regions=self.regions,
                colour_by=self.colour_by,
                colour_max=self.colour_max,
                style=self.style,
                anatomy=not self.no_anatomy,
                background=self.background,
                texture=str(self.texture) if self.texture else None,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ClipOptions(PictureOptions, SoundOptions):
    """How one clip is drawn, encoded and heard."""

    size: int = 1024
    """Width and height, an even number of pixels."""
    out_fps: float | None = None
    """The video's frames a second; motion is resampled by time. Default: --fps."""
    backend: Literal["auto", "software", "pyrender"] = "auto"
    """What draws: pyrender needs GL (EGL or OSMesa), software needs nothing; auto takes a GPU if there is one."""
    layer: str = "color"
    """Separated by commas, what is made: color is the video; beside it depth, normal, part, alpha as PNG sequences."""
    alpha_as: Literal["webm", "png"] = "webm"
    """The alpha layer: VP9 video with alpha, or PNGs with straight alpha."""

    def look(self) -> Look:
        """How a clip is to be drawn; its device is as given, ``auto`` too."""
        look = super().look()
        shown = replace(look.shown, layers=_listed(self.layer), alpha_as=self.alpha_as)
        return replace(look, size=self.size, out_fps=self.out_fps, backend=self.backend, shown=shown)


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())
