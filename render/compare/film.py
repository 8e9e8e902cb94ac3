"""A comparison to an mp4: moments in, drawn in as many threads as there are, encoded as they come."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from singinghead.render.ahead import drawn
from singinghead.render.clip import FrameCounter, Sound, soundtrack
from singinghead.render.compare.compose import Composer, Moment
from singinghead.render.sound import Soundtrack
from singinghead.render.video import VideoWriter


@dataclass(frozen=True)
class Film:
    """The file to write.

    Attributes:
        out: an ``.mp4``.
        fps: frames a second.
        n_frames: how many there will be.
        sound: what is heard.
        title: written into the file.
        comment: likewise; the version is added.
        crf: x264's quality.
        preset: x264's speed.
        threads: that draw, at most.
        encoder_threads: None: x264's own choice by the cores.
    """

    out: Path
    fps: float
    n_frames: int
    sound: Sound
    title: str
    comment: str = ""
    crf: int = 18
    preset: str = "veryfast"
    threads: int | None = None
    encoder_threads: int | None = None


def write_film(
    film: Film,
    composer: Composer,
    chunks: Iterable[Iterable[Moment]],
    counted: FrameCounter = lambda frames, _total: frames,
) -> Soundtrack | None:
    """Draw, encode and put the sound in; returns what was mixed, or None for a silent video.

    Raises:
        InputError: a head cannot be drawn, a recording not read.
        EncodingError: ffmpeg failed.
    """
    made_by = f"made by: singinghead {importlib.metadata.version('singinghead')}"
    metadata = {"title": film.title, "comment": "; ".join(part for part in (film.comment, made_by) if part)}
    with soundtrack(film.sound, film.n_frames / film.fps) as track:
        wav = track.path if track else None
        encoding = (film.fps, wav, film.crf, film.preset, metadata, film.encoder_threads)
        with VideoWriter(film.out, composer.size, *encoding) as video:
            threads = min(film.threads or composer.threads, composer.threads)
            pictures = drawn(composer.draw_yuv, chunks, threads)
            with closing(pictures):
                for picture in counted(pictures, film.n_frames):
                    video.write(picture)
    return track
