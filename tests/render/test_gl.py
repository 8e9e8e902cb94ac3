"""What is pyrender's alone: one platform a process, geometry uploaded in place, contexts given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from singinghead.render.rasterizer import GL_PLATFORMS, probe_gl

HEAD = """
import sys
import numpy as np
from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.render.camera import Camera
from singinghead.render.gl import PyrenderRasterizer, use_platform
from singinghead.render.scene import AMBIENT, LIGHTS, MATERIALS, Part, Scene

use_platform(sys.argv[1])
faces = np.array([[0, 1, 2]])
scene = Scene((Part("skin", faces, MATERIALS["skin"]),), np.ones((3, 3)), LIGHTS, AMBIENT, np.array([9, 99, 199], np.uint8))
camera = Camera(np.array([0.0, 0.0, 1.0]))
triangle = np.array([[-0.1, -0.1, 0], [0.12, -0.08, 0], [0.01, 0.13, 0]], np.float32)
"""

UPLOAD = """
drawer = PyrenderRasterizer(scene, camera, 64)
first, moved, again = (drawer.draw(vertices) for vertices in (triangle, triangle + np.float32(0.05), triangle))
assert np.array_equal(first, again)
assert not np.array_equal(first, moved)
assert tuple(first[0, 0]) == (9, 99, 199), first[0, 0]
assert np.abs(first[32, 32].astype(int) - first[0, 0]).max() > 50
first[:] = 0
assert drawer.draw(triangle).any(), "each picture is a new array"
"""

TWICE = """
pictures = []
for size in (64, 64, 32):
    drawer = PyrenderRasterizer(scene, camera, size)
    pictures.append(drawer.draw(triangle))
    drawer.close()
assert np.array_equal(pictures[0], pictures[1])
assert pictures[2].shape == (32, 32, 3)
one, two = (PyrenderRasterizer(scene, camera, 64) for _ in range(2))
assert np.array_equal(one.draw(triangle), two.draw(triangle))
assert not np.array_equal(one.draw(triangle), two.draw(triangle + np.float32(0.05)))
assert np.array_equal(one.draw(triangle), pictures[0])
"""

REFUSED = """
drawer = PyrenderRasterizer(scene, camera, 64)
for vertices, words in ((np.full((3, 3), np.nan, np.float32), "NaN"), (np.zeros((4, 3), np.float32), "(3, 3); got (4, 3)")):
    try:
        drawer.draw(vertices)
    except InputError as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
try:
    use_platform("osmesa" if sys.argv[1] == "egl" else "egl")
except UnavailableError as error:
    assert f"already uses GL by {sys.argv[1]}" in str(error)
else:
    raise AssertionError("two platforms in one process")
"""

BEHIND = """
drawer = PyrenderRasterizer(scene, camera, 64)
empty = drawer.draw(triangle + np.array([0, 0, 2], np.float32))
assert (empty == [9, 99, 199]).all(), "behind the camera"
away = Scene((Part("skin", faces[:, ::-1], MATERIALS["skin"]),), *[getattr(scene, name) for name in
    ("vertex_colors", "lights", "ambient", "background")])
assert (PyrenderRasterizer(away, camera, 64).draw(triangle) == [9, 99, 199]).all(), "seen from behind"
"""


TEXTURED = """
from dataclasses import replace
from singinghead.render.texture import Texture
left_to_right = np.array([[[250, 10, 10], [10, 10, 250]]], np.uint8)
uvs = np.array([[[0.25, 0], [0.75, 0], [0.5, 1]]])
dressed = replace(scene, parts=(replace(scene.parts[0], texture=Texture(left_to_right), uvs=uvs),))
one, two = (PyrenderRasterizer(dressed, camera, 64) for _ in range(2))
first = one.draw(triangle)
layers = one.layers(triangle)
assert np.array_equal(layers.color, first)
assert np.array_equal(one.draw(triangle), first), "layers leave nothing behind"
assert np.array_equal(two.draw(triangle), first)
assert layers.normal[32, 32, 2] > 0.99, "a texture is no part of normals"
seen = np.flatnonzero(layers.alpha[40] == 1)
red, blue = first[40, seen[0]].astype(int), first[40, seen[-1]].astype(int)
assert red[0] > red[2] + 40 and blue[2] > blue[0] + 40, (red, blue)
"""


@pytest.mark.parametrize("platform", GL_PLATFORMS)
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(UPLOAD, id="in-place upload"),
        pytest.param(TWICE, id="used twice"),
        pytest.param(REFUSED, id="refusals"),
        pytest.param(BEHIND, id="culling"),
        pytest.param(TEXTURED, id="texture"),
    ],
)
def test_on_each_platform(platform: str, script: str) -> None:
    probe = probe_gl(platform)
    if not probe.works:
        pytest.skip(f"no {platform} here: {probe.detail}")
    done = subprocess.run([sys.executable, "-c", HEAD + script, platform], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
