"""Measure clips an hour over a split, and what that makes of the test split and the dataset, beside two peers."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import datetime as dt
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import machine
import measured
import report
import tyro
from bench_render import find_gl
from clip_job import Job

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import load_sequence
from singinghead.tools.demo.dataset import write_dataset

SPLITS = {"test": 1829, "dataset": 12196}
"""Clips of the release's test split and of all of it."""

_RENDER_SPLIT = Path(__file__).parents[1] / "tools" / "render_split.py"


@dataclass(frozen=True)
class Options:
    """Render a split of the demo's songs, 8 s each with vocals and BGM, with several numbers of workers; and by N1 and N3.

    Clips an hour are counted from the moment when each worker has finished its first clip, for a long split hardly feels the
    start; the start is told beside. N1 and N3 (see bench_render) draw and encode some frames of one clip, one process each,
    as their users do.
    """

    clips: int = 12
    """How many clips each run renders; the songs are repeated."""
    workers: tuple[int, ...] = (1, 2)
    """How many workers, run by run."""
    size: int = 1024
    """Width and height, an even number of pixels."""
    peers: tuple[Literal["N1", "N3"], ...] = ("N1", "N3")
    """Whom to compare with."""
    peer_frames: int = 60
    """Frames by which their speed is measured."""
    preset: str = "veryfast"
    """x264's speed, theirs too."""
    out: Path = Path("benchmarks/split_results.json")
    """The JSON to write."""
    quick: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """64 pixels, 3 clips, 2 frames of the peers: does everything work? The figures mean nothing."""


def bench(options: Options) -> int:
    """Run everything; 1 if something could not be measured."""
    if options.quick:
        options = replace(options, clips=3, size=64, peer_frames=2, preset="ultrafast")
    if not options.workers or min(options.workers) < 1 or options.clips <= max(options.workers):
        raise InputError("at least one worker is needed, and more clips than workers")
    if not options.out.parent.is_dir():
        raise InputError("its folder does not exist", file=options.out)
    gl, environment, why_not = find_gl() if options.peers else ("not asked for", {}, "")
    result: dict[str, Any] = {"schema": 1, "started": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
    result |= {
        "machine": machine.describe(gl, "the demo's people"),
        "settings": json.loads(json.dumps(asdict(options), default=str)),
    }
    with tempfile.TemporaryDirectory(prefix="singinghead-bench-") as folder:
        songs = write_dataset(Path(folder))
        n_frames = len(load_sequence(Path(folder) / "flame_seqs" / f"{songs[0]}.pkl"))
        repeat(Path(folder), songs, options.clips)
        result["frames_a_clip"] = n_frames
        ours = [our_speed(options, Path(folder), n_workers) for n_workers in options.workers]
        peers = [
            {"case": peer, "not_measured": why_not}
            if why_not
            else peer_speed(options, Path(folder), songs[0], peer, environment, n_frames)
            for peer in options.peers
        ]
    result["cases"] = [with_projection(row, peers) for row in (*ours, *peers)]
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(result)))
    print(f"\neverything: {options.out}")
    return int(any("not_measured" in row for row in result["cases"]))


def repeat(root: Path, songs: list[str], n_clips: int) -> None:
    """Make a split of that many clips of some songs, whose list is ``split.txt``."""
    clip_ids = [f"{songs[index % len(songs)]}_{index}" for index in range(n_clips)]
    for index, clip_id in enumerate(clip_ids):
        for part, ending in (("flame_seqs", ".pkl"), ("audio_seqs", ".wav"), ("bgm_seqs", "_bgm.wav")):
            shutil.copy(root / part / f"{songs[index % len(songs)]}{ending}", root / part / f"{clip_id}{ending}")
    (root / "split.txt").write_text("".join(f"{clip_id}\n" for clip_id in clip_ids), encoding="utf-8")


def our_speed(options: Options, root: Path, n_workers: int) -> dict[str, Any]:
    """One run of render_split, as a user starts it."""
    out = root / f"out-{n_workers}"
    arguments = [
        "--data-root",
        root,
        "--out",
        out,
        "--workers",
        n_workers,
        "--size",
        options.size,
        "--preset",
        options.preset,
    ]
    command_line = [sys.executable, _RENDER_SPLIT, root / "split.txt", *arguments, "--json"]
    started = time.time()
    done = subprocess.run([str(part) for part in command_line], capture_output=True, text=True, check=False)
    seconds = time.time() - started
    case = {"case": f"{n_workers} workers" if n_workers > 1 else "1 worker", "workers": n_workers}
    if done.returncode:
        return case | {"not_measured": (done.stderr.strip().splitlines() or ["it said nothing"])[-1]}
    said = json.loads(done.stdout.splitlines()[-1])
    with (out / "manifest.jsonl").open(encoding="utf-8") as manifest:
        ends = sorted(dt.datetime.fromisoformat(json.loads(line)["ended"]).timestamp() for line in manifest)
    first = ends[n_workers - 1]
    rate = (len(ends) - n_workers) / (ends[-1] - first)
    return case | {
        "clips": said["made"],
        "process_seconds": seconds,
        "start_seconds": first - started - n_workers / rate,
        "clips_per_hour": 3600 * rate,
        "fps": rate * said["frames"] / said["made"],
    }


def peer_speed(
    options: Options, root: Path, song: str, peer: str, environment: dict[str, str], n_frames: int
) -> dict[str, Any]:
    """A peer's frames a second, as clips an hour."""
    job = Job(
        case=peer,
        seq=str(root / "flame_seqs" / f"{song}.pkl"),
        vocals=str(root / "audio_seqs" / f"{song}.wav"),
        bgm=str(root / "bgm_seqs" / f"{song}_bgm.wav"),
        frames=options.peer_frames,
        size=options.size,
        preset=options.preset,
        device="cpu",
        out=str(root / f"{peer}.mp4"),
    )
    run = measured.run("render", job, environment)
    if "failed" in run:
        return {"case": peer, "not_measured": run["failed"]}
    return {"case": peer, "fps": run["fps"], "clips_per_hour": 3600 * run["fps"] / n_frames}


def with_projection(row: dict[str, Any], peers: list[dict[str, Any]]) -> dict[str, Any]:
    """A case with the hours that it needs for each of :data:`SPLITS`, and how often it is as fast as each peer."""
    if "not_measured" in row:
        return row
    rate = row["clips_per_hour"]
    ratios = {peer["case"]: rate / peer["clips_per_hour"] for peer in peers if "clips_per_hour" in peer}
    return row | {"hours": {name: count / rate for name, count in SPLITS.items()}, "ratio_to": ratios}


def lines(result: dict[str, Any]) -> Iterator[str]:
    """The result as text."""
    about, settings = result["machine"], result["settings"]
    yield f"{about['cpu']}, {about['cores']} cores, load {about['load_before']:.1f} before | GL: {about['gl']}"
    clip = f"{settings['size']}², {result['frames_a_clip']} frames a clip with sound, {settings['preset']}"
    yield f"{clip} | commit {about['commit']}"
    yield ""
    peers = settings["peers"]
    head = (
        "case",
        "clips/h",
        "fps",
        *(f"x {peer}" for peer in peers),
        *(f"{name} {count} h" for name, count in SPLITS.items()),
    )
    rows = [
        (
            row["case"],
            f"{row['clips_per_hour']:.0f}",
            f"{row['fps']:.1f}",
            *(f"{row['ratio_to'][peer]:.1f}" if peer in row["ratio_to"] else "-" for peer in peers),
            *(f"{row['hours'][name]:.1f}" for name in SPLITS),
        )
        for row in result["cases"]
        if "not_measured" not in row
    ]
    yield from report.table(head, rows)
    for row in result["cases"]:
        if "not_measured" in row:
            yield f"{row['case']} was not measured: {row['not_measured']}"
        elif "start_seconds" in row:
            yield f"{row['case']}: {row['start_seconds']:.1f} s to start"


def main() -> int:
    """Run the command."""
    return command.run(Options, bench, "bench_split")


if __name__ == "__main__":
    raise SystemExit(main())
