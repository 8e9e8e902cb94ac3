"""One clip from claim to name: what a worker does. See the package's text for why in this order."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import functools
import hashlib
import importlib.metadata
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from singinghead.flame_model.errors import InputError, SingingHeadError, UnavailableError
from singinghead.flame_model.model import FlameModel, choose_device
from singinghead.flame_model.stand_in import load_stand_in
from singinghead.render.clip import Rendered
from singinghead.render.layer_files import put_in_place
from singinghead.render.split import manifest, plan
from singinghead.render.split.claims import claimed
from singinghead.render.split.job import Head, Inputs, Opened, SplitJob, described
from singinghead.render.split.manifest import Record

NO_VOCALS = "no vocals"

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = tuple(os.strerror(number) for number in _FULL)
_LEAST_FREE = 1 << 20  # bytes below which whatever went wrong went wrong for lack of room

_one_at_a_time = threading.Lock()
"""A GL context belongs to a thread, the temporary folder to a process: a worker with many threads makes clips in turn."""


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt.

    Attributes:
        kind: ``made`` or ``failed``, with a record that the manifest holds; ``found``, another run made it meanwhile, with
            its record; ``busy``, another run is making it; ``full``, the disk is, and nothing was recorded.
        record: of this attempt, or of the other run's.
        words: what was said of the full disk.
        may_pass: whether another attempt may fare better: not after a fault of what the user gave.
    """

    kind: Literal["made", "failed", "found", "busy", "full"]
    record: Record | None = None
    words: str = ""
    may_pass: bool = False


def make_clip(job: SplitJob, clip_id: str, seen: plan.Seen, attempt: int) -> Outcome:
    """Make one clip, and record it.

    Args:
        job: what is wanted.
        clip_id: which clip.
        seen: its video when the run was planned; if it is another now, another run was here.
        attempt: from 1.
    """
    with _one_at_a_time:
        try:
            with claimed(job.work / "clips", clip_id) as folder:
                if folder is None:
                    return Outcome("busy")
                found = _made_meanwhile(job, clip_id, seen)
                return Outcome("found", found) if found else _attempted(job, clip_id, attempt, folder)
        except (OSError, SingingHeadError) as error:
            if (words := _said_of_full_disk(error, job.out)) is not None:
                return Outcome("full", words=words)
            raise


def _attempted(job: SplitJob, clip_id: str, attempt: int, folder: Path) -> Outcome:
    """Make a claimed clip, or record why it could not be made."""
    clock = time.perf_counter()
    record = Record(
        clip_id,
        "failed",
        attempt=attempt,
        started=_now(),
        host=socket.gethostname(),
        version=importlib.metadata.version("singinghead"),
        model={"name": job.head.name, "sha256": job.head.sha256},
        options=job.options(),
    )
    try:
        with _notes():  # of the head and the dataset: the run's own process has said the same
            opened = _opened(job)
        inputs = job.inputs(opened.dataset, clip_id)
        record = replace(record, inputs={name: described(stored) for name, stored in inputs.items()})
        return _made(job, opened, record, inputs, folder, clock)
    # One clip's trouble, of whatever kind, is not the others'.
    except Exception as error:
        if (words := _said_of_full_disk(error, job.out)) is not None:
            return Outcome("full", words=words)
        return _failed(job, record, error, clock)


def _made(
    job: SplitJob,
    opened: Opened,
    begun: Record,
    inputs: Inputs,
    folder: Path,
    clock: float,
) -> Outcome:
    import torch

    threads = job.look.threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    with _notes() as notes, _temporary_files_in(folder):
        rendered = job.make(opened, begun.id, inputs, folder / job.video(begun.id).name, threads)
    if job.audio and inputs["vocals"] is None:
        notes.append(NO_VOCALS)
    notes.extend(rendered.notes)
    if rendered.sound:
        notes.extend(rendered.sound.notes)
    record = replace(
        begun,
        status="done",
        backend=rendered.backend,
        model={"name": rendered.model, "sha256": job.head.sha256},
        output=_output(rendered),
        notes=tuple(notes),
    )
    record = _ended(record, clock)
    for layer in rendered.layers:
        put_in_place(layer, job.out / layer.name)
    manifest.append(job.out / job.manifest, record)
    rendered.out.replace(job.video(begun.id))
    _sync(job.out)
    return Outcome("made", record)


@functools.lru_cache(maxsize=1)
def _opened(job: SplitJob) -> Opened:
    """Open it, or have it open.

    Raises:
        UnavailableError: this machine has another head than the run is to use.
    """
    head = Head.find(job.head.path)
    if head.sha256 != job.head.sha256:
        raise UnavailableError(
            f"{socket.gethostname()} has another {job.head.name} than the run was started with",
            file=head.path,
            remedy="install the same version of singinghead, and use the same FLAME file, on every machine",
        )
    model = FlameModel.load(head.path) if head.path else FlameModel(load_stand_in().arrays)
    return Opened(job.open(), model, choose_device(job.look.device))


def _made_meanwhile(job: SplitJob, clip_id: str, seen: plan.Seen) -> Record | None:
    """The record of another run that made this very clip since ours was planned."""
    if plan.look_at(job.video(clip_id)) == seen:
        return None
    record = manifest.read_all(job.out, clip_id).get(clip_id)
    return record if record and not plan.why_again(job, _opened(job).dataset, record) else None


def _failed(job: SplitJob, begun: Record, error: Exception, clock: float) -> Outcome:
    named = str(error) if isinstance(error, SingingHeadError) else f"{type(error).__name__}: {error}"
    record = _ended(replace(begun, error=" ".join(named.split())), clock)
    manifest.append(job.out / job.manifest, record)
    return Outcome("failed", record, may_pass=not isinstance(error, InputError))


def record_death(job: SplitJob, clip_id: str, attempt: int, words: str) -> Record:
    """Record, for the workers that died of it, that a clip has failed."""
    record = Record(
        clip_id, "failed", words, attempt=attempt, ended=_now(), version=importlib.metadata.version("singinghead")
    )
    manifest.append(job.out / job.manifest, record)
    return record


def _output(rendered: Rendered) -> dict[str, Any]:
    with rendered.out.open("rb") as content:
        digest, found = hashlib.file_digest(content, "sha256").hexdigest(), os.fstat(content.fileno())
    return {
        "bytes": found.st_size,
        "mtime_ns": found.st_mtime_ns,
        "sha256": digest,
        "frames": rendered.frames,
        "fps": rendered.fps,
        "seconds": rendered.seconds,
    }


def _ended(record: Record, clock: float) -> Record:
    return replace(record, ended=_now(), wall_seconds=time.perf_counter() - clock)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


def _said_of_full_disk(error: BaseException, out: Path) -> str | None:
    """The error's words if it comes of a full disk, whoever wrote: we, ffmpeg or libsndfile; else None."""
    link: BaseException | None = error
    while link is not None:
        if getattr(link, "errno", None) in _FULL or any(words in str(link) for words in _FULL_WORDS):
            return str(link)
        link = link.__cause__ or link.__context__
    return str(error) if shutil.disk_usage(out).free < _LEAST_FREE else None


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Let temporary files, the sound's mix among them, lie where they are found if this process is killed."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _notes() -> Iterator[list[str]]:
    """Collect what singinghead warns of, instead of printing it amid other workers' words."""
    said: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, collector = logging.getLogger("singinghead"), Collector(logging.WARNING)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield said
    finally:
        logger.removeHandler(collector)
        logger.propagate = before


def _sync(folder: Path) -> None:
    """Put the new name on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
