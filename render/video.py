"""Write a video frame by frame: our own small writer on ffmpeg's pipe, which believes ffmpeg only when it exits with 0.

Why not moviepy's or imageio-ffmpeg's: both ignore ffmpeg's exit code, so that an unwritable path or a full disk passes for
success, and both decide pixel formats for the caller.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from os import PathLike
from pathlib import Path
from types import TracebackType

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.flame_model.shapes import check_shape
from singinghead.render.yuv import to_yuv420p

PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip

_LARGEST = 8192
_LONGEST_NAME = 200  # bytes; file systems take 255, and the unfinished file's name is longer

# The tags stand on the frames: ffmpeg 9 writes what the filter graph says and ignores the encoder's own options.
_TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"

_PIPE_BYTES = 1 << 20  # a frame in a few gulps; the most that Linux grants everybody


class VideoWriter:
    """Encode frames to H.264 (yuv420p, BT.709, faststart), with AAC sound, as a context manager.

    The file appears under its name when the last frame is in and ffmpeg has said that all is well. Whatever ends the block
    early (an exception, Ctrl-C, ffmpeg's death) leaves nothing behind, and an older file of that name untouched.

    Args:
        path: the ``.mp4`` to write.
        size: width and height in pixels, even; one number for a square.
        fps: frames a second.
        sound: a WAV to put in, of the video's length; None for a silent video.
        crf: x264's quality, 0 (lossless) to 51; 18 is visually near lossless.
        preset: x264's speed, one of :data:`PRESETS`.
        metadata: written into the file, e.g. ``{"comment": "..."}``.
        threads: that encode; None leaves it to x264, which goes by the cores. Threads limit how far down motion is looked
            for, so that the same frames may be encoded a little differently in another number of them.

    Raises:
        InputError: an odd size, an unknown preset, a folder that is not there.
        EncodingError: ffmpeg failed; from :meth:`write` or the end of the block.

    >>> with VideoWriter("clip.mp4", size=512, fps=30, sound=wav) as video:
    ...     for frame in frames:
    ...         video.write(frame)
    """

    def __init__(
        self,
        path: str | PathLike[str],
        size: int | tuple[int, int],
        fps: float,
        sound: str | PathLike[str] | None = None,
        crf: int = 18,
        preset: str = "veryfast",
        metadata: Mapping[str, str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.width, self.height = (size, size) if isinstance(size, int) else size
        self.n_frames = 0
        check_output(self.path, (self.width, self.height), fps, crf, preset)
        # The owner stands in the name, so that a cleaner can tell a dead writer's leftovers from a live one's file.
        # Absolute: to ffmpeg, `a:b.mp4` names a protocol.
        self._partial = self.path.absolute().with_name(f".{self.path.stem}.{os.getpid()}.partial{self.path.suffix}")
        # Not a pipe: nobody empties one while frames are written.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            _command(self._partial, self.width, self.height, fps, sound, crf, preset, metadata or {}, threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._complaints,
            # Ctrl-C reaches the whole terminal group; only Python is to act on it, and then stops ffmpeg itself.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a busy or strict machine grants less, which is only slower
            fcntl.fcntl(self._process.stdin, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Encode one more frame.

        Args:
            frame: (height, width, 3) uint8 sRGB; or (height * 3 / 2, width) uint8, the planes of
                :func:`~singinghead.render.yuv.to_yuv420p`, which need no conversion.

        Raises:
            InputError: another shape or type.
            EncodingError: ffmpeg has given up.
        """
        if getattr(frame, "shape", None) != (self.height * 3 // 2, self.width):
            check_shape("frame", frame, self.height, self.width, 3)
        if frame.dtype != np.uint8:
            raise InputError(f"frame must be uint8; got {frame.dtype}")
        if frame.ndim == 3:
            frame = to_yuv420p(frame)  # in a fifth of the time that ffmpeg takes
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            self._process.wait()
            raise self._failure() from None
        self.n_frames += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._discard()

    def _finish(self) -> None:
        assert self._process.stdin is not None
        if self.n_frames == 0:
            raise InputError("no frames to write", file=self.path)
        with contextlib.suppress(BrokenPipeError):  # the exit code tells
            self._process.stdin.close()
        if self._process.wait() != 0:
            raise self._failure()
        try:
            with self._partial.open("rb") as file:
                os.fsync(file.fileno())
            self._partial.replace(self.path)
        except OSError as problem:
            raise EncodingError(f"the finished video cannot be put in place: {problem}", file=self.path) from problem

    def _discard(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        try:
            self._process.communicate()
        except (BrokenPipeError, ValueError):
            self._process.wait()
        self._partial.unlink(missing_ok=True)
        self._complaints.close()

    def _failure(self) -> EncodingError:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").replace(str(self._partial), self.path.name).splitlines()
        code = self._process.returncode
        end = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        words = " / ".join(line.strip() for line in lines[-4:] if line.strip()) or "it said nothing"
        return EncodingError(f"ffmpeg {end} after {self.n_frames} frames: {words}", file=self.path)


def check_output(path: Path, size: int | tuple[int, int], fps: float, crf: int, preset: str) -> None:
    """Refuse what :class:`VideoWriter` would, before work is put into frames.

    Raises:
        InputError: an odd size, an unknown preset, a name or folder that cannot be written.
    """
    for length in (size,) if isinstance(size, int) else size:
        check_size(length)
    check_rate(fps)
    if not 0 <= crf <= 51:
        raise InputError(f"crf {crf} is not within 0..51")
    if preset not in PRESETS:
        raise InputError(f"no preset '{preset}'", remedy=f"one of {', '.join(PRESETS)}")
    if path.is_dir():
        raise InputError("is a folder", file=path, remedy="--out names the video itself")
    if path.suffix.lower() != ".mp4":
        raise InputError("the output must be named .mp4", file=path)
    if len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise InputError(f"a name of more than {_LONGEST_NAME} bytes", file=path, remedy="choose a shorter --out")
    if not path.parent.is_dir():
        raise InputError("its folder does not exist", file=path, remedy=f"mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise InputError("its folder may not be written", file=path, remedy="choose another --out")


def check_size(size: int) -> None:
    """Refuse what is no size of a video.

    Raises:
        InputError: it is odd, or not within 16..8192.
    """
    if not 16 <= size <= _LARGEST or size % 2:
        raise InputError(f"size {size} is not an even number of pixels, 16 to {_LARGEST}", remedy="yuv420p needs even sizes")


def check_rate(fps: float) -> None:
    """Refuse what is no frame rate.

    Raises:
        InputError: it is not within 1..1000.
    """
    if not 1 <= fps <= 1000:
        raise InputError(f"{fps:g} frames a second are not within 1..1000")


def _command(
    path: Path,
    width: int,
    height: int,
    fps: float,
    sound: str | PathLike[str] | None,
    crf: int,
    preset: str,
    metadata: Mapping[str, str],
    threads: int | None,
) -> list[str]:
    rate = str(Fraction(fps).limit_denominator(1001))
    frames = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-framerate", rate, "-i", "pipe:0"]
    voice = [] if sound is None else ["-i", str(Path(sound).absolute())]
    encode_sound = [] if sound is None else ["-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]
    share = [] if threads is None else ["-threads", str(threads)]
    tags = [part for key, value in metadata.items() for part in ("-metadata", f"{key}={value}")]
    return [
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *frames, *voice,
        "-map", "0:v:0", "-vf", _TAGS, "-c:v", "libx264", "-preset", preset, "-crf", str(crf), *share,
        *encode_sound, "-movflags", "+faststart", *tags, "-f", "mp4", os.fspath(path),
    ]  # fmt: skip
