"""The writer: right colours and tags, and an error with ffmpeg's words whenever ffmpeg fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import decoded
import numpy as np
import pytest

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.render.video import VideoWriter
from singinghead.render.yuv import to_yuv420p

SIZE = 64
GREY = np.full((SIZE, SIZE, 3), 128, np.uint8)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (224, 183, 160), (205, 211, 218), (0, 0, 0)])
def test_colours_come_back_as_they_were(color: tuple[int, int, int], tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", SIZE, 30, crf=10) as video:
        for _ in range(3):
            video.write(np.full((SIZE, SIZE, 3), color, np.uint8))
    assert np.abs(decoded.frames(tmp_path / "clip.mp4", SIZE).astype(int) - color).max() <= 3


def test_the_file_is_what_the_contract_says(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    with VideoWriter(out, SIZE, 30, metadata={"title": "id0", "comment": "model: stand-in"}) as video:
        for _ in range(30):
            video.write(GREY)
    facts, data = decoded.facts(out), out.read_bytes()
    assert "h264" in facts
    assert "yuv420p(tv, bt709" in facts
    assert "unknown" not in facts
    assert "model: stand-in" in facts
    assert data.index(b"moov") < data.index(b"mdat")  # faststart
    assert decoded.duration(out) == 1.0


def test_frames_of_either_kind_make_the_same_video(tmp_path: Path) -> None:
    pictures = (
        np.random.default_rng(0).integers(0, 256, (4, SIZE // 8, SIZE // 8, 3), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    )
    for name in ("rgb", "mixed"):
        with VideoWriter(tmp_path / f"{name}.mp4", SIZE, 30) as video:
            for index, picture in enumerate(pictures):
                video.write(to_yuv420p(picture) if name == "mixed" and index % 2 else picture)
    rgb, mixed = (decoded.frames(tmp_path / f"{name}.mp4", SIZE) for name in ("rgb", "mixed"))
    assert np.array_equal(rgb, mixed)


def test_a_video_may_be_wider_than_high(tmp_path: Path) -> None:
    picture = np.zeros((SIZE, 3 * SIZE, 3), np.uint8)
    picture[:, SIZE:] = 255
    with VideoWriter(tmp_path / "clip.mp4", (3 * SIZE, SIZE), 30) as video:
        video.write(picture)
        video.write(to_yuv420p(picture))
        with pytest.raises(InputError, match="frame must"):
            video.write(GREY)
    decode = decoded.decode(tmp_path / "clip.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24")
    pictures = np.frombuffer(decode, np.uint8).reshape(2, SIZE, 3 * SIZE, 3).astype(int)
    assert np.abs(pictures - picture).mean() < 3
    assert "192x64" in decoded.facts(tmp_path / "clip.mp4")


@pytest.mark.parametrize("fps", [25, 29.97, 30, 60])
def test_the_rate_is_kept(fps: float, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", SIZE, fps) as video:
        for _ in range(5):
            video.write(GREY)
    assert f"{fps:g} fps" in decoded.facts(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("clip.mp4", {"size": 63}, "even"),
        ("clip.mp4", {"size": (64, 63)}, "even"),
        ("clip.mp4", {"preset": "warp"}, "ultrafast"),
        ("clip.mp4", {"crf": 60}, "0..51"),
        ("clip.mp4", {"fps": 0}, "frames a second"),
        ("clip.avi", {}, "named .mp4"),
        ("missing/clip.mp4", {}, "mkdir"),
        (".", {}, "folder"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(
    name: str, options: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        VideoWriter(tmp_path / name, **{"size": SIZE, "fps": 30, **options})
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("frame", [GREY[:-1], GREY[..., :1], GREY.astype(np.float32), GREY[..., 0]])
def test_a_frame_of_another_kind_is_refused(frame: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="frame must"), VideoWriter(tmp_path / "clip.mp4", SIZE, 30) as video:
        video.write(frame)
    assert left_in(tmp_path) == []


def test_no_frames_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frames"), VideoWriter(tmp_path / "clip.mp4", SIZE, 30):
        pass
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_ends_the_block_early_leaves_the_older_file(error: type[BaseException], tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    out.write_bytes(b"older")

    def write() -> None:
        with VideoWriter(out, SIZE, 30) as video:
            video.write(GREY)
            raise error

    with pytest.raises(error):
        write()
    assert left_in(tmp_path) == ["clip.mp4"]
    assert out.read_bytes() == b"older"


def test_ffmpeg_killed_is_an_error_that_says_so(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    out.write_bytes(b"older")

    def write() -> None:
        with VideoWriter(out, SIZE, 30) as video:
            for index in range(10_000):
                if index == 5:
                    os.kill(decoded.running_ffmpeg().pid, signal.SIGKILL)
                video.write(GREY)

    with pytest.raises(EncodingError, match="killed by SIGKILL"):
        write()
    assert left_in(tmp_path) == ["clip.mp4"]
    assert out.read_bytes() == b"older"


def test_ffmpeg_killed_after_the_last_frame_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="killed by SIGKILL after 30 frames"):  # noqa: PT012, SIM117
        with VideoWriter(tmp_path / "clip.mp4", SIZE, 30, preset="ultrafast") as video:
            for _ in range(30):
                video.write(GREY)
            os.kill(decoded.running_ffmpeg().pid, signal.SIGKILL)
    assert left_in(tmp_path) == []


def test_sound_that_ffmpeg_cannot_read_is_an_error_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_bytes(b"no sound")

    def write() -> None:
        with VideoWriter(tmp_path / "clip.mp4", SIZE, 30, tmp_path / "sound.wav") as video:
            for _ in range(1000):
                video.write(GREY)

    with pytest.raises(EncodingError, match=r"ffmpeg exited with .*Invalid data"):
        write()
    assert left_in(tmp_path) == ["sound.wav"]


FULL_DISK = """
import numpy as np, sys
from singinghead.flame_model.errors import EncodingError
from singinghead.render.video import VideoWriter
from singinghead.render.yuv import to_yuv420p
noise = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1] + "/clip.mp4", 256, 30, crf=0, preset="ultrafast") as video:
        for _ in range(100):
            video.write(noise.integers(0, 256, (256, 256, 3), dtype=np.uint8))
except EncodingError as error:
    print(error)
"""


def test_a_full_disk_is_an_error_with_ffmpegs_words(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=1m tmpfs "$1" && "$2" -c "$3" "$1" && ls -A "$1"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FULL_DISK]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"may not mount a small disk here: {done.stderr.strip()}")
    assert "No space left on device" in done.stdout
    assert "clip.mp4: ffmpeg exited with" in done.stdout
    assert len(done.stdout.splitlines()) == 1, "something was left on the full disk"


@pytest.mark.parametrize("name", ["take:1 %d.mp4", "-y.mp4", "ünï'\"\\.mp4", "n" * 190 + ".mp4"])
def test_any_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with VideoWriter(name, SIZE, 30) as video:
        video.write(GREY)
    assert left_in(tmp_path) == [name]


def test_a_name_too_long_for_the_unfinished_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="200 bytes"):
        VideoWriter(tmp_path / f"{'n' * 240}.mp4", SIZE, 30)
