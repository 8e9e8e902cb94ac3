"""Sing, render and show: what `make demo` runs."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

from dataclasses import dataclass
from pathlib import Path

from singinghead.render.video import check_size
from singinghead.tools import render_seq
from singinghead.tools.contact_sheet import write_contact_sheet
from singinghead.tools.demo.dataset import write_dataset


@dataclass(frozen=True)
class Options:
    """Write a small dataset of generated singing, render its first clip with sound, and take stills of it."""

    out: Path = Path("demo")
    """The folder to write: the dataset, the video and the contact sheet."""
    size: int = 1024
    """Width and height of the video, an even number of pixels."""


def make_demo(options: Options) -> None:
    """Write everything into one folder and say where it is."""
    check_size(options.size)
    dataset = options.out / "SingingHead"
    ids = write_dataset(dataset)
    print(f"dataset of generated singing: {dataset} ({', '.join(ids)})")
    video = options.out / f"{ids[0]}.mp4"
    render_seq.render(render_seq.Options(seq=ids[0], data_root=dataset, out=video, size=options.size))
    sheet = options.out / f"{ids[0]}.png"
    write_contact_sheet(video, sheet)
    print(f"video:  {video.resolve()}\nstills: {sheet.resolve()}")


def main() -> int:
    """Run the command."""
    return command.run(Options, make_demo, "make_demo")


if __name__ == "__main__":
    raise SystemExit(main())
