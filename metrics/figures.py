"""Figures of a comparison as SVG that stands in a page: text stays text, colours are the page's own, light or dark.

matplotlib draws with stand-ins for colours, which are then replaced by the page's own: ``currentColor``, ``--muted`` and
``--series-1`` to ``--series-6``. With more methods than colours the markers are hollow the second time round.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from singinghead.metrics.inference import subject_means
from singinghead.metrics.results import MethodResult
from singinghead.metrics.summary import Column, Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = 6
_MARKERS = (("o", "●", "○"), ("s", "■", "□"), ("^", "▲", "△"), ("D", "◆", "◇"), ("v", "▼", "▽"), ("P", "✚", "✛"))
_INK, _MUTED = "#000001", "#000002"
_STAND_INS = {_INK: "currentColor", _MUTED: "var(--muted)"} | {
    f"#0000{k:02x}": f"var(--series-{k - 15})" for k in range(16, 22)
}
_WIDTH = 4.6
_LABEL = 22
_MOST_DOTS = 4_000
_MOST_CURVE_POINTS = 300
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "singinghead",
    "text.parse_math": False,
    "font.size": 9,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "path.simplify_threshold": 0.3,
}


@dataclass(frozen=True)
class Look:
    """How one row of the tables appears in figures.

    Attributes:
        stand_in: the colour that matplotlib is told.
        colour: the CSS colour that it becomes.
        marker: matplotlib's.
        glyph: the same as a character, for a legend.
        hollow: whether only its outline is drawn.
    """

    stand_in: str
    colour: str
    marker: str
    glyph: str
    hollow: bool


def looks(rows: Sequence[MethodResult]) -> dict[str, Look]:
    """A look for each row: ink for ground truth, grey for baselines, colours for methods."""
    found, competing, baselines = {}, 0, 0
    for row in rows:
        index = competing if row.is_method else baselines
        marker, full, empty = _MARKERS[index % COLOURS]
        hollow = index // COLOURS % 2 == 1 or row.role == "baseline"
        stand_in = {"ground truth": _INK, "baseline": _MUTED}.get(row.role, f"#0000{16 + index % COLOURS:02x}")
        found[row.method] = Look(stand_in, _STAND_INS[stand_in], marker, empty if hollow else full, hollow)
        competing += row.is_method
        baselines += row.role == "baseline"
    return found


def distribution(summary: Summary, column: Column) -> str:
    """One metric by method: a dot for each sequence, a bar for the middle half, a line for the mean."""
    values = {row.method: list(summary.comparison.values(row, column.metric.name).values()) for row in summary.rows}
    rows = [row for row in summary.rows if values[row.method]]
    dots = max(1, min(80, _MOST_DOTS // max(1, len(rows) * len(summary.columns))))
    appearance = looks(summary.rows)
    with _axes(0.5 + 0.24 * len(rows), left=1.75) as (figure, axes):
        for place, row in enumerate(rows):
            numbers = np.sort(values[row.method]) / 10.0**column.numerals.exponent
            look = appearance[row.method]
            shown = numbers[np.unique(np.linspace(0, len(numbers) - 1, min(dots, len(numbers))).astype(int))]
            jitter = 0.22 * np.sin(2.4 * np.arange(len(shown)))
            axes.plot(shown, place + jitter, ".", ms=3, mew=0, color=look.stand_in, alpha=0.5)
            axes.plot(np.quantile(numbers, [0.25, 0.75]), [place, place], color=look.stand_in, lw=5, alpha=0.4)
            axes.plot([np.mean(numbers)] * 2, [place - 0.36, place + 0.36], color=look.stand_in, lw=2)
        axes.set_yticks(range(len(rows)), [_label(row.method) for row in rows])
        axes.set_ylim(len(rows) - 0.45, -0.55)
        axes.tick_params(axis="y", length=0)
        _number_axis(axes, column, "x")
        said = ", ".join(f"{row.method} {column.numerals.text(float(np.mean(values[row.method])))}" for row in rows)
        return _svg(figure, f"Distribution of {column.metric.name} over sequences. Means: {said}")


def by_subject(summary: Summary, column: Column) -> str:
    """One metric by subject: a marker for the mean of each method over the subject's sequences."""
    appearance = looks(summary.rows)
    means = {row.method: subject_means(summary.comparison.values(row, column.metric.name)) for row in summary.rows}
    subjects = sorted({subject for by in means.values() for subject in by})
    with _axes(1.9, left=0.7, bottom=0.55 if len(subjects) > 6 else 0.4) as (figure, axes):
        rows = [row for row in summary.rows if means[row.method]]
        for index, row in enumerate(rows):
            look, by = appearance[row.method], means[row.method]
            places = [subjects.index(subject) + 0.5 * ((index + 0.5) / len(rows) - 0.5) for subject in by]
            heights = np.array(list(by.values())) / 10.0**column.numerals.exponent
            axes.plot(
                places,
                heights,
                look.marker,
                ms=4.5,
                mew=1,
                color=look.stand_in,
                mfc="none" if look.hollow else look.stand_in,
            )
        step = -(-len(subjects) // 24)
        names = [_label(subject, 8) for subject in subjects[::step]]
        axes.set_xticks(range(0, len(subjects), step), names, rotation=90 if len(subjects) > 6 else 0)
        axes.set_xlim(-0.5, len(subjects) - 0.5)
        _number_axis(axes, column, "y")
        return _svg(figure, f"{column.metric.name} by subject, {len(subjects)} subjects; the numbers are in the table below")


def curve(name: str, clip_id: str, rows: Mapping[str, Sequence[float]], about: Sequence[str], summary: Summary) -> str:
    """Values of one clip over time: the methods that it is about in colour, the others faint, the ground truth dashed.

    Args:
        name: of the curve.
        clip_id: of the clip.
        rows: by method, values a frame.
        about: methods.
        summary: for the looks.
    """
    appearance = looks(summary.rows)
    roles = {row.method: row.role for row in summary.rows}
    with _axes(1.7, left=0.55) as (figure, axes):
        for method in sorted(rows, key=lambda method: method in about):
            frames, heights = _thinned(rows[method], _MOST_CURVE_POINTS if method in about else 1_200 // len(rows))
            if method in about:
                axes.plot(frames, heights, color=appearance[method].stand_in, lw=1.6)
            elif roles[method] == "ground truth":
                axes.plot(frames, heights, color=_INK, lw=1, ls=(0, (3, 2)))
            elif roles[method] == "method":
                axes.plot(frames, heights, color=_MUTED, lw=0.7, alpha=0.7 if len(rows) < 6 else 0.35)
        axes.set_xlabel("frame")
        axes.set_ylabel(name)
        axes.margins(x=0.01)
        said = [f"{method} mean {np.mean(rows[method]):.3g}, largest {np.max(rows[method]):.3g}" for method in about]
        return _svg(figure, f"{name} on {clip_id} over {len(rows[about[0]])} frames: {'; '.join(said)}")


def _thinned(values: Sequence[float], most: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Frames and heights; of a long curve the smallest and largest of each stretch, so that no peak is lost."""
    heights = np.asarray(values, float)
    if len(heights) <= most:
        return np.arange(len(heights)), heights
    stretches = np.array_split(np.arange(len(heights)), max(1, most // 2))
    picked = [stretch[choose(heights[stretch])] for stretch in stretches for choose in (np.argmin, np.argmax)]
    frames = np.unique(picked)
    return frames, heights[frames]


@contextmanager
def _axes(height: float, left: float, bottom: float = 0.45) -> Iterator[tuple[Figure, Axes]]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        total = height + bottom
        figure = Figure(figsize=(_WIDTH, total))
        axes = figure.add_axes((left / _WIDTH, bottom / total, 1 - (left + 0.12) / _WIDTH, 1 - (bottom + 0.08) / total))
        yield figure, axes


def _number_axis(axes: Axes, column: Column, which: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(4))
    axis.set_label_text(column.numerals.unit(column.metric.unit))  # the metric's name stands above
    axes.grid(axis="x" if which == "x" else "y", color=_MUTED, alpha=0.25, lw=0.6)
    axes.set_axisbelow(True)


def _label(text: str, longest: int = _LABEL) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _svg(figure: Figure, description: str) -> str:
    """The drawing alone, without what only a file of its own needs."""
    from markupsafe import escape

    written = io.StringIO()
    with warnings.catch_warnings():
        # The page's fonts draw the text, whatever the script; matplotlib's own only estimate its width.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(
            written, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Type": None, "Format": None}
        )
    text = written.getvalue()
    text = text[text.index("<svg") :]
    for superfluous in (r"<metadata>.*?</metadata>", r"<style.*?</style>", r"<!--.*?-->", r'(?<=<g) id="[^"]*"'):
        text = re.sub(superfluous, "", text, flags=re.DOTALL)
    text = re.sub(r" font-family: [^;\"]*;", "", text)
    text = re.sub("(?<=: )#0000(?:0[12]|1[0-5])", lambda found: _STAND_INS[found.group()], text)
    text = re.sub(r"<[^>]*>", _rounded_places, text)
    prefix = f"f{hashlib.sha256(text.encode()).hexdigest()[:8]}-"  # names inside a drawing are its own on a page of many
    text = re.sub(r'((?<= )id="|href="#|url\(#)', lambda found: found.group() + prefix, text).replace("xlink:href", "href")
    text = re.sub(r"(?m)^\s+|\s+$", "", text)
    text = re.sub(r'<g( clip-path="[^"]*")>((?:\s*<use [^>]*/>)+)', _style_once, text)
    head, _, rest = text.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    return f'<svg role="img" aria-label="{escape(description)}" {box.group() if box else ""}>{rest}'


def _rounded_places(tag: re.Match[str]) -> str:
    """Coordinates to a hundredth of a point; what stands between the tags is text, such as an axis' numbers, and stays."""
    return re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found.group()):.2f}".rstrip("0").rstrip("."), tag.group())


def _style_once(group: re.Match[str]) -> str:
    """A group of markers that look alike says so once, not at each of hundreds."""
    styles = set(re.findall(r' style="[^"]*"', group[2]))
    if len(styles) != 1:
        return group.group()
    (style,) = styles
    return f"<g{group[1]}{style}>" + group[2].replace(style, "")
