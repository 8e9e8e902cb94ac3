"""On what, and with which versions, a benchmark was run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil

_PACKAGES = (
    "singinghead", "numpy", "numba", "torch", "smplx", "scikit-robot-pyrender", "PyOpenGL", "trimesh", "moviepy", "pillow",
    "imageio-ffmpeg",
)  # fmt: skip


def describe(gl: str, head: str) -> dict[str, Any]:
    """Everything that a reader needs in order to judge the figures.

    Args:
        gl: the GL device, or why there is none.
        head: whose mesh is drawn, and how large it is.
    """
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-version"]
    words = subprocess.run(ffmpeg, capture_output=True, text=True, check=False).stdout.split()
    commit = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_before": os.getloadavg()[0],
        "gl": gl,
        "head": head,
        "system": platform.platform(),
        "python": platform.python_version(),
        "ffmpeg": words[2] if len(words) > 2 else "does not run",
        "commit": _said(commit),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _cpu_model() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor() or platform.machine()


def _said(command: list[str]) -> str:
    """The first line of a command's output; nothing where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()
