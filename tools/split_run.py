"""A split from list to report: what every command does that makes one video for each clip of a list."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tqdm import tqdm

from singinghead.flame_model.dataset import read_split
from singinghead.flame_model.errors import InputError
from singinghead.tools import command

if TYPE_CHECKING:
    from distributed import Client

    from singinghead.render.split.job import SplitJob
    from singinghead.render.split.manifest import Record
    from singinghead.render.split.plan import Plan


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How many clips are made: by whom, and which of them."""

    workers: int | None = None
    """Processes on this machine. Default: one a core, as far as memory goes (1.5 GB each)."""
    threads: int | None = None
    """Threads of each worker. Default: its share of the cores."""
    retries: int = 1
    """How often a clip is tried again that failed for a reason that may pass; a file that is broken stays broken."""
    dask: str | None = None
    """A Dask cluster's scheduler, tcp://HOST:PORT, instead of processes on this machine; see docs/clusters.md."""
    shard: str | None = None
    """i/n: only each n-th clip, from the i-th, from 0; recorded in manifest.i-of-n.jsonl."""
    merge: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Render nothing: bring the shards' manifests into manifest.jsonl, and check that all of the split is done."""
    verify: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Read every finished video, and make those again that are not as they were recorded, bit by bit."""

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            InputError: it does.
        """
        if self.dask and self.workers is not None:
            raise InputError("--workers contradicts --dask, whose workers the cluster has")
        if self.retries < 0 or (self.threads is not None and self.threads < 1):
            raise InputError("--retries must be 0 or more, --threads 1 or more")

    def clips(self, split: Path) -> tuple[tuple[str, ...], str]:
        """The clips of this run, and the name of the manifest that it writes.

        Raises:
            InputError: the split's list is not usable, or there is no such shard.
        """
        from singinghead.render.split import manifest

        clip_ids = read_split(split)
        if self.shard is None:
            return clip_ids, manifest.NAME
        found = re.fullmatch(r"(\d+)/(\d+)", self.shard)
        index, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if index >= count or self.merge:
            raise InputError(
                f"--shard {self.shard}", remedy="i/n with i from 0 to n - 1, and without --merge: 0/4, 1/4, ..."
            )
        return clip_ids[index::count], manifest.shard_name(index, count)


@dataclass
class Tally:
    """What a run came to."""

    clips: int
    already_done: int = 0
    done: int = 0
    failed: int = 0
    frames: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.perf_counter)

    def add(self, record: Record, is_ours: bool) -> None:
        """Count a clip that has come to its end, in this run or in another."""
        if not is_ours:
            self.already_done += 1
            return
        self.done += record.status == "done"
        self.failed += record.status == "failed"
        self.frames += record.output.get("frames", 0)
        # Of many clips it is told how many were turned down, not each one's decibels.
        self.notes.update({re.sub(r"\d+(\.\d+)?", "N", note) for note in record.notes})

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self.started

    @property
    def fps(self) -> float:
        """Frames made a second, by all workers together."""
        return self.frames / self.seconds


def run_split(options: BatchOptions, job: SplitJob, clip_ids: tuple[str, ...], as_json: bool) -> int:
    """Make what is missing of a split, or with ``--merge`` check that nothing is; 1 if a clip is not done at the end.

    Raises:
        DiskFullError: there is no room left.
        UnavailableError: there is no such cluster, or it went away.
    """
    from singinghead.render.split import manifest
    from singinghead.render.split.claims import remove_abandoned
    from singinghead.render.split.plan import plan

    if options.merge:
        return _check_merged(plan(job, clip_ids, manifest.merge(job.out), options.verify), job, as_json)
    remove_abandoned(job.work)
    to_do = plan(job, clip_ids, manifest.read_all(job.out), options.verify)
    tally = Tally(len(clip_ids), already_done=len(to_do.done))
    reasons = ", ".join(f"{count} {reason}" for reason, count in to_do.reasons.items())
    print(
        f"{len(clip_ids)} clips: {len(to_do.done)} done already" + (f"; to make: {reasons}" if reasons else ""), flush=True
    )
    try:
        if to_do.todo:
            _run(options, job, to_do, tally)
    except (KeyboardInterrupt, SystemExit):
        left = tally.clips - tally.already_done - tally.done - tally.failed
        print(f"stopped with {left} clips to go; run the same command again to go on", file=sys.stderr)
        raise
    finally:
        remove_abandoned(job.work)
    _report(job, tally, as_json)
    return int(tally.failed > 0)


def _run(options: BatchOptions, job: SplitJob, to_do: Plan, tally: Tally) -> None:
    from singinghead.render.split.run import run
    from singinghead.render.split.workers import default_workers, n_cores

    n_workers = default_workers() if options.workers is None else options.workers
    n_workers = min(n_workers, len(to_do.todo))
    if not options.dask and n_workers > 0 and job.look.threads is None:
        job = replace(job, look=replace(job.look, threads=max(1, n_cores() // n_workers)))
    with (
        _workers(options, job, n_workers) as client,
        tqdm(total=len(to_do.todo), unit="clip", disable=None, smoothing=0.1) as bar,
    ):
        for outcome in run(job, to_do.todo, client, options.retries):
            assert outcome.record is not None
            tally.add(outcome.record, is_ours=outcome.kind != "found")
            if outcome.record.status == "failed":
                tqdm.write(f"failed: {outcome.record.id}: {outcome.record.error}", file=sys.stderr)
            bar.set_postfix_str(f"{tally.fps:.0f} frames/s, {tally.failed} failed", refresh=False)
            bar.update()


@contextmanager
def _workers(options: BatchOptions, job: SplitJob, n_workers: int) -> Iterator[Client]:
    from singinghead.render.split.claims import claimed, owner
    from singinghead.render.split.workers import cluster_workers, local_workers

    with ExitStack() as stack:
        if options.dask:
            yield stack.enter_context(cluster_workers(options.dask))
            return
        scratch = stack.enter_context(claimed(job.work / "runs", owner()))
        assert scratch is not None  # nobody else has this name
        yield stack.enter_context(local_workers(n_workers, scratch))


def _report(job: SplitJob, tally: Tally, as_json: bool) -> None:
    done = tally.already_done + tally.done
    hours = tally.seconds / 3600
    print(
        f"{done} of {tally.clips} clips done, {tally.failed} failed | made now: {tally.done} clips, {tally.frames} frames"
        f" in {tally.seconds:.1f} s, {tally.fps:.1f} frames/s | {job.out / job.manifest}"
    )
    for note, count in sorted(tally.notes.items()):
        print(f"{count} clips: {note}")
    if as_json:
        record: dict[str, Any] = {
            "out": str(job.out),
            "manifest": str(job.out / job.manifest),
            "clips": tally.clips,
            "done": done,
            "already_done": tally.already_done,
            "made": tally.done,
            "failed": tally.failed,
            "frames": tally.frames,
            "seconds": tally.seconds,
            "fps": tally.fps,
            "clips_per_hour": tally.done / hours,
            "model": job.head.name,
        }
        command.print_json(record)


def _check_merged(found: Plan, job: SplitJob, as_json: bool) -> int:
    """Say what is still to be made after a merge."""
    for reason, count in found.reasons.items():
        print(f"{count} clips {reason}", file=sys.stderr)
    if missing := list(found.todo):
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        print(f"not done: {', '.join(missing[:5])}{more} (run their shards, or without --merge)", file=sys.stderr)
    n_clips = len(found.done) + len(found.todo)
    print(f"{len(found.done)} of {n_clips} clips done | {job.out / job.manifest}")
    if as_json:
        command.print_json({"clips": n_clips, "done": len(found.done), "reasons": dict(found.reasons)})
    return int(bool(found.todo))


def made_folder(out: Path) -> Path:
    """A folder for videos, made if it is not there; absolute, as a cluster's workers are in other folders.

    Raises:
        InputError: it cannot be made.
    """
    out = out.absolute()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", file=out) from error
    return out
