"""The strip: sound and curves where their time is, and a playhead that stands there, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.compare.captions import PAPER
from singinghead.render.compare.layout import Box
from singinghead.render.compare.strip import PLAYHEAD, Curve, Row, Strip, Timeline, draw_strip, envelope

RED = (200, 0, 0)


@given(seconds=st.floats(0, 8), left=st.integers(0, 100), line=st.floats(2, 7))
def test_the_playheads_middle_is_its_time(seconds: float, left: int, line: float) -> None:
    timeline = Timeline(Box(2 * left + 20, 4, 601, 20), 8.0, line)
    page = np.full((30, 1000, 3), 255, np.uint8)
    box, marked = timeline.mark(page, seconds)
    assert box.x % 2 == box.width % 2 == 0
    assert marked.shape == (box.height, box.width, 3)
    share = (255 - marked[0, :, 1].astype(float)) / (255 - PLAYHEAD[1])
    middle = (share * (box.x + np.arange(box.width) + 0.5)).sum() / share.sum()
    assert middle == pytest.approx(timeline.x(seconds), abs=0.06)
    assert share.sum() == pytest.approx(line, abs=0.06)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2)])
def test_a_click_stands_in_the_waveform_where_it_sounds(rate: int, channels: int, tmp_path: Path) -> None:
    wave = np.zeros((4 * rate, channels))
    wave[round(1.3 * rate)] = 0.7
    wave[round(2.9 * rate)] = -0.4
    soundfile.write(tmp_path / "a.wav", wave, rate, "FLOAT")
    found = envelope(StoredFile(tmp_path / "a.wav"), duration=5.0, n_bins=1000)
    assert np.flatnonzero(found[:, 1]).tolist() == [260]
    assert np.flatnonzero(found[:, 0]).tolist() == [580]
    assert found.max() == pytest.approx(0.7)
    assert found.min() == pytest.approx(-0.4)


def test_sound_after_the_end_of_the_video_is_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.ones(16_000) * 0.5, 8_000)
    assert (envelope(StoredFile(tmp_path / "a.wav"), duration=1.0, n_bins=10)[:, 1] > 0.49).all()


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(InputError, match="not a readable recording"):
        envelope(StoredFile(tmp_path / "a.wav"), 1.0, 10)


@pytest.mark.parametrize("height", [1080, 2160])
def test_a_curves_peak_stands_at_its_frame(height: int) -> None:
    values = np.zeros(240)
    values[150] = 5.0
    page = Image.new("RGB", (height * 16 // 9, height), PAPER)
    box = Box(16, height // 2, page.width - 32, height // 4)
    timeline = draw_strip(page, box, Strip(8.0, 30.0, (Row("lip error", "mm", (Curve(RED, values),)),)))
    red = np.argwhere(np.abs(np.asarray(page).astype(int) - RED).max(axis=-1) < 40)
    top = red[red[:, 0] == red[:, 0].min()]
    assert top[:, 1].mean() + 0.5 == pytest.approx(timeline.x(150 / 30), abs=1.5)
    assert timeline.plot.y % 2 == timeline.plot.height % 2 == 0


def test_beats_are_marked_at_their_time_and_gaps_are_left_open() -> None:
    page = Image.new("RGB", (1920, 1080), PAPER)
    values = np.full(60, np.nan)
    strip = Strip(2.0, 30.0, (Row("lip error", "mm", (Curve(RED, values),)),), beats=np.array([-1.0, 0.5, 1.25, 9.0]))
    timeline = draw_strip(page, Box(16, 500, 1888, 300), strip)
    row = np.asarray(page)[timeline.plot.y + 40].astype(int)
    violet = np.flatnonzero(row[:, 2] - row[:, 1] > 30)
    groups = np.split(violet, np.flatnonzero(np.diff(violet) > 2) + 1)
    assert [group.mean() + 0.5 for group in groups] == pytest.approx([timeline.x(0.5), timeline.x(1.25)], abs=1)
    assert not (np.abs(np.asarray(page).astype(int) - RED).max(axis=-1) < 40).any()
