"""A comparison as it is really encoded: the playhead is on the click when the sound is, pictures lie in their boxes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import decoded
import numpy as np
import pytest
import soundfile

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.camera import Camera
from singinghead.render.clip import Sound
from singinghead.render.compare.compose import Composer, Moment, Panel
from singinghead.render.compare.drawer import Look
from singinghead.render.compare.film import Film, write_film
from singinghead.render.compare.layout import Grid
from singinghead.render.compare.recording import recording
from singinghead.render.compare.strip import Strip
from singinghead.render.heat import ColorScale
from singinghead.render.painter import Frame
from singinghead.render.scene import AMBIENT, LIGHTS, MATERIALS, Part, Scene
from singinghead.render.views import Rig
from singinghead.render.yuv import to_yuv420p

CLICKS = np.array([3, 17, 40, 61, 90, 110])
FPS, N_FRAMES = 30, 120
TRIANGLE = np.array([[-0.3, -0.3, 0], [0.3, -0.3, 0], [0, 0.3, 0]], np.float32)


def look() -> Look:
    part = Part("skin", np.array([[0, 1, 2]]), MATERIALS["skin"])
    scene = Scene((part,), np.ones((3, 3)), LIGHTS, AMBIENT, np.array([10, 200, 30], np.uint8))
    return Look(scene, Rig(Camera(np.array([0.0, 0.0, 2.0])), np.zeros(3)), ColorScale(10.0, "mm"))


def heads(first: np.ndarray, second: np.ndarray) -> tuple[Frame, Frame]:
    return Frame(0, first), Frame(0, second)


def write_clicks(path: Path) -> None:
    wave = np.zeros(N_FRAMES * 16_000 // FPS)
    click = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(160) / 16_000)
    for frame in CLICKS:
        start = round(frame / FPS * 16_000)
        wave[start : start + len(click)] = click
    soundfile.write(path, wave, 16_000)


def frames(path: Path, grid: Grid) -> np.ndarray:
    pixels = np.frombuffer(decoded.decode(path, "-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8)
    return pixels.reshape(-1, grid.height, grid.width, 3)


def test_the_playhead_is_on_the_click_when_the_sound_is(tmp_path: Path) -> None:
    write_clicks(tmp_path / "clicks.wav")
    grid = Grid.of(2, 720)
    vocals = StoredFile(tmp_path / "clicks.wav")
    composer = Composer(grid, (Panel("a"), Panel("b")), look(), strip=Strip(N_FRAMES / FPS, FPS, (), vocals))
    moments = [Moment(t / FPS, heads(TRIANGLE, TRIANGLE), (None, np.full(3, 4.0, np.float32))) for t in range(N_FRAMES)]
    film = Film(tmp_path / "a.mp4", FPS, N_FRAMES, Sound(vocals), "a")
    write_film(film, composer, [moments[:50], moments[50:]])

    pictures, timeline = frames(film.out, grid), composer.timeline
    assert len(pictures) == N_FRAMES
    sound = np.abs(decoded.sound(film.out)).max(axis=1)
    loud = np.flatnonzero(sound > 0.2 * sound.max()) / 48_000
    onsets = loud[np.append(True, np.diff(loud) > 0.05)]
    assert len(onsets) == len(CLICKS)
    # Below the waveform, where nothing else is drawn.
    line = pictures[:, timeline.plot.bottom - 4].astype(int)
    dark = np.clip(235 - line[..., 1], 0, None)  # green is what the playhead has least of
    assert (dark.sum(axis=1) > 150).all()
    middle = (dark * (np.arange(grid.width) + 0.5)).sum(axis=1) / dark.sum(axis=1)
    seconds = (middle - timeline.plot.x) / timeline.plot.width * N_FRAMES / FPS
    assert np.abs(seconds - np.arange(N_FRAMES) / FPS).max() < 0.004
    assert np.abs(seconds[CLICKS] - onsets).max() < 0.010
    # And the click in the waveform is under it.
    wave = pictures[0, timeline.plot.y + timeline.plot.height // 4].astype(int)
    blue = np.flatnonzero(wave[:, 2] - wave[:, 0] > 20)
    starts = blue[np.append(True, np.diff(blue) > 6)]
    assert np.abs(starts - middle[CLICKS]).max() < 3


def test_pictures_lie_in_their_boxes_and_a_frame_depends_on_its_moment_alone() -> None:
    grid = Grid.of(2, 720)
    composer = Composer(grid, (Panel("a"), Panel("b", note="n")), look())
    real = to_yuv420p(np.full((grid.picture_size, grid.picture_size, 3), (20, 40, 220), np.uint8))
    moment = Moment(0.0, heads(TRIANGLE, TRIANGLE), (None, np.zeros(3, np.float32)), real)
    frame = composer.draw_yuv(moment)
    assert frame.shape == (720 * 3 // 2, 1280)
    luma = frame[:720].astype(int)
    green, blue = (int(to_yuv420p(np.full((2, 2, 3), color, np.uint8))[0, 0]) for color in ((10, 200, 30), (20, 40, 220)))
    first, second = grid.cells
    for box in (first.picture, second.picture, second.below):
        assert luma[box.y, box.x] == luma[box.y, box.right - 1] == green
    assert (luma[first.below.y : first.below.bottom, first.below.x : first.below.right] == blue).all()
    composer.draw_yuv(Moment(1.0, heads(-TRIANGLE, TRIANGLE), (None, np.full(3, 9.0, np.float32))))
    assert (composer.draw_yuv(moment) == frame).all()


def test_the_recording_is_played_by_time_and_its_last_frame_is_held(tmp_path: Path) -> None:
    """A video of 25 frames a second whose grey tells the frame, taken at 30."""
    path = tmp_path / "real.mp4"
    grey = np.arange(10) * 20 + 20
    content = b"".join(np.full((48, 64, 3), value, np.uint8).tobytes() for value in grey)
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", "25", "-i", "-"]
    command = [decoded.FFMPEG, "-v", "error", *source, "-pix_fmt", "yuv420p", "-crf", "1", str(path)]
    subprocess.run(command, input=content, check=True)
    with recording(StoredFile(path), 64, 30.0) as played:
        shown = [next(played) for _ in range(20)]
    assert shown[0].shape == (96, 64)
    assert shown[0][:6].max() <= 18  # fitted: black above
    level = np.array([(picture[32, 32].astype(float) - 16) * 255 / 219 for picture in shown])
    expected = grey[np.minimum(np.round(np.arange(20) / 30 * 25 - 1e-6).astype(int), 9)]
    assert (np.abs(level - expected) <= 22).all()  # ffmpeg takes the nearest frame; ties go either way
    assert np.abs(level[13:] - grey[-1]).max() < 4
    assert (np.diff(level) > -3).all()


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_text("no video")
    with recording(StoredFile(tmp_path / "real.mp4"), 64, 30.0) as played, pytest.raises(InputError, match="not a readable"):
        next(played)
