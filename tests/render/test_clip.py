"""One clip, whole: identity, pose, rates and what is refused before work is done."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import decoded
import numpy as np
import pytest
import soundfile

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence, VertexSequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render import rasterizer
from singinghead.render.camera import fixed_camera
from singinghead.render.clip import Look, Rendered, Sound, render_clip
from singinghead.render.rasterizer import Probe
from singinghead.render.scene import head_scene

LOOK = Look(size=32, backend="software", preset="ultrafast")
SHAPE = np.random.default_rng(0).standard_normal(100).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> FlameModel:
    return FlameModel.load()


def moving(n_frames: int = 4, shape: np.ndarray | None = None, turn: float = 0.5) -> ParamSequence:
    params = FlameParams.zeros(n_frames)
    params.global_pose[:, 1] = np.linspace(0, turn, n_frames)
    params.jaw[:, 0] = 0.2
    return ParamSequence("clip", StoredFile(Path("clip.npy")), params, shape)


def frames(rendered: Rendered) -> np.ndarray:
    return decoded.frames(rendered.out, LOOK.size).astype(int)


def test_the_shape_is_the_files_own_else_the_truths_else_the_mean(model: FlameModel, tmp_path: Path) -> None:
    pictures = {}
    for name, own, truth in (
        ("own", SHAPE, moving(shape=-SHAPE)),
        ("truth", None, moving(shape=SHAPE)),
        ("mean", None, None),
    ):
        rendered = render_clip(model, moving(shape=own), tmp_path / f"{name}.mp4", LOOK, Sound(), truth)
        assert name in rendered.identity
        pictures[name] = frames(rendered)
    assert np.array_equal(pictures["own"], pictures["truth"])
    assert np.abs(pictures["own"] - pictures["mean"]).mean() > 1


def test_each_frame_is_the_picture_of_its_vertices(model: FlameModel, tmp_path: Path) -> None:
    subject, sequence = model.with_shape(), moving()
    rendered = render_clip(model, sequence, tmp_path / "a.mp4", replace(LOOK, crf=0), Sound())
    with rasterizer.open_rasterizer("software", head_scene(subject), fixed_camera(subject), 32) as drawer:
        expected = np.stack([drawer.draw(vertices) for vertices in subject.vertices(sequence.params)]).astype(int)
    errors = np.abs(frames(rendered) - expected)
    assert errors.mean() < 2, "yuv420p halves the resolution of colours"
    assert np.abs(expected[0] - expected[-1]).mean() > 5


def test_a_chunks_border_is_seamless(model: FlameModel, tmp_path: Path) -> None:
    rendered = render_clip(model, moving(125, turn=0.0), tmp_path / "a.mp4", replace(LOOK, crf=0), Sound())
    pictures = frames(rendered)
    assert rendered.frames == len(pictures) == 125
    assert np.ptp(pictures, axis=0).max() == 0


@pytest.mark.parametrize(("fps", "out_fps", "n_frames"), [(30, 60, 8), (30, 25, 3), (25, None, 4), (30, 30, 4)])
def test_rates_keep_the_duration(
    fps: float, out_fps: float | None, n_frames: int, model: FlameModel, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "v.wav", np.full(48_000, 0.1), 48_000)
    look = replace(LOOK, fps=fps, out_fps=out_fps)
    rendered = render_clip(model, moving(), tmp_path / "a.mp4", look, Sound(tmp_path / "v.wav"))
    assert (rendered.frames, rendered.fps) == (n_frames, out_fps or fps)
    assert rendered.duration == pytest.approx(n_frames / (out_fps or fps))
    assert len(decoded.sound(rendered.out)) == pytest.approx(rendered.duration * 48_000, abs=1024)


def test_the_truths_pose_takes_the_place_of_ones_own(model: FlameModel, tmp_path: Path) -> None:
    other = moving(turn=-0.5)
    took = render_clip(model, moving(), tmp_path / "a.mp4", replace(LOOK, pose="gt"), Sound(), other)
    same = render_clip(model, other, tmp_path / "b.mp4", LOOK, Sound())
    assert np.array_equal(frames(took), frames(same))


def test_a_truth_a_little_longer_cuts_and_one_much_longer_is_refused(
    model: FlameModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    look = replace(LOOK, pose="gt")
    with caplog.at_level(logging.WARNING):
        assert render_clip(model, moving(6), tmp_path / "a.mp4", look, Sound(), moving(4)).frames == 4
    assert "cut by 2 frames" in caplog.text
    with pytest.raises(InputError, match=r"clip\.npy: has 40 frames and its ground truth 4"):
        render_clip(model, moving(40), tmp_path / "a.mp4", look, Sound(), moving(4))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"size": 33}, "even"),
        ({"size": 100_000}, "8192"),
        ({"fps": 0.0}, "0 frames a second"),
        ({"fps": 0.0, "out_fps": 30.0}, "0 frames a second"),
        ({"fps": 1e-9, "out_fps": 30.0}, "1e-09 frames a second"),
        ({"out_fps": 0.0}, "0 frames a second"),
        ({"out_fps": float("nan")}, "nan frames a second"),
        ({"out_fps": float("inf")}, "inf frames a second"),
        ({"pose": "gt"}, "--data-root"),
        ({"preset": "warp"}, "ultrafast"),
        ({"backend": "vulkan"}, "software"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    changed: dict[str, object], words: str, model: FlameModel, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        render_clip(model, moving(), tmp_path / "a.mp4", replace(LOOK, **changed), Sound())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_is_not_here_leaves_the_older_file(
    model: FlameModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasterizer, "probe_gl", lambda _platform: Probe(False, "no such library"))
    (tmp_path / "a.mp4").write_bytes(b"older")
    with pytest.raises(UnavailableError, match="egl"):
        render_clip(model, moving(), tmp_path / "a.mp4", replace(LOOK, backend="pyrender"), Sound())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]


def test_nan_vertices_are_an_error_that_names_file_and_frame(model: FlameModel, tmp_path: Path) -> None:
    stored = np.repeat(model.arrays.template[None].astype(np.float32), 70, axis=0)
    stored[65, 100, 1] = np.nan
    sequence = VertexSequence("clip", StoredFile(Path("clip.npy")), stored, np.arange(70.0))
    with pytest.raises(InputError, match=r"clip\.npy: vertices holds? NaN"):
        render_clip(model, sequence, tmp_path / "a.mp4", LOOK, Sound())
    assert list(tmp_path.iterdir()) == []


def test_vertices_of_another_mesh_are_refused_by_name(model: FlameModel, tmp_path: Path) -> None:
    sequence = VertexSequence("clip", StoredFile(Path("clip.npy")), np.zeros((3, 17, 3), np.float32), np.arange(3.0))
    with pytest.raises(InputError, match=r"vertices of clip\.npy for stand-in .* got \(3, 17, 3\)"):
        render_clip(model, sequence, tmp_path / "a.mp4", LOOK, Sound())


def test_frames_pass_the_counter(model: FlameModel, tmp_path: Path) -> None:
    seen: list[int] = []

    def counted(pictures: object, total: int) -> object:
        for picture in pictures:  # type: ignore[attr-defined]
            seen.append(total)
            yield picture

    render_clip(model, moving(), tmp_path / "a.mp4", LOOK, Sound(), counted=counted)  # type: ignore[arg-type]
    assert seen == [4] * 4
