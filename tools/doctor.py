"""Tell what this machine can do, by trying it."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import importlib.metadata
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from singinghead.flame_model.errors import SingingHeadError
from singinghead.metrics.weights import NETWORKS, absence, find_weights


@dataclass(frozen=True)
class Options:
    """Tell what this machine can do: backends, ffmpeg and torch tried for real; FLAME files and weights found or missing."""

    flame: Path | None = None
    """A FLAME model file or its folder. Default: $SINGINGHEAD_FLAME."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""


@dataclass(frozen=True)
class Finding:
    """One line of the report: does it work, and how or why not."""

    name: str
    works: bool
    detail: str


def examine(options: Options) -> int:
    """Print one line a finding; exit code 1 if a clip with sound cannot be rendered here at all."""
    findings = []
    for finding in _findings(options):
        findings.append(finding)
        print(f"{'ok     ' if finding.works else 'missing'}  {finding.name:<18} {finding.detail}", flush=True)
    if options.json:
        command.print_json({finding.name: {"works": finding.works, "detail": finding.detail} for finding in findings})
    needed = {"python", "backend software", "ffmpeg", "head model"}
    return 0 if all(finding.works for finding in findings if finding.name in needed) else 1


def _findings(options: Options) -> Iterator[Finding]:
    version = importlib.metadata.version("singinghead")
    yield Finding("python", True, f"{platform.python_version()}, singinghead {version}, {os.cpu_count()} CPUs")
    yield _torch()
    yield _ffmpeg()
    yield from _backends()
    yield _head_model(options.flame)
    yield _player()
    yield from _weights()


def _torch() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("torch", True, f"{torch.__version__} on {torch.cuda.get_device_name(0)}")
    return Finding("torch", True, f"{torch.__version__} on the CPU, {torch.get_num_threads()} threads (no CUDA device)")


def _ffmpeg() -> Finding:
    import imageio_ffmpeg
    import numpy as np

    from singinghead.render.video import VideoWriter

    try:
        with tempfile.TemporaryDirectory() as folder:
            with VideoWriter(Path(folder) / "try.mp4", size=64, fps=30) as video:
                video.write(np.zeros((64, 64, 3), np.uint8))
            program = imageio_ffmpeg.get_ffmpeg_exe()
            words = subprocess.run([program, "-version"], capture_output=True, text=True, check=True).stdout.split()
    except (SingingHeadError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return Finding("ffmpeg", False, str(error))
    return Finding("ffmpeg", True, f"{words[2]} encodes H.264: {program}")


def _backends() -> Iterator[Finding]:
    import numpy as np

    from singinghead.render.camera import Camera
    from singinghead.render.rasterizer import GL_PLATFORMS, choose_backend, probe_gl
    from singinghead.render.scene import AMBIENT, LIGHTS, MATERIALS, Part, Scene
    from singinghead.render.software import SoftwareRasterizer

    triangle = Part("skin", np.array([[0, 1, 2]]), MATERIALS["skin"])
    scene = Scene((triangle,), np.ones((3, 3)), LIGHTS, AMBIENT, np.zeros(3, np.uint8))
    drawn = SoftwareRasterizer(scene, Camera(np.array([0.0, 0.0, 1.0])), 16).draw(
        np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], np.float32)
    )
    yield Finding("backend software", bool(drawn[8, 8].any()), "compiled by numba, needs no GL")
    for platform_name in GL_PLATFORMS:
        probe = probe_gl(platform_name)
        yield Finding(f"pyrender {platform_name}", probe.works, probe.detail)
    choice = choose_backend("auto")
    yield Finding("backend auto", True, f"is {choice.backend}: {choice.why}")


def _head_model(path: Path | None) -> Finding:
    from singinghead.flame_model.model import ENVIRONMENT_VARIABLE, FlameModel

    try:
        arrays = FlameModel.load(path).arrays
    except SingingHeadError as error:
        return Finding("head model", False, str(error))
    size = f"{len(arrays.template)} vertices, {len(arrays.faces)} faces"
    if arrays.is_stand_in:
        return Finding("head model", True, f"{arrays.name}, {size}; no FLAME file: give --flame or ${ENVIRONMENT_VARIABLE}")
    extras = (("masks", arrays.regions), ("landmarks", arrays.landmarks))
    return Finding(
        "head model",
        True,
        ", ".join([arrays.name, size, *(f"{'with' if has else 'no'} {name}" for name, has in extras)]),
    )


def _player() -> Finding:
    from singinghead.render.player.template import read_template

    try:
        size = len(read_template())
    except SingingHeadError as error:
        return Finding("player's page", False, str(error))
    return Finding("player's page", True, f"built, {size / 1e6:.1f} MB")


def _weights() -> Iterator[Finding]:
    for network in NETWORKS:
        found = find_weights(network)
        detail = str(found) if found else f"for {network.needed_for}: {absence(network)}"
        yield Finding(f"weights {network.name}", found is not None, detail)


def main() -> int:
    """Run the command."""
    return command.run(Options, examine, "doctor")


if __name__ == "__main__":
    raise SystemExit(main())
