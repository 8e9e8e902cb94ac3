"""The strip along the bottom: what is heard and how each method does, over time, under a playhead that moves.

All but the playhead is drawn once. Frame i stands for the time i / fps, and so does the sound that is heard with it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.compare.captions import FAINT, INK, PAPER, Color, font
from singinghead.render.compare.layout import Box

PLAYHEAD: Color = (214, 32, 60)

_VOCALS: Color = (58, 84, 122)
_BGM: Color = (214, 219, 226)
_BEAT: Color = (164, 140, 214)
_SMOOTH = 4  # lines are drawn that many times as large, and reduced
_PAD, _LABELS, _TYPE = 9, 162, 18  # pixels of a video 1080 pixels high
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)


@dataclass(frozen=True)
class Curve:
    """One method's value at each frame.

    Attributes:
        color: of the line.
        values: (T,); NaN is a gap.
    """

    color: Color
    values: Floats


@dataclass(frozen=True)
class Row:
    """Curves on one scale.

    Attributes:
        label: what they are, e.g. ``lip error``.
        unit: ``mm``.
        curves: drawn in this order, the last on top.
    """

    label: str
    unit: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Strip:
    """What the strip shows.

    Attributes:
        duration: of the video, seconds.
        fps: of the curves.
        rows: of curves, from the top.
        vocals: the singing voice, whose waveform is drawn, or None.
        bgm: the music, drawn faintly behind it, or None.
        beats: (n,) instants in seconds that are marked.
    """

    duration: float
    fps: float
    rows: tuple[Row, ...]
    vocals: StoredFile | None = None
    bgm: StoredFile | None = None
    beats: Floats | None = None


@dataclass(frozen=True)
class Timeline:
    """The strip's plot within the picture.

    Attributes:
        plot: where time runs, from the left edge to the right.
        duration: seconds.
        line: width of the playhead, pixels.
    """

    plot: Box
    duration: float
    line: float

    def x(self, seconds: float) -> float:
        """The column of an instant; columns are counted at their left edges."""
        return self.plot.x + self.plot.width * seconds / self.duration

    def mark(self, picture: NDArray[np.uint8], seconds: float) -> tuple[Box, NDArray[np.uint8]]:
        """The playhead over a picture without one.

        Args:
            picture: (H, W, 3) the whole.
            seconds: where it stands.

        Returns:
            The box that it touches, on even pixels, and the (height, width, 3) uint8 to put there.
        """
        left, right = (self.x(seconds) + side * self.line / 2 for side in (-1, 1))
        first = 2 * int(max(left, 0) // 2)
        last = min(2 * int(-(-right // 2)), picture.shape[1])
        columns = np.arange(first, last)
        covered = np.clip(np.minimum(right, columns + 1) - np.maximum(left, columns), 0, 1)[None, :, None]
        box = Box(first, self.plot.y, last - first, self.plot.height)
        under = picture[box.y : box.bottom, first:last]
        return box, np.round(under + covered * (np.array(PLAYHEAD) - under)).astype(np.uint8)


def draw_strip(picture: Image.Image, box: Box, strip: Strip) -> Timeline:
    """Draw all but the playhead.

    Args:
        picture: drawn upon.
        box: for the strip, its labels and its times.
        strip: what to show.

    Raises:
        InputError: a recording cannot be read.
    """
    unit = picture.height / 1080
    pad, labels = 2 * max(1, round(_PAD * unit / 2)), 2 * round(_LABELS * unit / 2)
    plot = Box(box.x + labels, box.y, box.width - labels - 6 * pad, box.height - 4 * pad)
    timeline = Timeline(plot, strip.duration, max(2.0, 3 * unit))
    waves = [] if strip.vocals is None and strip.bgm is None else ["sound"]
    shares = np.array([1.0 for _ in waves] + [1.35 for _ in strip.rows])
    edges = plot.y + np.concatenate([[0], np.cumsum(shares)]) / max(shares.sum(), 1) * plot.height
    bands = [Box(plot.x, round(a), plot.width, round(b) - round(a) - pad) for a, b in itertools.pairwise(edges)]
    lines = _Lines(picture, plot)
    for band in bands:
        lines.fill(band, (255, 255, 255))
    for seconds in strip.beats if strip.beats is not None else ():
        if 0 <= seconds < strip.duration:
            x = timeline.x(float(seconds))
            lines.line(np.array([[x, plot.y], [x, plot.bottom - pad]]), _BEAT, 0.6 * timeline.line)
    if waves:
        tracks = [(strip.bgm, _BGM), (strip.vocals, _VOCALS)]
        envelopes = [(envelope(track, strip.duration, plot.width), color) for track, color in tracks if track is not None]
        loudest = max((float(np.abs(lows_highs).max()) for lows_highs, _ in envelopes), default=0.0)
        for lows_highs, color in envelopes:
            lines.wave(bands[0], lows_highs / max(loudest, 1e-6), color)
    scales = [_scale(row) for row in strip.rows]
    for band, row, (low, high) in zip(bands[len(waves) :], strip.rows, scales, strict=True):
        lines.level(band, 0.0, low, high)
        for curve in row.curves:
            first, second = timeline.x(0), timeline.x(1 / strip.fps)
            columns: Floats = first + (second - first) * np.arange(len(curve.values), dtype=np.float64)
            lines.curve(band, columns, curve, low, high, 0.75 * timeline.line)
    lines.put()
    if waves:
        _label(picture, box.x, bands[0], "sound", "beats" if strip.beats is not None and len(strip.beats) else "")
    for band, row, (low, high) in zip(bands[len(waves) :], strip.rows, scales, strict=True):
        _label(picture, box.x, band, row.label, row.unit, low, high)
    _write_times(picture, timeline, box)
    return timeline


def envelope(file: StoredFile, duration: float, n_bins: int) -> Floats:
    """The least and the greatest sample within each of ``n_bins`` equal parts of ``duration`` seconds.

    Args:
        file: a recording of any kind that libsndfile reads; read a block at a time.
        duration: seconds; the recording counts as silent after its end.
        n_bins: at least 1.

    Returns:
        (n_bins, 2), full scale being 1.

    Raises:
        InputError: it cannot be read.
    """
    import soundfile

    result = np.zeros((n_bins, 2))
    try:
        with file.open() as stream, soundfile.SoundFile(stream) as sound:
            start = 0
            for block in sound.blocks(1 << 16, dtype="float32", always_2d=True):
                samples = block.mean(axis=1)
                bins = ((start + np.arange(len(samples))) / sound.samplerate / duration * n_bins).astype(np.int64)
                start += len(samples)
                inside = bins < n_bins
                np.minimum.at(result[:, 0], bins[inside], samples[inside])
                np.maximum.at(result[:, 1], bins[inside], samples[inside])
                if not inside.all():
                    break
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"not a readable recording: {str(error).splitlines()[0]}", file=file) from None
    return result


class _Lines:
    """Lines and areas, drawn large and reduced, which smooths their edges."""

    def __init__(self, picture: Image.Image, box: Box) -> None:
        self._picture, self._box = picture, box
        self._large = Image.new("RGB", (box.width * _SMOOTH, box.height * _SMOOTH), PAPER)
        self._draw = ImageDraw.Draw(self._large)

    def put(self) -> None:
        self._picture.paste(self._large.reduce(_SMOOTH), (self._box.x, self._box.y))

    def fill(self, box: Box, color: Color) -> None:
        (left, top), (right, bottom) = self._place(np.array([[box.x, box.y], [box.right, box.bottom]]))
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=color)

    def line(self, points: Floats, color: Color, width: float) -> None:
        self._draw.line(self._place(points), fill=color, width=round(width * _SMOOTH), joint="curve")

    def level(self, box: Box, value: float, low: float, high: float) -> None:
        y = box.bottom - (value - low) / (high - low) * box.height
        self.line(np.array([[box.x, y], [box.right, y]]), FAINT, 1.0)

    def curve(self, box: Box, x: Floats, curve: Curve, low: float, high: float, width: float) -> None:
        shown = np.clip(curve.values, low, high)
        y = box.bottom - (shown - low) / (high - low) * box.height
        gaps = np.flatnonzero(np.isnan(y))
        for piece in np.split(np.stack([x, y], axis=1), gaps):
            points = piece[~np.isnan(piece[:, 1])]
            if len(points) > 1:
                self.line(points, curve.color, width)

    def wave(self, box: Box, lows_highs: Floats, color: Color) -> None:
        x = box.x + np.arange(len(lows_highs)) + 0.5
        middle, half = box.y + box.height / 2, 0.48 * box.height
        upper, lower = middle - half * lows_highs[:, 1], middle - half * lows_highs[:, 0]
        outline = np.concatenate([np.stack([x, upper - 0.4], axis=1), np.stack([x, lower + 0.4], axis=1)[::-1]])
        self._draw.polygon(self._place(outline), fill=color)

    def _place(self, points: Floats) -> list[tuple[float, float]]:
        x, y = _SMOOTH * (points - [self._box.x, self._box.y]).T
        return list(zip(x.tolist(), y.tolist(), strict=True))


def _scale(row: Row) -> tuple[float, float]:
    """The least and the greatest value that a row shows; 0 is always within."""
    values = np.concatenate([curve.values for curve in row.curves]) if row.curves else np.zeros(1)
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    span = max(high - low, 0.1)
    return (low - 0.05 * span if low < 0 else 0.0), low + 1.05 * span


def _label(
    picture: Image.Image, x: int, band: Box, name: str, unit: str, low: float | None = None, high: float | None = None
) -> None:
    draw = ImageDraw.Draw(picture)
    size = _TYPE * picture.height / 1080
    right = band.x - 0.5 * size
    draw.text((x, band.y + band.height / 2), name, fill=INK, font=font(size), anchor="ld" if unit else "lm")
    draw.text((x, band.y + band.height / 2), unit, fill=FAINT, font=font(size), anchor="la")
    if low is not None and high is not None:
        draw.text((right, band.y), f"{high:.1f}", fill=FAINT, font=font(0.85 * size), anchor="ra")
        draw.text((right, band.bottom), f"{low:.1f}" if low else "0", fill=FAINT, font=font(0.85 * size), anchor="rd")


def _write_times(picture: Image.Image, timeline: Timeline, box: Box) -> None:
    draw = ImageDraw.Draw(picture)
    letters = font(0.95 * _TYPE * picture.height / 1080)
    room = timeline.plot.width / letters.getlength("0000.0 s")
    step = next((step for step in _STEPS_S if timeline.duration / step <= room), _STEPS_S[-1])
    for number in range(int(timeline.duration / step + 1e-6) + 1):
        x = timeline.x(number * step)
        draw.text((x, (timeline.plot.bottom + box.bottom) / 2), f"{number * step:g} s", fill=INK, font=letters, anchor="mm")
