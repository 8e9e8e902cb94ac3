"""The software rasterizer against a slow, plain reference of its own definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel
from singinghead.render.camera import Camera, fixed_camera
from singinghead.render.heat import ColorScale, heat_scene
from singinghead.render.scene import AMBIENT, LIGHTS, Light, Material, Part, Scene, head_scene
from singinghead.render.software import SoftwareRasterizer
from singinghead.render.texture import Texture
from singinghead.render.views import axis_of

SIZE = 32
CAMERA = Camera(np.array([0.0, 0.0, 1.0]))
BACKGROUND = np.array([10, 200, 30], np.uint8)
RED, BLUE = np.array([0.8, 0.0, 0.0]), np.array([0.0, 0.0, 0.8])
TRIANGLE = np.array([[-0.1, -0.1, 0], [0.12, -0.08, 0], [0.01, 0.13, 0]], np.float32)


def flat_scene(*parts: tuple[np.ndarray, np.ndarray], n_vertices: int, double_sided: bool = False) -> Scene:
    """Parts of faces and colours that ambient light alone shows: the picture is the colour, whatever the normal."""
    drawn = tuple(Part("skin", faces, Material(color, 0.5, double_sided)) for faces, color in parts)
    dark = (Light(np.array([0.0, 0.0, 1.0]), np.zeros(3)),)
    return Scene(drawn, np.ones((n_vertices, 3)), dark, np.ones(3), BACKGROUND)


def draw(scene: Scene, vertices: np.ndarray) -> np.ndarray:
    return SoftwareRasterizer(scene, CAMERA, SIZE).draw(vertices.astype(np.float32))


def encoded(color: np.ndarray) -> np.ndarray:
    return np.round(255 * color ** (1 / 2.2))


def inside(corners: np.ndarray, point: np.ndarray) -> bool:
    sides, to_point = np.roll(corners, -1, axis=0) - corners, point - corners
    turns = sides[:, 0] * to_point[:, 1] - sides[:, 1] * to_point[:, 0]
    return all(turn <= 0 for turn in turns) or all(turn >= 0 for turn in turns)


def test_coverage_is_that_of_four_samples_a_pixel() -> None:
    picture = draw(flat_scene((np.array([[0, 1, 2]]), RED), n_vertices=3), TRIANGLE)
    corners = CAMERA.project(TRIANGLE, SIZE)[:, :2]
    samples = [(0.375, 0.875), (0.875, 0.625), (0.125, 0.375), (0.625, 0.125)]
    for row in range(SIZE):
        for column in range(SIZE):
            covered = np.mean([inside(corners, np.array([column + x, row + y])) for x, y in samples])
            expected = covered * encoded(RED) + (1 - covered) * BACKGROUND
            assert np.abs(picture[row, column] - expected).max() <= 1
    assert len(np.unique(picture[..., 0])) > 3, "edges are antialiased"


def test_the_nearer_face_is_seen_whichever_comes_first() -> None:
    near, far = TRIANGLE + np.array([0, 0, 0.1]), TRIANGLE - np.array([0, 0, 0.1])
    for vertices, order in ((np.concatenate([near, far]), (RED, BLUE)), (np.concatenate([far, near]), (BLUE, RED))):
        faces = [np.array([[0, 1, 2]]), np.array([[3, 4, 5]])]
        picture = draw(flat_scene(*zip(faces, order, strict=True), n_vertices=6), vertices)
        assert np.abs(picture[SIZE // 2, SIZE // 2] - encoded(RED)).max() <= 1


def test_back_faces_are_culled_unless_the_material_has_two_sides() -> None:
    away = np.array([[0, 2, 1]])
    assert np.all(draw(flat_scene((away, RED), n_vertices=3), TRIANGLE) == BACKGROUND)
    both = draw(flat_scene((away, RED), n_vertices=3, double_sided=True), TRIANGLE)
    assert np.abs(both[SIZE // 2, SIZE // 2] - encoded(RED)).max() <= 1


def test_no_crack_along_shared_edges() -> None:
    """A fan of faces over the whole picture leaves no pixel of the background."""
    angles = np.linspace(0, 2 * np.pi, 38)[:-1]
    rim = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    vertices = np.concatenate([[[0.0031, -0.0017, 0]], rim])
    faces = np.array([[0, 1 + i, 1 + (i + 1) % 37] for i in range(37)])
    picture = draw(flat_scene((faces, RED), n_vertices=38), vertices)
    assert np.abs(picture - encoded(RED)).max() <= 1


def test_colours_are_interpolated_in_perspective() -> None:
    """A floor that runs into the distance: the middle of its picture is not the middle of the floor."""
    floor = np.array([[-0.3, -0.1, 0.5], [0.3, -0.1, 0.5], [0.3, -0.1, -2], [-0.3, -0.1, -2]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    scene = flat_scene((faces, np.ones(3)), n_vertices=4)
    depth_colors = np.repeat([[1.0], [1.0], [0.0], [0.0]], 3, axis=1)
    scene = Scene(scene.parts, depth_colors, scene.lights, scene.ambient, scene.background)
    picture = draw(scene, floor)
    column = SIZE // 2
    for row in range(SIZE // 2 + 4, SIZE - 1):
        distance = 0.1 * CAMERA.focal_length * SIZE / (row + 0.5 - SIZE / 2)
        if 0.6 < distance < 2.9:
            expected = 255 * ((3 - distance) / 2.5) ** (1 / 2.2)
            assert picture[row, column, 0] == pytest.approx(expected, abs=2)


def test_light_from_the_front_is_brightest_and_colours_never_wrap() -> None:
    faces = np.array([[0, 1, 2]])
    bright = Light(np.array([0.0, 0.0, 1.0]), np.full(3, 50.0))
    lit = Scene((Part("skin", faces, Material(RED, 0.5)),), np.ones((3, 3)), (bright,), AMBIENT, BACKGROUND)
    grazing = Scene(lit.parts, lit.vertex_colors, (Light(np.array([1.0, 0, 0.1]), np.ones(3)),), AMBIENT, BACKGROUND)
    middle = SIZE // 2
    assert draw(lit, TRIANGLE)[middle, middle, 0] == 255
    assert draw(grazing, TRIANGLE)[middle, middle, 0] < 200


def test_what_is_behind_the_camera_is_not_drawn() -> None:
    assert np.all(draw(flat_scene((np.array([[0, 1, 2]]), RED), n_vertices=3), TRIANGLE + np.array([0, 0, 2])) == BACKGROUND)


def test_a_frame_depends_on_its_vertices_alone() -> None:
    faces = np.array([[0, 1, 2]])
    rasterizer = SoftwareRasterizer(
        Scene((Part("skin", faces, Material(RED, 0.5)),), np.ones((3, 3)), LIGHTS, AMBIENT, BACKGROUND), CAMERA, SIZE
    )
    first = rasterizer.draw(TRIANGLE)
    other = rasterizer.draw(TRIANGLE + np.float32(0.02))
    assert not np.array_equal(first, other)
    assert np.array_equal(rasterizer.draw(TRIANGLE), first)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_frame_that_cannot_be_drawn_is_an_error_and_not_black(value: float) -> None:
    broken = TRIANGLE.copy()
    broken[1, 2] = value
    with pytest.raises(InputError, match="NaN"):
        draw(flat_scene((np.array([[0, 1, 2]]), RED), n_vertices=3), broken)


def test_vertices_of_another_mesh_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(3, 3\); got \(4, 3\)"):
        draw(flat_scene((np.array([[0, 1, 2]]), RED), n_vertices=3), np.zeros((4, 3)))


def test_colours_of_a_frame_take_the_place_of_the_scenes() -> None:
    """Of the vertices', the material's and the texture's: the picture is the colour; and the next frame is as before."""
    faces = np.array([[0, 1, 2]])
    asked = np.array([0.1, 0.5, 0.9])
    scene = replace(flat_scene((faces, RED), n_vertices=3), vertex_colors=np.full((3, 3), 0.3))
    texture = Texture(np.full((2, 2, 3), 90, np.uint8))
    textured = replace(scene, parts=(replace(scene.parts[0], texture=texture, uvs=np.zeros((1, 3, 2))),))
    for one in (scene, textured):
        drawer = SoftwareRasterizer(one, CAMERA, SIZE)
        before = drawer.draw(TRIANGLE)
        drawn = drawer.draw(TRIANGLE, np.tile(asked, (3, 1)))
        assert np.abs(drawn[SIZE // 2, SIZE // 2] - encoded(asked)).max() <= 1
        assert np.array_equal(drawer.layers(TRIANGLE, np.tile(asked, (3, 1))).color, drawn)
        assert np.array_equal(drawer.draw(TRIANGLE), before)


@pytest.mark.parametrize(("colors", "words"), [(np.full((3, 3), 1.1), "within 0 to 1"), (np.ones((2, 3)), r"\(3, 3\)")])
def test_colours_that_are_none_are_refused(colors: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        SoftwareRasterizer(flat_scene((np.array([[0, 1, 2]]), RED), n_vertices=3), CAMERA, SIZE).draw(TRIANGLE, colors)


@pytest.mark.parametrize("yaw", [0.0, 0.6])
def test_two_lights_at_once_are_each_alone(yaw: float) -> None:
    """What is seen is found once; the pictures are the same to the last bit, also of a head turned, or cut."""
    subject = FlameModel.load().with_shape()
    scene = head_scene(subject)
    camera = fixed_camera(subject).turned(yaw, axis_of(subject))
    house, heat = SoftwareRasterizer(scene, camera, 192), SoftwareRasterizer(heat_scene(scene), camera, 192)
    vertices = subject.template.astype(np.float32)
    colors = ColorScale(0.1, "m").colors(np.abs(vertices[:, 0]))
    near = replace(camera, position=camera.position * [1, 1, 0.12])
    for place in (camera, near):
        first, second = house.draw_yuv_twice(vertices, heat, colors, place)
        assert np.array_equal(first, house.draw_yuv(vertices, None, place))
        assert np.array_equal(second, heat.draw_yuv(vertices, colors, place))
    with pytest.raises(InputError, match="within 0 to 1"):
        house.draw_yuv_twice(vertices, heat, colors * np.nan, camera)
