"""A piece of anatomy: a small mesh, its colours, and what it hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices

SKULL, JAW, LEFT_EYE, RIGHT_EYE = range(4)
"""What pieces hang on: columns of their weights."""
N_BONES = 4


@dataclass(frozen=True)
class Piece:
    """Some anatomy of one material.

    Attributes:
        part: the name of its part: ``teeth``, ``mouth``, ``tongue`` or ``eyes``.
        rest: (A, 3) metres, on the neutral head.
        faces: (F, 3) triangles of these, counter-clockwise seen from where they are looked at.
        colors: (A, 3) linear factors of the material's colour.
        weights: (A, 4) how much each bone moves a vertex; rows sum to 1.
        follows: (A,) the model's vertex whose own motion a vertex shares, or next to which it lies.
        share: (A,) how much of that motion, where bones do not explain it, 0 to 1.
    """

    part: str
    rest: Floats
    faces: Indices
    colors: Floats
    weights: Floats
    follows: Indices
    share: Floats

    @classmethod
    def on(cls, bone: int, part: str, rest: Floats, faces: Indices, colors: Floats, beside: Indices | None = None) -> Piece:
        """One that one bone alone moves; ``beside`` (A,) are the model's vertices that it covers, if any."""
        weights = np.zeros((len(rest), N_BONES))
        weights[:, bone] = 1
        none = np.full(len(rest), -1)
        return cls(part, rest, faces, colors, weights, none if beside is None else beside, np.zeros(len(rest)))


def sheet(rows: int, columns: int, closed: bool = False) -> Indices:
    """(F, 3) triangles of a grid of vertices, row by row; ``closed`` joins its last column to its first.

    They are counter-clockwise where columns go to the right and rows go down.
    """
    row, column = np.mgrid[: rows - 1, : columns if closed else columns - 1]
    corner, right = (row * columns + column).ravel(), (row * columns + (column + 1) % columns).ravel()
    down, across = corner + columns, right + columns
    return np.concatenate([np.stack([corner, down, across], axis=1), np.stack([corner, across, right], axis=1)])


def joined(pieces: Sequence[Piece]) -> tuple[Piece, dict[str, Indices]]:
    """All in one, and by name of the part its triangles."""
    start, of_parts = 0, dict[str, list[Indices]]()
    for piece in pieces:
        of_parts.setdefault(piece.part, []).append(piece.faces + start)
        start += len(piece.rest)
    faces = {part: np.concatenate(found) for part, found in of_parts.items()}
    names = ("rest", "colors", "weights", "follows", "share")
    together = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names}
    return Piece(part="", faces=np.concatenate(list(faces.values())), **together), faces
