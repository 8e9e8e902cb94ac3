"""Time the 2D metrics against our own rewriting of the seed's way: same clips, same machine, one after the other."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import eval_videos
import machine
import measured
import psutil
import report
import tyro

from singinghead.flame_model.errors import InputError, SingingHeadError

_OURS = Path(__file__).parents[1] / "metrics" / "calculate_2d_metrics.py"
_SEEDS = Path(__file__).with_name("seed_way_2d.py")


@dataclass(frozen=True)
class Options:
    """Time the 2D metrics, from start to end of the process, against the seed's way, and measure what both leave on disk."""

    out: Path = Path("benchmarks/results_metrics_2d.json")
    """Where the result goes."""
    clips: int = 3
    """How many clips, up to 3; two methods each."""
    seconds: float = 8.0
    """Their length."""
    video_size: int = 1024
    """Of the videos, pixels: 1024 as in the dataset."""
    size: int = 256
    """That frames are measured at."""
    every: int = 1
    """Compare every n-th frame, both ways."""
    workers: int = 2
    """Processes of ours."""
    memory: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Then run ours again, on clips of this and of a quarter of this length, and watch the memory of its processes."""
    quick: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """One clip of one second at 256 pixels, compared at every sixth frame: to see that it runs, not how fast."""


def bench(options: Options) -> None:
    """Run both, write the result and print it."""
    if options.quick:
        options = replace(options, clips=1, seconds=1.0, video_size=256, every=6)
    if not 1 <= options.clips <= 3 or options.seconds < 1 or options.workers < 1:
        raise InputError("--clips must be 1, 2 or 3, --seconds and --workers 1 or more")
    if not options.out.absolute().parent.is_dir():
        raise InputError("its folder is not there", file=options.out)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        videos = root / "videos"
        videos.mkdir()
        n_frames = round(options.seconds * 30)
        eval_videos.write(videos, options.video_size, n_frames, options.clips)
        _warm_up(root, options)
        about = machine.describe("none is used", "stand-in")
        seeds = _timed("the seed's way", [_SEEDS, videos, root / "seed", options.size, options.every], root / "seed", {})
        n = options.workers
        name = f"ours, {n} worker{'s' if n > 1 else ''}"
        ours = [
            _timed(case, _ours(videos, options, workers), root / cache, {"XDG_CACHE_HOME": str(root / cache)})
            for case, workers, cache in (
                (name, n, "cache"),
                ("ours, one process", 0, "of one"),
                (f"{name}, again", n, "cache"),
            )
        ]
        memory = _memory(root, videos, options) if options.memory else {}
    result = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": about,
        "settings": {
            "clips": options.clips,
            "frames": n_frames,
            "methods": list(eval_videos.METHODS),
            "every": options.every,
            "video_size": options.video_size,
            "size": options.size,
            "workers": n,
        },
        "peak_mb": memory,
        "cases": [with_ratios(row, seeds) for row in (seeds, *ours)],
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(result)))


def _ours(videos: Path, options: Options, workers: int) -> list[Any]:
    return [_OURS, videos, "--size", options.size, "--every", options.every, "--workers", workers, "--json"]


def _warm_up(root: Path, options: Options) -> None:
    """Run both on little: what numba compiles once for every installation, and librosa through it, is on nobody's clock."""
    videos, cache = root / "warm", {"XDG_CACHE_HOME": str(root / "warm cache")}
    videos.mkdir()
    eval_videos.write(videos, 512, 30, 1)
    _timed("the seed's way", [_SEEDS, videos, root / "warm seed", options.size, 15], root / "warm seed", {})
    _timed("ours", _ours(videos, replace(options, every=15), 0), root / "warm cache", cache)


def _memory(root: Path, videos: Path, options: Options) -> dict[str, float]:
    """Largest summed PSS of ours and its children, 10^6 bytes, by seconds of the clips."""
    short = root / "short"
    short.mkdir()
    seconds = options.seconds / 4
    eval_videos.write(short, options.video_size, round(seconds * 30), options.clips)
    peaks = {}
    for folder, length in ((short, seconds), (videos, options.seconds)):
        command = [sys.executable, *map(str, _ours(folder, options, options.workers))]
        own = {"XDG_CACHE_HOME": str(root / f"cache of {length} s")}
        process = psutil.Popen(command, env=os.environ | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peaks[f"{length:g}"] = measured.peak_mb(process)
        if process.wait():
            raise SingingHeadError(f"ours, watched, on clips of {length:g} s: exit code {process.returncode}")
    return peaks


def _timed(case: str, arguments: list[Any], written: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """A process from its start to its end: seconds on the clock, seconds of all its cores, bytes that it leaves.

    Raises:
        SingingHeadError: it failed; with its last words.
    """
    called = [sys.executable, *map(str, arguments)]
    began, used = time.perf_counter(), os.times()
    done = subprocess.run(called, capture_output=True, text=True, check=False, env=os.environ | environment)
    seconds, now = time.perf_counter() - began, os.times()
    if done.returncode:
        raise SingingHeadError(f"{case}: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    record = json.loads(done.stdout.splitlines()[-1])
    cpu = now.children_user + now.children_system - used.children_user - used.children_system
    size = sum(path.stat().st_size for path in written.rglob("*") if path.is_file())
    row = {"case": case, "seconds": seconds, "cpu_seconds": cpu, "bytes_left": size}
    return row | {name: record[name] for name in ("metrics", "step_seconds") if name in record}


def with_ratios(row: dict[str, Any], seeds: dict[str, Any]) -> dict[str, Any]:
    """A case with how much quicker it is than the seed's way, by the clock and by the cores' time."""
    return row | {
        "times_as_fast": seeds["seconds"] / row["seconds"],
        "of_its_cpu": row["cpu_seconds"] / seeds["cpu_seconds"],
        "of_its_bytes": row["bytes_left"] / seeds["bytes_left"],
    }


def lines(result: dict[str, Any]) -> Iterator[str]:
    """The result as text."""
    about, settings = result["machine"], result["settings"]
    yield f"{about['cpu']}, {about['cores']} cores, load {about['load_before']:.1f} before | commit {about['commit']}"
    yield (
        f"{settings['clips']} clips of {settings['frames']} frames, {settings['video_size']}²,"
        f" {len(settings['methods'])} methods; measured at {settings['size']}², every {settings['every']}"
    )
    yield ""
    head = ("case", "s", "CPU s", "MB left", "x as fast", "CPU share")
    yield from report.table(
        head,
        [
            (
                row["case"],
                f"{row['seconds']:.1f}",
                f"{row['cpu_seconds']:.1f}",
                f"{row['bytes_left'] / 1e6:.1f}",
                f"{row['times_as_fast']:.1f}",
                f"{row['of_its_cpu']:.2f}",
            )
            for row in result["cases"]
        ],
    )
    steps = result["cases"][0]["step_seconds"]
    if peaks := result["peak_mb"]:
        yield "memory of ours at its peak, MB: " + ", ".join(f"{peak:.0f} on clips of {s} s" for s, peak in peaks.items())
    yield "the seed's way, s: " + ", ".join(f"{step} {took:.1f}" for step, took in steps.items())


def main() -> int:
    """Run the command."""
    return command.run(Options, bench, "bench_metrics_2d")


if __name__ == "__main__":
    raise SystemExit(main())
