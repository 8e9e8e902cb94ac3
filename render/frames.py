"""What moves in a clip, chunk by chunk: vertices, and the colours and points that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat, tee

import numpy as np

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.landmarks import landmarks
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.render.painter import Frame
from singinghead.render.shown import Shown
from singinghead.render.surface_colors import errors, region_colors, speeds


def frames(
    chunks: Iterable[Frames],
    subject: Subject,
    shown: Shown,
    fps: float,
    params: FlameParams | None = None,
    against: tuple[Subject, FlameParams] | None = None,
) -> Iterator[list[Frame]]:
    """Yield chunks of frames.

    Args:
        chunks: (T, V, 3) vertices in metres.
        subject: whose.
        shown: what goes with them.
        fps: their rate.
        params: that they were made from; the contour's landmarks go by the head's rotation, errors are of them.
        against: the ground truth, for errors: whose shape both have then, and as many frames.

    Raises:
        InputError: errors are asked for and there is nothing to compare, or nothing to compare with.
    """
    moving, measured = tee(chunks)
    index = 0
    for vertices, colors in zip(moving, _colors(measured, subject, shown, fps, params, against), strict=False):
        points: Iterable[Frames | None] = repeat(None, len(vertices))
        if shown.landmarks:
            part = params.map(lambda of: of[index : index + len(vertices)]) if params else None  # noqa: B023 - used at once
            points = landmarks(subject.arrays, vertices, shown.landmarks, part)
        yield [
            Frame(index + at, *moved)
            for at, moved in enumerate(zip(vertices, colors, points, strict=True))
        ]  # fmt: skip
        index += len(vertices)


def _colors(
    chunks: Iterable[Frames],
    subject: Subject,
    shown: Shown,
    fps: float,
    params: FlameParams | None,
    against: tuple[Subject, FlameParams] | None,
) -> Iterator[Iterable[Frames | None]]:
    """Yield colours (T, V, 3) of each chunk, or as many None."""
    if shown.colour_by == "region":
        static = region_colors(subject.arrays)
        yield from (np.broadcast_to(static, (len(chunk), *static.shape)) for chunk in chunks)
    elif shown.colour_by == "speed":
        yield from map(shown.scale.colors, speeds(chunks, fps))
    elif shown.colour_by == "error":
        if params is None or against is None:
            raise InputError("--colour-by error compares parameters with the ground truth's", remedy="give --data-root")
        person, truth = against
        own, other = (person.chunks(of.with_head_pose(None)) for of in (params, truth))
        yield from map(shown.scale.colors, errors(own, other))
    else:
        yield from (repeat(None, len(chunk)) for chunk in chunks)
