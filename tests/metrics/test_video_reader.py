"""The right frames by time, of every rate and kind of file; or one clear line."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import coded_video
import decoded
import numpy as np
import pytest
import soundfile
from PIL import Image

from singinghead.flame_model.errors import InputError
from singinghead.metrics.video_reader import open_frames, probe, read_sound

LOSSLESS = ("-c:v", "libx264rgb", "-crf", "0")


def read(path: Path, size: int | None = None, every: int = 1) -> list[np.ndarray]:
    with open_frames(path, size, every) as frames:
        return list(frames)


def indices(path: Path, **options: int) -> list[int]:
    return [coded_video.index(frame) for frame in read(path, **options)]


def shown(times: np.ndarray, end: float, every: int = 1) -> list[int]:
    """The definition: the latest source frame at every tick before the end."""
    ticks = np.arange(0, int(end * 30) + 2, every) / 30
    return [int(np.flatnonzero(times <= tick + 0.002)[-1]) for tick in ticks[ticks < end - 0.002]]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "webm", "avi"])
@pytest.mark.parametrize(
    ("fps", "n_frames"), [("25", 50), ("30000/1001", 45), ("30", 45), ("60", 100), ("24", 31), ("10", 7)]
)
def test_frames_by_time_at_every_rate(fps: str, n_frames: int, suffix: str, tmp_path: Path) -> None:
    path = coded_video.write(tmp_path / f"clip.{suffix}", coded_video.pictures(n_frames), fps)
    rate = float(np.divide(*map(float, f"{fps}/1".split("/")[:2])))
    assert indices(path) == shown(np.arange(n_frames) / rate, n_frames / rate)


@pytest.mark.parametrize("every", [2, 6, 7, 100])
@pytest.mark.parametrize("fps", [25, 30, 60])
def test_every_nth_frame_is_on_the_same_clock(fps: int, every: int, tmp_path: Path) -> None:
    path = coded_video.write(tmp_path / "clip.mp4", coded_video.pictures(70), fps)
    assert indices(path, every=every) == indices(path)[::every] == shown(np.arange(70) / fps, 70 / fps, every)


def test_long_videos_do_not_drift(tmp_path: Path) -> None:
    path = coded_video.write(tmp_path / "clip.mp4", np.tile(coded_video.pictures(250, 32, 32), (8, 1, 1, 1)), "30000/1001")
    expected = shown(np.arange(2000) * 1001 / 30000, 2000 * 1001 / 30000)
    assert indices(path) == [number % 250 for number in expected]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_of_a_variable_rate(suffix: str, tmp_path: Path) -> None:
    steps = np.random.default_rng(3).choice([0.008, 0.02, 0.033, 0.04, 0.1, 0.35], 60)
    times = np.concatenate(([0], np.cumsum(steps).round(3)))
    path = coded_video.write_at(tmp_path / f"clip.{suffix}", coded_video.pictures(len(times)), times)
    end = probe(path).duration
    assert end >= times[-1]
    assert indices(path) == shown(times, end)


def test_time_begins_with_the_first_frame(tmp_path: Path) -> None:
    clip = coded_video.write(tmp_path / "clip.mp4", coded_video.pictures(40), 30)
    for name, offset in (("late.mkv", "0.4"), ("later.mp4", "1.25"), ("late.ts", "0.4")):
        late = coded_video.change(clip, tmp_path / name, "-c", "copy", before=["-itsoffset", offset])
        assert indices(late) == list(range(40)), name


def test_sound_that_begins_earlier_or_lasts_longer_changes_no_frame(tmp_path: Path) -> None:
    clip = coded_video.write(tmp_path / "clip.mp4", coded_video.pictures(40), 30)
    soundfile.write(tmp_path / "long.wav", np.zeros(32_000), 16_000)
    sound = ["-i", str(tmp_path / "long.wav")]
    both = coded_video.change(clip, tmp_path / "both.mp4", "-c:v", "copy", "-c:a", "aac", before=[*sound])
    assert indices(both) == list(range(40))
    assert probe(both).duration == pytest.approx(40 / 30)
    assert probe(both).has_sound


@pytest.mark.parametrize(("width", "height"), [(64, 64), (63, 47), (65, 48), (97, 33)])
def test_odd_sizes_come_back_pixel_by_pixel(width: int, height: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, height, width, 3), dtype=np.uint8)
    path = coded_video.write(tmp_path / "clip.mp4", noise, options=LOSSLESS)
    assert np.array_equal(read(path), noise)
    assert (probe(path).width, probe(path).height) == (width, height)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_videos_are_upright(degrees: int, tmp_path: Path) -> None:
    upright = coded_video.pictures(6, 96, 64)
    lying = np.rot90(upright, -degrees // 90, axes=(1, 2))
    plain = coded_video.write(tmp_path / "plain.mp4", lying, options=LOSSLESS)
    path = coded_video.change(plain, tmp_path / "clip.mp4", "-c", "copy", before=["-display_rotation", str(degrees)])
    assert np.array_equal(read(path), upright)
    assert (probe(path).width, probe(path).height) == (96, 64)


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv444p10le", "yuv422p", "yuvj420p"])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", None])
def test_colours_are_right_in_every_depth_and_matrix(pixels: str, matrix: str | None, tmp_path: Path) -> None:
    color = np.array([190, 60, 90], np.uint8)
    tags = f",setparams=colorspace={matrix}" if matrix else ""
    convert = f"scale=out_color_matrix={matrix or 'smpte170m'}:flags=accurate_rnd,format={pixels}{tags}"
    path = coded_video.write(
        tmp_path / "clip.mp4",
        np.broadcast_to(color, (3, 48, 64, 3)),
        options=["-vf", convert, "-crf", "4"],
    )
    assert np.abs(np.stack(read(path)).astype(int) - color).max() <= 3


def test_resizing_is_antialiased_and_of_the_size_asked(tmp_path: Path) -> None:
    stripes = np.zeros((2, 128, 192, 3), np.uint8)
    stripes[:, :, ::2] = 200  # one pixel wide: without antialiasing all or nothing of them is left
    path = coded_video.write(tmp_path / "clip.mp4", stripes, options=LOSSLESS)
    (frame, _) = read(path, size=32)
    assert frame.shape == (32, 32, 3)
    assert np.abs(frame[:, 2:-2].astype(int) - 100).max() <= 4
    assert np.array_equal(frame, np.asarray(Image.fromarray(stripes[0]).resize((32, 32), Image.Resampling.LANCZOS)))
    assert read(path, size=300)[0].shape == (300, 300, 3)


def test_facts_of_a_video(tmp_path: Path) -> None:
    facts = probe(coded_video.write(tmp_path / "clip.mp4", coded_video.pictures(50, 62, 48), 25))
    assert (facts.n_frames, facts.duration, facts.fps) == (50, 2.0, 25.0)
    assert (facts.width, facts.height, facts.has_sound) == (62, 48, False)


@pytest.fixture
def with_sound(tmp_path: Path) -> Path:
    """Two seconds at 25 fps, with a click in the left channel at 1.25 s."""
    clip = coded_video.write(tmp_path / "mute.mp4", coded_video.pictures(50), 25)
    click = np.zeros((88_200, 2))
    click[55_125:55_500, 0] = 0.8
    soundfile.write(tmp_path / "click.wav", click, 44_100)
    options = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"]
    return coded_video.change(tmp_path / "click.wav", tmp_path / "clip.mp4", *options, before=["-i", str(clip)])


@pytest.mark.parametrize("name", ["clip.mp4", "click.wav"])
def test_sound_is_mono_at_16_khz_and_on_time(name: str, with_sound: Path) -> None:
    sound = read_sound(with_sound.with_name(name))
    assert sound.shape == pytest.approx((32_000,), abs=700)  # AAC fills its last block
    assert sound.dtype == np.float32
    assert np.flatnonzero(np.abs(sound) > 0.2)[0] / 16_000 == pytest.approx(1.25, abs=0.002)
    assert np.median(sound[20_010:20_100]) == pytest.approx(0.4, abs=0.05)  # the mean of both channels


def test_what_has_no_sound_or_no_picture_says_so(with_sound: Path) -> None:
    with pytest.raises(InputError, match=r"mute\.mp4: has no sound"):
        read_sound(with_sound.with_name("mute.mp4"))
    for look in (read, probe):
        with pytest.raises(InputError, match=r"click\.wav: has no video"):
            look(with_sound.with_name("click.wav"))


def truncated(whole: Path, kept: float) -> Path:
    cut = whole.with_stem("cut")
    cut.write_bytes(whole.read_bytes()[: int(kept * whole.stat().st_size)])
    return cut


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "mov", "avi"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_one_clear_line(kept: float, suffix: str, with_sound: Path) -> None:
    index_first = ["-movflags", "+faststart"] if suffix in ("mp4", "mov") else []
    whole = coded_video.change(with_sound, with_sound.with_name(f"whole.{suffix}"), *index_first)
    assert indices(whole)[-1] == 49
    cut = truncated(whole, kept)
    for look in (read, probe, read_sound):
        with pytest.raises(InputError, match=rf"cut\.{suffix}: .*is it complete\?"):
            look(cut)


def test_a_file_that_ends_between_two_packets_is_told_by_its_declared_length(with_sound: Path) -> None:
    whole = coded_video.change(with_sound, with_sound.with_name("whole.flv"), "-ar", "44100")
    assert probe(whole).duration == pytest.approx(2.0, abs=0.05)
    data, end = whole.read_bytes(), 13
    while end < len(data) // 2:
        end += 15 + int.from_bytes(data[end + 1 : end + 4], "big")  # a tag's head, its content, and its size again
    with_sound.with_name("cut.flv").write_bytes(data[:end])
    with pytest.raises(InputError, match=r"cut\.flv: declares 2\.\d\d s but holds [01]\.\d\d s \(is it complete\?\)"):
        probe(with_sound.with_name("cut.flv"))


@pytest.mark.parametrize(
    "name", ["garbage.mp4", "empty.mp4", "text.mp4", "playlist.mp4", "playlist.m3u8", "playlist.ffconcat"]
)
def test_what_is_no_video_is_one_clear_line(name: str, tmp_path: Path) -> None:
    inner = coded_video.write(tmp_path / "inner.mp4", coded_video.pictures(3))
    content = {
        "garbage": np.random.default_rng(1).bytes(5000),
        "empty": b"",
        "text": b"no video\n" * 100,
        "playlist": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
    }[name.split(".")[0]]
    if name.endswith("ffconcat"):
        content = f"ffconcat version 1.0\nfile '{inner}'\n".encode()
    path = tmp_path / name
    path.write_bytes(content)
    for look in (read, probe, read_sound):
        with pytest.raises(InputError, match=rf"^{tmp_path}/{name}: ") as caught:
            look(path)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path) -> None:
    for look in (read, probe, read_sound):
        with pytest.raises(InputError, match="no such file"):
            look(tmp_path / "missing.mp4")
        with pytest.raises(InputError, match="is a folder"):
            look(tmp_path)


def test_a_video_without_frames(tmp_path: Path) -> None:
    clip = coded_video.write(tmp_path / "clip.mkv", coded_video.pictures(3))
    empty = coded_video.change(clip, tmp_path / "empty.mkv", "-frames:v", "0", "-c", "copy")
    for look in (read, probe):
        with pytest.raises(InputError, match=r"holds no frames|not a whole"):
            look(empty)


@pytest.mark.parametrize("name", ["take:1 %03d.mp4", "-y.mp4", "ünï'\"\\.mp4", "http:.mp4"])
def test_any_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coded_video.write(tmp_path / "clip.mp4", coded_video.pictures(3)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert indices(Path(name)) == [0, 1, 2]


def test_leaving_early_ends_ffmpeg(tmp_path: Path) -> None:
    path = coded_video.write(tmp_path / "clip.mp4", np.tile(coded_video.pictures(200, 256, 256), (3, 1, 1, 1)))
    with open_frames(path) as frames:
        assert coded_video.index(next(frames)) == 0
        ffmpeg = decoded.running_ffmpeg()
    assert not ffmpeg.is_running()


def test_a_killed_ffmpeg_is_not_the_end_of_the_video(tmp_path: Path) -> None:
    path = coded_video.write(tmp_path / "clip.mp4", np.tile(coded_video.pictures(200, 256, 256), (3, 1, 1, 1)))
    with pytest.raises(InputError, match="killed by SIGKILL"), open_frames(path) as frames:  # noqa: PT012
        next(frames)
        ffmpeg = decoded.running_ffmpeg()
        os.kill(ffmpeg.pid, signal.SIGKILL)
        list(frames)


@pytest.mark.parametrize("options", [{"size": 0}, {"every": 0}])
def test_impossible_options_are_refused(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 1"), open_frames(tmp_path / "clip.mp4", **options):
        pass


def test_damage_that_ffmpeg_conceals_is_an_error(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 64, 64, 3), dtype=np.uint8)
    path = coded_video.write(tmp_path / "clip.mp4", noise)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"clip\.mp4: not a whole, readable video"):
        read(path)
