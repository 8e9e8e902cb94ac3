"""A slow, plain picture of a scene by 4x multisampling of every pixel: what the software rasterizer is measured against."""

from __future__ import annotations

import numpy as np

from singinghead.render.camera import Camera
from singinghead.render.normals import vertex_normals
from singinghead.render.scene import GAMMA, Scene

SAMPLES = np.array([[0.375, 0.875], [0.875, 0.625], [0.125, 0.375], [0.625, 0.125]])


def picture(scene: Scene, camera: Camera, size: int, vertices: np.ndarray) -> np.ndarray:
    """(size, size, 3) float picture; every triangle must lie in front of the camera."""
    faces = np.concatenate([part.faces for part in scene.parts])
    material = np.repeat(np.arange(len(scene.parts)), [len(part.faces) for part in scene.parts])
    screen = camera.project(vertices, size)
    seen = visible(screen[faces], np.array([part.material.double_sided for part in scene.parts])[material], size)
    encoded = np.broadcast_to(scene.background.astype(float), (size, size, 4, 3)).copy()
    rows, columns, samples = np.nonzero(seen >= 0)
    f = seen[rows, columns, samples]
    weights = barycentric(screen[faces[f]], columns + 0.5, rows + 0.5)
    weights = np.maximum(weights, 0) / screen[faces[f], 2]
    weights /= weights.sum(axis=1, keepdims=True)
    point, normal, factor = (
        np.einsum("nc,nca->na", weights, values[faces[f]])
        for values in (vertices, vertex_normals(vertices, faces), scene.vertex_colors)
    )
    light = reflected(scene, camera, material[f], point, normal) * factor
    encoded[rows, columns, samples] = 255 * np.minimum(light, 1) ** (1 / GAMMA)
    return encoded.mean(axis=2)


def barycentric(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, 3) weights of points in triangles (N, 3, 2 or 3)."""
    (xi, xj, xk), (yi, yj, yk) = corners[..., 0].T, corners[..., 1].T
    area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
    wi = ((xk - xj) * (y - yj) - (yk - yj) * (x - xj)) / area
    wj = ((xi - xk) * (y - yk) - (yi - yk) * (x - xk)) / area
    return np.stack([wi, wj, 1 - wi - wj], axis=-1)


def visible(corners: np.ndarray, double_sided: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 4) the triangle that each sample sees, or -1."""
    seen, closeness = np.full((size, size, 4), -1), np.zeros((size, size, 4))
    for f, corner in enumerate(corners):
        (xi, yi, _), (xj, yj, _), (xk, yk, _) = corner
        area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
        left, top = np.maximum(np.floor(corner[:, :2].min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.floor(corner[:, :2].max(axis=0)).astype(int) + 1, size)
        if area == 0 or (area > 0 and not double_sided[f]) or left >= right or top >= bottom:
            continue
        row, column, sample = np.mgrid[top:bottom, left:right, :4]
        x, y = column + SAMPLES[sample, 0], row + SAMPLES[sample, 1]
        weights = barycentric(corner[None], x, y)
        close = (weights / corner[:, 2]).sum(axis=-1)
        box = (slice(top, bottom), slice(left, right))
        nearer = (weights.min(axis=-1) >= 0) & (close > closeness[box])
        seen[box][nearer], closeness[box][nearer] = f, close[nearer]
    return seen


def reflected(scene: Scene, camera: Camera, part: np.ndarray, point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(N, 3) light towards the camera, as pyrender's shader writes it."""
    albedo = np.array([part.material.color for part in scene.parts])[part]
    roughness = np.array([part.material.roughness for part in scene.parts])[part]
    a2, k = roughness**4, (roughness + 1) ** 2 / 8
    n, v = unit(normal), unit(camera.position - point)
    nv = np.clip(np.abs(dot(n, v)), 0.001, 1)
    out = albedo * scene.ambient
    for light in scene.lights:
        towards = light.towards / np.linalg.norm(light.towards)
        h = unit(towards + v)
        nl, nh, vh = np.clip(n @ towards, 0.001, 1), np.clip(dot(n, h), 0, 1), np.clip(dot(v, h), 0, 1)
        fresnel = 0.04 + 0.96 * (1 - vh) ** 5
        shadowing = nv / (nv * (1 - k) + k) * nl / (nl * (1 - k) + k)
        spread = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
        specular = fresnel * shadowing * spread / (4 * nl * nv + 0.001)
        diffuse = (1 - fresnel) * 0.96 / np.pi
        out = out + nl[:, None] * light.color * (diffuse[:, None] * albedo + specular[:, None])
    return out


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("na,na->n", a, b)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
