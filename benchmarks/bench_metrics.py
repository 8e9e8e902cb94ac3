"""Measure how fast 3D metrics are computed, by us and in the seed's way, on the same clips with the same result."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import psutil
import tyro
from measured import peak_mb

from singinghead.flame_model.dataset import read_split
from singinghead.flame_model.errors import InputError
from singinghead.metrics.clips import Method, load_truth
from singinghead.metrics.definitions import SEED_3D, Protocol
from singinghead.metrics.evaluate_3d import Benchmark, evaluate
from singinghead.metrics.head import MeasuredHead
from singinghead.metrics.sound_of_clip import Recordings
from singinghead.tools.demo.dataset import write_dataset

METHOD = "noisy"
WAYS = ("seed_way", "seed", "corrected")
"""The seed's way; ours to the same numbers; ours by the corrected protocol, which computes more."""


@dataclass(frozen=True)
class Options:
    """Time the seed's 3D metrics in the seed's way and in ours, on the demo's three songs of 8 s.

    Samples are the truth with noise. Beats are found beforehand, and given to both: finding them costs both the same. Each
    run is a process of its own. The clock runs while clips are loaded and measured; importing is not in it, nor what is
    prepared once for all clips.
    """

    samples: int = 2
    """Samples of each clip."""
    runs: int = 3
    """Timed runs of each way, after one that is watched for memory."""
    threads: int = 1
    """Threads of torch; with one, CPU time is not blurred by threads that wait for one another."""
    frames: int = 240
    """Frames of each clip."""
    out: Path | None = None
    """A JSON file to write."""
    quick: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """60 frames, one run: does everything work? The figures mean little."""
    way: str = ""
    """For the worker: measure one way in this process."""
    folder: Path | None = None
    """For the worker: where the clips lie."""


def bench(options: Options) -> int:
    """Run everything, print a table; 1 if the ways disagree."""
    if options.way:
        return _work(options)
    if options.samples < 1 or options.runs < 1:
        raise InputError("--samples and --runs are positive numbers")
    n_runs, n_frames = (1, 60) if options.quick else (options.runs, options.frames)
    with tempfile.TemporaryDirectory(prefix="singinghead-bench-") as folder:
        _write_clips(Path(folder), options.samples, n_frames)
        memory = {way: _measured(way, folder, options, watched=True) for way in WAYS}
        rounds = [{way: _measured(way, folder, options) for way in WAYS} for _ in range(n_runs)]
    result = _summary(memory, rounds, options.samples, n_frames)
    print(_table(result))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if result["largest_difference"] < 2e-4 else 1


def _write_clips(root: Path, n_samples: int, n_frames: int) -> None:
    rng = np.random.default_rng(0)
    (root / METHOD).mkdir()
    for clip_id in write_dataset(root):
        truth = load_truth(root / "flame_seqs", clip_id)
        vectors = truth.params.to_vectors()[:n_frames]
        (root / "flame_seqs" / f"{clip_id}.pkl").unlink()
        codes = {"expcodes": vectors[:, :50], "posecodes": vectors[:, 50:], "shapecode": np.asarray(truth.shape)}
        np.savez(root / "flame_seqs" / f"{clip_id}.npz", allow_pickle=False, **codes)
        noise = 0.05 * rng.standard_normal((n_samples, *vectors.shape))
        np.save(root / METHOD / f"{clip_id}.npy", (vectors + noise).astype(np.float32))


def _measured(way: str, folder: str, options: Options, watched: bool = False) -> dict[str, Any]:
    """One run in a process of its own."""
    argv = [sys.executable, __file__, "--way", way, "--folder", folder, "--threads", str(options.threads)]
    with tempfile.TemporaryFile("w+") as said:
        environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
        process = psutil.Popen(argv, stdout=said, env=environment)
        peak = peak_mb(process) if watched else 0.0
        if process.wait():
            raise InputError(f"the {way} way failed; its own words stand above")
        said.seek(0)
        record: dict[str, Any] = json.loads(said.read().splitlines()[-1])
    return record | {"peak_mb": peak}


def _work(options: Options) -> int:
    """Measure one way, and say how long it took and what came out."""
    import torch

    torch.set_num_threads(options.threads)
    root = options.folder or Path()
    ids = read_split(root / "test.txt")
    head = MeasuredHead.load(allow_stand_in=True)
    recordings = Recordings(root / "audio_seqs")
    beats = [recordings.hear(clip_id).beat_frames()[0] for clip_id in ids]
    run: Callable[[Sequence[str]], list[dict[str, float]]]
    if options.way == "seed_way":
        from seed_way import SeedFlame, clip_metrics

        flame = SeedFlame(head.arrays)
        masks = {name: head.mask_list(name) for name in ("lips", "face", "upper_face")}

        def run(clips: Sequence[str]) -> list[dict[str, float]]:
            paths = [(root / "flame_seqs" / f"{clip_id}.npz", root / METHOD / f"{clip_id}.npy") for clip_id in clips]
            heard = zip(paths, beats, strict=False)
            return [clip_metrics(flame, *path, sound, masks) for path, sound in heard if sound is not None]

    else:
        protocol: Protocol = "seed" if options.way == "seed" else "corrected"
        benchmark = Benchmark(head, root / "flame_seqs", recordings, protocol, baselines=False)

        def run(clips: Sequence[str]) -> list[dict[str, float]]:
            (result,) = evaluate([Method(METHOD, root / METHOD)], clips, benchmark)
            return [{k: v for k, v in record.metrics.items() if v is not None} for record in result.sequences]

    run(ids[:1])  # what is prepared once for all clips, and what a process does the first time
    wall, cpu = time.perf_counter(), time.process_time()
    values = run(ids)
    record = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps(record | {"clips": len(ids), "values": values}))
    return 0


def _summary(
    memory: dict[str, dict[str, Any]], rounds: list[dict[str, dict[str, Any]]], n_samples: int, n_frames: int
) -> dict[str, Any]:
    theirs, ours = memory["seed_way"]["values"], memory["seed"]["values"]
    differences = [
        abs(mine[metric.name] - other[metric.name]) / max(abs(other[metric.name]), 1e-9)
        for mine, other in zip(ours, theirs, strict=True)
        for metric in SEED_3D
    ]
    rows = {}
    for way in WAYS:
        seconds, cpu = ([one[way][kind] for one in rounds] for kind in ("seconds", "cpu_seconds"))
        ratios = [one["seed_way"]["cpu_seconds"] / one[way]["cpu_seconds"] for one in rounds]
        rows[way] = {
            "seconds": median(seconds),
            "cpu_seconds": median(cpu),
            "times_faster": median(ratios),
            "clips_an_hour": 3600 * memory[way]["clips"] / median(cpu),
            "peak_mb": memory[way]["peak_mb"],
        }
    facts = {"samples": n_samples, "frames": n_frames, "load": os.getloadavg()[0], "rounds": len(rounds)}
    return facts | {"largest_difference": max(differences), "ways": rows}


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{result['samples']} samples of {result['frames']} frames a clip; median of {result['rounds']} rounds; load"
        f" {result['load']:.1f}; seed metrics differ by {result['largest_difference']:.1e} at most, relative",
        "",
        "| way | CPU s | wall s | times faster (CPU) | clips a CPU hour | peak MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {way} | {row['cpu_seconds']:.2f} | {row['seconds']:.2f} | {row['times_faster']:.1f} |"
        f" {row['clips_an_hour']:.0f} | {row['peak_mb']:.0f} |"
        for way, row in result["ways"].items()
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the command."""
    return command.run(Options, bench, "bench_metrics")


if __name__ == "__main__":
    raise SystemExit(main())
