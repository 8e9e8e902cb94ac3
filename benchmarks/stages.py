"""Where the time of our own pipeline goes, each stage by itself and from outside."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba
import numpy as np
from clip_job import OURS, Job
from numpy.typing import NDArray

from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.sequence import ParamSequence
from singinghead.render import shading, software, texturing, visibility
from singinghead.render.camera import fixed_camera
from singinghead.render.normals import vertex_normals
from singinghead.render.rasterizer import Rasterizer, open_rasterizer
from singinghead.render.scene import head_scene
from singinghead.render.sound import mixed
from singinghead.render.video import VideoWriter


@dataclass
class Clocks:
    """Processor and wall time by stage, seconds."""

    cpu: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add what the block takes, children that end in it included."""
        cpu, wall = _cpu_seconds(), time.perf_counter()
        yield
        self.cpu[stage] = self.cpu.get(stage, 0.0) + _cpu_seconds() - cpu
        self.wall[stage] = self.wall.get(stage, 0.0) + time.perf_counter() - wall


def profile(model: FlameModel, sequence: ParamSequence, job: Job) -> dict[str, Any]:
    """Milliseconds a frame of each stage alone, and seconds of what is done once a clip.

    ``draw`` contains ``normals`` and the conversion to YUV; ``kernels`` are the parts of the software rasterizer's ``draw``
    by name; ``encode`` contains ffmpeg's own time. In wall time the pipeline takes less: stages overlap there.
    """
    once, each = Clocks(), Clocks()
    with once("subject"):
        subject = model.with_shape(sequence.shape, job.device)
    with once("sound"), mixed(len(sequence) / job.fps, *job.sound):
        pass
    faces = subject.faces
    warm = next(subject.chunks(sequence.params))[0]
    vertex_normals(warm, faces)  # compiles
    with each("flame"):
        vertices = [frame for chunk in subject.chunks(sequence.params) for frame in chunk]
    with each("normals"):
        for frame in vertices:
            vertex_normals(frame, faces)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        with once("rasterizer"):
            opened = open_rasterizer(OURS[job.case], head_scene(subject), fixed_camera(subject), job.size)
            rasterizer = stack.enter_context(opened)
            rasterizer.draw_yuv(warm)  # compiles, uploads
        with each("draw"):
            pictures = [rasterizer.draw_yuv(frame) for frame in vertices]
        kernels = _kernel_seconds(rasterizer, vertices) if job.case == "software" else {}
        with each("encode"), VideoWriter(Path(folder) / "try.mp4", job.size, job.fps, None, job.crf, job.preset) as video:
            for picture in pictures:
                video.write(picture)
    scale = 1000 / len(vertices)
    return {
        "frames": len(vertices),
        "renderer": rasterizer.name,
        "cpu_ms": {stage: scale * seconds for stage, seconds in each.cpu.items()},
        "wall_ms": {stage: scale * seconds for stage, seconds in each.wall.items()},
        "kernels_cpu_ms": {kernel: scale * seconds for kernel, seconds in kernels.items()},
        "once_s": once.wall,
    }


def _cpu_seconds() -> float:
    """Of this process with all its threads, and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _kernel_seconds(rasterizer: Rasterizer, vertices: list[NDArray[np.float32]]) -> dict[str, float]:
    """Processor seconds in each compiled function that the software rasterizer calls from Python."""
    spent: dict[str, float] = {}

    def timed(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            started = time.thread_time()
            result = kernel(*arguments)
            spent[name] = spent.get(name, 0.0) + time.thread_time() - started
            return result

        return run

    kernels = [
        (module, name, value)
        for module in (software, visibility, texturing, shading)
        for name, value in vars(module).items()
        if isinstance(value, numba.core.dispatcher.Dispatcher) and not name.startswith("_")
    ]
    try:
        for module, name, kernel in kernels:
            setattr(module, name, timed(name, kernel))
        for frame in vertices:
            rasterizer.draw_yuv(frame)
    finally:
        for module, name, kernel in kernels:
            setattr(module, name, kernel)
    return spent
