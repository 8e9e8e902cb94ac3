"""Comparison videos of the clips on which methods did worst, for the benchmark's report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel
from singinghead.metrics.clips import Method, motion_file
from singinghead.metrics.sound_of_clip import Recordings
from singinghead.metrics.summary import Summary, ranked
from singinghead.render.clip import Look, Sound
from singinghead.render.heat import ColorScale
from singinghead.tools.compared_clip import load_compared
from singinghead.tools.compared_video import Comparison, write_comparison

_HEIGHT = 1080
_SCALE = ColorScale(10.0, "mm")


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
    links = {}
    for clip_id in clip_ids:
        present = [method for method in methods if _has(method, clip_id)]
        clip = load_compared(clip_id, truth, present, model, fps, device=device)
        out = folder / f"{clip_id}.mp4"
        write_comparison(clip, comparison, Sound(*recordings.files(clip_id)), None, out)
        links[clip_id] = {"video": f"{folder.name}/{out.name}"}
    return links


def _has(method: Method, clip_id: str) -> bool:
    try:
        motion_file(method.folder, clip_id)
    except InputError:  # listed among the failures
        return False
    return True
