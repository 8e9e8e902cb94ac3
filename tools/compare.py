"""Compare methods with the ground truth in one video, as a figure, or blindly."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import math
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.render.video import check_output
from singinghead.tools.compared_options import ComparedOptions
from singinghead.tools.render_seq import sound_record

if TYPE_CHECKING:
    from singinghead.render.clip import FrameCounter, Sound
    from singinghead.render.compare.compose import Look
    from singinghead.render.compare.layout import Grid
    from singinghead.tools.compared_clip import ComparedClip
    from singinghead.tools.compared_options import Sources


@dataclass(frozen=True, kw_only=True)
class Options(ComparedOptions):
    """Compare methods with the ground truth: one video of all of them, from one camera, with sound.

    Shown are the real video if the dataset has it, the ground truth, each method, and below each method its error in
    millimetres at zero head pose, on the ground truth's identity; along the bottom the sound, its beats, the lips' error and
    the mouth's opening. Predictions may be of other lengths and rates; what is done about it is said.
    """

    out: Path | None = None
    """The video to write, overwritten if it exists; with --still the figure, .png or .pdf. Default: ID_compared.mp4."""
    height: int = 1080
    """Of the video, an even number of pixels; it is 16:9."""
    camera: Literal["fixed", "fit"] = "fixed"
    """One for all: the same for all clips of a subject, or moved to see the whole motion of the ground truth."""
    still: str | None = None
    """A figure for a paper instead of a video: at these times, e.g. 3.2s,4.0s."""
    sheet: Path | None = None
    """Also write twelve stills of the video into this .png."""
    blind: Path | None = None
    """Instead of a video of all, write one for every two into this folder: side by side, without names, shuffled; and
    ID_key.csv, which tells."""
    seed: int = 0
    """Of the shuffle."""
    crf: int = 18
    """x264's quality: 0 lossless, 18 visually near lossless, 51 worst."""
    preset: str = "veryfast"
    """x264's speed, ultrafast to veryslow."""


def compare(options: Options) -> None:
    """Do what the options say, and tell what was done."""
    from singinghead.render.compare.heat import HeatScale
    from singinghead.render.compare.layout import Grid

    sources = options.find()
    scale = HeatScale(options.scale_mm)
    shows_all = options.blind is None
    grid = Grid.of(len(sources.methods) + 1 if shows_all else 2, options.height, errors=shows_all, strip=shows_all)
    times = _times(options.still) if options.still else ()
    out = _checked_out(options, sources.clip_id)

    # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
    from singinghead.render.camera import fitted_camera, fixed_camera
    from singinghead.render.clip import motion
    from singinghead.render.compare.compose import Look
    from singinghead.render.scene import head_scene

    clip = options.load(sources)
    subject = clip.subject
    fits = options.camera == "fit"
    camera = fitted_camera(motion(subject, clip.drawn[0])) if fits else fixed_camera(subject)
    look = Look(head_scene(subject), camera, scale)
    if options.still:
        _write_still(out, clip, look, times)
    elif options.blind is not None:
        _write_pairs(options, grid, clip, look, options.sound(sources))
    else:
        _write_video(options, out, grid, clip, look, sources)


def _write_still(out: Path, clip: ComparedClip, look: Look, times: tuple[float, ...]) -> None:
    from singinghead.render.compare.compose import Moment
    from singinghead.render.compare.figure import write_figure

    frames = [round(seconds * clip.fps) for seconds in times]
    if late := [seconds for seconds, frame in zip(times, frames, strict=True) if frame >= len(clip)]:
        raise InputError(f"--still {late[0]:g}s is not within the clip's {len(clip) / clip.fps:.2f} s")
    shown = (moment for chunk in clip.at(frames).chunks() for moment in chunk)
    moments = [Moment(frame / clip.fps, *moment) for frame, moment in zip(frames, shown, strict=True)]
    write_figure(out, clip.names, moments, look)
    print(" | ".join((f"{out}: {len(moments)} times, {len(clip.names)} columns", *clip.notes)))


def _write_pairs(options: Options, grid: Grid, clip: ComparedClip, look: Look, sound: Sound) -> None:
    from singinghead.render.compare.blind import blind_pairs, key_table
    from singinghead.render.compare.compose import Composer, Moment, Panel
    from singinghead.render.compare.film import Film, write_film

    assert options.blind is not None
    options.blind.mkdir(parents=True, exist_ok=True)
    pairs = blind_pairs(clip.names, clip.id, options.seed)
    for pair in pairs:
        sides = clip.of((pair.left, pair.right))
        composer = Composer(grid, (Panel("left"), Panel("right")), look)
        moments = ([Moment(0.0, heads, (None, None)) for heads in chunk] for chunk in sides.heads())
        film = Film(
            options.blind / pair.video, clip.fps, len(clip), sound, Path(pair.video).stem, "", options.crf, options.preset
        )
        write_film(film, composer, moments, _counted(pair.video))
    key = options.blind / f"{clip.id}_key.csv"
    key.write_text(key_table(pairs), encoding="utf-8")
    print(" | ".join((f"{options.blind}: {len(pairs)} pairs of {len(clip) / clip.fps:.2f} s", f"key: {key}", *clip.notes)))
    if options.json:
        command.print_json({"id": clip.id, "out": str(options.blind), "key": str(key), "videos": [p.video for p in pairs]})


def _write_video(options: Options, out: Path, grid: Grid, clip: ComparedClip, look: Look, sources: Sources) -> None:
    from contextlib import ExitStack
    from itertools import count

    from singinghead.render.compare.compose import Composer, Moment
    from singinghead.render.compare.film import Film, write_film
    from singinghead.render.compare.recording import recording
    from singinghead.tools.compared_panels import panels, strip

    started = time.perf_counter()
    real = sources.dataset.video(clip.id) if sources.dataset else None
    measures = clip.measures()
    sound, beats = options.sound(sources), options.beats(sources)
    title = f"{clip.id}   ·   {clip.subject.arrays.name}   ·   head pose: {options.pose}"
    composer = Composer(grid, panels(clip, measures, real is not None), look, title, strip(clip, measures, sound, beats))
    model, camera = clip.subject.arrays.name, look.camera.name
    film = Film(
        out, clip.fps, len(clip), sound, clip.id,
        f"model: {model}; backend: software; camera: {camera}; pose: {options.pose}; methods: {', '.join(clip.names[1:])}",
        options.crf, options.preset,
    )  # fmt: skip
    with ExitStack() as stack:
        real_frames = stack.enter_context(recording(real, grid.picture_size, clip.fps)) if real else None
        number = count()
        chunks = (
            [Moment(next(number) / clip.fps, *shown, next(real_frames) if real_frames else None) for shown in chunk]
            for chunk in clip.chunks()
        )

        track = write_film(film, composer, chunks, _counted(clip.id))
    seconds = time.perf_counter() - started
    if options.sheet:
        from singinghead.tools.contact_sheet import write_contact_sheet

        write_contact_sheet(out, options.sheet, width=640)
    notes = [*clip.notes, *(track.notes if track else ("silent",))]
    rate = len(clip) / seconds
    told = f"{out}: {len(clip)} frames, {len(clip) / clip.fps:.3f} s, {rate:.1f} frames/s | model: {model}"
    print(" | ".join((told, *notes)))
    for name, measured in zip(clip.names[1:], measures[1:], strict=True):
        lips = "" if measured.lips_mm is None else f"lips {measured.lips_mm.mean():.2f} mm"
        face = "" if measured.face_mm is None else f"face {measured.face_mm:.2f} mm"
        print(f"{name}: {', '.join(part for part in (lips, face) if part) or 'the model has no masks to measure by'}")
    if options.json:
        command.print_json(
            {
                "id": clip.id,
                "out": str(out),
                "frames": len(clip),
                "fps": clip.fps,
                "duration": len(clip) / clip.fps,
                "render_fps": rate,
                "size": [grid.width, grid.height],
                "methods": list(clip.names[1:]),
                "lve_l2_mm": {
                    name: None if measured.lips_mm is None else float(measured.lips_mm.mean())
                    for name, measured in zip(clip.names[1:], measures[1:], strict=True)
                },
                "real_video": str(real) if real else None,
                "model": model,
                "notes": notes,
                "audio": sound_record(track),
            }
        )


def _counted(name: str) -> FrameCounter:
    """A progress bar on a terminal."""
    from tqdm import tqdm

    def counted(frames: Iterable[NDArray[np.uint8]], total: int) -> Iterable[NDArray[np.uint8]]:
        return tqdm(frames, desc=name, total=total, unit="frame", disable=None)

    return counted


def _checked_out(options: Options, clip_id: str) -> Path:
    if sum(bool(kind) for kind in (options.still, options.blind, options.sheet)) > 1:
        raise InputError("--still, --sheet and --blind exclude each other")
    if options.blind is not None:
        if options.out is not None:
            raise InputError("--blind names the folder to write, and takes no --out")
        if options.blind.exists() and not options.blind.is_dir():
            raise InputError("is no folder", file=options.blind)
        return options.blind
    if options.still:
        from singinghead.render.compare.figure import check_figure

        out = options.out or Path(f"{clip_id}_compared.png")
        check_figure(out)
        return out
    out = options.out or Path(f"{clip_id}_compared.mp4")
    check_output(out, (16, 16), options.fps, options.crf, options.preset)
    if options.sheet and (options.sheet.suffix.lower() != ".png" or not options.sheet.parent.is_dir()):
        raise InputError("must be a .png in a folder that exists", file=options.sheet)
    return out


def _times(text: str) -> tuple[float, ...]:
    """``3.2s,4.0s`` in seconds."""
    try:
        times = tuple(float(part.strip().removesuffix("s")) for part in text.split(","))
    except ValueError:
        times = ()
    if not times or not all(0 <= seconds < math.inf for seconds in times):
        raise InputError(f"--still '{text}' is no list of times", remedy="seconds, like 3.2s,4.0s")
    return times


def main() -> int:
    """Run the command."""
    return command.run(Options, compare, "compare")


if __name__ == "__main__":
    raise SystemExit(main())
