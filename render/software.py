"""The software rasterizer: z-buffer, smooth shading and 4x multisampling, compiled by numba. Needs no GPU and no GL.

It draws what pyrender draws: the same camera, culling, sample count, metallic-roughness reflectance (pyrender 0.1,
``shaders/mesh.frag``, without metal), lights and gamma. A frame takes two passes: which triangle does each sample of each
pixel see; then, once a pixel and triangle, what colour has it there.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.params import Frames
from singinghead.render.camera import Camera
from singinghead.render.normals import vertex_normals
from singinghead.render.scene import GAMMA, Scene

NEAR = 0.05
"""Metres. A triangle that comes nearer to the camera is not drawn."""

# A rotated grid, the usual pattern of GL drivers for four samples a pixel.
_SAMPLES = np.array([[0.375, 0.125], [0.875, 0.375], [0.125, 0.625], [0.625, 0.875]])

_DIELECTRIC = 0.04  # specular reflectance of what is no metal
_MIN_COSINE = 0.001


class SoftwareRasterizer:
    """Draws one scene from one camera, a frame at a time.

    Args:
        scene: what to draw.
        camera: from where.
        size: of the square picture, pixels.
    """

    name = "software"

    def __init__(self, scene: Scene, camera: Camera, size: int) -> None:
        self.size = size
        self._scene, self._camera = scene, camera
        self._faces = np.concatenate([part.faces for part in scene.parts])
        self._material = np.repeat(np.arange(len(scene.parts)), [len(part.faces) for part in scene.parts])
        materials = [part.material for part in scene.parts]
        self._double_sided = np.array([material.double_sided for material in materials])
        # Columns: red, green, blue, roughness.
        self._materials = np.array([[*material.color, material.roughness] for material in materials])
        towards = np.array([light.towards / np.linalg.norm(light.towards) for light in scene.lights])
        self._lights = np.concatenate([towards, [light.color for light in scene.lights]], axis=1)
        self._triangle = np.zeros((size, size, len(_SAMPLES)), np.int32)
        self._closeness = np.zeros((size, size, len(_SAMPLES)), np.float32)

    def draw(self, vertices: Frames) -> NDArray[np.uint8]:
        """Draw one frame.

        Args:
            vertices: (V, 3) float32 metres.

        Returns:
            (size, size, 3) uint8 sRGB picture, a new array.

        Raises:
            InputError: ``vertices`` has another shape, or NaN in it.
        """
        self._scene.check(vertices)
        screen = self._camera.project(vertices, self.size)
        picture = np.zeros((self.size, self.size, 3), np.uint8)
        _find_visible(screen, self._faces, self._double_sided[self._material], self._triangle, self._closeness)
        _shade(
            screen,
            vertices,
            vertex_normals(vertices, self._faces),
            self._scene.vertex_colors,
            self._faces,
            self._material,
            self._materials,
            self._lights,
            self._scene.ambient,
            self._camera.position,
            self._scene.background,
            self._triangle,
            picture,
        )
        return picture

    def close(self) -> None:
        """Nothing to give back; for the sake of the interface."""


@numba.njit(cache=True, nogil=True)
def _find_visible(screen, faces, double_sided, triangle, closeness):  # type: ignore[no-untyped-def]
    """Fill ``triangle`` (H, W, 4) with the face that each sample sees, -1 for none.

    1 / depth is linear on the screen, so the nearest face is the one of the largest interpolated 1 / depth.
    """
    size = triangle.shape[0]
    triangle[:] = -1
    closeness[:] = 0
    for f in range(len(faces)):
        i, j, k = faces[f]
        if min(screen[i, 2], screen[j, 2], screen[k, 2]) < NEAR:
            continue
        xi, yi, xj, yj, xk, yk = screen[i, 0], screen[i, 1], screen[j, 0], screen[j, 1], screen[k, 0], screen[k, 1]
        # Twice the signed area: negative when counter-clockwise on a screen whose y points down, that is, seen from front.
        area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
        if area == 0 or (area > 0 and not double_sided[f]):
            continue
        left, right = max(0, math.floor(min(xi, xj, xk))), min(size - 1, math.floor(max(xi, xj, xk)))
        top, bottom = max(0, math.floor(min(yi, yj, yk))), min(size - 1, math.floor(max(yi, yj, yk)))
        ci, cj, ck = 1 / screen[i, 2], 1 / screen[j, 2], 1 / screen[k, 2]
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                for s in range(len(_SAMPLES)):
                    x, y = column + _SAMPLES[s, 0], row + _SAMPLES[s, 1]
                    wi = ((xk - xj) * (y - yj) - (yk - yj) * (x - xj)) / area
                    wj = ((xi - xk) * (y - yk) - (yi - yk) * (x - xk)) / area
                    wk = 1 - wi - wj
                    if wi < 0 or wj < 0 or wk < 0:
                        continue
                    close = wi * ci + wj * cj + wk * ck
                    if close > closeness[row, column, s]:
                        closeness[row, column, s] = close
                        triangle[row, column, s] = f


@numba.njit(cache=True, nogil=True)
def _shade(  # type: ignore[no-untyped-def]
    screen, vertices, normals, colors, faces, material, materials, lights, ambient, eye, background, triangle, picture
):
    """Fill ``picture``: each face that a pixel sees is shaded once, in the pixel's middle, and weighted by its samples."""
    n_samples = triangle.shape[2]
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            red, green, blue = 0.0, 0.0, 0.0
            for s in range(n_samples):
                f = triangle[row, column, s]
                count, is_first = 0, True
                for other in range(n_samples):
                    if triangle[row, column, other] == f:
                        count += 1
                        is_first = is_first and other >= s
                if not is_first:
                    continue
                share = count / n_samples
                if f < 0:
                    red += share * background[0]
                    green += share * background[1]
                    blue += share * background[2]
                    continue
                i, j, k = faces[f]
                weights = _weights(screen, i, j, k, column + 0.5, row + 0.5)
                point = _between(vertices, i, j, k, weights)
                normal = _between(normals, i, j, k, weights)
                factor = _between(colors, i, j, k, weights)
                r, g, b = _reflect(point, normal, eye, materials[material[f]], lights, ambient)
                red += share * _encode(r * factor[0])
                green += share * _encode(g * factor[1])
                blue += share * _encode(b * factor[2])
            picture[row, column, 0] = round(red)
            picture[row, column, 1] = round(green)
            picture[row, column, 2] = round(blue)


@numba.njit(cache=True, nogil=True)
def _weights(screen, i, j, k, x, y):  # type: ignore[no-untyped-def]
    """Perspective-correct barycentric weights of a pixel's middle, pulled into the triangle where it lies outside."""
    xi, yi, xj, yj, xk, yk = screen[i, 0], screen[i, 1], screen[j, 0], screen[j, 1], screen[k, 0], screen[k, 1]
    area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
    wi = ((xk - xj) * (y - yj) - (yk - yj) * (x - xj)) / area
    wj = ((xi - xk) * (y - yk) - (yi - yk) * (x - xk)) / area
    wk = 1 - wi - wj
    wi, wj, wk = max(wi, 0.0) / screen[i, 2], max(wj, 0.0) / screen[j, 2], max(wk, 0.0) / screen[k, 2]
    total = wi + wj + wk
    return wi / total, wj / total, wk / total


@numba.njit(cache=True, nogil=True)
def _between(values, i, j, k, weights):  # type: ignore[no-untyped-def]
    """A vertex attribute inside a triangle, as three scalars: small arrays would cost an allocation a pixel."""
    wi, wj, wk = weights
    return (
        wi * values[i, 0] + wj * values[j, 0] + wk * values[k, 0],
        wi * values[i, 1] + wj * values[j, 1] + wk * values[k, 1],
        wi * values[i, 2] + wj * values[j, 2] + wk * values[k, 2],
    )


@numba.njit(cache=True, nogil=True)
def _reflect(point, normal, eye, material, lights, ambient):  # type: ignore[no-untyped-def]
    """Linear light that a point sends to the eye: Lambert, and GGX with Smith's shadowing and Schlick's Fresnel term."""
    nx, ny, nz = _unit(normal[0], normal[1], normal[2])
    vx, vy, vz = _unit(eye[0] - point[0], eye[1] - point[1], eye[2] - point[2])
    a2 = material[3] ** 4
    k = (material[3] + 1) ** 2 / 8
    nv = min(max(abs(nx * vx + ny * vy + nz * vz), _MIN_COSINE), 1.0)
    red, green, blue = material[0] * ambient[0], material[1] * ambient[1], material[2] * ambient[2]
    for light in range(len(lights)):
        lx, ly, lz = lights[light, 0], lights[light, 1], lights[light, 2]
        hx, hy, hz = _unit(lx + vx, ly + vy, lz + vz)
        nl = min(max(nx * lx + ny * ly + nz * lz, _MIN_COSINE), 1.0)
        nh = min(max(nx * hx + ny * hy + nz * hz, 0.0), 1.0)
        vh = min(max(vx * hx + vy * hy + vz * hz, 0.0), 1.0)
        fresnel = _DIELECTRIC + (1 - _DIELECTRIC) * (1 - vh) ** 5
        shadowing = nv / (nv * (1 - k) + k) * (nl / (nl * (1 - k) + k))
        spread = nh * nh * (a2 - 1) + 1
        specular = fresnel * shadowing * a2 / (math.pi * spread * spread) / (4 * nl * nv + 0.001)
        diffuse = (1 - fresnel) * (1 - _DIELECTRIC) / math.pi
        red += nl * lights[light, 3] * (diffuse * material[0] + specular)
        green += nl * lights[light, 4] * (diffuse * material[1] + specular)
        blue += nl * lights[light, 5] * (diffuse * material[2] + specular)
    return red, green, blue


@numba.njit(cache=True, nogil=True)
def _unit(x, y, z):  # type: ignore[no-untyped-def]
    length = max(math.sqrt(x * x + y * y + z * z), 1e-12)
    return x / length, y / length, z / length


@numba.njit(cache=True, nogil=True)
def _encode(value):  # type: ignore[no-untyped-def]
    return 255 * min(value, 1.0) ** (1 / GAMMA)
