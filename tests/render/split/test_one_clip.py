"""One clip's life, step by step: claimed, made, recorded, named; and what is found of it afterwards."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import decoded
import pytest
from splits import write_clip

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.render.clip import Look
from singinghead.render.split import job as jobs
from singinghead.render.split import manifest, one_clip, plan
from singinghead.render.split.claims import claimed
from singinghead.render.split.job import Head, SplitJob
from singinghead.render.split.one_clip import make_clip

ID = "id0_1_0_0"


@pytest.fixture
def job(tmp_path: Path) -> SplitJob:
    """A clip of a few frames to be made."""
    write_clip(tmp_path / "data", ID, n_frames=4)
    (tmp_path / "out").mkdir()
    look = Look(size=32, backend="software", preset="ultrafast", threads=1)
    return SplitJob(tmp_path / "data", None, tmp_path / "out", manifest.NAME, Head.find(None), look, run=str(tmp_path))


def planned(job: SplitJob, verify: bool = False) -> str:
    """Why the clip is to be made, or ``done``."""
    found = plan.plan(job, [ID], manifest.read_all(job.out), verify)
    return "done" if ID in found.done else next(iter(found.reasons))


def names(job: SplitJob) -> set[str]:
    return {path.name for path in job.out.rglob("*") if not path.is_dir()}


def test_a_clip_is_made_recorded_and_found(job: SplitJob) -> None:
    assert planned(job) == plan.NEW
    made = make_clip(job, ID, None, 1)
    assert made.kind == "made"
    assert made.record == manifest.read(job.out / manifest.NAME)[ID]
    assert made.record.output["frames"] == 4
    assert made.record.backend == "software"
    assert names(job) == {f"{ID}.mp4", manifest.NAME}
    assert planned(job) == planned(job, verify=True) == "done"
    # Another run, planned before this one made the clip, takes it; one that was planned afterwards would not have come.
    assert make_clip(job, ID, None, 1).kind == "found"
    assert make_clip(job, ID, plan.look_at(job.video(ID)), 1).kind == "made"


def test_threads_change_no_frame(job: SplitJob) -> None:
    seen = set()
    for threads in (1, 3, None):
        shared = replace(job, look=replace(job.look, threads=threads, encoder_threads=2), run=str(threads))
        made = make_clip(shared, ID, plan.look_at(job.video(ID)), 1)
        assert made.kind == "made"
        seen.add(decoded.decode(job.video(ID), "-f", "framemd5"))
    assert len(seen) == 1


def test_a_clip_that_another_run_holds_is_left_to_it(job: SplitJob) -> None:
    with claimed(job.work / "clips", ID):
        assert make_clip(job, ID, None, 1).kind == "busy"
    assert names(job) == set()


def test_the_record_comes_before_the_name_so_that_no_video_is_without(
    job: SplitJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = manifest.append

    def append_and_die(path: Path, *records: manifest.Record) -> None:
        append(path, *records)
        assert not job.video(ID).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(manifest, "append", append_and_die)
    with pytest.raises(KeyboardInterrupt):
        make_clip(job, ID, None, 1)
    assert manifest.read(job.out / manifest.NAME)[ID].status == "done"
    assert names(job) == {manifest.NAME}
    assert planned(job) == plan.INCOMPLETE


def test_done_is_what_was_recorded_and_nothing_else(job: SplitJob) -> None:
    make_clip(job, ID, None, 1)
    video = job.video(ID)
    whole, times = video.read_bytes(), (1, video.stat().st_mtime_ns)
    os.utime(video, (1, 1))  # copied without its time
    assert planned(job) == "done"
    video.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert planned(job) == plan.INCOMPLETE
    os.utime(video, ns=times)  # a bit that rotted
    assert planned(job) == "done"
    assert planned(job, verify=True) == plan.INCOMPLETE
    video.write_bytes(whole[:-1])
    assert planned(job) == plan.INCOMPLETE
    video.unlink()
    assert planned(job) == plan.INCOMPLETE


CHANGES: dict[str, Callable[[SplitJob], SplitJob]] = {
    plan.OTHER_OPTIONS: lambda job: replace(job, look=replace(job.look, crf=20)),
    plan.OTHER_HEAD: lambda job: replace(job, head=replace(job.head, sha256="another")),
    "done": lambda job: replace(job, look=replace(job.look, threads=7, device="cpu"), run="another"),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_what_is_asked_for_decides_what_is_done(reason: str, job: SplitJob) -> None:
    make_clip(job, ID, None, 1)
    assert planned(CHANGES[reason](job)) == reason


def test_inputs_that_changed_appeared_or_went_make_anew(job: SplitJob) -> None:
    make_clip(job, ID, None, 1)
    bgm = job.data_root / "bgm_seqs" / f"{ID}_bgm.wav"
    bgm.rename(job.data_root / "aside.wav")
    assert planned(job) == plan.OTHER_INPUTS
    (job.data_root / "aside.wav").rename(bgm)
    assert planned(job) == "done"
    write_clip(job.data_root, ID, n_frames=4, seed=5)
    assert planned(job) == plan.OTHER_INPUTS


def test_missing_vocals_are_noted_and_fail_where_they_are_required(job: SplitJob) -> None:
    (job.data_root / "audio_seqs" / f"{ID}.wav").unlink()
    made = make_clip(job, ID, None, 1)
    assert made.record is not None
    assert made.record.notes == (one_clip.NO_VOCALS,)
    strict = replace(job, require_audio=True)
    assert planned(job) == "done"
    assert planned(strict) == plan.OTHER_INPUTS
    failed = make_clip(strict, ID, plan.look_at(job.video(ID)), 1)
    assert failed.record is not None
    assert f"no vocals of {ID}" in str(failed.record.error)
    assert not failed.may_pass


def test_zips_give_what_folders_give_and_are_the_same_input(job: SplitJob) -> None:
    make_clip(job, ID, None, 1)
    before = decoded.decode(job.video(ID), "-f", "framemd5")
    zipped = job.data_root.with_name("zipped")
    zipped.mkdir()
    for folder, compression in (("flame_seqs", 8), ("audio_seqs", 0), ("bgm_seqs", 8)):
        with zipfile.ZipFile(zipped / f"{folder}.zip", "w", compression) as archive:
            for path in (job.data_root / folder).iterdir():
                archive.write(path, f"{folder}/{path.name}")
    of_zips = replace(job, data_root=zipped, run="zips")
    assert planned(of_zips) == "done"
    job.video(ID).unlink()
    assert make_clip(of_zips, ID, None, 1).kind == "made"
    assert decoded.decode(job.video(ID), "-f", "framemd5") == before


FULL = {
    "ffmpeg": EncodingError("ffmpeg exited with 228 after 3 frames: av_interleaved_write_frame(): No space left on device"),
    "our own": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "quota": OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
}


@pytest.mark.parametrize("writer", FULL)
def test_a_full_disk_is_no_fault_of_the_clip(writer: str, job: SplitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        try:
            raise FULL[writer]
        except OSError as error:
            raise InputError("the mix cannot be written") from error

    monkeypatch.setattr(jobs, "render_clip", fail)
    assert make_clip(job, ID, None, 1).kind == "full"
    assert names(job) == set()


def test_another_error_is_the_clips_own(job: SplitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError("by\nnothing")

    monkeypatch.setattr(jobs, "render_clip", fail)
    failed = make_clip(job, ID, None, 3)
    assert (failed.kind, failed.may_pass) == ("failed", True)
    assert failed.record is not None
    assert (failed.record.error, failed.record.attempt) == ("ZeroDivisionError: by nothing", 3)
    assert failed.record.inputs["motion"]["bytes"] > 0
    assert planned(job) == plan.FAILED


def test_a_worker_with_another_head_makes_nothing(job: SplitJob) -> None:
    failed = make_clip(replace(job, head=replace(job.head, sha256="another"), run="another"), ID, None, 1)
    assert failed.record is not None
    assert "has another stand-in" in str(failed.record.error)
    assert names(job) == {manifest.NAME}


def test_what_a_dead_worker_left_of_the_clip_is_removed(job: SplitJob) -> None:
    left = job.work / "clips" / "files" / ID / "elsewhere.1.0" / f".{ID}.1.partial.mp4"
    left.parent.mkdir(parents=True)
    left.write_text("half")
    assert make_clip(job, ID, None, 1).kind == "made"
    assert not left.exists()
