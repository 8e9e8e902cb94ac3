"""The interface that both rasterizers have, and the choice between them, made by trying."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.params import Frames
from singinghead.render.camera import Camera
from singinghead.render.scene import Scene

Backend = Literal["auto", "software", "pyrender"]

GL_PLATFORMS = ("egl", "osmesa")
"""In the order in which they are tried."""

_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa"}
_SOFTWARE_GL = ("llvmpipe", "softpipe", "swrast", "software")
_PROBE_TIMEOUT_S = 60


@dataclass(frozen=True)
class Layers:
    """A frame's colours and what lies behind them; all but ``color`` and ``alpha`` are those of the pixels' middles.

    Attributes:
        color: (H, W, 3) uint8 sRGB.
        depth: (H, W) float32 metres in front of the camera, infinity where nothing is.
        normal: (H, W, 3) float32 unit normals in the head's coordinates, 0 where nothing is.
        part: (H, W) int8 index of the scene's parts, -1 where nothing is.
        alpha: (H, W) float32 share of the pixel that the head covers, in quarters.
    """

    color: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
    part: NDArray[np.int8]
    alpha: NDArray[np.float32]


class Rasterizer(Protocol):
    """Draws one scene from one camera at one size.

    A frame is (V, 3) vertices in metres, and where it is to have other colours than the scene, (V, 3) linear ones, 0 to 1.
    Those take the place of all that colours a surface in the scene: of the vertices' colours, the materials' and the
    textures'. Roughness, lights and background stay. So a heat map shows the colours that were asked for, up to shading.

    Attributes:
        name: by what, for the record.
        size: pixels.
        threads: in how many threads frames may be drawn at once; where it is 1, only in the thread that opened it.
    """

    name: str
    size: int
    threads: int

    def draw(self, vertices: Frames, colors: Frames | None = None) -> NDArray[np.uint8]:
        """(size, size, 3) uint8 sRGB picture of a frame; an error, never a black picture."""

    def draw_yuv(self, vertices: Frames, colors: Frames | None = None) -> NDArray[np.uint8]:
        """The same picture as video stores it; see :func:`~singinghead.render.yuv.to_yuv420p`."""

    def layers(self, vertices: Frames, colors: Frames | None = None) -> Layers:
        """The same picture, and its depth, normals, parts and coverage."""

    def close(self) -> None:
        """Give back what it holds."""


@contextmanager
def open_rasterizer(backend: Backend, scene: Scene, camera: Camera, size: int) -> Iterator[Rasterizer]:
    """Open the rasterizer of that name for the length of a ``with`` block.

    ``pyrender`` finds out by itself whether EGL or OSMesa works. ``auto`` is pyrender on a machine whose EGL reaches a
    GPU, else software.

    Raises:
        InputError: no such backend.
        UnavailableError: pyrender was asked for and neither EGL nor OSMesa works; the message says why for each.
    """
    choice = choose_backend(backend)
    rasterizer: Rasterizer
    if choice.backend == "software":
        from singinghead.render.software import SoftwareRasterizer

        rasterizer = SoftwareRasterizer(scene, camera, size)
    else:
        from singinghead.render.gl import PyrenderRasterizer, use_platform

        use_platform(choice.platform)
        rasterizer = PyrenderRasterizer(scene, camera, size)
    try:
        yield rasterizer
    finally:
        rasterizer.close()


@dataclass(frozen=True)
class Choice:
    """A backend and why it is that one.

    Attributes:
        backend: ``software`` or ``pyrender``.
        platform: ``egl`` or ``osmesa`` for pyrender, else empty.
        why: for ``doctor`` and logs.
    """

    backend: str
    platform: str
    why: str


def choose_backend(backend: Backend) -> Choice:
    """Resolve a backend's name to what this machine can do; see :func:`open_rasterizer` for the errors."""
    if backend == "software":
        return Choice("software", "", "asked for")
    if backend == "pyrender":
        failures = []
        for platform in _platforms_to_try():
            probe = probe_gl(platform)
            if probe.works:
                return Choice("pyrender", platform, f"{platform} works: {probe.detail}")
            failures.append(f"{platform}: {probe.detail}")
        raise UnavailableError(
            f"pyrender finds no GL on this machine: {'; '.join(failures)}",
            remedy="--backend software needs none; on Debian `apt-get install libegl1 libosmesa6`",
        )
    if backend != "auto":
        raise InputError(f"no backend '{backend}'", remedy="auto, software or pyrender")
    if not _has_gpu_device():
        return Choice("software", "", "no GPU device in /dev")
    probe = probe_gl("egl")
    if not probe.works:
        return Choice("software", "", f"EGL does not work: {probe.detail}")
    if any(name in probe.detail.lower() for name in _SOFTWARE_GL):
        return Choice("software", "", f"EGL offers no GPU, only {probe.detail}")
    return Choice("pyrender", "egl", f"EGL reaches {probe.detail}")


def _platforms_to_try() -> tuple[str, ...]:
    """A process that has GL loaded already stays with its platform."""
    bound = os.environ.get("PYOPENGL_PLATFORM")
    return (bound,) if "OpenGL" in sys.modules and bound in GL_PLATFORMS else GL_PLATFORMS


def _has_gpu_device() -> bool:
    return any(Path("/dev").glob("nvidia[0-9]*")) or any(Path("/dev/dri").glob("renderD*"))


@dataclass(frozen=True)
class Probe:
    """What became of drawing a triangle.

    Attributes:
        works: whether its pixels came back.
        detail: the GL device, or what went wrong.
    """

    works: bool
    detail: str


def probe_gl(platform: str) -> Probe:
    """Draw a triangle by GL in a process of its own: platforms exclude each other in one process, and drivers crash."""
    if missing := _missing_library(_LIBRARIES[platform]):
        return Probe(False, missing)
    command = [sys.executable, "-c", f"from singinghead.render.rasterizer import _probe; _probe({platform!r})"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return Probe(False, f"no answer within {_PROBE_TIMEOUT_S} s")
    if done.returncode == 0:
        return Probe(**json.loads(done.stdout.splitlines()[-1]))
    last = (done.stderr.strip().splitlines() or [f"the probe died with {done.returncode}"])[-1]
    return Probe(False, last)


def _missing_library(name: str) -> str:
    """Why a shared library cannot be loaded, or nothing: PyOpenGL would only stumble over None later."""
    found = ctypes.util.find_library(name)
    try:
        return "" if found and ctypes.CDLL(found) else f"lib{name} is not installed"
    except OSError as error:
        return str(error)


def _probe(platform: str) -> None:
    """The other process's side of :func:`probe_gl`."""
    from singinghead.render.gl import PyrenderRasterizer, use_platform
    from singinghead.render.scene import AMBIENT, LIGHTS, MATERIALS, Part

    use_platform(platform)
    triangle = Part("skin", np.array([[0, 1, 2]]), MATERIALS["skin"])
    scene = Scene((triangle,), np.ones((3, 3)), LIGHTS, AMBIENT, np.zeros(3, np.uint8))
    try:
        rasterizer = PyrenderRasterizer(scene, Camera(np.array([0.0, 0.0, 1.0])), 16)
        drawn = rasterizer.draw(np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], np.float32))
        probe = Probe(bool(drawn[8, 8].any()), rasterizer.name.split(", ", 1)[1].removesuffix(")"))
    except UnavailableError as error:
        probe = Probe(False, str(error.__cause__ or error))
    sys.stdout.write(json.dumps(vars(probe)) + "\n")
