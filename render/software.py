"""The software rasterizer: smooth shading and edges as of 4x multisampling, compiled by numba. Needs no GPU and no GL.

It draws what pyrender draws: the same camera, culling, samples, metallic-roughness reflectance (pyrender 0.1,
``shaders/mesh.frag``, without metal), lights and gamma. A frame takes four passes: which triangle does the middle of each
pixel see; which pixels lie on edges; which triangles do the four samples of those see; then, once a pixel and triangle,
what colour has it there. Multisampling shades once a pixel and triangle, too: away from edges there is nothing to gain.
Textures are a pass of their own before the last, and only in scenes that have one: the others run, and compile, as without.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import Frames
from singinghead.render import shading, texturing, visibility
from singinghead.render.camera import Camera
from singinghead.render.clipping import Mesh, clipped
from singinghead.render.normals import vertex_normals
from singinghead.render.rasterizer import Layers
from singinghead.render.scene import Scene
from singinghead.render.yuv import to_yuv420p

logger = logging.getLogger(__name__)

_MOST_THREADS = 8
"""Threads beyond which drawing is no longer what a video waits for."""


class SoftwareRasterizer:
    """Draws one scene from one camera, a frame at a time, or several in as many threads.

    A picture depends on nothing but its vertices: not on the thread, nor on what was drawn before.

    Args:
        scene: what to draw.
        camera: from where.
        size: of the square picture, pixels.

    Raises:
        InputError: more parts or triangles than a key has room for.
    """

    name = "software"

    def __init__(self, scene: Scene, camera: Camera, size: int) -> None:
        self.size = size
        self.threads = min(_MOST_THREADS, len(os.sched_getaffinity(0)))
        self._scene, self._camera = scene, camera
        faces = np.concatenate([part.faces for part in scene.parts])
        if len(scene.parts) > 127 or len(faces) > visibility.TRIANGLE_MASK:
            raise InputError(f"{len(scene.parts)} parts of {len(faces)} triangles are more than can be drawn")
        uvs = np.concatenate(
            [np.zeros((len(part.faces), 3, 2)) if part.texture is None else part.uvs for part in scene.parts]
        )
        part = np.repeat(np.arange(len(scene.parts)), [len(part.faces) for part in scene.parts])
        self._mesh = Mesh.of(faces, part, uvs)
        self._textures = texturing.Textures(scene.parts) if any(part.texture for part in scene.parts) else None
        self._colors = scene.vertex_colors.astype(np.float32)
        materials = [part.material for part in scene.parts]
        self._two_sided = np.array([material.double_sided for material in materials])
        towards = np.array([light.towards / np.linalg.norm(light.towards) for light in scene.lights])
        lights = np.concatenate([towards, [light.color for light in scene.lights]], axis=1)
        self._lights, self._ambient = lights.astype(np.float32), scene.ambient.astype(np.float32)
        self._materials = np.array([[*material.color, material.roughness] for material in materials], np.float32)
        self._white = np.array([[1, 1, 1, material.roughness] for material in materials], np.float32)
        self._spare: list[_Canvas] = []
        _announce_compilation(self._textures is not None)

    def draw(self, vertices: Frames, colors: Frames | None = None, camera: Camera | None = None) -> NDArray[np.uint8]:
        """Draw one frame.

        Args:
            vertices: (V, 3) float32 metres.
            colors: (V, 3) linear, in the place of the scene's; see :class:`~singinghead.render.rasterizer.Rasterizer`.
            camera: from where, if not from the rasterizer's own.

        Returns:
            (size, size, 3) uint8 sRGB picture, a new array.

        Raises:
            InputError: what was given has another shape, or NaN in it.
        """
        with self._drawn(vertices, colors, camera or self._camera) as canvas:
            return canvas.picture()

    def draw_yuv(self, vertices: Frames, colors: Frames | None = None, camera: Camera | None = None) -> NDArray[np.uint8]:
        """Draw one frame as video stores it; see :func:`~singinghead.render.yuv.to_yuv420p`.

        Args:
            vertices: (V, 3) float32 metres.
            colors: (V, 3) linear, in the place of the scene's; see :class:`~singinghead.render.rasterizer.Rasterizer`.
            camera: from where, if not from the rasterizer's own.

        Returns:
            (size * 3 / 2, size) uint8: planes of yuv420p, a new array.

        Raises:
            InputError: what was given has another shape, or NaN in it; or the size is odd.
        """
        with self._drawn(vertices, colors, camera or self._camera) as canvas:
            return to_yuv420p(np.moveaxis(canvas.planes, 0, -1))

    def draw_yuv_twice(
        self, vertices: Frames, other: SoftwareRasterizer, colors: Frames, camera: Camera | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Draw one frame in two lights, as video stores it; what is seen is found once, and that is half of the work.

        Args:
            vertices: (V, 3) float32 metres.
            other: of the same faces, in the same order, and of the same size; its lights and materials are the second's.
            colors: (V, 3) linear, of the second.
            camera: from where, if not from the rasterizer's own.

        Returns:
            What :meth:`draw_yuv` of this one returns, and what that of the other does with those colours.

        Raises:
            InputError: what was given has another shape, or NaN in it; or the size is odd.
        """
        other._scene.check(vertices, colors)
        with self._drawn(vertices, None, camera or self._camera) as canvas:
            first = to_yuv420p(np.moveaxis(canvas.planes, 0, -1))
            if canvas.mesh is not self._mesh:  # cut by the near plane: its vertices are not those of the colours
                return first, other.draw_yuv(vertices, colors, camera)
            given = np.ascontiguousarray(other._scene.completed_colors(colors), np.float32)
            canvas.attributes[:, 3:6] = given * canvas.attributes[:, 6:7]
            other._shade(canvas, other._white, camera or self._camera, textured=False)
            return first, to_yuv420p(np.moveaxis(canvas.planes, 0, -1))

    def layers(self, vertices: Frames, colors: Frames | None = None, camera: Camera | None = None) -> Layers:
        """Draw one frame and what lies behind its colours; see :class:`~singinghead.render.rasterizer.Layers`.

        Raises:
            InputError: what was given has another shape, or NaN in it.
        """
        with self._drawn(vertices, colors, camera or self._camera) as canvas:
            layers = canvas.layers()
        turn = (camera or self._camera).rotation
        return layers if turn is None else replace(layers, normal=layers.normal @ turn.T.astype(np.float32))

    def close(self) -> None:
        """Give the memory back."""
        self._spare.clear()

    @contextmanager
    def _drawn(self, vertices: Frames, colors: Frames | None, camera: Camera) -> Iterator[_Canvas]:
        """Lend a canvas on which a frame has been drawn."""
        vertices, colors = self._scene.completed(vertices, colors)
        try:
            canvas = self._spare.pop()
        except IndexError:
            canvas = _Canvas(self.size)
        given = None if colors is None else np.ascontiguousarray(colors, np.float32)
        if camera.rotation is not None:  # lights turn with it: it is as if the head were turned the other way
            vertices = camera.seen(vertices).astype(np.float32)
            camera = replace(camera, position=np.zeros(3), rotation=None)
        self._draw(np.ascontiguousarray(vertices, np.float32), given, camera, canvas)
        yield canvas
        self._spare.append(canvas)

    def _draw(self, vertices: Frames, given: Frames | None, camera: Camera, on: _Canvas) -> None:
        mesh = self._mesh
        colors, materials = (self._colors, self._materials) if given is None else (given, self._white)
        normals = vertex_normals(vertices, mesh.faces)
        lens = (camera.position, camera.focal_length, self.size)
        on.hold(mesh, len(vertices))
        if not visibility.place(vertices, normals, colors, *lens, on.screen, on.attributes):
            attributes = np.concatenate([normals, colors], axis=1).astype(np.float64)
            mesh, cut, attributes = clipped(
                mesh, vertices.astype(np.float64), attributes, camera, visibility.NEAR, visibility.GUARD
            )
            vertices, normals, colors = (values.astype(np.float32) for values in (cut, attributes[:, :3], attributes[:, 3:]))
            on.hold(mesh, len(vertices))
            visibility.place(vertices, normals, colors, *lens, on.screen, on.attributes)
        on.box = box = visibility.find_box(on.screen, self.size)
        surface = (on.screen, on.attributes, mesh.faces, mesh.part)
        slack = np.float32(visibility.CREASE / (camera.focal_length * self.size))
        while True:
            visibility.see(*surface, self._two_sided, box, on.extents, on.keys, on.closeness, on.weights, on.facing)
            on.n_edges = visibility.find_edges(
                on.screen, on.attributes, mesh.faces, mesh.edges, on.facing, box, on.extents, slack,
                on.keys, on.closeness, on.places, on.centres, on.tiles, on.follows,
            )  # fmt: skip
            if on.n_edges <= len(on.places):
                break
            on.make_room(on.n_edges)
        places, samples = on.places[: on.n_edges], on.samples[: on.n_edges]
        visibility.sample(*surface, on.facing, box, places, on.tiles, on.follows, samples, on.sample_closeness[: on.n_edges])
        self._shade(on, materials, camera, textured=given is None)

    def _shade(self, on: _Canvas, materials: Frames, camera: Camera, textured: bool) -> None:
        """Light what a canvas sees."""
        mesh, places, samples = on.mesh, on.places[: on.n_edges], on.samples[: on.n_edges]
        # The pixel of the picture's middle, and what one pixel is at a distance of 1: all that view directions depend on.
        view = np.array([(self.size - 1) / 2, 1 / (camera.focal_length * self.size)], np.float32)
        looks = (materials, self._lights, self._ambient, view, self._scene.background)
        shading.find_slopes(on.screen, on.attributes, mesh.faces, on.weights, on.facing, on.slopes)
        texels, edge_texels = self._texture(on) if textured else (None, None)
        shading.shade(on.slopes, *looks, on.box, on.extents, on.keys, texels, on.scratch, on.planes)
        shading.shade_edges(
            on.attributes, mesh.faces, on.weights, *looks, places, samples, edge_texels, on.scratch, on.planes
        )

    def _texture(self, on: _Canvas) -> tuple[Frames, Frames] | tuple[None, None]:
        """What pixels and samples on edges take from textures, where there are any."""
        if self._textures is None:
            return None, None
        mesh, (pixels, samples) = on.mesh, on.room_for_texels()
        textures = (self._textures.texels, self._textures.levels, self._textures.counts)
        texturing.find_uv_slopes(
            on.attributes, mesh.faces, mesh.uvs, mesh.part, self._textures.counts, on.weights, on.facing,
            on.slopes, on.uv_slopes,
        )  # fmt: skip
        texturing.texture_pixels(*textures, on.slopes, on.uv_slopes, on.box, on.extents, on.keys, pixels)
        texturing.texture_edges(
            *textures, on.attributes, mesh.faces, mesh.uvs, on.weights, on.uv_slopes,
            on.places[: on.n_edges], on.samples[: on.n_edges], samples,
        )  # fmt: skip
        return pixels, samples


@dataclass
class _Canvas:
    """What one thread works in; see :mod:`~singinghead.render.visibility` for what the arrays hold."""

    size: int
    n_edges: int = 0
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    mesh: Mesh = field(init=False)

    def __post_init__(self) -> None:
        size = self.size
        self.keys = np.zeros((size, size), np.int32)
        self.closeness = np.zeros((size, size), np.float32)
        self.planes = np.zeros((3, size, size), np.uint8)
        self.extents = np.zeros((size, 2), np.int32)
        n_tiles = (size >> visibility.TILE_SHIFT) + 1
        self.tiles = np.zeros((n_tiles, n_tiles), np.int32)
        self.scratch = np.zeros(shading.SCRATCH, np.float32)
        self.screen = self.attributes = self.weights = self.slopes = self.facing = np.zeros(0)
        self.texels = self.uv_slopes = np.zeros((0, 0), np.float32)
        self.make_room(16 * size)

    def hold(self, mesh: Mesh, n_vertices: int) -> None:
        """Make room for a mesh."""
        self.mesh = mesh
        if len(self.screen) != n_vertices or len(self.facing) != len(mesh.faces):
            self.screen = np.zeros((n_vertices, 2))
            self.attributes = np.zeros((n_vertices, 8), np.float32)
            self.weights = np.zeros((len(mesh.faces), 6))
            self.slopes = np.zeros((len(mesh.faces), 24), np.float32)
            self.facing = np.zeros(len(mesh.faces), np.int8)

    def make_room(self, n_edges: int) -> None:
        """Make room for that many pixels on edges, and some more."""
        n_edges += n_edges // 4
        self.places = np.zeros((n_edges, 2), np.int32)
        self.centres = np.zeros(n_edges, np.int32)
        self.follows = np.zeros(n_edges, np.int32)
        self.samples = np.zeros((n_edges, visibility.N_SAMPLES), np.int32)
        self.sample_closeness = np.zeros((n_edges, visibility.N_SAMPLES), np.float32)

    def room_for_texels(self) -> tuple[Frames, Frames]:
        """Make room for what only textured scenes need; returns that for pixels, and for samples on edges."""
        if len(self.uv_slopes) != len(self.mesh.faces):
            self.uv_slopes = np.zeros((len(self.mesh.faces), 9), np.float32)
        if not self.texels.size:
            self.texels = np.ones((self.size, self.size, 4), np.float32)
        return self.texels, np.ones((self.n_edges, visibility.N_SAMPLES, 4), np.float32)

    def picture(self) -> NDArray[np.uint8]:
        picture = np.zeros((self.size, self.size, 3), np.uint8)
        shading.interleave(self.planes, picture)
        return picture

    def layers(self) -> Layers:
        size = self.size
        layers = Layers(
            color=self.picture(),
            depth=np.full((size, size), np.inf, np.float32),
            normal=np.zeros((size, size, 3), np.float32),
            part=np.full((size, size), -1, np.int8),
            alpha=np.zeros((size, size), np.float32),
        )
        shading.fill_layers(
            self.attributes, self.mesh.faces, self.weights, self.box, self.extents, self.keys, self.centres,
            self.samples, layers.depth, layers.normal, layers.part, layers.alpha,
        )  # fmt: skip
        return layers


def _announce_compilation(textured: bool) -> None:
    """Say why the first frame will take long, where numba's cache does not hold newer code than the source."""
    for module, kernel in ((shading, "shade"), *([(texturing, "texture_pixels")] if textured else [])):
        source = Path(str(module.__file__))
        cache = Path(str(getattr(module, kernel).stats.cache_path))
        if not any(index.stat().st_mtime >= source.stat().st_mtime for index in cache.glob(f"{source.stem}.{kernel}-*.nbi")):
            logger.warning("compiling the software rasterizer, once (about 10 s)")
            return
