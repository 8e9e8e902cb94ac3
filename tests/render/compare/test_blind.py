"""Pairs of a user study: each pair once, on sides that a seed decides and nothing gives away."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from singinghead.render.compare.blind import blind_pairs, key_table

NAMES = st.lists(st.text("abcxyz ,\"'é", min_size=1, max_size=8), min_size=2, max_size=6, unique=True)


@given(names=NAMES, seed=st.integers(0, 99))
def test_every_pair_is_there_once_and_the_key_tells_it(names: list[str], seed: int) -> None:
    pairs = blind_pairs(names, "id0_1_0_0", seed)
    assert Counter(frozenset((p.left, p.right)) for p in pairs) == Counter(map(frozenset, itertools.combinations(names, 2)))
    assert len({pair.video for pair in pairs}) == len(pairs)
    assert pairs == blind_pairs(names, "id0_1_0_0", seed)
    rows = list(csv.DictReader(io.StringIO(key_table(pairs))))
    assert [(row["video"], row["left"], row["right"]) for row in rows] == [(p.video, p.left, p.right) for p in pairs]


def test_sides_and_order_differ_from_clip_to_clip_and_favour_nobody() -> None:
    firsts, lefts = Counter[str](), Counter[str]()
    for clip in range(300):
        pairs = blind_pairs(("a", "b", "c"), f"id{clip}")
        firsts["".join(sorted(pairs[0].left + pairs[0].right))] += 1
        lefts.update(pair.left for pair in pairs)
    assert min(firsts.values()) > 60
    assert min(lefts.values()) > 240
