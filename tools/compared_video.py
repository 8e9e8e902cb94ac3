"""One clip's comparison to a video with sound: what one command makes once, and a split for each of its clips."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.audio_beats import Sound as Recordings
from singinghead.render.clip import FrameCounter, Rendered, Sound, motion
from singinghead.render.clip import Look as ClipLook
from singinghead.render.compare.compose import Composer, Moment
from singinghead.render.compare.drawer import Look
from singinghead.render.compare.film import Film, write_film
from singinghead.render.compare.layout import Grid
from singinghead.render.compare.recording import recording
from singinghead.render.heat import ColorScale
from singinghead.render.staging import Stage
from singinghead.tools.compared_clip import ComparedClip, Measures
from singinghead.tools.compared_panels import panels, strip

BeatAudio = Literal["vocals", "bgm", "mix", "none"]


@dataclass(frozen=True)
class Comparison:
    """How methods are compared.

    Attributes:
        look: how heads are drawn and encoded; its size, output rate and backend do not count.
        height: of the video, pixels.
        scale: of the errors' colours.
        beat_audio: whose beats are marked.
    """

    look: ClipLook
    height: int
    scale: ColorScale
    beat_audio: BeatAudio = "vocals"

    def __post_init__(self) -> None:
        """Check what can be checked without a clip.

        Raises:
            InputError: heads are to be coloured by what is drawn below them.
        """
        if self.look.shown.colour_by == "error":
            raise InputError("--colour-by error: a comparison shows the errors below each method as it is")

    def grid(self, n_cells: int, whole: bool = True) -> Grid:
        """Where things lie; ``whole`` with errors and strip.

        Raises:
            InputError: there is no room.
        """
        return Grid.of(n_cells, self.height, whole, whole, len(self.look.shown.views))

    def stage(self, clip: ComparedClip, size: int) -> Stage:
        """Head and cameras, the ground truth's for all.

        Raises:
            InputError: a texture or a background is not usable.
        """
        is_fitted = self.look.camera == "fit"
        return Stage.of(
            clip.subject, lambda: motion(clip.subject, clip.drawn[0]), self.look.shown, size, is_fitted, len(clip)
        )

    def drawn_as(self, stage: Stage) -> Look:
        """How cells are drawn."""
        return Look(stage.scene, stage.rig, self.scale, None if self.look.shown.is_plain else stage.painter)


@dataclass(frozen=True)
class ComparedVideo:
    """What was made.

    Attributes:
        video: the file and the facts about it.
        measures: of each motion, the ground truth's first.
        size: width and height, pixels.
    """

    video: Rendered
    measures: tuple[Measures, ...]
    size: tuple[int, int]


def write_comparison(
    clip: ComparedClip,
    comparison: Comparison,
    sound: Sound,
    real: StoredFile | None,
    out: Path,
    counted: FrameCounter = lambda frames, _total: frames,
) -> ComparedVideo:
    """Write one video of all: ground truth, methods, errors, and the strip along the bottom.

    Args:
        clip: motions that go together.
        comparison: how they are shown.
        sound: what is heard, and drawn in the strip.
        real: the recording of the clip, if there is one.
        out: the video to write.
        counted: wraps the frames as they pass, for a progress bar.

    Raises:
        InputError: what was asked for does not fit together, or a file is not usable.
        EncodingError: ffmpeg failed.
    """
    started = time.perf_counter()
    look, shown = comparison.look, comparison.look.shown
    grid = comparison.grid(len(clip.names))
    measures = clip.measures()
    stage = comparison.stage(clip, grid.picture_size)
    title = f"{clip.id}   ·   {clip.subject.arrays.name}   ·   head pose: {look.pose}"
    beats = beats_of(sound, comparison.beat_audio)
    composer = Composer(
        grid,
        panels(clip, measures, real is not None),
        comparison.drawn_as(stage),
        title,
        strip(clip, measures, sound, beats),
    )
    facts = {
        "model": clip.subject.arrays.name,
        "backend": "software",
        **stage.notes(clip.fps),
        "pose": look.pose,
        "methods": ", ".join(clip.names[1:]),
    }
    film = Film(
        out,
        clip.fps,
        len(clip),
        sound,
        clip.id,
        "; ".join(f"{name}: {value}" for name, value in facts.items()),
        look.crf,
        look.preset,
        look.threads,
        look.encoder_threads,
    )
    with ExitStack() as stack:
        stack.callback(composer.close)
        real_frames = stack.enter_context(recording(real, grid.picture_size, clip.fps)) if real else None
        number = count()
        chunks = (
            [Moment(next(number) / clip.fps, *moment, next(real_frames) if real_frames else None) for moment in chunk]
            for chunk in clip.chunks(shown)
        )
        track = write_film(film, composer, chunks, counted)
    video = Rendered(
        out,
        len(clip),
        clip.fps,
        len(clip) / clip.fps,
        time.perf_counter() - started,
        "software",
        clip.subject.arrays.name,
        "the ground truth's",
        track,
        notes=clip.notes,
    )
    return ComparedVideo(video, measures, composer.size)


def beats_of(sound: Sound, whose: BeatAudio) -> Floats | None:
    """Beats in seconds; None where there is nothing to hear."""
    wanted: dict[BeatAudio, Sequence[object]] = {
        "vocals": (sound.vocals,),
        "bgm": (sound.bgm,),
        "mix": (sound.vocals, sound.bgm),
        "none": (),
    }
    files = tuple(StoredFile.of(file) for file in wanted[whose] if isinstance(file, StoredFile | Path))
    return Recordings(files).beats_s() if files else None
