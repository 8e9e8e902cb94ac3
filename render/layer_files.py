"""Layers as files beside the video: a folder of PNGs for each, with a note of what the numbers are; or WebM with alpha.

A folder is filled under another name, and takes its own, an older one's place, when it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.render.rasterizer import Layers

DEPTH_STEP_MM = 0.1
"""Of a 16-bit depth picture: 6.5 m are its end."""

_NOTES: dict[str, dict[str, Any]] = {
    "depth": {
        "content": "16-bit grey: distance in front of the camera along its axis",
        "unit": "mm",
        "step": DEPTH_STEP_MM,
        "nothing": 0,
    },
    "normal": {
        "content": "8-bit RGB: 255 * (n + 1) / 2, n the unit normal in the head's coordinates, y up, z out of the face",
        "nothing": [0, 0, 0],
    },
    "part": {"content": "8-bit palette: 1 and up, the part's place in the list", "nothing": 0},
    "alpha": {"content": "8-bit RGBA: straight alpha, the share of the pixel that the head covers, in quarters"},
}
_PART_COLORS = ((0, 0, 0), (224, 172, 150), (90, 160, 220), (240, 235, 210), (200, 80, 90), (110, 40, 60), (120, 190, 110))


class LayerFiles:
    """Write layers of a clip's frames, as a context manager; frames may come from several threads, in any order.

    Args:
        video: beside which they are written: ``ID.mp4`` has ``ID_depth/000000.png`` and so on, and ``ID_depth/layer.json``.
        names: of the layers, each ``depth``, ``normal``, ``part`` or ``alpha``.
        facts: about the clip, for the notes: ``fps``, the parts' names, the cameras.
        alpha_as: ``png``, or ``webm``: ``ID_alpha.webm``, VP9 with alpha, in the place of a folder.

    Raises:
        InputError: something that is no folder has a folder's name.
    """

    def __init__(self, video: Path, names: Iterable[str], facts: dict[str, Any], alpha_as: str = "png") -> None:
        video = video.absolute()
        self.names = {name: video.with_name(f"{video.stem}_{name}") for name in names}
        self._facts = facts
        self._partial = {name: path.with_name(f".{path.name}.{os.getpid()}.partial") for name, path in self.names.items()}
        self._is_webm = alpha_as == "webm" and "alpha" in self.names
        if self._is_webm:
            self.names["alpha"] = video.with_name(f"{video.stem}_alpha.webm")
        for name, path in self.names.items():
            if path.exists() and path.is_dir() == (name == "alpha" and self._is_webm):
                raise InputError("is in the way of the layer of that name", file=path)
        for folder in self._partial.values():
            folder.mkdir()

    def __enter__(self) -> LayerFiles:
        return self

    def write(self, index: int, layers: Layers | None, rgba: NDArray[np.uint8] | None) -> None:
        """Write one frame's; None only where nothing is to be made of it.

        Raises:
            EncodingError: the disk does not take it.
        """
        from PIL import Image

        for name, folder in self._partial.items():
            if name == "alpha":
                assert rgba is not None
                picture = Image.fromarray(rgba)
            else:
                assert layers is not None
                picture = Image.fromarray(_PICTURES[name](layers))
            if name == "part":
                picture.putpalette([level for color in _PART_COLORS for level in color])
            try:
                picture.save(folder / f"{index:06d}.png", compress_level=1)
            except OSError as error:
                raise EncodingError(f"cannot be written: {error}", file=self.names[name]) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                if self._is_webm:
                    self._encode(self._partial["alpha"])
                for name, path in self.names.items():
                    if path.suffix == ".webm":
                        continue
                    note = {"layer": name} | _NOTES[name] | self._facts
                    (self._partial[name] / "layer.json").write_text(json.dumps(note, indent=1) + "\n")
                    put_in_place(self._partial[name], path)
        finally:
            for folder in self._partial.values():
                shutil.rmtree(folder, ignore_errors=True)

    def _encode(self, folder: Path) -> None:
        """The pictures of a folder as a video beside it."""
        made = folder / self.names["alpha"].name
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y",
            "-framerate", str(Fraction(self._facts["fps"]).limit_denominator(1001)), "-i", str(folder / "%06d.png"),
            "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-crf", "20", "-b:v", "0", "-deadline", "good", "-cpu-used", "4",
            "-row-mt", "1", "-auto-alt-ref", "0", str(made),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
        if done.returncode != 0:
            words = " / ".join(done.stderr.strip().splitlines()[-3:]) or "it said nothing"
            raise EncodingError(f"ffmpeg exited with {done.returncode}: {words}", file=self.names["alpha"])
        put_in_place(made, self.names["alpha"])


def put_in_place(made: Path, name: Path) -> None:
    """Give a whole file or folder its name, in the place of an older one."""
    if made.is_file():
        made.replace(name)
        return
    older = name.with_name(f".{name.name}.{os.getpid()}.older.partial")
    if name.exists():
        name.replace(older)
    made.replace(name)
    shutil.rmtree(older, ignore_errors=True)


def depth_steps(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Metres as steps of 0.1 mm; 0 where nothing is."""
    steps = np.round(np.where(np.isfinite(depth), depth, 0) * (1000 / DEPTH_STEP_MM))
    return np.clip(steps, 0, 65535).astype(np.uint16)


def normal_levels(layers: Layers) -> NDArray[np.uint8]:
    """Normals as colours; 0 where nothing is."""
    levels = np.round(255 * (layers.normal + 1) / 2).astype(np.uint8)
    return levels * (layers.part >= 0)[..., None].astype(np.uint8)


_PICTURES: dict[str, Callable[[Layers], NDArray[np.generic]]] = {
    "depth": lambda layers: depth_steps(layers.depth),
    "normal": normal_levels,
    "part": lambda layers: (layers.part + 1).astype(np.uint8),
}


def straight_alpha(color: NDArray[np.uint8], alpha: NDArray[np.float32], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 4) of a picture over a plain background: colours as if the head covered the whole pixel, and its share."""
    share = np.maximum(alpha, np.float32(0.25))[..., None]
    own = (color - (1 - share) * background.astype(np.float32)) / share
    seen = np.clip(np.round(own), 0, 255) * (alpha > 0)[..., None]
    return np.concatenate([seen, np.round(255 * alpha)[..., None]], axis=-1).astype(np.uint8)
