"""Make one page that plays a clip: ground truth and methods side by side, with sound, in any browser."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singinghead.flame_model.errors import InputError
from singinghead.tools.compared_options import ComparedOptions

if TYPE_CHECKING:
    from singinghead.render.player.stage import Performance
    from singinghead.tools.compared_clip import ComparedClip
    from singinghead.tools.compared_options import Sources


@dataclass(frozen=True, kw_only=True)
class Options(ComparedOptions):
    """Make one page that plays a clip: ground truth and methods side by side, seen by one camera that can be moved.

    The page is one file that any browser opens from disk, without a server and without a network. It shows errors in
    millimetres as colours (at zero head pose, on the ground truth's identity), the lips' error and the mouth's opening over
    time, sound and its beats; the mix of vocals and BGM is its clock. Press ? in it for its keys.
    """

    out: Path | None = None
    """The page to write, overwritten if it exists. Default: ID.html in the working directory."""


@dataclass(frozen=True)
class Made:
    """A page that was written.

    Attributes:
        out: where.
        clip: what it plays.
        bytes: its size.
        has_sound: whether anything is heard.
        notes: what a user should know of the clip and its sound.
    """

    out: Path
    clip: ComparedClip
    bytes: int
    has_sound: bool
    notes: tuple[str, ...]


def make_player(options: Options) -> Made:
    """Write the page that the options ask for.

    Raises:
        InputError: something that they name is missing or cannot be used.
        UnavailableError: the part of the page that is made by Node is not built.
    """
    from singinghead.render.player.template import read_template, write_page

    sources = options.find()
    template = read_template()
    out = options.out or Path(f"{sources.clip_id}.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError("a page must be named .html", file=out)
    if not out.parent.is_dir():
        raise InputError("its folder does not exist", file=out, remedy=f"mkdir -p {out.parent}")

    # Late: it imports torch.
    from singinghead.render.compare.heat import HeatScale
    from singinghead.render.player.payload import payload

    HeatScale(options.scale_mm)
    clip = options.load(sources)
    document, arrays = payload(_performance(options, sources, clip))
    document["made_by"] = f"singinghead {importlib.metadata.version('singinghead')}"
    write_page(out, template, document, arrays)
    notes = (*clip.notes, *document["sound_notes"])
    return Made(out, clip, out.stat().st_size, document["sound"] is not None, notes)


def _performance(options: Options, sources: Sources, clip: ComparedClip) -> Performance:
    from singinghead.render.player.stage import Actor, Performance
    from singinghead.tools.compared_panels import colors

    kinds = zip(clip.names, colors(clip), clip.drawn, clip.straight, clip.measures(), strict=True)
    actors = tuple(
        Actor(name, color, drawn, straight, measured.lips_mm, measured.face_mm, measured.opening_mm)
        for name, color, drawn, straight, measured in kinds
    )
    poses = {"full": "poses of their own", "zero": "no head pose", "gt": "the ground truth's head pose"}
    facts = (
        f"Model: {clip.subject.arrays.name}. Heads are drawn in {poses[options.pose]}.",
        "Errors are distances from the ground truth's vertices, both at zero head pose and of the ground truth's identity. "
        "lips: the largest of the lips' vertices in that frame; its mean is the LVE.",
        f"Beats: of the {options.beat_audio}." if options.beat_audio != "none" else "Beats are not marked.",
        *(f"{note[0].upper()}{note[1:]}." for note in clip.notes),
        f"Made by singinghead {importlib.metadata.version('singinghead')}.",
    )
    sound, beats = options.sound(sources), options.beats(sources)
    return Performance(clip.id, clip.subject, actors, clip.fps, options.scale_mm, sound, beats, facts)


def tell(options: Options) -> None:
    """Do what the options say, and tell what was done."""
    made = make_player(options)
    clip = made.clip
    facts = [
        f"{len(clip)} frames, {len(clip) / clip.fps:.3f} s",
        f"{made.bytes / 1e6:.2f} MB",
        f"model: {clip.subject.arrays.name}",
        *([] if made.has_sound else ["without sound"]),
        *made.notes,
    ]
    print(f"{made.out}: {' | '.join(facts)}")
    if options.json:
        record: dict[str, Any] = {
            "id": clip.id,
            "out": str(made.out),
            "frames": len(clip),
            "fps": clip.fps,
            "duration": len(clip) / clip.fps,
            "bytes": made.bytes,
            "methods": list(clip.names[1:]),
            "model": clip.subject.arrays.name,
            "sound": made.has_sound,
            "notes": list(made.notes),
        }
        command.print_json(record)


def main() -> int:
    """Run the command."""
    return command.run(Options, tell, "make_player")


if __name__ == "__main__":
    raise SystemExit(main())
