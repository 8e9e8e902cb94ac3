"""Pairs for a user study: two motions side by side, without names, in an order and on sides that nobody can guess."""

from __future__ import annotations

import csv
import io
import itertools
import random
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class BlindPair:
    """One video of a study.

    Attributes:
        video: its file name, which tells nothing.
        clip_id: which clip.
        left: the name of what is shown on the left.
        right: of what is shown on the right.
    """

    video: str
    clip_id: str
    left: str
    right: str


def blind_pairs(names: Sequence[str], clip_id: str, seed: int = 0) -> tuple[BlindPair, ...]:
    """Every two of some names, once, shuffled; by the seed and the clip, so that clips differ and runs do not.

    Args:
        names: of what is compared.
        clip_id: of the clip, which begins the videos' names.
        seed: of the shuffle.
    """
    shuffle = random.Random(f"{seed} {clip_id}")
    pairs = [shuffle.sample(pair, 2) for pair in itertools.combinations(names, 2)]
    shuffle.shuffle(pairs)
    return tuple(
        BlindPair(f"{clip_id}_{number:02d}.mp4", clip_id, left, right) for number, (left, right) in enumerate(pairs, start=1)
    )


def key_table(pairs: Sequence[BlindPair]) -> str:
    """The key as CSV: which video shows what on which side."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(BlindPair))
    table.writerows(astuple(pair) for pair in pairs)
    return text.getvalue()
