"""What colours of vertices stand for: named regions, millimetres of error, millimetres a second."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import HeadArrays, Indices
from singinghead.flame_model.params import Frames
from singinghead.render.texture import GAMMA

_NO_REGION = (0.62, 0.62, 0.62)
_GOLDEN = 0.618034  # of the circle of hues, from one colour to the next: neighbours in the list are far apart


def vertex_regions(arrays: HeadArrays) -> tuple[Indices, tuple[str, ...]]:
    """The smallest named region that holds each vertex.

    Returns:
        (V,) indices of the names, -1 where no region is; and the names of those that any vertex is labelled with.
    """
    labels = np.full(len(arrays.template), -1)
    names = sorted(arrays.regions, key=lambda name: (-len(arrays.regions[name]), name))
    for index, name in enumerate(names):
        labels[arrays.regions[name]] = index
    left, labels = np.unique(labels, return_inverse=True)
    found = tuple(names[index] for index in left if index >= 0)
    return labels - int(left[0] < 0), found


def palette(names: Sequence[str]) -> NDArray[np.float64]:
    """(N, 3) sRGB colours, 0 to 1, by which names are told apart."""
    hues = (0.02 + _GOLDEN * np.arange(len(names))) % 1
    lightness = np.where(np.arange(len(names)) % 2, 0.58, 0.7)
    return np.array([colorsys.hls_to_rgb(hue, light, 0.55) for hue, light in zip(hues, lightness, strict=True)]).reshape(
        -1, 3
    )


def region_colors(arrays: HeadArrays) -> Frames:
    """(V, 3) linear colours of the vertices' regions."""
    labels, names = vertex_regions(arrays)
    return np.asarray(np.concatenate([palette(names), [_NO_REGION]])[labels] ** GAMMA, np.float32)


def speeds(chunks: Iterable[Frames], fps: float) -> Iterator[Frames]:
    """Yield (T, V) mm/s of chunks (T, V, 3) in metres: from the frame before, of the first frame to the second."""
    before: Frames | None = None
    for chunk in chunks:
        known = chunk[:1] if before is None else before[None]
        moved = np.linalg.norm(np.diff(np.concatenate([known, chunk]), axis=0), axis=-1) * np.float32(1000 * fps)
        if before is None and len(chunk) > 1:
            moved[0] = moved[1]
        before = chunk[-1]
        yield moved


def errors(chunks: Iterable[Frames], truth: Iterable[Frames]) -> Iterator[Frames]:
    """Yield (T, V) mm between chunks (T, V, 3) in metres and those of the ground truth."""
    for own, other in zip(chunks, truth, strict=True):
        yield np.linalg.norm(own - other, axis=-1) * np.float32(1000)
