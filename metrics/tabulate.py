"""Make the tables and the report again, from saved results."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.whole_file import check_folder
from singinghead.metrics.comparison import compare
from singinghead.metrics.report import write_summaries
from singinghead.metrics.result_file import read_result
from singinghead.metrics.summary import Summary, select, summarize
from singinghead.metrics.summary_tables import markdown


@dataclass(frozen=True)
class Options:
    """Make the tables and the report again, from the NAME.json that the benchmarks wrote.

    Every number is the mean over the sequences valid for every method given. Results of different benchmarks, protocols,
    models, masks, backends or numbers of samples are refused.
    """

    results: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """NAME.json files; their order is that of the rows."""
    out: Path | None = None
    """A folder for summary.md, .csv, .tex, per_sequence.csv, pairwise.csv and report.html. Default: only print."""
    metrics: str = ""
    """Only these, separated by commas, in this order; tests are corrected over these. Default: all."""
    order: str = ""
    """Methods to list first, by name, separated by commas. Ground truth and baselines always lead."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""


def tabulate(options: Options) -> None:
    """Print the Markdown table, and write the files that were asked for."""
    if not options.results:
        raise InputError("no results are given", remedy="give the NAME.json files of one benchmark")
    if options.out:
        check_folder(options.out)
    named = [(read_result(path), str(path)) for path in options.results]
    methods = [result.method for result, _ in named]
    first = _listed(options.order)
    if unknown := [method for method in first if method not in methods]:
        raise InputError(f"--order names {unknown[0]!r}, which no file holds", remedy=f"there are {', '.join(methods)}")
    named.sort(key=lambda pair: first.index(pair[0].method) if pair[0].method in first else len(first))
    comparison = compare([result for result, _ in named], [source for _, source in named])
    if options.metrics:
        comparison = replace(comparison, metrics=select(comparison.metrics, _listed(options.metrics)))
    summary = summarize(comparison)
    files = write_summaries(summary, options.out) if options.out else []
    print(markdown(summary))
    if options.json:
        command.print_json({**_record(summary), "files": [str(path) for path in files]})


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _record(summary: Summary) -> dict[str, Any]:
    comparison = summary.comparison
    return {
        "benchmark": summary.rows[0].benchmark,
        "protocol": summary.rows[0].protocol,
        "n_sequences": len(comparison.ids),
        "n_left_out": len({sequence.id for sequence in comparison.left_out}),
        "metrics": {
            row.method: {column.metric.name: column.cells[row.method].value.value for column in summary.columns}
            for row in summary.rows
        },
    }


def main() -> int:
    """Run the command."""
    return command.run(Options, tabulate, "tabulate")


if __name__ == "__main__":
    raise SystemExit(main())
