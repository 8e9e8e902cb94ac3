"""Comparisons as a user makes them, and each of his mistakes."""

from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path
from typing import Any

import decoded
import numpy as np
import pytest
import splits
from commands import Done, assert_one_line, run
from PIL import Image

from singinghead.flame_model.model import FlameModel
from singinghead.metrics.clips import Method
from singinghead.metrics.vertex_errors import lip_error_curve
from singinghead.render.camera import fixed_camera
from singinghead.render.clip import Look as ClipLook
from singinghead.render.clip import Sound
from singinghead.render.compare.compose import Composer, Moment, Panel
from singinghead.render.compare.figure import write_figure
from singinghead.render.compare.film import Film, write_film
from singinghead.render.compare.layout import Grid
from singinghead.render.heat import ColorScale
from singinghead.render.normals import vertex_normals
from singinghead.tools.compared_clip import ComparedClip, load_compared
from singinghead.tools.compared_video import Comparison

SCRIPT = "tools/compare.py"
ID = "id0_1_0_0"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clip of 30 frames; a still method of it, one of 20 frames at 25 a second, one of vertices and one of samples."""
    root = tmp_path_factory.mktemp("compare") / "SingingHead"
    splits.write_clip(root, ID)
    vectors = truth_vectors(root)
    for name in ("still", "slow", "moved", "samples", "empty", "far"):
        (root / name).mkdir()
    np.save(root / "still" / f"{ID}.npy", np.repeat(vectors[:1], 30, axis=0))
    np.save(root / "slow" / f"{ID}.npy", vectors[:20])
    np.save(root / "far" / f"{ID}.npy", np.full((30, len(FlameModel.load().arrays.template), 3), 240, np.float32))
    np.save(root / "samples" / f"{ID}.npy", np.stack([vectors[:1].repeat(30, axis=0), vectors]))
    return root


def truth_vectors(root: Path) -> np.ndarray:
    content = pickle.loads((root / "flame_seqs" / f"{ID}.pkl").read_bytes())
    return np.concatenate([content["expcodes"], content["posecodes"]], axis=1)


def load(root: Path, *methods: tuple[str, float], **options: Any) -> ComparedClip:
    chosen = [Method(name, root / name, fps) for name, fps in methods]
    return load_compared(ID, root / "flame_seqs", chosen, FlameModel.load(), 30.0, **options)


def compare(root: Path, *arguments: object) -> Done:
    return run(SCRIPT, ID, "--data-root", root, "--height", 360, *arguments, cwd=root.parent)


def test_curves_are_the_metrics_own_and_heads_keep_their_pose(root: Path) -> None:
    clip = load(root, ("still", 30))
    truth, still = (motion.params for motion in clip.motions)
    subject = clip.subject
    straight = [subject.vertices(params.with_head_pose(None)) for params in (truth, still)]
    expected = lip_error_curve(straight[1], straight[0], subject.region("lips"))
    measured = clip.measures()
    assert np.allclose(measured[1].lips_mm, expected, atol=1e-4)
    assert measured[0].lips_mm.max() == 0
    frames = [frame for chunk in clip.chunks() for frame in chunk]
    errors = np.stack([of_all[1] for _heads, of_all in frames])
    assert np.allclose(errors[:, subject.region("lips")].max(axis=1), expected, atol=1e-4)
    assert np.allclose(np.stack([heads[0].vertices for heads, _ in frames]), subject.vertices(truth), atol=1e-6)


def test_lengths_are_cut_to_the_shortest_or_held_and_it_is_said(root: Path) -> None:
    cut, held = load(root, ("slow", 25), ("still", 30)), load(root, ("slow", 25), ("still", 30), pad=True)
    assert (len(cut), len(held)) == (24, 30)
    assert "slow 0.80 s" in cut.notes[0]
    assert "cut to 0.80 s" in cut.notes[0]
    assert "held to 1.00 s" in held.notes[0]
    last = held.motions[1].params.to_vectors()[23:]
    assert (last == last[0]).all()


def test_a_sample_is_chosen_and_the_ground_truths_pose_given(root: Path) -> None:
    assert load(root, ("samples", 30), sample=1).measures()[1].lips_mm.max() < 1e-3
    given = load(root, ("still", 30), pose="gt")
    assert (given.drawn[1].params.global_pose == given.motions[0].params.global_pose).all()
    assert load(root, ("still", 30), pose="zero").drawn[0].params.global_pose.max() == 0


def test_vertices_are_compared_as_they_are(root: Path) -> None:
    clip = load(root, ("still", 30))
    vertices = clip.subject.vertices(clip.motions[0].params.with_head_pose(None))
    np.save(root / "moved" / f"{ID}.npy", vertices + np.float32([0.002, 0, 0]))
    moved = load(root, ("moved", 30))
    assert "zero head pose" in moved.notes[0]
    assert np.allclose(moved.measures()[1].lips_mm, 2.0, atol=0.01)


def test_colours_in_the_encoded_video_are_the_metrics_millimetres(root: Path, tmp_path: Path) -> None:
    """Errors are read off the decoded video where vertices of the face lie that look at the camera."""
    clip, scale = load(root, ("still", 30)).at([12]), ColorScale(6.0, "mm")
    camera, grid = fixed_camera(clip.subject), Grid.of(2, 1440, strip=False)
    comparison = Comparison(ClipLook(), 1440, scale)
    look = comparison.drawn_as(comparison.stage(clip, grid.picture_size))
    composer = Composer(grid, (Panel("a"), Panel("b")), look)
    (heads, errors), *_ = next(clip.chunks())
    write_film(Film(tmp_path / "a.mp4", 30, 1, Sound(), "a", crf=1), composer, [[Moment(0.0, heads, errors)]])
    pixels = np.frombuffer(decoded.decode(tmp_path / "a.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8)
    below = grid.cells[1].below
    picture = pixels.reshape(grid.height, grid.width, 3)[below.y : below.bottom, below.x : below.right]
    face = np.setdiff1d(clip.subject.region("face"), clip.subject.region("lips"))
    facing = vertex_normals(heads[1].vertices, clip.subject.faces)[face, 2] > 0.6
    columns, rows, _ = camera.project(heads[1].vertices[face[facing]], grid.picture_size).T.astype(int)
    measured = np.minimum(errors[1][face[facing]], 6.0)
    difference = np.abs(scale.values(picture[rows, columns]) - measured)
    assert len(measured) > 200
    assert np.ptp(measured) > 1
    assert np.median(difference) < 0.15
    assert np.quantile(difference, 0.9) < 0.5


def test_a_video_of_all_with_sound_and_a_sheet(root: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "x.mp4", tmp_path / "x.png"
    methods = ("--pred", f"still={root / 'still'}", "--pred", f"Größe={root / 'slow'}@25")
    done = compare(root, *methods, "--out", out, "--sheet", sheet, "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert (record["frames"], record["size"], record["methods"]) == (24, [640, 360], ["still", "Größe"])
    assert "cut to 0.80 s" in done.stdout
    assert record["lve_l2_mm"]["still"] > 0.1
    facts = decoded.facts(out)
    assert "640x360" in facts
    assert "methods: still, Größe" in facts
    assert len(decoded.sound(out)) == 0.8 * 48_000
    assert Image.open(sheet).size == (4 * 640, 3 * 360)


def test_a_figure(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "figure.png"
    done = compare(root, "--pred", f"still={root / 'still'}", "--still", "0.2s,0.5", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert "2 times, 2 columns | model: stand-in" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["times"] == [0.2, 0.5]
    figure = Image.open(out)
    assert "model: stand-in" in figure.text["Description"]
    assert round(figure.info["dpi"][0]) == 300
    assert figure.size[0] == 2100
    assert figure.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_letters_of_a_figure_in_pdf_stay_letters(root: Path, tmp_path: Path) -> None:
    clip = load(root, ("still", 30)).at([3])
    comparison = Comparison(ClipLook(), 360, ColorScale(10.0, "mm"))
    look = comparison.drawn_as(comparison.stage(clip, 64))
    (moment, *_) = next(clip.chunks())
    write_figure(tmp_path / "a.pdf", ("truth", "Größe"), [Moment(0.1, *moment)], look)
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/FontFile2" in content  # TrueType: what conferences ask for
    assert b"/Type3" not in content
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]


def test_blind_pairs_show_what_their_key_says(root: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    done = compare(root, "--pred", f"still={root / 'still'}", "--blind", study, "--no-audio")
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader((study / f"{ID}_key.csv").open())
    assert sorted(path.name for path in study.iterdir()) == sorted([row["video"], f"{ID}_key.csv"])
    assert "still" not in decoded.facts(study / row["video"])
    pixels = np.frombuffer(decoded.decode(study / row["video"], "-f", "rawvideo", "-pix_fmt", "gray"), np.uint8)
    halves = pixels.reshape(-1, 360, 2, 320).astype(int)
    left, right = np.abs(np.diff(halves, axis=0)).mean(axis=(0, 1, 3))
    stale = study / f"{ID}_02.mp4"
    stale.write_text("of an older study")
    (study / f"{ID}x_02.mp4").write_text("another clip's")
    again = compare(root, "--pred", f"still={root / 'still'}", "--blind", study, "--no-audio", "--json")
    assert again.returncode == 0, again.stderr
    assert not stale.exists()
    assert (study / f"{ID}x_02.mp4").exists()
    assert (left < right / 4) if row["left"] == "still" else (right < left / 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pred", "still=nowhere"], ["nowhere", "no such folder"]),
        (["--pred", "still"], ["'still' names no method", "NAME=DIR"]),
        (["--pred", "a={root}/still", "--pred", "a={root}/slow"], ["'a' is named 2 times"]),
        (["--pred", "ground truth={root}/still"], ["cannot be named"]),
        (["--pred", "a={root}/empty"], ["a:", "empty", f"no {ID}.pkl"]),
        (["--pred", "a={root}/still", "--height", "1081"], ["height of 1081"]),
        (["--pred", "a={root}/still", "--still", "soon"], ["--still 'soon'", "3.2s,4.0s"]),
        (["--pred", "a={root}/still", "--still", "5s", "--out", "f.png"], ["5s is not within", "1.00 s"]),
        (["--pred", "a={root}/still", "--still", "0s", "--out", "f.gif"], ["f.gif", ".png or .pdf"]),
        (["--pred", "a={root}/still", "--still", "0s", "--blind", "d"], ["exclude each other"]),
        (["--pred", "a={root}/still", "--out", "x.avi"], ["x.avi", ".mp4"]),
        (["--pred", "a={root}/still", "--vocals", "no.wav"], ["no.wav", "no such file"]),
        (["--pred", "a={root}/still", "--scale-mm", "0"], ["scale to 0 mm"]),
        (["--pred", "a={root}/still", "--shard", "0/2"], ["--shard is for a list of clips"]),
        (["--pred", "a={root}/still", "--merge"], ["--merge is for a list of clips"]),
        (["--pred", "a={root}/far"], ["far/id0_1_0_0.npy", "m from the origin", "metres"]),
        ([], ["--pred"]),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], words: list[str], root: Path, tmp_path: Path) -> None:
    given = [argument.format(root=root) for argument in arguments]
    done = run(SCRIPT, ID, "--data-root", root, *given, cwd=tmp_path)
    assert_one_line(done, *words)
    assert not list(tmp_path.iterdir())


def test_nothing_says_where_the_ground_truth_is(root: Path, tmp_path: Path) -> None:
    assert_one_line(run(SCRIPT, ID, "--pred", f"a={root / 'still'}", cwd=tmp_path), "give --gt or --data-root")
    done = run(SCRIPT, "id9_9_9_9", "--gt", root / "flame_seqs", "--pred", f"a={root / 'still'}", cwd=tmp_path)
    assert done.returncode == 2
    assert "no id9_9_9_9.pkl" in done.stderr.splitlines()[-1]


def test_views_overlays_and_colours_are_drawn_in_every_cell(root: Path, tmp_path: Path) -> None:
    """Two views make pictures twice as wide; the overlays leave the errors' colours alone."""
    method = ("--pred", f"still={root / 'still'}", "--no-audio")
    plain, shown = tmp_path / "plain.png", tmp_path / "shown.png"
    for out, options in ((plain, ()), (shown, ("--wireframe", "--landmarks", "full", "--regions"))):
        done = compare(root, *method, "--view", "front,left", "--still", "0.4", *options, "--out", out)
        assert done.returncode == 0, done.stderr
    before, after = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (plain, shown))
    assert before.shape == after.shape
    changed = np.abs(before - after).max(axis=-1) > 20
    middle = len(changed) // 2 + 40
    assert changed[:middle].mean() > 0.02
    assert not changed[middle:].any()


def test_a_turntable_goes_around_every_head(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.mp4"
    done = compare(root, "--pred", f"still={root / 'still'}", "--turntable", "--background", "#203040", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "turntable: 1 s a turn" in decoded.facts(out)
    pixels = np.frombuffer(decoded.decode(out, "-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8).reshape(30, 360, 640, 3)
    box = Grid.of(2, 360).cells[1].picture
    still = pixels[:, box.y : box.bottom, box.x : box.right].astype(int)
    assert np.abs(still[0] - still[15]).mean() > 10, "the back of a head that does not move"
    assert np.abs(still[0, 4, 4] - (0x20, 0x30, 0x40)).max() < 8


def test_errors_are_below_and_not_on_the_heads(root: Path, tmp_path: Path) -> None:
    done = compare(root, "--pred", f"still={root / 'still'}", "--colour-by", "error", "--out", tmp_path / "x.mp4")
    assert_one_line(done, "--colour-by error", "below each method")
