"""Teeth, mouth and irises for heads that have none: where they belong, moved by vertices alone, and known to lack."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bare_head import bare_arrays, write_bare_head
from commands import run
from decoded import facts
from likeness import psnr

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.rotations import matrix_from_axis_angle
from singinghead.render.anatomy import Anatomy, anatomy_of
from singinghead.render.anatomy.bones import Bone
from singinghead.render.anatomy.eyes import sphere_of
from singinghead.render.anatomy.piece import JAW, LEFT_EYE, SKULL
from singinghead.render.camera import Camera, fixed_camera
from singinghead.render.rasterizer import open_rasterizer, probe_gl
from singinghead.render.scene import head_scene
from singinghead.render.software import SoftwareRasterizer
from singinghead.render.styles import STYLES

SIZE = 256
DRAW = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
import test_anatomy
test_anatomy.save(*sys.argv[1:])
"""


@pytest.fixture(scope="module")
def subject() -> Subject:
    return FlameModel(bare_arrays()).with_shape()


@pytest.fixture(scope="module")
def anatomy(subject: Subject) -> Anatomy:
    found, note = anatomy_of(subject)
    assert found is not None
    assert note == ""
    return found


def posed(subject: Subject, jaw: float = 0.0, turn: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    params = FlameParams.zeros(1)
    params.jaw[0, 0], params.global_pose[0] = jaw, turn
    return subject.vertices(params)[0]


def near(subject: Subject) -> Camera:
    fixed = fixed_camera(subject)
    return replace(fixed, position=fixed.position + np.array([0, 0, -0.6]))


def on(anatomy: Anatomy, bone: int) -> np.ndarray:
    return anatomy.whole.weights[:, bone] == 1


def test_at_rest_it_is_where_it_was_made(subject: Subject, anatomy: Anatomy) -> None:
    np.testing.assert_allclose(anatomy.placed(posed(subject)), anatomy.whole.rest, atol=2e-5)


def test_the_lower_teeth_turn_with_the_jaw_and_the_upper_stay(subject: Subject, anatomy: Anatomy) -> None:
    opened = anatomy.placed(posed(subject, jaw=0.3))
    joint = subject.neutral_joints[2]
    turn = matrix_from_axis_angle(np.array([0.3, 0.0, 0.0]))
    lower = on(anatomy, JAW)
    expected = (anatomy.whole.rest[lower] - joint) @ turn.T + joint
    assert np.linalg.norm(opened[lower] - expected, axis=1).max() < 0.002
    assert np.linalg.norm(opened[lower] - anatomy.whole.rest[lower], axis=1).min() > 0.01
    assert np.linalg.norm(opened - anatomy.whole.rest, axis=1)[on(anatomy, SKULL)].max() < 0.0005


def test_all_of_it_turns_with_the_head(subject: Subject, anatomy: Anatomy) -> None:
    vertices = posed(subject, jaw=0.2)
    turn, shift = matrix_from_axis_angle(np.array([0.3, -0.8, 0.2])), np.array([0.1, -0.2, 0.3])
    moved = anatomy.placed((vertices @ turn.T + shift).astype(np.float32))
    np.testing.assert_allclose(moved, anatomy.placed(vertices) @ turn.T + shift, atol=2e-5)


def test_expressions_do_not_shake_the_upper_teeth(subject: Subject, anatomy: Anatomy) -> None:
    params = FlameParams.zeros(8)
    params.expression[:] = np.random.default_rng(0).normal(0, 1, params.expression.shape)
    for vertices in subject.vertices(params):
        moved = np.linalg.norm(anatomy.placed(vertices) - anatomy.whole.rest, axis=1)
        assert moved[on(anatomy, SKULL)].max() < 0.002


def test_the_mouth_s_wall_begins_at_the_lips(subject: Subject, anatomy: Anatomy) -> None:
    vertices = posed(subject, jaw=0.25)
    rim = anatomy.whole.share == 1
    assert rim.sum() > 10
    np.testing.assert_allclose(anatomy.placed(vertices)[rim], vertices[anatomy.whole.follows[rim]], atol=1e-6)


def test_irises_lie_on_the_eyeballs_and_turn_with_them(subject: Subject, anatomy: Anatomy) -> None:
    ball = subject.arrays.regions["left_eyeball"]
    centre, radius = sphere_of(subject.template[ball])
    cap = anatomy.whole.rest[on(anatomy, LEFT_EYE)]
    assert (np.abs(np.linalg.norm(cap - centre, axis=1) - radius) < 0.002).all()
    vertices = posed(subject)
    turn = matrix_from_axis_angle(np.array([0.1, 0.3, 0.0]))
    vertices[ball] = (vertices[ball] - centre) @ turn.T + centre
    np.testing.assert_allclose(anatomy.placed(vertices)[on(anatomy, LEFT_EYE)], (cap - centre) @ turn.T + centre, atol=1e-4)


@pytest.mark.parametrize("yaw", [-0.6, 0.0, 0.6])
def test_a_shut_mouth_hides_it_and_an_open_one_does_not(subject: Subject, yaw: float) -> None:
    scene = head_scene(subject)
    names = np.array([part.name for part in scene.parts] + [""])
    rasterizer = SoftwareRasterizer(scene, near(subject), SIZE)
    seen = [names[rasterizer.layers(posed(subject, jaw, (0, yaw, 0))).part] for jaw in (0.0, 0.25)]
    inside = [np.isin(each, ("teeth", "tongue", "mouth")).sum() for each in seen]
    assert inside[0] <= 3
    assert inside[1] > 100
    if yaw == 0:
        assert {"skin", "eyes", "teeth", "tongue", "mouth"} <= set(np.unique(seen[1]))


def test_an_open_mouth_is_no_hole(subject: Subject) -> None:
    rasterizer = SoftwareRasterizer(head_scene(subject), near(subject), SIZE)
    for jaw in (0.1, 0.3):
        alpha = rasterizer.layers(posed(subject, jaw)).alpha
        middle = alpha[:, SIZE // 2 - 20 : SIZE // 2 + 20]
        assert middle.min() == 1


def test_the_bare_mesh_is_the_model_s_alone(subject: Subject) -> None:
    bare = head_scene(subject, anatomy=False)
    assert [part.name for part in bare.parts] == ["skin", "eyes"]
    assert len(bare.model_faces) == len(subject.faces) == sum(len(part.faces) for part in bare.parts)
    assert len(bare.vertex_colors) == bare.n_vertices == len(subject.template)
    assert bare.anatomy is None
    vertices = posed(subject)
    assert bare.completed(vertices)[0] is vertices


def test_colours_that_mean_something_are_not_mixed_with_ours(subject: Subject) -> None:
    scene = head_scene(subject)
    assert scene.anatomy is not None
    colors = np.tile(np.array([[0.9, 0.1, 0.2]], np.float32), (scene.n_vertices, 1))
    _, completed = scene.completed(posed(subject), colors)
    assert completed is not None
    assert np.array_equal(completed[: scene.n_vertices], colors)
    added, covers = completed[scene.n_vertices :], scene.anatomy.covered >= 0
    assert np.allclose(added[covers], colors[0]), "an iris has its eyeball's colour"
    assert np.allclose(np.ptp(added[~covers], axis=1), 0), "the rest is grey"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"landmarks": {}}, "no landmarks"),
        ({"regions": {}}, "no region left_eyeball"),
        ({"closed": True}, "no opening between the lips"),
        ({"rigid": True}, "too few vertices on the jaw"),
    ],
    ids=["landmarks", "regions", "opening", "jaw"],
)
def test_what_cannot_be_made_is_said(changed: dict[str, object], words: str) -> None:
    arrays = bare_arrays()
    if "closed" in changed:
        arrays = replace(arrays, faces=np.concatenate([arrays.faces, arrays.faces[:, ::-1]]))
    elif "rigid" in changed:
        skinning = arrays.skinning.copy()
        skinning[:, 2] = 0
        skinning[np.argsort(-arrays.skinning[:, 2])[:5], 2] = 1
        arrays = replace(arrays, skinning=skinning / skinning.sum(axis=1, keepdims=True))
    else:
        arrays = replace(arrays, **changed)  # type: ignore[arg-type]
    scene = head_scene(FlameModel(arrays).with_shape())
    assert words in scene.note


def test_a_model_with_parts_of_its_own_gets_nothing() -> None:
    assert anatomy_of(FlameModel.load().with_shape()) == (None, "")


def test_what_cannot_be_drawn_is_still_refused_by_name(subject: Subject) -> None:
    rasterizer = SoftwareRasterizer(head_scene(subject), fixed_camera(subject), 32)
    vertices = posed(subject)
    with pytest.raises(InputError, match=r"vertices .*\(6\d+, 3\)|vertices"):
        rasterizer.draw(vertices[:-1])
    vertices[7] = np.nan
    with pytest.raises(InputError, match="NaN"):
        rasterizer.draw(vertices)
    with pytest.raises(InputError, match="colours"):
        rasterizer.draw(posed(subject), np.ones((3, 3), np.float32))


def test_it_costs_little(subject: Subject, anatomy: Anatomy) -> None:
    vertices, times = posed(subject, 0.1), []
    for _ in range(60):
        begun = time.perf_counter()
        anatomy.placed(vertices)
        times.append(time.perf_counter() - begun)
    assert np.min(times) < 0.002


def test_a_bone_is_never_a_mirror_image() -> None:
    rest = np.random.default_rng(0).normal(size=(20, 3)) * [1, 1, 1e-9]
    rotation = Bone(np.arange(20), rest).motion((rest * [1, 1, -1]).astype(np.float32)).rotation
    assert np.linalg.det(rotation) == pytest.approx(1)


def drawn(backend: str) -> np.ndarray:
    subject = FlameModel(bare_arrays()).with_shape()
    scene = head_scene(subject, style=STYLES["studio"])
    vertices = posed(subject, 0.25, (0, 0.3, 0))
    with open_rasterizer(backend, scene, near(subject), SIZE) as drawer:
        layers = drawer.layers(vertices)
        return np.stack([layers.color, drawer.draw(vertices, (0.5 + 0.5 * np.sin(200 * vertices)).astype(np.float32))])


def save(platform: str, out: str) -> None:
    from singinghead.render import rasterizer

    rasterizer.GL_PLATFORMS = (platform,)
    np.save(out, drawn("pyrender"))


@pytest.mark.parametrize("platform", ["egl", pytest.param("osmesa", marks=pytest.mark.slow)])
def test_both_backends_draw_it_alike(platform: str, tmp_path: Path) -> None:
    probe = probe_gl(platform)
    if not probe.works:
        pytest.skip(f"no {platform} here: {probe.detail}")
    out = tmp_path / "pictures.npy"
    subprocess.run([sys.executable, "-c", DRAW, platform, str(out)], check=True)
    for ours, theirs in zip(drawn("software"), np.load(out), strict=True):
        assert psnr(ours, theirs, np.ones(ours.shape[:2], bool)) >= 38


def test_a_user_sees_it_and_can_do_without(tmp_path: Path) -> None:
    head = tmp_path / "head"
    head.mkdir()
    write_bare_head(head)
    np.save(tmp_path / "clip.npy", np.zeros((2, 59), np.float32))
    common = ("clip.npy", "--flame", "head", "--no-audio", "--size", 64, "--backend", "software")
    for options in ((), ("--no-anatomy",), ("--wireframe", "--regions", "--layer", "color,part")):
        done = run("tools/render_seq.py", *common, *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "anatomy:" not in done.stdout
    (head / "landmark_embedding.npy").unlink()
    done = run("tools/render_seq.py", *common, cwd=tmp_path)
    assert "anatomy: no teeth and mouth (no landmarks)" in done.stdout
    assert "anatomy: no teeth and mouth (no landmarks)" in facts(tmp_path / "clip.mp4")
