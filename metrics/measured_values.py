"""The numbers of one clip as they come together, and why some are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from singinghead.metrics.definitions import Metric

Numbers = Sequence[float | None]


class MeasuredValues:
    """Metric to value, and for every None its reason.

    Attributes:
        metrics: name to value.
        reasons: of each None.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, float | None] = {}
        self.reasons: dict[str, str] = {}

    def put(self, name: str, value: float | None, reason: str = "is not defined here") -> None:
        """Note a value, or the reason of None."""
        self.metrics[name] = value
        if value is None:
            self.reasons[name] = reason

    def lack(self, names: Iterable[str], reason: str) -> None:
        """Note that metrics cannot be measured."""
        for name in names:
            self.put(name, None, reason)

    def put_mean(self, name: str, values: Numbers, reason: str = "is not defined here") -> None:
        """The mean over samples, of those that have a value."""
        known = [value for value in values if value is not None]
        self.put(name, sum(known) / len(known) if known else None, reason)

    def put_mean_and_best(
        self, name: str, values: Sequence[float], n_best: int, size: Callable[[float], float] = float
    ) -> None:
        """The mean over all samples, and as ``NAME_min`` the best of the first ``n_best``: of the smallest ``size``."""
        self.put_mean(name, values)
        self.put(f"{name}_min", min(values[:n_best], key=size))

    def in_order(self, definitions: Sequence[Metric]) -> dict[str, float | None]:
        """All metrics of a protocol, in the order of its tables.

        Raises:
            KeyError: one was forgotten.
        """
        return {metric.name: self.metrics[metric.name] for metric in definitions}
