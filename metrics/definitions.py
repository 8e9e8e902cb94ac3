"""Every metric's name, unit and direction: what a table prints beside a number. Formulas stand with their functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "zero", "truth"]
"""Which value is the best: the lowest, the highest, that nearest to 0, or that nearest to the ground truth's own."""

Protocol = Literal["corrected", "seed"]


@dataclass(frozen=True)
class Metric:
    """One column of a table.

    Attributes:
        name: as the contract spells it; definition and unit are part of it, where two definitions exist.
        unit: ``mm``, ``m2``, ``deg``; empty for a pure number.
        better: which value is the best.
        meaning: one line for people.
    """

    name: str
    unit: str
    better: Better
    meaning: str
