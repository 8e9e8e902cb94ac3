"""Textured surfaces by the software rasterizer: the right texel, its size, seams, clipping, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from textured import ball, detailed

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.render.camera import Camera, fixed_camera
from singinghead.render.scene import AMBIENT, LIGHTS, MATERIALS, Light, Material, Part, Scene, head_scene, linear
from singinghead.render.software import SoftwareRasterizer
from singinghead.render.texture import GAMMA, Texture

CAMERA = Camera(np.array([0.0, 0.0, 1.0]))
BACKGROUND = np.array([10, 200, 30], np.uint8)
WHITE = Material(np.ones(3), 0.5, double_sided=True)
DARK = (Light(np.array([0.0, 0.0, 1.0]), np.zeros(3)),)
SQUARE = np.array([[0, 1, 2], [0, 2, 3]])
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def unlit(faces: np.ndarray, uvs: np.ndarray, texture: Texture, n_vertices: int) -> Scene:
    """Ambient light alone: the picture is the texture."""
    return Scene((Part("skin", faces, WHITE, texture, uvs),), np.ones((n_vertices, 3)), DARK, np.ones(3), BACKGROUND)


def facing(size: float) -> np.ndarray:
    """A square one metre from the camera that fills that share of the picture."""
    return np.column_stack([(CORNERS - 0.5) * size / CAMERA.focal_length, np.zeros(4)]).astype(np.float32)


def draw(scene: Scene, vertices: np.ndarray, size: int) -> np.ndarray:
    return SoftwareRasterizer(scene, CAMERA, size).draw(vertices.astype(np.float32))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return FlameModel.load().with_shape()


@pytest.fixture(scope="module")
def posed(subject: Subject) -> np.ndarray:
    """(3, V, 3): neutral; mouth open; turned and mouth open."""
    params = FlameParams.zeros(3)
    params.jaw[1:, 0] = 0.25
    params.global_pose[2] = [0.1, 0.4, 0.05]
    return subject.vertices(params)


@pytest.mark.parametrize("times", [1, 2])
def test_texel_for_pixel_the_picture_is_the_texture_upright_and_repeated(times: int) -> None:
    texture = detailed(32, 32)
    drawn = draw(unlit(SQUARE, times * CORNERS[SQUARE], texture, 4), facing(1), 32 * times)
    assert np.abs(drawn - np.tile(texture.image.astype(int), (times, times, 1))).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (64, 3), (1, 7), (200, 100)])
def test_odd_sizes_are_drawn_by_opengl_s_rules(height: int, width: int) -> None:
    """Against four texels mixed by hand, where one texel covers more than a pixel."""
    texture, size = detailed(height, width), 256
    drawn = draw(unlit(SQUARE, CORNERS[SQUARE], texture, 4), facing(1), size)
    texels = (texture.image / 255) ** GAMMA
    middle = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(middle * width - 0.5, middle * height - 0.5)
    left, above = np.floor(x).astype(int), np.floor(y).astype(int)
    across, down = (x - left)[..., None], (y - above)[..., None]
    upper, lower = (
        (1 - across) * texels[row % height, left % width] + across * texels[row % height, (left + 1) % width]
        for row in (above, above + 1)
    )
    assert drawn == pytest.approx(255 * ((1 - down) * upper + down * lower) ** (1 / GAMMA), abs=1)


def test_a_constant_texture_is_the_colour(subject: Subject, posed: np.ndarray) -> None:
    color = (193, 90, 17)
    textured = head_scene(subject, Texture(np.full((9, 4, 3), color, np.uint8)))
    skin = replace(MATERIALS["skin"], color=linear(*color))
    plain = tuple(replace(part, material=skin, texture=None) if part.texture else part for part in textured.parts)
    one, other = (
        SoftwareRasterizer(scene, fixed_camera(subject), 256).draw(posed[1]).astype(int)
        for scene in (textured, replace(textured, parts=plain))
    )
    assert np.abs(one - other).max() <= 1


def test_only_the_skin_takes_the_texture(subject: Subject, posed: np.ndarray) -> None:
    scene = head_scene(subject, detailed())
    fixed = fixed_camera(subject)
    near = replace(fixed, position=fixed.position + np.array([0, 0, -0.45]))
    textured, plain = (SoftwareRasterizer(each, near, 512).layers(posed[1]) for each in (scene, head_scene(subject)))
    assert np.array_equal(textured.part, plain.part)
    changed = (textured.color != plain.color).any(axis=-1)
    names = [part.name for part in scene.parts]
    seen = {name: binary_erosion(textured.part == names.index(name)) for name in names}  # and no pixel of several parts
    assert changed[seen["skin"]].mean() > 0.98
    for name in ("eyes", "mouth", "tongue"):
        assert seen[name].sum() > 10, name
        assert not changed[seen[name]].any(), name


def test_from_far_away_it_is_not_aliased() -> None:
    """2048 x 2048 texels on about 48 x 48 pixels, tilted: the mean of what a pixel covers, and no less smooth."""
    texture = detailed(2048, 2048)
    square = facing(0.75)
    square[:, 2] = [0.1, 0.1, -0.1, -0.1]
    scene = unlit(SQUARE, CORNERS[SQUARE], texture, 4)
    drawn = draw(scene, square, 64).astype(float)
    fine = draw(unlit(SQUARE, CORNERS[SQUARE], texture, 4), square, 2048).astype(float) / 255
    reference = 255 * (fine**GAMMA).reshape(64, 32, 64, 32, 3).mean(axis=(1, 3)) ** (1 / GAMMA)
    inside = slice(20, 44), slice(20, 44)
    error = np.sqrt(((drawn - reference)[inside] ** 2).mean())
    nearest = fine[16::32, 16::32] * 255
    aliased = np.sqrt(((nearest - reference)[inside] ** 2).mean())
    assert error < 6
    assert aliased > 4 * error


def test_a_seam_is_not_seen() -> None:
    """A ball from the side where its map's ends meet, against the same with the seam moved to its back."""
    vertices, faces, uvs, uv_faces = ball(49)
    x = np.arange(256) / 256
    waves = 128 + 100 * np.stack([np.sin(2 * np.pi * (k * x + x[:, None])) for k in (2, 4, 6)], axis=-1)
    texture = Texture(waves.astype(np.uint8))
    seamed = draw(unlit(faces, uvs[uv_faces], texture, len(vertices)), vertices, 192)
    whole = uvs[uv_faces]
    # Half of the map moved by its width: the same places of the texture, and no jump where it was.
    far_side = whole[..., 0].mean(axis=1) < 0.5
    whole = whole + np.where(far_side, 1.0, 0.0)[:, None, None] * [1, 0]
    smooth = draw(unlit(faces, whole, texture, len(vertices)), vertices, 192)
    assert len(np.unique(seamed[96])) > 40
    assert (np.abs(seamed.astype(int) - smooth).max(axis=-1) > 6).sum() == 0


def test_moving_the_mesh_or_the_camera_is_the_same(subject: Subject, posed: np.ndarray) -> None:
    scene, camera = head_scene(subject, detailed()), fixed_camera(subject)
    shift = np.array([0.031, -0.017, 0.044], np.float32)
    still = SoftwareRasterizer(scene, camera, 300).draw(posed[1])
    again = SoftwareRasterizer(scene, replace(camera, position=camera.position + shift), 300).draw(posed[1] + shift)
    assert (np.abs(still.astype(int) - again).max(axis=-1) <= 1).mean() > 0.999


def test_threads_and_order_change_no_bit(subject: Subject, posed: np.ndarray) -> None:
    rasterizer = SoftwareRasterizer(head_scene(subject, detailed()), fixed_camera(subject), 200)
    alone = [rasterizer.draw(vertices) for vertices in posed]
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(rasterizer.draw, [posed[index % 3] for index in range(40)]))
    assert all(np.array_equal(picture, alone[index % 3]) for index, picture in enumerate(together))


def test_a_textured_floor_under_the_camera_is_clipped_and_keeps_its_texture() -> None:
    floor = np.array([[-5, -0.1, 4], [5, -0.1, 4], [5, -0.1, -5], [-5, -0.1, -5]], np.float32)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[::-1, None], 4, axis=1)
    texture, size = Texture(np.repeat(ramp[..., None], 3, axis=2)), 100
    drawn = draw(unlit(SQUARE, CORNERS[SQUARE], texture, 4), floor, size)
    rows = np.arange(60, size)
    depth = 0.1 * CAMERA.focal_length / ((rows + 0.5) / size - 0.5)
    v = (3 + depth) / 9
    expected = 255 * v - 0.5
    assert drawn[rows][:, [3, 50, 96], 0] == pytest.approx(np.repeat(expected[:, None], 3, axis=1), abs=1.5)


@pytest.mark.parametrize(
    ("uvs", "words"),
    [
        (None, "no texture coordinates"),
        (np.zeros((1, 3, 2)), r"\(2, 3, 2\); got \(1, 3, 2\)"),
        (np.full((2, 3, 2), np.nan), "not within 100"),
        (np.full((2, 3, 2), 512.0), "whatever its pixels"),
    ],
)
def test_texture_coordinates_that_do_not_fit_are_refused(uvs: np.ndarray | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Part("skin", SQUARE, WHITE, detailed(4, 4), uvs)


def test_a_model_without_texture_coordinates_or_skin_is_refused(subject: Subject) -> None:
    without = replace(subject, arrays=replace(subject.arrays, uvs=None, uv_faces=None))
    with pytest.raises(InputError, match=r"has no texture coordinates.*FLAME_texture\.npz"):
        head_scene(without, detailed(4, 4))
    eyes = replace(subject, arrays=replace(subject.arrays, parts={"eyes": np.arange(len(subject.faces))}))
    with pytest.raises(InputError, match="no part 'skin'"):
        head_scene(eyes, detailed(4, 4))


def test_lights_and_materials_apply(subject: Subject, posed: np.ndarray) -> None:
    """A texture is a factor of the material's colour and of the vertices', and not of what is mirrored."""
    vertices, faces, uvs, uv_faces = ball(25)
    grey = Texture(np.full((2, 2, 3), 128, np.uint8))
    color, factor = linear(200, 150, 90), np.full((len(vertices), 3), 0.7)
    material = Material(color, 0.4)
    textured = Scene((Part("skin", faces, material, grey, uvs[uv_faces]),), factor, LIGHTS, AMBIENT, BACKGROUND)
    plain = replace(textured, parts=(Part("skin", faces, replace(material, color=color * linear(128, 128, 128))),))
    one, other = (draw(scene, vertices, 128) for scene in (textured, plain))
    difference = np.abs(one.astype(int) - other).max(axis=-1)
    assert (difference > 1).mean() < 0.002, "but along the seam, which is antialiased"
    assert difference.max() <= 8
