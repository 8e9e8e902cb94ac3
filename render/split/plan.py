"""Which clips of a split are still to be made, and why."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from singinghead.flame_model.dataset import Dataset
from singinghead.render.split import job as jobs
from singinghead.render.split.job import SplitJob
from singinghead.render.split.manifest import Record

NEW = "new"
FAILED = "failed before"
INCOMPLETE = "without a whole video"
OTHER_OPTIONS = "made with other options"
OTHER_HEAD = "made with another head"
OTHER_INPUTS = "made from other inputs"

Seen = tuple[int, int] | None
"""Size and time of a video, or None for none."""


@dataclass(frozen=True)
class Plan:
    """What a run has to do.

    Attributes:
        todo: the clips to make, each with its video as it was seen, in the split's order.
        done: records of those that are done.
        reasons: how many are to be made for which reason.
    """

    todo: Mapping[str, Seen]
    done: Mapping[str, Record]
    reasons: Counter[str]


def plan(job: SplitJob, clip_ids: Iterable[str], records: Mapping[str, Record], verify: bool = False) -> Plan:
    """Compare a split with what was recorded.

    Args:
        job: what is wanted.
        clip_ids: of the split.
        records: the last of each ID.
        verify: hash every video, instead of those alone whose time is not the recorded one.
    """
    dataset, todo, done, reasons = job.open(), dict[str, Seen](), dict[str, Record](), Counter[str]()
    for clip_id in clip_ids:
        record = records.get(clip_id)
        seen = look_at(job.video(clip_id))
        reason = why_again(job, dataset, record, verify) if record else NEW
        if record and not reason:
            done[clip_id] = record
        else:
            todo[clip_id] = seen
            reasons[reason] += 1
    return Plan(todo, done, reasons)


def why_again(job: SplitJob, dataset: Dataset, record: Record, verify: bool = False) -> str:
    """Why a clip has to be made again; empty if it is done."""
    if record.status != "done":
        return FAILED
    if not is_whole(job.video(record.id), record, verify):
        return INCOMPLETE
    if record.options != job.options():
        return OTHER_OPTIONS
    if record.model.get("sha256") != job.head.sha256:
        return OTHER_HEAD
    inputs = job.inputs(dataset, record.id)
    if not all(jobs.is_same(stored, record.inputs.get(name)) for name, stored in inputs.items()):
        return OTHER_INPUTS
    if job.audio and job.require_audio and inputs["vocals"] is None:
        return OTHER_INPUTS
    return ""


def is_whole(video: Path, record: Record, verify: bool = False) -> bool:
    """Whether a video is the one that was recorded: by size and time, by its hash if the time is another."""
    seen, output = look_at(video), record.output
    if seen is None or seen[0] != output.get("bytes"):
        return False
    if seen[1] == output.get("mtime_ns") and not verify:
        return True
    with video.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == output.get("sha256")


def look_at(video: Path) -> Seen:
    """A video's size and time."""
    try:
        found = video.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
