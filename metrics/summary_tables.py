"""A comparison as files for people, spreadsheets and papers: Markdown, CSV, LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from singinghead.metrics.inference import FEWEST_FOR_INTERVAL
from singinghead.metrics.results import MethodResult
from singinghead.metrics.summary import ARROWS, Cell, Column, Summary

NONE = "\N{EM DASH}"
_LISTED = 20
_TEX_COLUMNS = 6
_TEX_ARROWS = {"lower": r"$\downarrow$", "higher": r"$\uparrow$", "zero": r"$\to 0$", "truth": r"$\to$ truth"}
_TEX_CHARACTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "²": r"\textsuperscript{2}",
    # After the \\ of a row these would be its arguments.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}


def markdown(summary: Summary) -> str:
    """The table with its conditions and what was left out; metrics are rows, because there are many and their names long."""
    head = ["metric", "unit", *(_markdown_text(row.method) for row in summary.rows)]
    lines = [f"# {title(summary)}", "", *(f"* {_markdown_text(fact)}" for fact in facts(summary)), ""]
    lines += [_markdown_row(head), _markdown_row(["---", "---", *["---:"] * len(summary.rows)])]
    for column in summary.columns:
        name = f"`{column.metric.name}` {ARROWS[column.metric.better]}"
        unit = _markdown_text(column.numerals.unit(column.metric.unit))
        lines.append(_markdown_row([name, unit, *(_markdown_cell(column, row) for row in summary.rows)]))
    lines += ["", _markdown_text(legend(summary, best="bold", second="italic")), ""]
    for heading, notes in remarks(summary):
        lines += [f"## {heading}", "", *(f"* {_markdown_text(note)}" for note in notes), ""]
    return "\n".join(lines)


def summary_csv(summary: Summary) -> str:
    """One line for each method and metric, in full precision."""
    head = ["method", "role", "metric", "unit", "better", "value", "deviation", "interval_low", "interval_high"]
    lines: list[Sequence[object]] = [[*head, "n_sequences", "n_subjects", "mark", "reason"]]
    for row in summary.rows:
        for column in summary.columns:
            cell, metric = column.cells[row.method], column.metric
            low, high = cell.interval or (None, None)
            spread = [cell.estimate.deviation if cell.estimate else None, low, high]
            subjects = cell.estimate.n_subjects if cell.estimate else None
            what = [row.method, row.role, metric.name, metric.unit, metric.better]
            lines.append([*what, cell.value.value, *spread, cell.value.n, subjects, cell.mark, cell.value.reason])
    return _csv(lines)


def per_sequence_csv(summary: Summary) -> str:
    """One line for each method and sequence, those that failed too."""
    names = [column.metric.name for column in summary.columns]
    lines: list[Sequence[object]] = [["method", "role", "subject", "id", "averaged", *names, "notes", "failure"]]
    averaged = set(summary.comparison.ids)
    for row in summary.rows:
        for record in row.sequences:
            what = [row.method, row.role, record.subject, record.id, "yes" if record.id in averaged else "no"]
            lines.append([*what, *(record.metrics.get(name) for name in names), "; ".join(record.notes), ""])
        for clip_id, reason in row.failures.items():
            lines.append([row.method, row.role, clip_id.split("_")[0], clip_id, "no", *[None] * len(names), "", reason])
    return _csv(lines)


def pairwise_csv(summary: Summary) -> str:
    """One line for each test between two methods."""
    head = ["metric", "first", "second", "advantage", "effect", "p", "p_holm", "n_subjects", "better"]
    tests = summary.tests
    rows = ([t.metric, t.first, t.second, t.advantage, t.effect, t.p, t.p_holm, t.n_subjects, t.winner] for t in tests)
    return _csv([head, *rows])


def latex(summary: Summary) -> str:
    """Tabulars for a paper, methods as rows, at most six metrics each; they need the package booktabs."""
    blocks = [summary.columns[start : start + _TEX_COLUMNS] for start in range(0, len(summary.columns), _TEX_COLUMNS)]
    notes = [title(summary), *facts(summary), legend(summary, best="bold", second="underlined")]
    comments = [f"% {' '.join(note.split())}" for note in notes]
    needs = r"% \usepackage{booktabs}; names outside Latin script need XeLaTeX or LuaLaTeX."
    return "\n".join([*comments, needs, "\n\\par\\medskip\n".join(_tabular(summary, block) for block in blocks), ""])


def title(summary: Summary) -> str:
    """What was measured."""
    first = summary.rows[0]
    return f"{first.benchmark.upper()} benchmark, {first.protocol} protocol"


def facts(summary: Summary) -> list[str]:
    """What the numbers are over and under which conditions."""
    comparison = summary.comparison
    out = {sequence.id for sequence in comparison.left_out}
    samples = (comparison.methods or comparison.results)[0].n_samples
    lines = [
        f"Means over {_count(len(comparison.ids), 'sequence')} of {_count(len(comparison.subjects), 'subject')}"
        f"{', valid for every method' if len(comparison.methods) > 1 else ''}; {len(out) or 'none'} left out. "
        f"{_count(samples, 'sample')} each."
    ]
    conditions = {key: value for key, value in summary.rows[0].conditions.items() if value is not None}
    if conditions:
        lines.append(", ".join(f"{key}: {_short(value)}" for key, value in conditions.items()))
    return lines


def legend(summary: Summary, best: str, second: str) -> str:
    """What marks, brackets and dashes mean."""
    many = len(summary.comparison.methods)
    marks = {0: "", 1: "", 2: f"The better is {best}. "}.get(many, f"The best is {best}, the second {second}. ")
    cells = [cell for column in summary.columns for cell in column.cells.values()]
    if any(cell.interval for cell in cells):
        spread = "In brackets: 95\N{NO-BREAK SPACE}% interval, bootstrap over subjects."
    else:
        spread = f"No intervals: they need {FEWEST_FOR_INTERVAL} subjects, here are {len(summary.comparison.subjects)}."
    return marks + spread + (f" {NONE}: no value, see the notes." if summary.empty_cells else "")


def remarks(summary: Summary) -> Iterator[tuple[str, list[str]]]:
    """What a reader of the numbers has to know besides: heading and notes."""
    empty: dict[tuple[str, str], list[str]] = {}
    for metric, method, reason in summary.empty_cells:
        empty.setdefault((method, reason), []).append(metric.name)
    if empty:
        alike: dict[tuple[str, str], list[str]] = {}
        for (method, reason), names in empty.items():
            alike.setdefault((", ".join(names), reason), []).append(method)
        yield "No value", [f"{', '.join(methods)}: {names}: {reason}" for (names, reason), methods in alike.items()]
    if unranked := _unranked(summary):
        yield "Not ranked", [f"{', '.join(unranked)}: the best is the ground truth's own value, which is not here"]
    if narrower := list(_narrower(summary)):
        yield "Metrics over fewer sequences", narrower
    if left_out := summary.comparison.left_out:
        lines = [f"{sequence.id}: {sequence.method}: {sequence.reason}" for sequence in left_out]
        yield "Sequences left out", _shortened(lines, "all are in per_sequence.csv")
    if notes := [f"{row.method}: {note}" for row in summary.rows for note in row.notes]:
        yield "Notes", notes


def _unranked(summary: Summary) -> list[str]:
    truth = summary.comparison.ground_truth
    if len(summary.comparison.methods) < 2:
        return []
    columns = [column for column in summary.columns if column.metric.better == "truth"]
    return [column.metric.name for column in columns if not truth or column.cells[truth.method].value.value is None]


def _narrower(summary: Summary) -> Iterator[str]:
    total = len(summary.comparison.ids)
    for column in summary.columns:
        if column.left_out:
            out = len({sequence.id for sequence in column.left_out})
            reasons = dict.fromkeys(f"{one.method}: {one.reason}" for one in column.left_out)
            yield f"{column.metric.name}: over {total - out} of {total}; {'; '.join(_shortened(list(reasons), ''))}"
        for row in summary.rows:
            n, expected = column.cells[row.method].value.n, len(summary.comparison.ids_of[column.metric.name])
            if not row.is_method and 0 < n < expected:
                yield f"{column.metric.name}: {row.method} over {n} of {expected}"


def _shortened(lines: list[str], where: str) -> list[str]:
    rest = len(lines) - _LISTED
    return lines if rest <= 0 else [*lines[:_LISTED], f"and {rest} more" + (f"; {where}" if where else "")]


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(column: Column, row: MethodResult) -> str:
    cell = column.cells[row.method]
    if cell.value.value is None:
        return NONE
    text = column.numerals.text(cell.value.value)
    wrap = {"best": "**", "second": "*", "": ""}[cell.mark]
    return f"{wrap}{text}{wrap}" + (f" {interval_text(column, cell)}" if cell.interval else "")


def interval_text(column: Column, cell: Cell) -> str:
    """The interval in brackets; empty where there is none."""
    return f"[{', '.join(column.numerals.text(end) for end in cell.interval)}]" if cell.interval else ""


def _markdown_text(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|~&#])", r"\\\1", " ".join(text.split()))


def _csv(lines: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([[_guarded(cell) for cell in line] for line in lines])
    return written.getvalue()


def _guarded(cell: object) -> object:
    """A text that a spreadsheet would take for a formula is told to be a text; numbers are numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip().startswith(("=", "+", "-", "@")) else cell


def _tabular(summary: Summary, columns: Sequence[Column]) -> str:
    names = [rf"\texttt{{{_tex(column.metric.name)}}} {_TEX_ARROWS[column.metric.better]}" for column in columns]
    units = [_tex_unit(column) for column in columns]
    lines = [rf"\begin{{tabular}}{{l{'r' * len(columns)}}}", r"\toprule", _tex_row(["", *names]), _tex_row(["", *units])]
    groups = [[row for row in summary.rows if row.is_method == competes] for competes in (False, True)]
    for group in filter(None, groups):
        lines.append(r"\midrule")
        lines += [_tex_row([_tex(row.method), *(_tex_cell(column, row) for column in columns)]) for row in group]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _tex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tex_unit(column: Column) -> str:
    exponent, unit = column.numerals.exponent, column.metric.unit
    power = f"$10^{{{exponent}}}$" if exponent else ""
    return " ".join(filter(None, (power, _tex(re.sub(r"(?<=[a-z])2\b", "²", unit)))))


def _tex_cell(column: Column, row: MethodResult) -> str:
    cell = column.cells[row.method]
    if cell.value.value is None:
        return "---"
    number = f"${column.numerals.plain(cell.value.value)}$"
    marked = {"best": rf"\textbf{{\boldmath {number}}}", "second": rf"\underline{{{number}}}", "": number}[cell.mark]
    ends = ", ".join(f"${column.numerals.plain(end)}$" for end in cell.interval or ())
    return marked + (rf" {{\scriptsize [{ends}]}}" if ends else "")


def _tex(text: str) -> str:
    return "".join(_TEX_CHARACTERS.get(character, character) for character in text)


def _short(value: object) -> str:
    return f"{value[:12]}…" if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else str(value)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"
