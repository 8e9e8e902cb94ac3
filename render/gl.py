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
from singinghead.render.rasterizer import Layers
from singinghead.render.scene import Part, Scene
from singinghead.render.texture import Texture
from singinghead.render.yuv import to_yuv420p

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

    threads = 1

    def __init__(self, scene: Scene, camera: Camera, size: int) -> None:
        import pyrender
        from OpenGL.GL import GL_RENDERER, glGetString

        self.size = size
        self._faces = np.concatenate([part.faces for part in scene.parts])
        self._scene, self._camera = scene, camera
        self._meshes = [_PartMesh(part, scene.vertex_colors) for part in scene.parts]
        self._drawn = pyrender_scene(scene, camera, [mesh.mesh for mesh in self._meshes])
        self._lamps = {lamp: _pose(camera.rotation).T @ lamp.matrix for lamp in self._drawn.directional_light_nodes}
        # In the order of the parts: a pyrender scene holds its nodes as a set.
        self._nodes = [next(iter(self._drawn.get_nodes(obj=mesh.mesh))) for mesh in self._meshes]
        try:
            self._offscreen = pyrender.OffscreenRenderer(size, size)
            self._offscreen._platform.make_current()
            device = glGetString(GL_RENDERER).decode()
        # PyOpenGL, the platform modules and ctypes each fail in their own ways, asserts among them.
        except Exception as error:
            raise UnavailableError(f"GL gives no context: {error!r}", remedy="--backend software needs no GL") from error
        self.name = f"pyrender ({os.environ['PYOPENGL_PLATFORM']}, {device})"
        self._offscreen._renderer = _color_only(size)

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
        return self._picture(*self._scene.completed(vertices, colors), camera or self._camera)

    def draw_yuv(self, vertices: Frames, colors: Frames | None = None, camera: Camera | None = None) -> NDArray[np.uint8]:
        """Draw one frame as video stores it; see :func:`~singinghead.render.yuv.to_yuv420p`."""
        return to_yuv420p(self.draw(vertices, colors, camera))

    def layers(self, vertices: Frames, colors: Frames | None = None, camera: Camera | None = None) -> Layers:
        """Draw one frame and what lies behind its colours; see :class:`~singinghead.render.rasterizer.Layers`.

        Normals are drawn as colours: they have 8 bits, and on edges are the mean of what the pixel's samples see.

        Raises:
            InputError: what was given has another shape, or NaN in it.
        """
        from pyrender import RenderFlags

        vertices, colors = self._scene.completed(vertices, colors)
        color = self._picture(vertices, colors, camera or self._camera)
        renderer = self._offscreen._renderer
        by_part = {node: (1 + part, 0, 0) for part, node in enumerate(self._nodes)}
        # Without multisampling: what the pixels' middles see.
        seen, depth = renderer.render(self._drawn, RenderFlags.OFFSCREEN | RenderFlags.SEG, by_part)
        background, self._drawn.bg_color = self._drawn.bg_color, np.zeros(4)
        normals = vertex_normals(vertices, self._faces)
        try:
            alpha = self._unlit(np.ones_like(normals))[..., :1]
            mean = self._unlit((normals + np.float32(1)) / np.float32(2)) / np.maximum(alpha, 0.25)
        finally:
            self._drawn.bg_color = background
        part = seen[..., 0].astype(np.int8) - np.int8(1)
        normal = (2 * mean - 1) * (part >= 0)[..., None]
        return Layers(
            color=color,
            depth=np.where(part >= 0, depth, np.inf).astype(np.float32),
            normal=normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6)),
            part=part,
            alpha=np.round(4 * alpha[..., 0]) / np.float32(4),
        )

    def _picture(self, vertices: Frames, colors: Frames | None, camera: Camera) -> NDArray[np.uint8]:
        """A frame's picture, its anatomy in it."""
        from pyrender import RenderFlags

        # Not OffscreenRenderer.render: on OSMesa it draws without multisampling and reads depth as well.
        picture: NDArray[np.uint8] = self._prepared(vertices, colors, camera).render(self._drawn, RenderFlags.OFFSCREEN)
        return picture

    def _prepared(self, vertices: Frames, colors: Frames | None, camera: Camera) -> Any:
        """The renderer, the context current, camera and lamps in place, vertices and colours uploaded."""
        self._offscreen._platform.make_current()
        renderer = self._offscreen._renderer
        renderer._update_context(self._drawn, 0)  # uploads the meshes once
        normals = vertex_normals(vertices, self._faces)
        for mesh in self._meshes:
            mesh.upload(vertices, normals, colors)
        self._look_from(camera)
        return renderer

    def _look_from(self, camera: Camera) -> None:
        """Put the camera where it is to be, and turn the lamps with it."""
        lens = self._drawn.main_camera_node
        lens.camera.yfov = _field_of_view(camera)
        self._drawn.set_pose(lens, _pose(camera.rotation, camera.position))
        for lamp, pose in self._lamps.items():
            self._drawn.set_pose(lamp, _pose(camera.rotation) @ pose)

    def _unlit(self, colors: Frames) -> NDArray[np.float32]:
        """A picture (size, size, 3) of nothing but colours of vertices (V, 3), 0 to 1."""
        from pyrender import RenderFlags

        for mesh in self._meshes:
            mesh.color(colors)
        picture = self._offscreen._renderer.render(self._drawn, RenderFlags.OFFSCREEN | RenderFlags.FLAT)
        return np.asarray(picture, np.float32) / np.float32(255)

    def close(self) -> None:
        """Give the context back."""
        self._offscreen.delete()


class _PartMesh:
    """One part's vertices on the device."""

    def __init__(self, part: Part, vertex_colors: NDArray[np.floating]) -> None:
        import pyrender

        # One for each vertex, and where a texture has a seam, for each of a vertex's places in it.
        uvs = np.zeros((*part.faces.shape, 2)) if part.texture is None else part.uvs
        places = np.concatenate([part.faces[..., None], uvs], axis=-1).reshape(-1, 3)
        places, corners = np.unique(places, axis=0, return_inverse=True)
        self.vertices = places[:, 0].astype(np.int64)
        self._factor = np.array([*part.material.color, 1.0])
        self._material = pyrender.MetallicRoughnessMaterial(
            baseColorFactor=self._factor,
            baseColorTexture=None if part.texture is None else _uploaded(part.texture),
            metallicFactor=0.0,
            roughnessFactor=part.material.roughness,
            doubleSided=part.material.double_sided,
        )
        self._colors = vertex_colors[self.vertices].astype(np.float32)
        # The order in which pyrender interleaves a primitive's attributes: position, normal, a texture's coordinates, colour
        # and opacity.
        n_uvs = 0 if part.texture is None else 2
        self._buffer = np.ones((len(self.vertices), 10 + n_uvs), np.float32)
        self._buffer[:, 6 : 6 + n_uvs] = places[:, 1 : 1 + n_uvs]
        self._buffer[:, -4:-1] = self._colors
        self.primitive = pyrender.Primitive(
            positions=np.zeros((len(self.vertices), 3), np.float32),
            normals=np.zeros((len(self.vertices), 3), np.float32),
            texcoord_0=self._buffer[:, 6:8].copy() if n_uvs else None,
            color_0=self._buffer[:, -4:].copy(),
            indices=corners.reshape(-1, 3),
            material=self._material,
        )
        self.mesh = pyrender.Mesh([self.primitive])

    def upload(self, vertices: Frames, normals: Frames, colors: Frames | None) -> None:
        self._buffer[:, 0:3] = vertices[self.vertices]
        self._buffer[:, 3:6] = normals[self.vertices]
        self.color(colors)

    def color(self, colors: Frames | None) -> None:
        """Put colours of vertices in the place of the part's own and of its texture, and send all; None puts those back."""
        self._buffer[:, -4:-1] = self._colors if colors is None else colors[self.vertices]
        self._material.baseColorFactor = self._factor if colors is None else np.ones(4)
        # What the shaders take for the textures that there are; without the texture itself, it would be uploaded again.
        self._material._tex_flags = None if colors is None else 0
        self._send()

    def _send(self) -> None:
        from OpenGL.GL import GL_ARRAY_BUFFER, glBindBuffer, glBufferSubData

        glBindBuffer(GL_ARRAY_BUFFER, self.primitive._buffers[0])
        glBufferSubData(GL_ARRAY_BUFFER, 0, self._buffer.nbytes, self._buffer)


def _uploaded(texture: Texture) -> Any:
    """A ``pyrender.Texture`` that uploads our own levels as half floats, so that no driver's arithmetic is in them.

    It repeats, and is filtered linearly in and between levels.
    """
    import pyrender
    from OpenGL import GL

    class LinearTexture(pyrender.Texture):  # type: ignore[misc]
        def _add_to_context(self) -> None:
            self._texid = GL.glGenTextures(1)
            GL.glBindTexture(GL.GL_TEXTURE_2D, self._texid)
            for level, texels in enumerate(texture.levels):
                height, width, _ = texels.shape
                upward = np.ascontiguousarray(texels[::-1])
                GL.glTexImage2D(
                    GL.GL_TEXTURE_2D, level, GL.GL_RGB16F, width, height, 0, GL.GL_RGB, GL.GL_FLOAT, upward
                )  # fmt: skip
            for name, value in (
                (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR),
                (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
                (GL.GL_TEXTURE_WRAP_S, GL.GL_REPEAT),
                (GL.GL_TEXTURE_WRAP_T, GL.GL_REPEAT),
            ):
                GL.glTexParameteri(GL.GL_TEXTURE_2D, name, value)
            GL.glBindTexture(GL.GL_TEXTURE_2D, 0)

    return LinearTexture()


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
        drawn.add(lamp, pose=_pose(camera.rotation) @ _shining_from(light.towards))
    lens = pyrender.PerspectiveCamera(_field_of_view(camera), _NEAR, _FAR, aspectRatio=1.0)
    drawn.add(lens, pose=_pose(camera.rotation, camera.position))
    return drawn


def _field_of_view(camera: Camera) -> float:
    """Radians, from the picture's lower to its upper edge."""
    return float(2 * np.arctan(0.5 / camera.focal_length))


def _pose(rotation: NDArray[np.floating] | None, position: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
    """(4, 4) of a rotation and a place; None leaves them out."""
    pose = np.eye(4)
    pose[:3, :3] = np.eye(3) if rotation is None else rotation
    pose[:3, 3] = 0 if position is None else position
    return pose


def _shining_from(towards: NDArray[np.floating]) -> NDArray[np.float64]:
    """A pose whose -z axis points away from a lamp's direction."""
    z = towards / np.linalg.norm(towards)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return pose


def _color_only(size: int) -> Any:
    """Pyrender's renderer, reading back depth only where it is asked for: it takes as long as drawing on some drivers."""
    from OpenGL import GL
    from pyrender import RenderFlags
    from pyrender.renderer import Renderer
    from pyrender.shader_program import ShaderProgramCache

    class LinearTexels(ShaderProgramCache):  # type: ignore[misc]
        """Pyrender's shaders, but told not to decode texels: ours are linear, and so are filtered as such."""

        def get_program(self, *shaders: Any, defines: dict[str, Any] | None = None, **named: Any) -> Any:
            return super().get_program(*shaders, defines=(defines or {}) | {"SRGB_CORRECTED": 1}, **named)

    class ColorOnlyRenderer(Renderer):  # type: ignore[misc]
        def _read_main_framebuffer(self, scene: Any, flags: Any) -> Any:
            if flags & RenderFlags.SEG:
                return super()._read_main_framebuffer(scene, flags)
            box = (0, 0, size, size)
            GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._main_fb_ms)
            GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, self._main_fb)
            GL.glBlitFramebuffer(*box, *box, GL.GL_COLOR_BUFFER_BIT, GL.GL_NEAREST)
            GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._main_fb)
            GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
            pixels = GL.glReadPixels(*box, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
            return np.ascontiguousarray(np.frombuffer(pixels, np.uint8).reshape(size, size, 3)[::-1])

    renderer = ColorOnlyRenderer(size, size)
    renderer._program_cache = LinearTexels()
    return renderer
