"""One frame's whole picture: views side by side, with what is drawn over, behind and beside the head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import HeadArrays, Indices
from singinghead.flame_model.params import Frames
from singinghead.render import overlays
from singinghead.render.camera import Camera
from singinghead.render.layer_files import straight_alpha
from singinghead.render.legend import Legend
from singinghead.render.rasterizer import Layers, Rasterizer
from singinghead.render.scene import Scene
from singinghead.render.shown import Shown, background_color, background_image
from singinghead.render.surface_colors import vertex_regions
from singinghead.render.views import Rig

_WIRE, _WIRE_OPACITY = (30, 44, 66), 0.55
_BORDER = (250, 250, 252)
_JAW_LINE, _BEHIND_OUTLINE = 17, 0.025
"""So many points of the contour slide along the outline, and so many metres may lie behind it: the table goes by degrees."""
_POINT, _POINT_RIM = (255, 214, 64), (38, 30, 20)


@dataclass(frozen=True)
class Frame:
    """What moves.

    Attributes:
        index: from 0.
        vertices: (V, 3) float32 metres.
        colors: (V, 3) linear, in the place of the head's own, or None.
        landmarks: (L, 3) metres, or None.
    """

    index: int
    vertices: Frames
    colors: Frames | None = None
    landmarks: Frames | None = None


@dataclass(frozen=True)
class Painted:
    """What came of a frame.

    Attributes:
        picture: (H, W, 3) uint8 sRGB, for the video.
        layers: of all views side by side, where they were needed.
        rgba: (H, W, 4) uint8 the head alone with straight alpha, where it was asked for.
    """

    picture: NDArray[np.uint8]
    layers: Layers | None = None
    rgba: NDArray[np.uint8] | None = None


class Painter:
    """Paints frames of one clip; in as many threads as its rasterizer allows.

    Args:
        rasterizer: what draws the scene.
        scene: that it was opened with.
        arrays: of the model.
        rig: from where.
        shown: what.
        legend: what is drawn beside the head, or None.

    Raises:
        InputError: the background is neither a colour nor a readable picture.
    """

    def __init__(
        self, rasterizer: Rasterizer, scene: Scene, arrays: HeadArrays, rig: Rig, shown: Shown, legend: Legend | None = None
    ) -> None:
        self._rasterizer, self._scene, self._rig, self._shown, self._legend = rasterizer, scene, rig, shown, legend
        size = self._size = rasterizer.size
        self._faces = scene.model_faces
        self._edges, self._sides = overlays.unique_edges(self._faces)
        self._borders = _borders(self._faces, vertex_regions(arrays)[0]) if shown.regions else np.zeros((0, 2, 6), int)
        background = shown.background
        has_image = background is not None and background_color(background) is None
        self._image = background_image(str(background), size).astype(np.float32) if has_image else None

    def paint(self, frame: Frame) -> Painted:
        """Paint one frame.

        Raises:
            InputError: it cannot be drawn.
        """
        cameras = self._rig.cameras(frame.index)
        if not self._shown.needs_layers:
            pictures = [self._rasterizer.draw(frame.vertices, frame.colors, camera) for camera in cameras]
            return Painted(self._explained(np.concatenate(pictures, axis=1)))
        views = [self._view(frame, camera) for camera in cameras]
        layers = Layers(**{name: np.concatenate([vars(view)[name] for view in views], axis=1) for name in vars(views[0])})
        rgba = None
        if "alpha" in self._shown.layers:
            rgba = straight_alpha(layers.color, layers.alpha, self._scene.background)
        return Painted(self._explained(self._behind(layers)), layers, rgba)

    def _view(self, frame: Frame, camera: Camera) -> Layers:
        """One camera's, lines and points drawn over it."""
        layers = self._rasterizer.layers(frame.vertices, frame.colors, camera)
        if not (self._shown.wireframe or self._shown.regions or frame.landmarks is not None):
            return layers
        size, picture = self._size, layers.color.copy()
        limit = overlays.behind(layers.depth)
        placed = camera.project(frame.vertices, size)
        if self._shown.wireframe:
            is_seen = overlays.facing(placed, self._faces)[self._sides].any(axis=1)
            width = max(0.55, size / 1500)
            overlays.draw_lines(picture, placed[self._edges[is_seen]], limit, width, _WIRE, _WIRE_OPACITY)
        if self._shown.regions:
            ends = camera.project(frame.vertices[self._borders].mean(axis=2), size)
            overlays.draw_lines(picture, ends, limit, max(1.2, size / 500), _BORDER, 0.9)
        if frame.landmarks is not None:
            points = camera.project(frame.landmarks, size)
            if self._shown.landmarks == "contour":
                points[:_JAW_LINE, 2] -= _BEHIND_OUTLINE
            for radius, color in ((size / 150 + 0.5, _POINT_RIM), (size / 190, _POINT)):
                overlays.draw_points(picture, points, limit, radius, color)
        return replace(layers, color=picture)

    def _behind(self, layers: Layers) -> NDArray[np.uint8]:
        """The picture, in front of the background's: what the plain colour gave to a pixel is exchanged for that."""
        if self._image is None:
            return layers.color
        tiled = np.tile(self._image - self._scene.background, (1, layers.color.shape[1] // self._size, 1))
        mixed = layers.color + (1 - layers.alpha)[..., None] * tiled
        return np.clip(np.round(mixed), 0, 255).astype(np.uint8)

    def _explained(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return picture if self._legend is None else self._legend.drawn_on(picture)


def _borders(faces: Indices, labels: Indices) -> Indices:
    """(N, 2, 6) borders between vertices of different labels: lines between two points, each the mean of six vertices.

    They cross faces halfway along the edges whose ends differ, and do not zigzag along the mesh; where three labels meet,
    they run to the middle of the face.
    """
    ends = np.tile(faces[:, [[0, 1], [1, 2], [2, 0]]], 3)  # (F, 3, 6): the middles of edges
    centre = np.repeat(faces, 2, axis=1)
    differs = labels[ends[..., 0]] != labels[ends[..., 1]]
    two, three = differs.sum(axis=1) == 2, differs.all(axis=1)
    crossing = ends[two][differs[two]].reshape(-1, 2, 6)
    meeting = np.stack([ends[three], np.repeat(centre[three, None], 3, axis=1)], axis=2).reshape(-1, 2, 6)
    return np.concatenate([crossing, meeting])
