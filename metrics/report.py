"""All that a benchmark writes: results, tables and the report, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from singinghead.flame_model.whole_file import write_whole
from singinghead.metrics import summary_tables
from singinghead.metrics.comparison import compare
from singinghead.metrics.page import Links, page
from singinghead.metrics.result_file import write_result
from singinghead.metrics.results import MethodResult
from singinghead.metrics.summary import Summary, summarize


def write_all(results: Sequence[MethodResult], folder: str | PathLike[str], links: Links | None = None) -> Summary:
    """Compare results, and write ``NAME.json`` of each with the tables and the report.

    Args:
        results: of one benchmark, in the order of the tables.
        folder: made where it is missing; files of these names are overwritten.
        links: from clips in the report to what shows them; see :data:`~singinghead.metrics.page.Links`.

    Returns:
        What was printed into them.

    Raises:
        InputError: the results may not stand in one table, or the folder cannot be written.
    """
    comparison = compare(results)
    for result in results:
        write_result(result, Path(folder) / f"{result.method}.json", comparison)
    summary = summarize(comparison)
    write_summaries(summary, folder, links)
    return summary


def write_summaries(summary: Summary, folder: str | PathLike[str], links: Links | None = None) -> list[Path]:
    """Write ``summary.md``, ``.csv``, ``.tex``, ``per_sequence.csv``, ``pairwise.csv`` and ``report.html``.

    Args:
        summary: what they hold.
        folder: made where it is missing; files of these names are overwritten.
        links: from clips in the report to what shows them; see :data:`~singinghead.metrics.page.Links`.

    Returns:
        The files.

    Raises:
        InputError: the folder cannot be written.
    """
    texts = {
        "summary.md": summary_tables.markdown(summary),
        "summary.csv": summary_tables.summary_csv(summary),
        "summary.tex": summary_tables.latex(summary),
        "per_sequence.csv": summary_tables.per_sequence_csv(summary),
        "pairwise.csv": summary_tables.pairwise_csv(summary),
        "report.html": page(summary, links),
    }
    for name, text in texts.items():
        write_whole(Path(folder) / name, text)
    return [Path(folder) / name for name in texts]
