"""The 2D benchmark in the seed's way, rewritten by us: what it does with files and how often, not its code.

For every method: each video, the recordings' too, is encoded anew at 30 frames a second; every n-th frame becomes a JPEG of
256 x 256; each metric reads the JPEGs of both for itself; faces are detected in the JPEGs of both for landmark distances,
and once more in every frame of the original video for beats. CPBD is computed by the reference's loops, PSNR and SSIM by
scikit-image. Three things differ from the seed, all to its advantage: dlib stands for FAN, which takes seconds a frame
without a GPU; nothing leaves the process but ffmpeg; and LPIPS and FID are left out, whose weights are not here. It goes on
where the seed would stop.

Run as a process of its own: ``seed_way_2d.py FOLDER SCRATCH SIZE EVERY``. The last line of stdout is its record as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cpbd
import dlib
import imageio_ffmpeg
import numpy as np
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from singinghead.metrics.audio_beats import detect_beats
from singinghead.metrics.landmark_beats import seed_beat_score
from singinghead.metrics.landmark_distances import seed_landmark_distance
from singinghead.metrics.weights import require_weights

_FFMPEG = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
_JPEG_QUALITY = 95
_RATE = 16_000

Picture = np.ndarray[Any, np.dtype[np.uint8]]


class Faces:
    """dlib as a script would use it: the first face of a picture."""

    def __init__(self) -> None:
        self._find = dlib.get_frontal_face_detector()
        self._predict = dlib.shape_predictor(str(require_weights("dlib_landmarks").path))

    def landmarks(self, picture: Picture) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(68, 2), NaN where there is no face."""
        boxes = self._find(picture)
        if not boxes:
            return np.full((68, 2), np.nan)
        return np.array([(point.x, point.y) for point in self._predict(picture, boxes[0]).parts()], np.float64)


def encode_anew(video: Path, scratch: Path) -> Path:
    """The video at 30 frames a second, by x264's own quality."""
    out = scratch / "videos_30fps" / video.parent.name / video.name
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*_FFMPEG, "-i", str(video), "-r", "30", str(out)], check=True)
    return out


def write_jpegs(video: Path, scratch: Path, size: int, every: int) -> list[Path]:
    """Every n-th frame, resized without antialiasing, as a file."""
    folder = scratch / "frames" / video.parent.name / video.stem
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, frame in enumerate(decoded(video)):
        if number % every == 0:
            written.append(folder / f"{number}.jpg")
            sparsely_resized(frame, size).save(written[-1], quality=_JPEG_QUALITY)
    return written


def sparsely_resized(frame: Picture, size: int) -> Image.Image:
    """Bilinear between the four nearest pixels only, as OpenCV does it: what lies between those of the result is skipped."""
    height, width = frame.shape[:2]
    places = (width / size, 0, 0, 0, height / size, 0)
    return Image.fromarray(frame).transform((size, size), Image.Transform.AFFINE, places, Image.Resampling.BILINEAR)


def decoded(video: Path) -> Iterator[Picture]:
    """Frames as they are in the file."""
    reader = imageio_ffmpeg.read_frames(str(video))
    width, height = next(reader)["size"]
    for content in reader:
        yield np.frombuffer(content, np.uint8).reshape(height, width, 3)


def read(path: Path) -> Picture:
    """One JPEG, from its file every time."""
    return np.asarray(Image.open(path).convert("RGB"))


def sound_of(video: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The video's own sound, mono at 16 kHz."""
    command = [*_FFMPEG, "-i", str(video), "-ac", "1", "-ar", str(_RATE), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Add the seconds of a block to a step's."""
    began = time.perf_counter()
    yield
    seconds[step] += time.perf_counter() - began


def measure_clip(
    video: Path, truth: Path, faces: Faces, scratch: Path, size: int, every: int, seconds: dict[str, float]
) -> dict[str, float]:
    """All metrics of one video of a method; adds to the seconds that each step took."""
    with timed(seconds, "encode anew"):
        anew = [encode_anew(path, scratch) for path in (video, truth)]
    with timed(seconds, "JPEGs"):
        jpegs = [write_jpegs(path, scratch, size, every) for path in anew]
    pairs = list(zip(*jpegs, strict=True))
    with timed(seconds, "PSNR"):
        psnr = [peak_signal_noise_ratio(read(b), read(a)) for a, b in pairs]  # type: ignore[no-untyped-call]
    with timed(seconds, "SSIM"):
        ssim = [structural_similarity(read(b), read(a), channel_axis=2) for a, b in pairs]  # type: ignore[no-untyped-call]
    with timed(seconds, "CPBD"):
        sharpness = [cpbd.compute(np.asarray(Image.open(path).convert("L"))) for path in jpegs[0]]
    with timed(seconds, "LMD"):
        found = [np.stack([faces.landmarks(read(path)) for path in paths]) for paths in jpegs]
    with timed(seconds, "BA"):
        moving = np.stack([faces.landmarks(frame) for frame in decoded(video)])
    with timed(seconds, "beats"):
        beats = detect_beats(sound_of(video).astype(np.float64))
    full, mouth = seed_landmark_distance(found[0], found[1]) or (np.nan, np.nan)
    beat_score = None if np.isnan(moving).any() else seed_beat_score(beats, moving)
    return {
        "PSNR": float(np.mean(psnr)),
        "SSIM": float(np.mean(ssim)),
        "CPBD": float(np.mean(sharpness)),
        "F-LMD": full,
        "M-LMD": mouth,
        "BA": np.nan if beat_score is None else beat_score,
    }


def main() -> None:
    """Measure every method of a folder."""
    folder, scratch, size, every = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    truths = folder / "generated" / "gt_videos"
    faces, seconds, metrics = Faces(), defaultdict[str, float](float), {}
    for method in sorted(path for path in (folder / "generated").iterdir() if path != truths):
        clips = [
            measure_clip(video, truths / video.name, faces, scratch, size, every, seconds)
            for video in sorted(method.glob("*.mp4"))
        ]
        metrics[method.name] = {name: float(np.mean([clip[name] for clip in clips])) for name in clips[0]}
    print(json.dumps({"metrics": metrics, "step_seconds": seconds}))


if __name__ == "__main__":
    main()
