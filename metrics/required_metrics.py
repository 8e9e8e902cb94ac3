"""Metrics that a user will not do without: refused before the work begins where it can be known, named at its end."""

from __future__ import annotations

from collections.abc import Sequence

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.metrics.instruments import Measuring2D, open_instruments
from singinghead.metrics.results import MethodResult


def check_required(required: Sequence[str], measuring: Measuring2D) -> None:
    """Refuse to begin without what the required metrics need.

    Args:
        required: metrics, as the tables or the seed spell them, or the first part of a name: ``FID``, ``lpips_alex``,
            ``F-LMD``, ``csim``.
        measuring: how.

    Raises:
        InputError: no metric is called so.
        UnavailableError: what it needs is not on this machine; says what to do.
    """
    lacking = open_instruments(measuring).lacking
    for name in required:
        metrics = [metric.name for metric in measuring.definitions if _plain(metric.name).startswith(_plain(name))]
        if not name or not metrics:
            known = ", ".join(metric.name for metric in measuring.definitions)
            raise InputError(f"--require {name}: there is no such metric", remedy=f"there are {known}")
        needed = {instrument for metric in metrics if (instrument := _instrument(metric)) in lacking}
        for instrument in sorted(needed):
            raise UnavailableError(f"--require {name}: {lacking[instrument]}")


def missing_required(required: Sequence[str], results: Sequence[MethodResult]) -> list[str]:
    """What is null after all, of the required metrics: ``METHOD: METRIC: reason``."""
    missing = []
    for result in results:
        for name in required if result.is_method else ():
            for metric in result.definitions:
                if not _plain(metric.name).startswith(_plain(name)):
                    continue
                if metric.name in result.pooled:
                    value = result.pooled[metric.name]
                    missing += [f"{result.method}: {metric.name}: {value.reason}"] if value.value is None else []
                elif all(record.metrics[metric.name] is None for record in result.sequences):
                    reason = next((record.reasons[metric.name] for record in result.sequences), "no sequence was measured")
                    missing.append(f"{result.method}: {metric.name}: {reason}")
    return missing


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


def _instrument(metric: str) -> str:
    """What a metric needs, as :class:`Instruments` calls it."""
    plain = _plain(metric)
    if plain.startswith(("fid", "kid")):
        return "inception"
    if plain.startswith("lpips"):
        return "perceptual"
    if plain.startswith("csim"):
        return "identity"
    return "landmarks" if plain.startswith(("f_lmd", "m_lmd", "beat", "ba")) else ""
