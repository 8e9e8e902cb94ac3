"""Compare methods with the ground truth in one video, as a figure, or blindly."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import glob
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro
from numpy.typing import NDArray

from singinghead.flame_model.dataset import Dataset, check_id
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.flame_model.whole_file import write_whole
from singinghead.render.video import check_output, check_rate
from singinghead.tools.clip_options import PictureOptions
from singinghead.tools.compared_options import ComparedOptions
from singinghead.tools.render_seq import sound_record
from singinghead.tools.split_run import BatchOptions

if TYPE_CHECKING:
    from singinghead.metrics.clips import Method
    from singinghead.render.clip import FrameCounter, Sound
    from singinghead.tools.compared_clip import ComparedClip
    from singinghead.tools.compared_video import Comparison


@dataclass(frozen=True, kw_only=True)
class Options(BatchOptions, PictureOptions, ComparedOptions):
    """Compare methods with the ground truth: one video of all of them, from one camera, with sound.

    Shown are the real video if the dataset has it, the ground truth, each method, and below each method its error in
    millimetres at zero head pose, on the ground truth's identity; along the bottom the sound, its beats, the lips' error and
    the mouth's opening. Predictions may be of other lengths and rates; what is done about it is said. Several clips are a
    list, --split FILE --out DIR; --workers, --retries, --dask, --shard, --merge and --verify are for these.
    """

    id: Annotated[str | None, tyro.conf.Positional] = None
    """The clip: a name like id0_10_0_0."""
    split: Path | None = None
    """Instead of one clip, a list of IDs, one a line: each to OUT/ID.mp4 and recorded in OUT/manifest.jsonl; run again,
    it goes on, as render_split does."""
    out: Path | None = None
    """The video to write, overwritten if it exists; with --still the figure, .png or .pdf; with --split a folder. Default:
    ID_compared.mp4."""
    height: int = 1080
    """Of the video, an even number of pixels; it is 16:9."""
    still: str | None = None
    """A figure for a paper instead of a video: at these times, e.g. 3.2s,4.0s; its background is white."""
    sheet: Path | None = None
    """Also write twelve stills of the video into this .png."""
    blind: Path | None = None
    """Instead of a video of all, write one for every two into this folder: side by side, without names, shuffled; and
    ID_key.csv, which tells."""
    seed: int = 0
    """Of the shuffle."""


def compare(options: Options) -> int:
    """Do what the options say, and tell what was done; 1 if a clip of a split is not done at the end."""
    from singinghead.tools.compared_clip import find_motions, parse_methods

    if (options.id is None) == (options.split is None):
        raise InputError("a clip or a split is to be compared", remedy="give an ID, or --split FILE --out DIR")
    for name in ("workers", "threads", "dask", "shard", "merge", "verify"):
        if options.split is None and getattr(options, name):
            raise InputError(f"--{name} is for a list of clips", remedy="--split FILE --out DIR")
    check_rate(options.fps)
    options.check_sound()
    methods = parse_methods(options.pred, options.fps)
    truth, dataset = options.datasets()
    comparison = _comparison(options, len(methods))
    if options.split is not None:
        return _compare_split(options, options.split, comparison, methods, truth, dataset)
    clip_id = check_id(str(options.id))
    find_motions(clip_id, truth, methods)
    times = _times(options.still) if options.still else ()
    out = _checked_out(options, clip_id)
    sound = options.sound(dataset, clip_id)

    # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
    from singinghead.flame_model.model import FlameModel, choose_device
    from singinghead.tools.compared_clip import load_compared

    model = FlameModel.load(options.flame)
    device = choose_device(options.device)
    clip = load_compared(clip_id, truth, methods, model, options.fps, options.pose, options.sample, options.pad, device)
    if options.still:
        _write_still(options, out, clip, comparison, times)
    elif options.blind is not None:
        _write_pairs(options, clip, comparison, sound)
    else:
        _write_video(options, out, clip, comparison, sound, dataset.video(clip_id) if dataset else None)
    return 0


def _comparison(options: Options, n_methods: int) -> Comparison:
    """How methods are compared; what is wrong with it is found before anything is read."""
    from singinghead.render.heat import ColorScale
    from singinghead.tools.compared_video import Comparison

    look = options.look()
    if options.still and look.shown.background is None:
        look = replace(look, shown=replace(look.shown, background="white"))
    comparison = Comparison(look, options.height, ColorScale(options.scale_mm, "mm"), options.beat_audio)
    shows_all = options.blind is None
    comparison.grid(n_methods + 1 if shows_all else 2, shows_all)
    return comparison


def _compare_split(
    options: Options,
    split: Path,
    comparison: Comparison,
    methods: tuple[Method, ...],
    truth: Path,
    dataset: Dataset | None,
) -> int:
    from singinghead.tools.compare_split import compare_split

    for name in ("vocals", "bgm", "still", "sheet", "blind"):
        if getattr(options, name):
            raise InputError(f"--{name} is for one clip, and contradicts --split")
    if options.out is None:
        raise InputError("--split needs --out, the folder for its videos")
    return compare_split(options, split, comparison, methods, truth, dataset)


def _write_still(options: Options, out: Path, clip: ComparedClip, comparison: Comparison, times: tuple[float, ...]) -> None:
    from singinghead.render.compare.compose import Moment
    from singinghead.render.compare.figure import write_figure

    indices = [round(seconds * clip.fps) for seconds in times]
    if late := [seconds for seconds, index in zip(times, indices, strict=True) if index >= len(clip)]:
        raise InputError(f"--still {late[0]:g}s is not within the clip's {len(clip) / clip.fps:.2f} s")
    shown = (moment for chunk in clip.at(indices).chunks(comparison.look.shown) for moment in chunk)
    moments = [
        Moment(index / clip.fps, tuple(replace(head, index=index) for head in heads), errors)
        for index, (heads, errors) in zip(indices, shown, strict=True)
    ]
    stage = comparison.stage(clip, comparison.grid(len(clip.names)).picture_size)
    arrays = clip.subject.arrays
    noted = {"clip": clip.id, "model": arrays.name, **stage.notes(clip.fps)}
    facts = "; ".join(f"{name}: {value}" for name, value in noted.items())
    write_figure(out, clip.names, moments, comparison.drawn_as(stage), facts, arrays.name if arrays.is_stand_in else "")
    told = f"{out}: {len(moments)} times, {len(clip.names)} columns | model: {arrays.name}"
    print(" | ".join((told, *clip.notes)))
    if options.json:
        record = {"id": clip.id, "out": str(out), "times": list(times), "columns": list(clip.names), "model": arrays.name}
        command.print_json(record | {"notes": list(clip.notes)})


def _write_pairs(options: Options, clip: ComparedClip, comparison: Comparison, sound: Sound) -> None:
    from singinghead.render.compare.blind import blind_pairs, key_table
    from singinghead.render.compare.compose import Composer, Moment, Panel
    from singinghead.render.compare.film import Film, write_film

    assert options.blind is not None
    options.blind.mkdir(parents=True, exist_ok=True)
    pairs = blind_pairs(clip.names, clip.id, options.seed)
    key = options.blind / f"{clip.id}_key.csv"
    # An older study's: no key may stand beside videos of which it does not tell.
    for old in (key, *options.blind.glob(f"{glob.escape(clip.id)}_[0-9][0-9].mp4")):
        old.unlink(missing_ok=True)
    grid, shown = comparison.grid(2, whole=False), comparison.look.shown
    look = comparison.drawn_as(comparison.stage(clip, grid.picture_size))
    for pair in pairs:
        sides = clip.of((pair.left, pair.right))
        composer = Composer(grid, (Panel("left"), Panel("right")), look)
        moments = ([Moment(0.0, heads, (None, None)) for heads in chunk] for chunk in sides.heads(shown))
        film = Film(
            options.blind / pair.video, clip.fps, len(clip), sound, Path(pair.video).stem, "", options.crf, options.preset
        )
        write_film(film, composer, moments, _counted(pair.video))
    write_whole(key, key_table(pairs))
    told = f"{options.blind}: {len(pairs)} pairs of {len(clip) / clip.fps:.2f} s"
    print(" | ".join((told, f"key: {key}", f"model: {clip.subject.arrays.name}", *clip.notes)))
    if options.json:
        command.print_json({"id": clip.id, "out": str(options.blind), "key": str(key), "videos": [p.video for p in pairs]})


def _write_video(
    options: Options, out: Path, clip: ComparedClip, comparison: Comparison, sound: Sound, real: StoredFile | None
) -> None:
    from singinghead.tools.compared_video import write_comparison

    made = write_comparison(clip, comparison, sound, real, out, _counted(clip.id))
    if options.sheet:
        from singinghead.tools.contact_sheet import write_contact_sheet

        write_contact_sheet(out, options.sheet, width=640)
    video, measures = made.video, made.measures
    notes = [*clip.notes, *(video.sound.notes if video.sound else ("silent",))]
    rate = video.frames / video.seconds
    told = f"{out}: {video.frames} frames, {video.duration:.3f} s, {rate:.1f} frames/s | model: {video.model}"
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
                "frames": video.frames,
                "fps": video.fps,
                "duration": video.duration,
                "render_fps": rate,
                "size": list(made.size),
                "methods": list(clip.names[1:]),
                "lve_l2_mm": {
                    name: None if measured.lips_mm is None else float(measured.lips_mm.mean())
                    for name, measured in zip(clip.names[1:], measures[1:], strict=True)
                },
                "real_video": str(real) if real else None,
                "model": video.model,
                "notes": notes,
                "audio": sound_record(video.sound),
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
