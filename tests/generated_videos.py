"""A small evaluation folder as a user has it: recordings and four methods, drawn by our own renderer, with sound.

``identical`` is the recordings themselves, ``blurred`` loses their detail, ``delayed`` performs 0.2 s late, and
``other_identity`` is another person who performs the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from decoded import frames
from PIL import Image, ImageFilter

from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import N_SHAPE, FlameParams
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.render.camera import fixed_camera
from singinghead.render.scene import head_scene
from singinghead.render.software import SoftwareRasterizer
from singinghead.render.video import VideoWriter
from singinghead.tools.demo.band import BGM_RATE, accompany
from singinghead.tools.demo.motion import FPS, perform
from singinghead.tools.demo.score import SONGS, Song

IDS = tuple(song.name for song in SONGS)
METHODS = ("identical", "blurred", "delayed", "other_identity")
DELAY_S = 0.2
BLUR_PX = 2.0


def write_eval_folder(root: Path, size: int = 256, seconds: float = 2.5) -> Path:
    """Write all of it; returns ``root``."""
    folders = {name: root / "generated" / name for name in ("gt_videos", *METHODS)}
    for folder in (*folders.values(), root / "input_audio"):
        folder.mkdir(parents=True)
    head = load_stand_in()
    for number, song in enumerate(SONGS):
        name = f"{song.name}.mp4"
        sound = write_sound(root / "input_audio" / f"{song.name}.wav", song, seconds)
        own, other = (person(seed) for seed in (2 * number, 2 * number + 1))
        write_video(folders["gt_videos"] / name, draw(head, performed(song, head, seconds), own, size), sound)
        write_video(folders["delayed"] / name, draw(head, performed(song, head, seconds, DELAY_S), own, size), sound)
        write_video(folders["other_identity"] / name, draw(head, performed(song, head, seconds), other, size), sound)
        shutil.copy(folders["gt_videos"] / name, folders["identical"] / name)
        write_video(folders["blurred"] / name, blurred(frames(folders["gt_videos"] / name, size)), sound)
    return root


def person(seed: int) -> np.ndarray:
    """(100,) somebody's shape."""
    return np.random.default_rng(seed).standard_normal(N_SHAPE)


def performed(song: Song, head: StandIn, seconds: float, delay_s: float = 0.0) -> FlameParams:
    return perform(song, head, delay_s).map(lambda values: values[: round(seconds * FPS)])


def draw(head: StandIn, motion: FlameParams, shape: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Frames (size, size, 3)."""
    subject = FlameModel(head.arrays).with_shape(shape)
    rasterizer = SoftwareRasterizer(head_scene(subject), fixed_camera(subject), size)
    return (rasterizer.draw(vertices) for vertices in subject.vertices(motion))


def blurred(pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    blur = ImageFilter.GaussianBlur(BLUR_PX)
    return (np.asarray(Image.fromarray(picture).filter(blur)) for picture in pictures)


def write_sound(path: Path, song: Song, seconds: float) -> Path:
    """The band: its beats are beyond doubt even in two seconds."""
    soundfile.write(path, accompany(song)[: round(seconds * BGM_RATE)], BGM_RATE, "PCM_16")
    return path


def write_video(path: Path, pictures: Iterable[np.ndarray], sound: Path | None = None, fps: float = FPS) -> Path:
    """Encode square frames, with sound if there is any."""
    first, *rest = pictures
    with VideoWriter(path, len(first), fps, sound) as video:
        for picture in (first, *rest):
            video.write(picture)
    return path
