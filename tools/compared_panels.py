"""What is written and drawn around the heads of a comparison: names with numbers, and curves over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.clip import Sound
from singinghead.render.compare.captions import Color
from singinghead.render.compare.compose import TRUTH_COLOR, Panel, method_color
from singinghead.render.compare.strip import Curve, Row, Strip
from singinghead.tools.compared_clip import ComparedClip, Measures

_LEGEND = (
    "Below each method:",
    "how far each vertex lies",
    "from the ground truth's,",
    "both at zero head pose and",
    "of the ground truth's identity.",
    "lips: mean over time of the",
    "largest distance (LVE);",
    "face: mean distance (VE).",
)


def panels(clip: ComparedClip, measures: Sequence[Measures], has_recording: bool) -> tuple[Panel, ...]:
    """One for the ground truth, above the real video if there is one, and one for each method."""
    truth = Panel(clip.names[0], TRUTH_COLOR)
    first = replace(truth, note="real video") if has_recording else replace(truth, lines=_LEGEND)
    rest = zip(clip.names[1:], measures[1:], colors(clip)[1:], strict=True)
    return first, *(Panel(name, color, _note(measured)) for name, measured, color in rest)


def strip(clip: ComparedClip, measures: Sequence[Measures], sound: Sound, beats: Floats | None) -> Strip:
    """Sound and beats, the lips' error of each method, and the opening of every mouth."""
    palette = colors(clip)
    errors = [Curve(color, m.lips_mm) for color, m in zip(palette, measures, strict=True) if m.lips_mm is not None][1:]
    openings = [Curve(color, m.opening_mm) for color, m in zip(palette, measures, strict=True) if m.opening_mm is not None]
    rows = (Row("lip error", "mm", tuple(errors)), Row("mouth open", "mm", tuple(openings)))
    vocals, bgm = (StoredFile.of(file) if file is not None else None for file in (sound.vocals, sound.bgm))
    return Strip(len(clip) / clip.fps, clip.fps, tuple(row for row in rows if row.curves), vocals, bgm, beats)


def colors(clip: ComparedClip) -> tuple[Color, ...]:
    """Of each motion's curves."""
    return TRUTH_COLOR, *(method_color(index) for index in range(len(clip.names) - 1))


def _note(measured: Measures) -> str:
    parts = [("lips", None if measured.lips_mm is None else measured.lips_mm.mean()), ("face", measured.face_mm)]
    known = [f"{name} {value:.1f}" for name, value in parts if value is not None]
    return f"{', '.join(known)} mm" if known else "error"
