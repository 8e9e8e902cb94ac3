"""The software rasterizer on whole heads and in awkward corners: edges, holes, clipping, sizes, threads, layers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import multisampled
import numpy as np
import pytest
from likeness import band, psnr, ssim
from scipy.ndimage import binary_fill_holes
from scipy.spatial import ConvexHull, Delaunay

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.render.camera import Camera, fixed_camera
from singinghead.render.scene import Light, Material, Part, Scene, head_scene
from singinghead.render.software import SoftwareRasterizer

CAMERA = Camera(np.array([0.0, 0.0, 1.0]))
BACKGROUND = np.array([10, 200, 30], np.uint8)
WHITE = Material(np.ones(3), 0.5, double_sided=True)
DARK = (Light(np.array([0.0, 0.0, 1.0]), np.zeros(3)),)


def unlit(n_vertices: int, *parts: np.ndarray, material: Material = WHITE) -> Scene:
    """Ambient light alone: the picture is the colour, whatever the normal."""
    drawn = tuple(Part("skin", faces, material) for faces in parts)
    return Scene(drawn, np.ones((n_vertices, 3)), DARK, np.ones(3), BACKGROUND)


def sphere(n: int = 400, radius: float = 0.12) -> tuple[np.ndarray, np.ndarray]:
    """A closed mesh, seen from outside counter-clockwise."""
    points = np.random.default_rng(0).standard_normal((n, 3))
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices
    a, b, c = points[faces].swapaxes(0, 1)
    inward = np.einsum("na,na->n", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points.astype(np.float32), faces


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


@pytest.mark.parametrize("pose", [1, 2])
def test_antialiasing_at_edges_alone_is_as_good_as_everywhere(subject: Subject, posed: np.ndarray, pose: int) -> None:
    scene, camera = head_scene(subject), fixed_camera(subject)
    layers = SoftwareRasterizer(scene, camera, 256).layers(posed[pose])
    expected = multisampled.picture(scene, camera, 256, posed[pose])
    covered = layers.alpha > 0
    assert psnr(layers.color, expected, covered) > 48
    assert psnr(layers.color, expected, band(covered)) > 40
    assert ssim(layers.color, expected) > 0.999
    assert (np.abs(layers.color - expected).max(axis=-1) > 8).mean() < 5e-4


def test_where_surfaces_cut_each_other_there_are_edges_too() -> None:
    cross = np.array([[-0.1, -0.1, 0.05], [0.1, -0.09, -0.06], [0.01, 0.1, 0], [0.1, -0.1, 0.05], [-0.1, -0.09, -0.06]])
    vertices = np.concatenate([cross, cross[2:3]]).astype(np.float32)
    faces = np.array([[0, 1, 2]]), np.array([[3, 5, 4]])
    black = replace(WHITE, color=np.zeros(3))
    scene = unlit(6, *faces)
    scene = replace(scene, parts=(scene.parts[0], replace(scene.parts[1], material=black)))
    drawn = SoftwareRasterizer(scene, CAMERA, 64).draw(vertices)
    expected = multisampled.picture(scene, CAMERA, 64, vertices)
    assert (np.abs(drawn - expected).max(axis=-1) > 2).mean() < 0.003
    assert len(np.unique(drawn)) > 8


def test_a_needle_between_the_pixels_middles_is_seen() -> None:
    needle = np.array([[-0.1, 0.0001, 0], [0.1, 0.0001, 0], [0.1, 0.0021, 0]], np.float32)
    scene = unlit(3, np.array([[0, 1, 2]]))
    drawn = SoftwareRasterizer(scene, CAMERA, 64).draw(needle)
    expected = multisampled.picture(scene, CAMERA, 64, needle)
    assert (expected != BACKGROUND).any(axis=-1).sum() > 10
    assert np.abs(drawn - expected).max() <= 1


def test_moving_the_mesh_or_the_camera_is_the_same(subject: Subject, posed: np.ndarray) -> None:
    scene, camera = head_scene(subject), fixed_camera(subject)
    shift = np.array([0.031, -0.017, 0.044], np.float32)
    still = SoftwareRasterizer(scene, camera, 300).draw(posed[1])
    moved = replace(camera, position=camera.position + shift)
    again = SoftwareRasterizer(scene, moved, 300).draw(posed[1] + shift)
    assert (np.abs(still.astype(int) - again).max(axis=-1) <= 1).mean() > 0.999


@pytest.mark.parametrize("size", [33, 200, 1024])
def test_a_closed_mesh_has_no_holes(size: int) -> None:
    vertices, faces = sphere()
    layers = SoftwareRasterizer(
        unlit(len(vertices), faces, material=replace(WHITE, double_sided=False)), CAMERA, size
    ).layers(vertices)
    assert np.array_equal(binary_fill_holes(layers.alpha == 1), layers.alpha == 1)
    assert (layers.alpha == 1).mean() == pytest.approx(np.pi * (0.12 * CAMERA.focal_length) ** 2, rel=0.12)


def test_shared_sides_belong_to_one_triangle() -> None:
    """Corners in the very middles of pixels and samples: each triangle alone, together they cover everything once."""
    size = 32
    random = np.random.default_rng(1)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size], *random.integers(0, 2 * size, (60, 2)) / 2])
    corners = np.concatenate([corners, random.integers(0, 8 * size, (60, 2)) / 8])
    faces = Delaunay(np.unique(corners, axis=0)).simplices
    points = np.unique(corners, axis=0) / size - 0.5
    vertices = np.column_stack([points[:, 0], -points[:, 1], np.zeros(len(points))]) / CAMERA.focal_length
    covered, middles = np.zeros((size, size)), np.zeros((size, size), int)
    for face in faces:
        layers = SoftwareRasterizer(unlit(len(vertices), face[None]), CAMERA, size).layers(vertices.astype(np.float32))
        covered += layers.alpha
        middles += layers.part >= 0
    assert (covered == 1).all()
    assert (middles == 1).all()


def test_degenerate_and_outlying_triangles_change_nothing() -> None:
    vertices, faces = sphere(60)
    plain = SoftwareRasterizer(unlit(len(vertices), faces), CAMERA, 64).draw(vertices)
    strange = np.array([[9, 9, -9], [9, 9.5, -9], [9.5, 9, -9], [0, 0, 3], [0.1, 0, 3], [0, 0.1, 3]], np.float32)
    n = len(vertices)
    more = np.concatenate([faces, [[0, 0, 1], [2, 2, 2], [n, n + 1, n + 2], [n + 3, n + 4, n + 5]]])
    scene = unlit(n + 6, more)
    assert np.array_equal(SoftwareRasterizer(scene, CAMERA, 64).draw(np.concatenate([vertices, strange])), plain)
    nothing = SoftwareRasterizer(unlit(6, np.array([[0, 1, 2], [3, 4, 5]])), CAMERA, 64).layers(strange)
    assert np.all(nothing.color == BACKGROUND)
    assert not nothing.alpha.any()
    assert np.all(nothing.part == -1)


def test_a_floor_under_the_camera_is_clipped_before_it() -> None:
    floor = np.array([[-5, -0.1, 4], [5, -0.1, 4], [5, -0.1, -5], [-5, -0.1, -5]], np.float32)
    size = 100
    layers = SoftwareRasterizer(unlit(4, np.array([[0, 1, 2], [0, 2, 3]])), CAMERA, size).layers(floor)
    below = (np.arange(size) + 0.5) / size - 0.5
    depth = 0.1 * CAMERA.focal_length / np.maximum(below, 1e-9)
    seen = depth < 6
    assert (layers.part[seen] == 0).all()
    assert (layers.part[~seen] == -1).all()
    assert layers.depth[seen] == pytest.approx(np.repeat(depth[seen][:, None], size, axis=1), rel=1e-3)
    assert layers.normal[seen] == pytest.approx(np.broadcast_to([0, 1, 0], (seen.sum(), size, 3)), abs=1e-5)
    assert np.isinf(layers.depth[~seen]).all()


@pytest.mark.parametrize("size", [1, 2, 3, 97, 2160])
def test_any_size_is_drawn(size: int) -> None:
    vertices, faces = sphere(100)
    layers = SoftwareRasterizer(unlit(len(vertices), faces), CAMERA, size).layers(vertices)
    assert layers.color.shape == (size, size, 3)
    assert layers.alpha[size // 2, size // 2] > 0
    assert layers.alpha.mean() == pytest.approx(np.pi * (0.12 * CAMERA.focal_length) ** 2, rel=0.2 if size > 3 else 2)


def test_threads_and_order_change_no_bit(subject: Subject, posed: np.ndarray) -> None:
    rasterizer = SoftwareRasterizer(head_scene(subject), fixed_camera(subject), 256)
    alone = [rasterizer.draw(vertices) for vertices in posed]
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(rasterizer.draw, [posed[index % 3] for index in range(60)]))
    assert all(np.array_equal(picture, alone[index % 3]) for index, picture in enumerate(together))


def test_layers_tell_what_the_picture_shows(subject: Subject, posed: np.ndarray) -> None:
    scene, camera = head_scene(subject), fixed_camera(subject)
    rasterizer = SoftwareRasterizer(scene, camera, 256)
    layers = rasterizer.layers(posed[1])
    assert np.array_equal(layers.color, rasterizer.draw(posed[1]))
    assert set(np.unique(layers.alpha)) == {0, 0.25, 0.5, 0.75, 1}
    assert np.all((layers.part < 0) == np.isinf(layers.depth))
    assert np.all(layers.color[layers.alpha == 0] == scene.background)
    assert set(np.unique(layers.part)) == {-1, *range(len(scene.parts))}
    assert np.linalg.norm(layers.normal, axis=-1)[layers.part >= 0] == pytest.approx(1, abs=1e-4)
    nose = camera.project(posed[1][np.argmax(posed[1][:, 2])], 256)
    assert layers.depth[int(nose[1]), int(nose[0])] == pytest.approx(nose[2], abs=2e-3)
    assert layers.normal[int(nose[1]), int(nose[0]), 2] > 0.7


def test_more_edges_than_there_was_room_for() -> None:
    """A cloud of specks, each smaller than a pixel or two."""
    random = np.random.default_rng(2)
    centres = random.uniform(-0.16, 0.16, (20_000, 1, 3)) * [1, 1, 0.1]
    vertices = (centres + random.normal(0, 0.002, (20_000, 3, 3))).reshape(-1, 3).astype(np.float32)
    scene = unlit(len(vertices), np.arange(len(vertices)).reshape(-1, 3))
    drawn = SoftwareRasterizer(scene, CAMERA, 128).draw(vertices)
    expected = multisampled.picture(scene, CAMERA, 128, vertices)
    assert (np.abs(drawn - expected).max(axis=-1) > 2).mean() < 0.02
