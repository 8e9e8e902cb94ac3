"""How the numbers of one metric are printed: all with the same power of ten and the same decimals, so that they compare."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Numerals:
    """The form of the numbers of one metric.

    Attributes:
        exponent: of the power of ten that stands beside the unit instead of in every number.
        decimals: digits after the point.
    """

    exponent: int = 0
    decimals: int = 2

    def text(self, value: float) -> str:
        """The number with a true minus sign, and without one before a zero."""
        return self.plain(value).replace("-", MINUS)

    def plain(self, value: float) -> str:
        """The number in ASCII."""
        return f"{self.rounded(value):.{self.decimals}f}"

    def rounded(self, value: float) -> float:
        """What is printed, as a number: values that print alike are equal."""
        return round(value / 10.0**self.exponent, self.decimals) + 0.0

    def unit(self, unit: str) -> str:
        """The unit, with the power of ten before it."""
        power = f"10{str(self.exponent).translate(_SUPERSCRIPTS)}" if self.exponent else ""
        return " ".join(filter(None, (power, unit)))


def numerals_for(values: Iterable[float]) -> Numerals:
    """The form in which the smallest of the values shows three digits, unless the largest would then show more than four."""
    sizes = [abs(value) for value in values if value != 0]
    if not sizes:
        return Numerals()
    largest, smallest = (math.floor(math.log10(size)) for size in (max(sizes), min(sizes)))
    exponent = 0 if -4 < largest < 5 else largest
    decimals = min(2 - (smallest - exponent), 3 - (largest - exponent))
    return Numerals(exponent, max(0, decimals))
