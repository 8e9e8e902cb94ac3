"""Read generated videos: frames by time on one common clock, and sound, straight from the file.

The clock runs at 30 frames a second, the dataset's rate, from the video's first frame on, which has time 0 whatever the
container says. Frame ``i`` of the clock shows the source's latest frame with a timestamp of at most ``i / 30`` seconds, as a
player would; containers round timestamps, so 2 ms are allowed. There is a frame for every ``i`` with ``i / 30`` before the
end of the source's last frame. So 25 fps repeat every fifth frame, 60 fps drop every second one, and of two videos of one
performance the same ``i`` is the same moment.

Colours follow the file's matrix and range tags; what is not tagged is BT.601, limited range, as ffmpeg and OpenCV read it.
More than 8 bits are rounded to 8. Rotated videos are upright.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

import numpy as np
import soundfile
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.metrics.reading import Reading, read_all
from singinghead.metrics.resizing import resized

CLOCK_FPS = 30
SOUND_RATE = 16_000

_TICKS, _TOLERANCE_S = 90_000, 0.002
# By way of planes: ffmpeg has quick code for them, and none for packed RGB; the pictures are the same to the last bit.
_TO_RGB = "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact:sws_dither=none"
_EXACT = f"{_TO_RGB},format=gbrp,scale,format=rgb24"
_PACKET = re.compile(r"^(\d+), *(-?\d+), *(-?\d+), *(\d+), *\d+, 0x\w+(?:, F=0x(\w+))?", re.MULTILINE)
_HEADER = re.compile(r"^#(\w+) (\d+): *(\S+)", re.MULTILINE)
_DISCARDED = 4
_UNKNOWN = -(2**63)  # the timestamp of what has none: AVI's frames
_TOO_SHORT_S = 0.5


@dataclass(frozen=True)
class VideoFacts:
    """What a video file holds, told without decoding it.

    Attributes:
        n_frames: of its own, not of the clock.
        duration: of its video in seconds, from the first frame's start to the last one's end.
        fps: its mean frame rate.
        width: of the upright picture, pixels.
        height: of the upright picture, pixels.
        has_sound: whether there is an audio stream with anything in it.
    """

    n_frames: int
    duration: float
    fps: float
    width: int
    height: int
    has_sound: bool


def probe(path: str | PathLike[str]) -> VideoFacts:
    """Read a video's facts from its packets, without decoding any.

    Raises:
        InputError: there is no such file, it is no video, or it ends before it says.
    """
    copies = ["-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", "-copyts", "-f", "framecrc"]
    content, said = read_all(path, copies, "video")
    listing = content.decode()
    header = {(key, int(stream)): value for key, stream, value in _HEADER.findall(listing)}
    times: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    for stream, decoded, shown, length, flags in _PACKET.findall(listing):
        if not int(flags or "0", 16) & _DISCARDED:
            times[int(stream)].append((int(decoded if int(shown) == _UNKNOWN else shown), int(length)))
    if not times[0]:
        raise InputError("holds no frames", file=path)
    spans = {stream: _span(packets, header["tb", stream]) for stream, packets in times.items() if packets}
    if (declared := _declared(said)) is not None and declared - max(spans.values()) > _TOO_SHORT_S:
        held = max(spans.values())
        raise InputError(f"declares {declared:.2f} s but holds {held:.2f} s", file=path, remedy="is it complete?")
    width, height = (int(part) for part in header["dimensions", 0].split("x"))
    if re.search(r"rotation of -?(?:90|270)\.", said):
        width, height = height, width
    return VideoFacts(len(times[0]), spans[0], len(times[0]) / spans[0], width, height, bool(times[1]))


@contextlib.contextmanager
def open_frames(path: str | PathLike[str], size: int | None = None, every: int = 1) -> Iterator[Iterator[NDArray[np.uint8]]]:
    """Open a video for one pass over its frames on the clock; each source frame is decoded once, and none is kept.

    >>> with open_frames("clip.mp4", size=256) as frames:
    ...     for frame in frames:
    ...         measure(frame)

    Args:
        path: any video that ffmpeg reads.
        size: width and height to resize to, with antialiasing (Pillow's Lanczos, the same on every machine); None keeps
            the video's own size. A picture that is not square is squeezed: :func:`probe` tells.
        every: only frames 0, ``every``, 2 ``every``, ... of the clock.

    Yields:
        The frames, each (H, W, 3) uint8 sRGB. They end in an InputError if the file turns out to be damaged or cut short.

    Raises:
        InputError: there is no such file; from the iterator: it is no video, holds no frames, or is damaged.
    """
    if every < 1 or (size is not None and size < 1):
        raise InputError(f"size {size} and every {every} must be at least 1")
    clock = f"fps=fps={CLOCK_FPS}/{every}:round=up:start_time=0:eof_action=round"
    on_time = f"settb=1/{_TICKS},setpts=PTS-STARTPTS-{round(_TOLERANCE_S * _TICKS)},{clock}"
    output = ["-map", "0:V:0", "-vf", f"{on_time},{_EXACT}", "-fps_mode", "passthrough", "-c:v", "ppm", "-f", "image2pipe"]
    with Reading(path, output, "video") as reading:
        yield _frames(reading, size)


def read_sound(path: str | PathLike[str]) -> NDArray[np.float32]:
    """The sound of a video or a recording, for beats.

    Returns:
        (N,) float32 at :data:`SOUND_RATE`, the mean of the channels; time 0 is the file's.

    Raises:
        InputError: there is no such file, it has no sound, or it is damaged.
    """
    output = ["-map", "0:a:0", "-ar", str(SOUND_RATE), "-c:a", "pcm_f32be", "-f", "au"]
    content, _said = read_all(path, output, "sound")
    sound, _rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    if not len(sound):
        raise InputError("has no sound", file=path)
    mono: NDArray[np.float32] = sound.mean(axis=1)
    return mono


def _frames(reading: Reading, size: int | None) -> Iterator[NDArray[np.uint8]]:
    n_frames = 0
    while reading.pipe.readline():  # P6, a picture's magic number; nothing after the last one
        width, height = (int(part) for part in reading.pipe.readline().split())
        reading.pipe.readline()
        content = reading.pipe.read(height * width * 3)
        if len(content) < height * width * 3:
            break
        frame = np.frombuffer(content, np.uint8).reshape(height, width, 3)
        if size is not None:
            frame = resized(frame, size)
        yield frame
        n_frames += 1
    reading.finish()
    if n_frames == 0:
        raise InputError("holds no frames", file=reading.path)


def _span(packets: list[tuple[int, int]], timebase: str) -> float:
    numerator, denominator = (int(part) for part in timebase.split("/"))
    ticks = max(start + length for start, length in packets) - min(start for start, _ in packets)
    return ticks * numerator / denominator


def _declared(said: str) -> float | None:
    """Seconds that the container declares, where it declares any and ffmpeg has not guessed them from the file's size."""
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", said)
    if found is None or "Estimating duration" in said:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
