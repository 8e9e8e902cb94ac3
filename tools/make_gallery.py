"""Render every option into small pictures, and the page that shows them: what `make gallery` runs."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import contextlib
import io
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.release_file import write_release
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.flame_model.whole_file import write_whole
from singinghead.tools import compare, render_seq
from singinghead.tools.contact_sheet import decoded
from singinghead.tools.demo.dataset import write_dataset
from singinghead.tools.gallery_entries import ENTRIES, Entry

_FIRST, _FRAMES = 60, 48
"""Of the song, what is rendered: sung vowels, and lips that shut between them."""
_SIZE = 448
_LARGEST_BYTES = 300_000
_PICTURE = "{name}.jpg"


@dataclass(frozen=True)
class Options:
    """Render every option of render_seq and compare on generated singing into small pictures, and a page of them."""

    out: Path = Path("docs/gallery")
    """The folder for pictures and README.md."""
    only: str | None = None
    """Names of pictures, separated by commas; the page is then left as it is."""


def make_gallery(options: Options) -> None:
    """Write all pictures and the page."""
    wanted = _wanted(options.only)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", file=options.out) from error
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "SingingHead"
        clip = write_dataset(root)[0]
        _shorten(root, clip)
        _write_pictures(Path(scratch))
        for entry in tqdm(wanted, desc="gallery", unit="picture", disable=None):
            picture = _drawn(entry, root, clip, Path(scratch))
            out = options.out / _PICTURE.format(name=entry.name)
            Image.fromarray(picture).save(out, quality=86, optimize=True)
            if out.stat().st_size > _LARGEST_BYTES:
                raise InputError(f"has {out.stat().st_size} bytes, and is to have {_LARGEST_BYTES} at most", file=out)
    if options.only is None:
        write_whole(options.out / "README.md", page())
    print(f"{options.out}: {len(wanted)} pictures")


def page() -> str:
    """The page, in Markdown: each picture under its command."""
    lines = [
        "# What it draws",
        "",
        "Made by `make gallery` from the demo's generated singing, on the stand-in, by the commands above the pictures.",
        "`SEQ` is a sequence, `ID` a clip. Options go together, but where `--help` says otherwise.",
    ]
    group = ""
    for entry in ENTRIES:
        if entry.group != group:
            group = entry.group
            lines += ["", f"## {group}"]
        lines += ["", f"**{entry.caption}**", "", f"`{entry.shown_command}`", "", f"![{entry.caption}]({entry.name}.jpg)"]
    return "\n".join(lines) + "\n"


def _wanted(only: str | None) -> tuple[Entry, ...]:
    if only is None:
        return ENTRIES
    by_name = {entry.name: entry for entry in ENTRIES}
    names = [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in by_name]:
        raise InputError(f"no picture '{unknown[0]}'", remedy=f"pictures are {', '.join(by_name)}")
    return tuple(by_name[name] for name in names)


def _shorten(root: Path, clip: str) -> None:
    """A piece of the song and of its methods: what the smaller pictures are of."""
    for folder in ("flame_seqs", "methods/late", "methods/smoothed"):
        whole = load_sequence(root / folder / f"{clip}.pkl")
        assert isinstance(whole, ParamSequence)
        assert whole.shape is not None
        piece = whole.params.map(lambda field: field[_FIRST : _FIRST + _FRAMES])
        write_release(root / folder / "piece.pkl", piece, whole.shape)


def _write_pictures(scratch: Path) -> None:
    """A background and a skin of our own making, for the options that take pictures."""
    rows, columns = np.mgrid[0:512, 0:512] / 511
    sky = np.stack([0.20 + 0.5 * rows, 0.30 + 0.35 * rows, 0.48 + 0.12 * rows], axis=-1)
    sky += 0.08 * np.exp(-((columns - 0.75) ** 2 + (rows - 0.25) ** 2) / 0.02)[..., None]
    Image.fromarray(np.uint8(255 * sky.clip(0, 1))).save(scratch / "evening.png")
    checks = ((np.floor(columns * 32) + np.floor(rows * 32)) % 2)[..., None]
    tints = np.stack([0.55 + 0.4 * columns, 0.75 - 0.3 * rows, 0.95 - 0.4 * columns], axis=-1)
    Image.fromarray(np.uint8(255 * (tints * (0.78 + 0.22 * checks)).clip(0, 1))).save(scratch / "checks.png")


def _drawn(entry: Entry, root: Path, clip: str, scratch: Path) -> NDArray[np.uint8]:
    """One entry's picture, from the very file that its command writes."""
    words = {"scratch": scratch, "root": root}
    arguments = [argument.format(**words) for argument in shlex.split(entry.options)]
    out = scratch / f"{entry.name}{entry.suffix}"
    with contextlib.redirect_stdout(io.StringIO()):  # what each command says of its file
        if entry.is_comparison:
            methods = [f"--pred=late={root / 'methods/late'}", f"--pred=smoothed={root / 'methods/smoothed'}"]
            given = [clip, "--data-root", str(root), *methods, "--out", str(out), *arguments]
            compare.compare(tyro.cli(compare.Options, args=given))
        else:
            given = [str(root / entry.sequence), "--no-audio", "--size", str(_SIZE), "--out", str(out), *arguments]
            render_seq.render(tyro.cli(render_seq.Options, args=given))
    stills = list(_stills(entry, out))
    picture = np.concatenate(stills, axis=1)
    if picture.shape[1] > entry.width:
        size = entry.width, round(entry.width * picture.shape[0] / picture.shape[1])
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
    return picture


def _stills(entry: Entry, out: Path) -> Iterator[NDArray[np.uint8]]:
    if entry.suffix != ".mp4":
        yield np.asarray(Image.open(out).convert("RGB"))
        return
    for layer in entry.layers:
        yield _visible(layer, out.with_name(f"{out.stem}_{layer}") / f"{entry.frames[0]:06}.png")
    if not entry.layers:
        wanted: Sequence[int] = entry.frames
        yield from (frame for index, frame in enumerate(decoded(out)) if index in wanted)


def _visible(layer: str, file: Path) -> NDArray[np.uint8]:
    """A layer's picture as a person can look at it: near is bright, what is transparent lies on a chequered ground."""
    image = Image.open(file)
    if layer == "depth":
        depth = np.asarray(image).astype(float)
        seen = depth > 0
        near, far = depth[seen].min(), depth[seen].max()
        grey = np.where(seen, 255 - 200 * (depth - near) / (far - near), 0)
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=-1)
    if layer == "alpha":
        rows, columns = np.indices(image.size[::-1]) // 16
        ground = np.repeat((235 - 45 * ((rows + columns) % 2)).astype(np.uint8)[..., None], 3, axis=-1)
        below = Image.fromarray(ground)
        below.paste(image, mask=image.getchannel("A"))
        return np.asarray(below)
    return np.asarray(image.convert("RGB"))


def main() -> int:
    """Run the command."""
    return command.run(Options, make_gallery, "make_gallery")


if __name__ == "__main__":
    raise SystemExit(main())
