"""The GL rasterizer: pyrender on EGL or OSMesa, one scene, geometry uploaded in place.

Import this module only in a process that is to use GL, and only after :func:`use_platform`: PyOpenGL binds itself to one
platform at import. A GL context belongs to the thread that made it; one thread makes, draws with and closes a rasterizer.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import UnavailableError
from singinghead.flame_model.params import Frames
from singinghead.render.camera import Camera
from singinghead.render.normals import vertex_normals
from singinghead.render.scene import Part, Scene

_NEAR, _FAR = 0.05, 100.0


def use_platform(platform: str) -> None:
    """Bind PyOpenGL to ``egl`` or ``osmesa``, for the life of this process.

    Raises:
        UnavailableError: the process is already bound to the other one.
    """
    import sys

    bound = os.environ.get("PYOPENGL_PLATFORM")
    if "OpenGL" in sys.modules and bound != platform:
        raise UnavailableError(f"this process already uses GL by {bound or 'a window'}, not {platform}")
    os.environ["PYOPENGL_PLATFORM"] = platform


class PyrenderRasterizer:
    """Draws one scene from one camera, a frame at a time.

    Args:
        scene: what to draw.
        camera: from where.
        size: of the square picture, pixels.

    Raises:
        UnavailableError: GL gives no context.
    """

    def __init__(self, scene: Scene, camera: Camera, size: int) -> None:
        import pyrender
        from OpenGL.GL import GL_RENDERER, glGetString

        self.size = size
        self._faces = np.concatenate([part.faces for part in scene.parts])
        self._scene = scene
        self._meshes = [_PartMesh(part, scene.vertex_colors) for part in scene.parts]
        self._drawn = pyrender_scene(scene, camera, [mesh.mesh for mesh in self._meshes])
        try:
            self._offscreen = pyrender.OffscreenRenderer(size, size)
            self._offscreen._platform.make_current()
            device = glGetString(GL_RENDERER).decode()
        # PyOpenGL, the platform modules and ctypes each fail in their own ways, asserts among them.
        except Exception as error:
            raise UnavailableError(f"GL gives no context: {error!r}", remedy="--backend software needs no GL") from error
        self.name = f"pyrender ({os.environ['PYOPENGL_PLATFORM']}, {device})"
        self._offscreen._renderer = _color_only(size)

    def draw(self, vertices: Frames) -> NDArray[np.uint8]:
        """Draw one frame.

        Args:
            vertices: (V, 3) float32 metres.

        Returns:
            (size, size, 3) uint8 sRGB picture, a new array.

        Raises:
            InputError: ``vertices`` has another shape, or NaN in it.
        """
        from pyrender import RenderFlags

        self._scene.check(vertices)
        self._offscreen._platform.make_current()
        renderer = self._offscreen._renderer
        renderer._update_context(self._drawn, 0)  # uploads the meshes once
        normals = vertex_normals(vertices, self._faces)
        for mesh in self._meshes:
            mesh.upload(vertices, normals)
        # Not OffscreenRenderer.render: on OSMesa it draws without multisampling and reads depth as well.
        picture: NDArray[np.uint8] = renderer.render(self._drawn, RenderFlags.OFFSCREEN)
        return picture

    def close(self) -> None:
        """Give the context back."""
        self._offscreen.delete()


class _PartMesh:
    """One part's vertices on the device."""

    def __init__(self, part: Part, vertex_colors: NDArray[np.floating]) -> None:
        import pyrender

        self.vertices, corners = np.unique(part.faces, return_inverse=True)
        red, green, blue = part.material.color
        material = pyrender.MetallicRoughnessMaterial(
            baseColorFactor=(float(red), float(green), float(blue), 1.0),
            metallicFactor=0.0,
            roughnessFactor=part.material.roughness,
            doubleSided=part.material.double_sided,
        )
        colors = vertex_colors[self.vertices].astype(np.float32)
        # Position, normal, colour and opacity: the order in which pyrender interleaves a primitive's attributes.
        self._buffer = np.zeros((len(self.vertices), 10), np.float32)
        self._buffer[:, 6:9], self._buffer[:, 9] = colors, 1
        self.primitive = pyrender.Primitive(
            positions=np.zeros((len(self.vertices), 3), np.float32),
            normals=np.zeros((len(self.vertices), 3), np.float32),
            color_0=self._buffer[:, 6:].copy(),
            indices=corners.reshape(-1, 3),
            material=material,
        )
        self.mesh = pyrender.Mesh([self.primitive])

    def upload(self, vertices: Frames, normals: Frames) -> None:
        from OpenGL.GL import GL_ARRAY_BUFFER, glBindBuffer, glBufferSubData

        self._buffer[:, 0:3] = vertices[self.vertices]
        self._buffer[:, 3:6] = normals[self.vertices]
        glBindBuffer(GL_ARRAY_BUFFER, self.primitive._buffers[0])
        glBufferSubData(GL_ARRAY_BUFFER, 0, self._buffer.nbytes, self._buffer)


def pyrender_scene(scene: Scene, camera: Camera, meshes: list[Any]) -> Any:
    """A ``pyrender.Scene`` of these ``pyrender.Mesh``, lit and seen as ours."""
    import pyrender

    background = [*(scene.background / 255.0), 1.0]
    drawn = pyrender.Scene(bg_color=background, ambient_light=scene.ambient)
    for mesh in meshes:
        drawn.add(mesh)
    for light in scene.lights:
        intensity = float(light.color.max())
        lamp = pyrender.DirectionalLight(color=light.color / intensity, intensity=intensity)
        drawn.add(lamp, pose=_shining_from(light.towards))
    lens = pyrender.PerspectiveCamera(2 * np.arctan(0.5 / camera.focal_length), _NEAR, _FAR, aspectRatio=1.0)
    pose = np.eye(4)
    pose[:3, 3] = camera.position
    drawn.add(lens, pose=pose)
    return drawn


def _shining_from(towards: NDArray[np.floating]) -> NDArray[np.float64]:
    """A pose whose -z axis points away from a lamp's direction."""
    z = towards / np.linalg.norm(towards)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return pose


def _color_only(size: int) -> Any:
    """Pyrender's renderer, reading back colours alone: reading depth takes as long as drawing on some drivers."""
    from OpenGL import GL
    from pyrender.renderer import Renderer

    class ColorOnlyRenderer(Renderer):  # type: ignore[misc]
        def _read_main_framebuffer(self, _scene: Any, _flags: Any) -> NDArray[np.uint8]:
            box = (0, 0, size, size)
            GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._main_fb_ms)
            GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, self._main_fb)
            GL.glBlitFramebuffer(*box, *box, GL.GL_COLOR_BUFFER_BIT, GL.GL_NEAREST)
            GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._main_fb)
            GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
            pixels = GL.glReadPixels(*box, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
            return np.ascontiguousarray(np.frombuffer(pixels, np.uint8).reshape(size, size, 3)[::-1])

    return ColorOnlyRenderer(size, size)
