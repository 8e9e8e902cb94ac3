"""One clip's comparison to a page that plays it: what one command makes, and a report for its worst clips."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from singinghead.flame_model.errors import InputError
from singinghead.render.clip import Sound
from singinghead.render.heat import ColorScale
from singinghead.render.player.payload import payload
from singinghead.render.player.stage import Actor, Performance
from singinghead.render.player.template import read_template, write_page
from singinghead.tools.compared_clip import ComparedClip, PoseChoice
from singinghead.tools.compared_panels import colors
from singinghead.tools.compared_video import BeatAudio, beats_of

_POSES = {"full": "poses of their own", "zero": "no head pose", "gt": "the ground truth's head pose"}


@dataclass(frozen=True)
class Page:
    """A page that was written.

    Attributes:
        out: where.
        clip: what it plays.
        bytes: its size.
        has_sound: whether anything is heard.
        notes: what a user should know of the clip and its sound.
    """

    out: Path
    clip: ComparedClip
    bytes: int
    has_sound: bool
    notes: tuple[str, ...]


def check_page(out: Path) -> None:
    """Refuse what cannot be written, before work is put into it.

    Raises:
        InputError: another suffix, or no such folder.
        UnavailableError: the part of the page that is made by Node is not built.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError("a page must be named .html", file=out)
    if not out.parent.is_dir():
        raise InputError("its folder does not exist", file=out, remedy=f"mkdir -p {out.parent}")
    read_template()


def write_player(
    clip: ComparedClip,
    sound: Sound,
    out: Path,
    scale: ColorScale,
    beat_audio: BeatAudio = "vocals",
    pose: PoseChoice = "full",
) -> Page:
    """Write one page of all: ground truth, methods, errors, and curves over time.

    Args:
        clip: motions that go together.
        sound: what is heard, and drawn.
        out: the page to write.
        scale: of the errors' colours.
        beat_audio: whose beats are marked.
        pose: of the clip, for the record.

    Raises:
        InputError: a head cannot be drawn, or a file is not usable.
        UnavailableError: the part of the page that is made by Node is not built.
    """
    check_page(out)
    kinds = zip(clip.names, colors(clip), clip.drawn, clip.straight, clip.measures(), strict=True)
    actors = tuple(
        Actor(name, color, drawn, straight, measured.lips_mm, measured.face_mm, measured.opening_mm)
        for name, color, drawn, straight, measured in kinds
    )
    facts = (
        f"Model: {clip.subject.arrays.name}. Heads are drawn in {_POSES[pose]}.",
        "Errors are distances from the ground truth's vertices, both at zero head pose and of the ground truth's identity. "
        "lips: the largest of the lips' vertices in that frame; its mean is the LVE.",
        f"Beats: of the {beat_audio}." if beat_audio != "none" else "Beats are not marked.",
        *(f"{note[0].upper()}{note[1:]}." for note in clip.notes),
        f"Made by singinghead {importlib.metadata.version('singinghead')}.",
    )
    beats = beats_of(sound, beat_audio)
    document, arrays = payload(Performance(clip.id, clip.subject, actors, clip.fps, scale, sound, beats, facts))
    write_page(out, read_template(), document, arrays)
    notes = (*clip.notes, *document["sound_notes"])
    return Page(out, clip, out.stat().st_size, document["sound"] is not None, notes)
