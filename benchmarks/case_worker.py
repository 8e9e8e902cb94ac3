"""The fresh process of one case: `python case_worker.py render|quality|stages JOB`; the last line of stdout is JSON.

Libraries are imported and parameters are read before the clock starts; importing counts in the process's whole time alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moviepy  # noqa: F401 - mixes sound in every case
import numpy as np
import torch  # noqa: F401
from clip_job import OURS, Job
from numpy.typing import NDArray
from quality import ssim

from singinghead.flame_model.errors import SingingHeadError
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.sequence import ParamSequence
from singinghead.render.ahead import drawn
from singinghead.render.camera import fixed_camera
from singinghead.render.clip import Look, Sound, motion, render_clip
from singinghead.render.rasterizer import open_rasterizer
from singinghead.render.scene import head_scene

QUALITY_EVERY = 7
"""Frames of a video for one that is compared: no multiple of x264's usual groups of 4."""


def render(job: Job) -> dict[str, Any]:
    """Seconds from parameters to closed file."""
    model, sequence = FlameModel.load(), job.sequence()
    if job.case != "software":
        import pyrender  # noqa: F401 - the platform stands in the environment
    if job.case in OURS:
        look = Look(size=job.size, fps=job.fps, backend=OURS[job.case], device=job.device, crf=job.crf, preset=job.preset)
        started = time.perf_counter()
        render_clip(model, sequence, Path(job.out), look, Sound(*job.sound))
    else:
        from peer_loops import render_as_peer

        started = time.perf_counter()
        render_as_peer(model, sequence, job)
    seconds = time.perf_counter() - started
    return {
        "frames": len(sequence),
        "seconds": seconds,
        "fps": len(sequence) / seconds,
        "bytes": Path(job.out).stat().st_size,
    }


def measure_quality(job: Job) -> dict[str, Any]:
    """SSIM of the video that ``render`` has left, to frames drawn again in the same way."""
    pictures = draw(FlameModel.load(), job.sequence(QUALITY_EVERY), job)
    return {"ssim": ssim(job.out, pictures, job.size, QUALITY_EVERY)}


def draw(model: FlameModel, sequence: ParamSequence, job: Job) -> Iterator[NDArray[np.uint8]]:
    """The frames of a case as they come from its rasterizer."""
    subject = model.with_shape(sequence.shape, job.device)
    if job.case not in OURS:
        from peer_loops import LOOPS

        yield from LOOPS[job.case].draw(subject, sequence, job)
        return
    with open_rasterizer(OURS[job.case], head_scene(subject), fixed_camera(subject), job.size) as rasterizer:
        yield from drawn(rasterizer.draw, motion(subject, sequence))


def measure_stages(job: Job) -> dict[str, Any]:
    """See :mod:`stages`."""
    import stages

    return stages.profile(FlameModel.load(), job.sequence(), job)


if __name__ == "__main__":
    task = {"render": render, "quality": measure_quality, "stages": measure_stages}[sys.argv[1]]
    try:
        print(json.dumps(task(Job.from_json(sys.argv[2]))))
    except SingingHeadError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error
