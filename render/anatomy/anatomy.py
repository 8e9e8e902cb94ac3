"""What a model lacks, found where its landmarks and regions say, and moved by nothing but its vertices."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numba
import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import Frames
from singinghead.render.anatomy.bones import Bone, ball_of, jaw_of, skull_of
from singinghead.render.anatomy.eyes import iris
from singinghead.render.anatomy.lips import find_lips
from singinghead.render.anatomy.mouth import teeth, tongue, walls
from singinghead.render.anatomy.piece import JAW, LEFT_EYE, N_BONES, RIGHT_EYE, SKULL, Piece, joined

_EYEBALLS = {LEFT_EYE: "left_eyeball", RIGHT_EYE: "right_eyeball"}
_FEWEST_OF_A_BALL = 40


@dataclass(frozen=True)
class Anatomy:
    """Vertices beside a model's own.

    Attributes:
        whole: all pieces in one.
        faces: by name of the part, (F, 3) indices of the pieces' vertices.
        eyeballs: the model's vertices that are eyeballs.
        bones: what moves the pieces, by column of their weights.
        leaders: (N, 3) where the vertices that pieces share the motion of are on the neutral head.
    """

    whole: Piece
    faces: Mapping[str, Indices]
    eyeballs: Indices
    bones: Mapping[int, Bone]
    leaders: Floats

    def __len__(self) -> int:
        """How many vertices."""
        return len(self.whole.rest)

    @property
    def covered(self) -> Indices:
        """(A,) the model's vertex that each covers, or -1."""
        return np.where(self.whole.share > 0, -1, self.whole.follows)

    @property
    def shades(self) -> Floats:
        """(A, 3) grey for where colours stand for something: no scale's colour, darker where the piece is."""
        return np.repeat(0.35 * self.whole.colors.mean(axis=1, keepdims=True), 3, axis=1)

    def placed(self, vertices: Frames) -> Frames:
        """(A, 3) float32 metres: where the pieces are when the model's vertices (V, 3) are there."""
        whole, placed = self.whole, np.zeros((len(self), 3), np.float32)
        skull = self.bones[SKULL].motion(vertices) if SKULL in self.bones else None
        rotations, translations = np.zeros((N_BONES, 3, 3)), np.zeros((N_BONES, 3))
        for index, bone in self.bones.items():
            motion = bone.motion(vertices, skull)
            rotations[index], translations[index] = motion.rotation, motion.translation
        _place(whole.rest, whole.weights, rotations, translations, placed)
        if len(self.leaders):
            following = self._following
            led = np.zeros((len(following), 3), np.float32)
            _place(self.leaders, whole.weights[following], rotations, translations, led)
            own_motion = vertices[whole.follows[following]] - led
            placed[following] += whole.share[following, None].astype(np.float32) * own_motion
        return placed

    @functools.cached_property
    def _following(self) -> Indices:
        return np.flatnonzero(self.whole.share)


@numba.njit(cache=True, nogil=True)
def _place(rest: Floats, weights: Floats, rotations: Floats, translations: Floats, placed: Frames) -> None:
    """Fill ``placed`` (N, 3): points as bones move them that have weight."""
    for v in range(len(rest)):
        for bone in range(len(rotations)):
            if weights[v, bone] != 0:
                for axis in range(3):
                    turned = translations[bone, axis]
                    for other in range(3):
                        turned += rotations[bone, axis, other] * rest[v, other]
                    placed[v, axis] += weights[v, bone] * turned


def anatomy_of(subject: Subject) -> tuple[Anatomy | None, str]:
    """What a subject's model lacks, and what could not be made of it and why, in words for a record, or nothing.

    A model with teeth or a mouth of its own has all that it is to have.
    """
    if {"teeth", "mouth"} & set(subject.arrays.parts):
        return None, ""
    pieces, bones = list[Piece](), dict[int, Bone]()
    missing = []
    lips, skull = find_lips(subject), skull_of(subject)
    jaw = None if isinstance(lips, str) else jaw_of(subject, lips.points)
    if isinstance(lips, str):
        missing.append(f"no teeth and mouth ({lips})")
    elif skull is None or jaw is None:
        missing.append(f"no teeth and mouth (too few vertices on the {'jaw' if skull else 'skull'})")
    else:
        bones |= {SKULL: skull, JAW: jaw}
        rows = teeth(subject, lips)
        pieces += [*rows, walls(lips), tongue(lips, rows[1])]
    eyeballs = list[Indices]()
    for index, name in _EYEBALLS.items():
        ball = subject.arrays.regions.get(name, np.zeros(0, np.int64))
        if len(ball) < _FEWEST_OF_A_BALL:
            missing.append(f"no iris (no region {name})")
            continue
        eyeballs.append(ball)
        bones[index] = ball_of(subject, ball)
        pieces.append(iris(subject, ball, index))
    if not pieces:
        return None, ", ".join(missing)
    whole, faces = joined(pieces)
    leaders = subject.template[whole.follows[whole.share > 0]]
    balls = np.concatenate(eyeballs) if eyeballs else np.zeros(0, np.int64)
    return Anatomy(whole, faces, balls, bones, leaders), ", ".join(missing)
