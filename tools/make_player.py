"""Make one page that plays a clip: ground truth and methods side by side, with sound, in any browser."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from singinghead.flame_model.dataset import check_id
from singinghead.render.video import check_rate
from singinghead.tools.clip_options import HeadOptions
from singinghead.tools.compared_options import ComparedOptions

if TYPE_CHECKING:
    from singinghead.tools.compared_page import Page


@dataclass(frozen=True, kw_only=True)
class Options(HeadOptions, ComparedOptions):
    """Make one page that plays a clip: ground truth and methods side by side, seen by one camera that can be moved.

    The page is one file that any browser opens from disk, without a server and without a network. It shows errors in
    millimetres as colours (at zero head pose, on the ground truth's identity), the lips' error and the mouth's opening over
    time, sound and its beats; the mix of vocals and BGM is its clock. Press ? in it for its keys.
    """

    id: Annotated[str, tyro.conf.Positional]
    """The clip: a name like id0_10_0_0."""
    out: Path | None = None
    """The page to write, overwritten if it exists. Default: ID.html in the working directory."""


def make_player(options: Options) -> Page:
    """Write the page that the options ask for.

    Raises:
        InputError: something that they name is missing or cannot be used.
        UnavailableError: the part of the page that is made by Node is not built.
    """
    from singinghead.tools.compared_clip import find_motions, parse_methods

    clip_id = check_id(options.id)
    check_rate(options.fps)
    options.check_sound()
    methods = parse_methods(options.pred, options.fps)
    truth, dataset = options.datasets()
    find_motions(clip_id, truth, methods)
    out = options.out or Path(f"{clip_id}.html")

    # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
    from singinghead.flame_model.model import FlameModel, choose_device
    from singinghead.render.heat import ColorScale
    from singinghead.tools.compared_clip import load_compared
    from singinghead.tools.compared_page import check_page, write_player

    check_page(out)
    scale = ColorScale(options.scale_mm, "mm")
    sound = options.sound(dataset, clip_id)
    model, device = FlameModel.load(options.flame), choose_device(options.device)
    clip = load_compared(clip_id, truth, methods, model, options.fps, options.pose, options.sample, options.pad, device)
    return write_player(clip, sound, out, scale, options.beat_audio, options.pose)


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
