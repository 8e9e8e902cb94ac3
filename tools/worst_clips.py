"""Comparison videos and pages of the clips on which methods did worst, for the benchmark's report."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.model import FlameModel
from singinghead.metrics.clips import Method, motion_file
from singinghead.metrics.sound_of_clip import Recordings
from singinghead.metrics.summary import Summary, ranked
from singinghead.render.clip import Look, Sound
from singinghead.render.heat import ColorScale
from singinghead.render.player.template import read_template
from singinghead.tools.compared_clip import load_compared
from singinghead.tools.compared_page import write_player
from singinghead.tools.compared_video import Comparison, write_comparison

_HEIGHT = 1080
_SCALE = ColorScale(10.0, "mm")

logger = logging.getLogger(__name__)


def worst_clips(summary: Summary, count: int) -> tuple[str, ...]:
    """IDs of the clips with the largest lip error, so many of each method, without repetition.

    The lip error is the tables' first metric: ``lve_l2_mm``, in the seed protocol ``lve_mean``.
    """
    metric = summary.columns[0].metric
    methods = (row for row in summary.rows if row.is_method)
    worst = (ranked(summary.comparison, method, metric)[::-1][:count] for method in methods)
    return tuple(dict.fromkeys(clip_id for clips in worst for clip_id in clips))


def show_worst(
    clip_ids: Iterable[str],
    methods: Sequence[Method],
    truth: Path,
    recordings: Recordings,
    model: FlameModel,
    fps: float,
    device: str,
    folder: Path,
) -> dict[str, dict[str, str]]:
    """Make ``folder/ID.mp4`` of each clip, as ``tools/compare.py`` does, of the methods that have it.

    And ``folder/ID.html``, as ``tools/make_player.py`` does; without the built page there are none, which is warned of.

    Args:
        clip_ids: which clips.
        methods: whose predictions.
        truth: the folder of the ground truth's sequences.
        recordings: where vocals and music lie.
        model: the head.
        fps: of the ground truth.
        device: of the forward pass.
        folder: made where it is missing; it lies beside the report.

    Returns:
        Of each clip's ID the word and the link for the report.

    Raises:
        InputError: the folder cannot be made, or a motion not be read.
        EncodingError: ffmpeg failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made a folder: {error.strerror}", file=folder) from error
    comparison = Comparison(Look(fps=fps, device=device), _HEIGHT, _SCALE, recordings.beat_audio)
    has_player = _has_player()
    links = {}
    for clip_id in clip_ids:
        present = [method for method in methods if _has(method, clip_id)]
        clip = load_compared(clip_id, truth, present, model, fps, device=device)
        out = folder / f"{clip_id}.mp4"
        sound = Sound(*recordings.files(clip_id))
        write_comparison(clip, comparison, sound, None, out)
        links[clip_id] = {"video": f"{folder.name}/{out.name}"}
        if has_player:
            write_player(clip, sound, out.with_suffix(".html"), _SCALE, recordings.beat_audio)
            links[clip_id]["player"] = f"{folder.name}/{out.stem}.html"
    return links


def _has_player() -> bool:
    try:
        read_template()
    except UnavailableError as error:
        logger.warning("worst clips come as videos alone: %s", error)
        return False
    return True


def _has(method: Method, clip_id: str) -> bool:
    try:
        motion_file(method.folder, clip_id)
    except InputError:  # listed among the failures
        return False
    return True
