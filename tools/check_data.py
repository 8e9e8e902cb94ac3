"""Tell what is wrong with a dataset, or with a folder of predictions."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import multiprocessing
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from singinghead.flame_model.dataset import BGM, MOTION, PARTS, VIDEO, Dataset, split_lines
from singinghead.flame_model.errors import InputError, SingingHeadError
from singinghead.tools.clip_checks import RELEASE_FPS, Examined, Kind, Limits, Problem, examine
from singinghead.tools.data_report import Survey, check_report, summary, write_report

_SPLITS = ("train.txt", "val.txt", "test.txt")
_FEW = 64  # clips that one process has done before others have started


@dataclass(frozen=True)
class Options:
    """Tell what is wrong with a dataset, or with a folder of predictions.

    Found are missing and unreadable files, NaN, jumps of the pose, rotations over half a turn, motion and sound of different
    lengths, silent vocals, odd sample rates, a shape that changes within a subject, IDs listed twice or nowhere.
    Exit code: 0 nothing is wrong, 1 something is, 2 wrong use.
    """

    data_root: Path | None = None
    """A dataset in the release's layout: flame_seqs, audio_seqs, bgm_seqs, video_seqs, folders or the release's zips."""
    split: Path | None = None
    """Look only at the IDs of this list. Default: all of train.txt, val.txt, test.txt and all files."""
    sequences: Path | None = None
    """Look at this folder of predictions (ID.pkl, ID.npz or ID.npy) instead; lengths are compared with --data-root's."""
    fps: float = RELEASE_FPS
    """The motion's frames a second."""
    max_jump: float = Limits.jump_deg
    """A pose jumps if head, neck or jaw turn by more degrees than this from one frame to the next."""
    max_length_difference: float = Limits.length_s
    """By how much motion and sound may differ, seconds."""
    silence: float = Limits.silence_db
    """Vocals whose RMS is below this are silent, dB of full scale."""
    workers: int | None = None
    """Processes. Default: one a CPU."""
    out: Path | None = None
    """Write a report, too: .csv (one row a problem) or .json."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object that holds everything."""


def check(options: Options) -> int:
    """Do what the options say, and tell what was found; exit code 1 if something is wrong."""
    limits = Limits(options.fps, options.max_jump, options.max_length_difference, options.silence)
    if not limits.fps > 0:
        raise InputError(f"--fps {limits.fps:g} is not a rate")
    n_workers = len(os.sched_getaffinity(0)) if options.workers is None else options.workers
    if n_workers < 1:
        raise InputError(f"--workers {n_workers}: at least one is needed")
    if options.out:
        check_report(options.out)
    dataset, survey = _dataset(options), Survey(limits)
    parts = _usable_parts(dataset, survey) if options.data_root else {}
    ids = _wanted(options, dataset, parts, survey)
    if not ids:
        raise InputError("holds no clips", file=dataset.predictions or dataset.root)

    started = time.perf_counter()
    work = partial(examine, dataset=dataset, parts=frozenset(parts), limits=limits)
    for clip in tqdm(_examined(ids, work, n_workers), "checked", total=len(ids), unit="clip", disable=None):
        survey.add(clip)
    survey.finish()
    seconds = time.perf_counter() - started
    for line in summary(survey, dataset.predictions or dataset.root):
        print(line)
    print(f"\nChecked in {seconds:.1f} s ({len(ids) / seconds:,.0f} clips a second).")
    if options.out:
        write_report(options.out, survey)
        print(f"Every problem is in {options.out}.")
    if options.json:
        command.print_json(survey.record() | {"seconds": seconds, "clips_per_second": len(ids) / seconds})
    return 1 if survey.problems else 0


def _dataset(options: Options) -> Dataset:
    if options.data_root is None and options.sequences is None:
        raise InputError("nothing to check", remedy="give --data-root, or --sequences")
    dataset = Dataset.open(options.data_root) if options.data_root else Dataset(Path())
    return dataset.with_sequences(options.sequences) if options.sequences else dataset


def _usable_parts(dataset: Dataset, survey: Survey) -> dict[str, frozenset[str]]:
    """The IDs in each part that is there and can be read; what is not is told."""
    own, parts = Dataset(dataset.root), {}
    if not any(own.has(part) for part in PARTS):
        raise InputError(
            "no dataset",
            file=own.root,
            remedy=f"--data-root is the folder that holds {', '.join(PARTS)}, or zips of these names",
        )
    for part in PARTS:
        place = own.place(part)
        if own.has(part):
            try:
                parts[part] = frozenset(own.ids(part))
            except InputError as error:
                detail = str(error).removeprefix(f"{place}: ")
                survey.problems.append(Problem(Kind.UNREADABLE, "", detail, str(place)))
        elif part in (BGM, VIDEO):
            survey.notes.append(f"{part} is not there, and was not looked at")
        elif dataset.predictions is None:
            survey.problems.append(Problem(Kind.MISSING_PART, "", f"neither {part} nor {part}.zip", str(place)))
    return parts


def _wanted(options: Options, dataset: Dataset, parts: dict[str, frozenset[str]], survey: Survey) -> list[str]:
    """The clips to look at; what is wrong with the lists themselves is told."""
    listed: dict[str, list[str]] = defaultdict(list)
    if options.split:
        _read_list(options.split, listed)
    elif options.data_root and not options.sequences:
        for path in (dataset.root / name for name in _SPLITS if (dataset.root / name).is_file()):
            try:
                _read_list(path, listed)
            except InputError as error:
                detail = str(error).removeprefix(f"{path}: ")
                survey.problems.append(Problem(Kind.UNREADABLE, "", detail, str(path)))
    twice = [(clip_id, places) for clip_id, places in listed.items() if len(places) > 1]
    survey.problems += [Problem(Kind.DUPLICATE, clip_id, ", ".join(places)) for clip_id, places in twice]
    if options.split:
        return list(listed)
    if options.sequences:
        ids = dataset.ids()
        unknown = [clip_id for clip_id in ids if clip_id not in parts[MOTION]] if MOTION in parts else []
        survey.problems += [Problem(Kind.UNKNOWN_CLIP, clip_id, "") for clip_id in unknown]
        return list(ids)
    stored = frozenset[str]().union(*parts.values())
    if listed:
        survey.problems += [Problem(Kind.NO_SPLIT, clip_id, "") for clip_id in sorted(stored - listed.keys())]
    else:
        survey.notes.append(f"no {', '.join(_SPLITS)}: whether splits overlap or leave clips out was not looked at")
    return sorted(stored | listed.keys())


def _read_list(path: Path, listed: dict[str, list[str]]) -> None:
    for number, clip_id in split_lines(path):
        listed[clip_id].append(f"{path.name} line {number}")


def _examined(ids: list[str], work: Callable[[str], Examined], n_workers: int) -> Iterator[Examined]:
    """Examine all clips, in order, in processes of their own where that is worth it."""
    if n_workers == 1 or len(ids) < _FEW:
        yield from map(work, ids)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_workers, mp_context=context, initializer=_end_with_parent)
    try:
        yield from pool.map(work, ids, chunksize=8)
    except BrokenProcessPool:
        raise SingingHeadError(
            "a process that checked clips died", remedy="is there enough memory? try --workers 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """In a worker: leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> int:
    """Run the command."""
    return command.run(Options, check, "check_data")


if __name__ == "__main__":
    raise SystemExit(main())
