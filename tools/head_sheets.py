"""Contact sheets of the stand-in head: what it looks like in all that it can do."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.render.camera import fixed_camera
from singinghead.render.rasterizer import Backend, Rasterizer, open_rasterizer
from singinghead.render.scene import head_scene
from singinghead.tools.demo.dataset import shape_of
from singinghead.tools.demo.motion import FPS, perform
from singinghead.tools.demo.score import SONGS

Picture = NDArray[np.uint8]
Still = tuple[str, Picture]

_JAW_RADIANS = np.linspace(0, 0.35, 8)
_VIEWS = {
    "left": (0.0, 1.4),
    "three-quarter": (0.0, 0.7),
    "front": (0.0, 0.0),
    "from above": (0.45, 0.0),
    "from below": (-0.45, 0.0),
}
"""Pitch and yaw of the head in radians."""

_PEOPLE = ("african_female", "asian_male", "caucasian_female", "african_male", "asian_female")

_LARGEST = 4096
_SONG_STILLS = np.arange(12, 240, 19)


@dataclass(frozen=True)
class Options:
    """Draw the stand-in head: neutral, every named unit, the jaw, five views, five identities, the demo's three songs."""

    out: Path = Path("head_sheets")
    """The folder to write PNGs into."""
    backend: Backend = "auto"
    """What draws."""
    size: int = 1024
    """Width and height at which each still is drawn, pixels."""
    tile: int = 340
    """Width and height at which it stands on its sheet, pixels."""


def draw_sheets(options: Options) -> None:
    """Write the sheets."""
    for name, pixels in (("size", options.size), ("tile", options.tile)):
        if not 16 <= pixels <= _LARGEST:
            raise InputError(f"{name} {pixels} is not within 16..{_LARGEST} pixels")
    if options.out.exists() and not options.out.is_dir():
        raise InputError("is no folder", file=options.out, remedy="--out names the folder for the sheets")
    stand_in = load_stand_in()
    subject = FlameModel(stand_in.arrays).with_shape()
    options.out.mkdir(parents=True, exist_ok=True)
    with open_rasterizer(options.backend, head_scene(subject), fixed_camera(subject), options.size) as drawer:
        Image.fromarray(_drawn(drawer, subject, FlameParams.zeros(1))).save(options.out / "neutral.png")
        sheets = {"units": list(_units(drawer, subject, stand_in)), "jaw": list(_jaw(drawer, subject))}
        sheets["views"] = list(_views(drawer, subject))
        backend = drawer.name
    people = {name: stand_in.people_codes[stand_in.people.index(name)] for name in _PEOPLE}
    sheets["identities"] = [
        (name, picture) for name, shape in people.items() for picture in _of_person(options, shape, FlameParams.zeros(1))
    ]
    for song in SONGS:
        chosen = perform(song, stand_in).map(lambda frames: frames[_SONG_STILLS])
        pictures = _of_person(options, shape_of(song, stand_in)[0], chosen)
        sheets[song.name] = [(f"{i / FPS:.1f} s", picture) for i, picture in zip(_SONG_STILLS, pictures, strict=True)]
    for name, stills in sheets.items():
        columns = 10 if name == "units" else len(stills) if len(stills) <= 5 else 4
        _sheet(stills, columns, options.tile).save(options.out / f"{name}.png")
    print(f"drawn by {backend}: {options.out.resolve()}")


def _drawn(drawer: Rasterizer, subject: Subject, params: FlameParams) -> Picture:
    return drawer.draw(subject.vertices(params)[0])


def _units(drawer: Rasterizer, subject: Subject, stand_in: StandIn) -> Iterator[Still]:
    """Each unit at 1; mouthClose with the open jaw that it closes the lips of."""
    for unit in stand_in.units:
        blend = stand_in.blend(**dict.fromkeys({unit} | ({"jawOpen"} if unit == "mouthClose" else set()), 1.0))
        yield f"{unit} ({blend.error_mm[0]:.1f} mm)", _drawn(drawer, subject, blend.params)


def _jaw(drawer: Rasterizer, subject: Subject) -> Iterator[Still]:
    for radians in _JAW_RADIANS:
        jaw = np.array([[radians, 0, 0]], np.float32)
        yield f"jaw {radians:.2f} rad", _drawn(drawer, subject, replace(FlameParams.zeros(1), jaw=jaw))


def _views(drawer: Rasterizer, subject: Subject) -> Iterator[Still]:
    for name, (pitch, yaw) in _VIEWS.items():
        turn = np.array([[pitch, yaw, 0]], np.float32)
        yield name, _drawn(drawer, subject, replace(FlameParams.zeros(1), global_pose=turn))


def _of_person(options: Options, shape: Floats, params: FlameParams) -> Iterator[Picture]:
    subject = FlameModel(load_stand_in().arrays).with_shape(shape)
    with open_rasterizer(options.backend, head_scene(subject), fixed_camera(subject), options.size) as drawer:
        for vertices in subject.vertices(params):
            yield drawer.draw(vertices)


def _sheet(stills: list[Still], columns: int, tile: int) -> Image.Image:
    """Row by row, each with its name."""
    rows = -(-len(stills) // columns)
    sheet = Image.new("RGB", (columns * tile, rows * tile), (255, 255, 255))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(max(10, tile // 22))
    for index, (name, picture) in enumerate(stills):
        corner = (index % columns * tile, index // columns * tile)
        sheet.paste(Image.fromarray(picture).resize((tile, tile), Image.Resampling.LANCZOS), corner)
        pen.text((corner[0] + tile // 40, corner[1] + tile // 40), name, font=font, fill=(40, 44, 50))
    return sheet


def main() -> int:
    """Run the command."""
    return command.run(Options, draw_sheets, "head_sheets")


if __name__ == "__main__":
    raise SystemExit(main())
