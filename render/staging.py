"""A clip's stage: cameras, scene, legend and moving frames, as :class:`~singinghead.render.shown.Shown` wants them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.render.ahead import Picture, drawn
from singinghead.render.camera import Camera, fitted_camera, fixed_camera
from singinghead.render.frames import frames
from singinghead.render.heat import heat_scene
from singinghead.render.layer_files import LayerFiles
from singinghead.render.legend import Legend, color_bar, region_names
from singinghead.render.painter import Frame, Painter
from singinghead.render.rasterizer import Rasterizer
from singinghead.render.scene import Scene, head_scene
from singinghead.render.shown import Shown, background_color, background_image
from singinghead.render.styles import HOUSE, style_named
from singinghead.render.texture import Texture
from singinghead.render.views import Rig, axis_of
from singinghead.render.yuv import to_yuv420p

Chunks = Callable[[], Iterable[Frames]]


@dataclass(frozen=True)
class Stage:
    """Everything about a clip's pictures but the motion and what draws.

    Attributes:
        subject: whose head.
        scene: it, dressed.
        rig: from where it is seen.
        shown: what is.
        size: pixels of each view.
    """

    subject: Subject
    scene: Scene
    rig: Rig
    shown: Shown
    size: int

    @classmethod
    def of(cls, subject: Subject, chunks: Chunks, shown: Shown, size: int, is_fitted: bool, n_frames: int) -> Stage:
        """Set the stage.

        Args:
            subject: whose head.
            chunks: begins the motion (T, V, 3) anew each time.
            shown: what is wanted.
            size: pixels.
            is_fitted: whether the camera sees the whole motion; else it is the fixed one.
            n_frames: of the clip.

        Raises:
            InputError: a texture or a background is not usable, or the model has no texture coordinates.
        """
        axis = axis_of(subject)
        is_turned = shown.turntable or shown.views != ("front",)
        camera: Camera = fitted_camera(chunks(), axis if is_turned else None) if is_fitted else fixed_camera(subject)
        rig = Rig(camera, axis, shown.views, n_frames if shown.turntable else None)
        scene = head_scene(
            subject, Texture.read(shown.texture) if shown.texture else None, style_named(shown.style), shown.anatomy
        )
        if shown.colour_by in ("speed", "error"):
            scene = heat_scene(scene)
        if shown.background is not None:
            color = background_color(shown.background)
            if color is None:
                background_image(shown.background, size)  # read only to hear early that it cannot be
            else:
                scene = replace(scene, background=color)
        return cls(subject, scene, rig, shown, size)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height of all views side by side."""
        return self.size * len(self.shown.views), self.size

    def notes(self, fps: float) -> dict[str, str]:
        """What a video's metadata say of it."""
        notes = {"camera": self.rig.camera.name}
        if self.shown.views != ("front",):
            notes["views"] = ", ".join(self.shown.views)
        if self.rig.frames_a_turn:
            notes["turntable"] = f"{self.rig.frames_a_turn / fps:g} s a turn"
        if self.shown.style != HOUSE.name:
            notes["style"] = self.shown.style
        if self.scene.note:
            notes["anatomy"] = self.scene.note
        return notes

    def layer_facts(self, fps: float) -> dict[str, Any]:
        """What the notes beside layers say of the clip."""
        cameras = [
            {
                "view": view,
                "position_m": camera.position.tolist(),
                "rotation": (np.eye(3) if camera.rotation is None else camera.rotation).tolist(),
                "focal_length_in_view_sizes": camera.focal_length,
            }
            for view, camera in zip(self.rig.views, self.rig.cameras(0), strict=True)
        ]
        parts = [part.name for part in self.scene.parts]
        turn = {"frames_a_turn": self.rig.frames_a_turn} if self.rig.frames_a_turn else {}
        return {"fps": fps, "parts": parts, "view_size": self.size, "cameras_of_first_frame": cameras} | turn

    def pictures(
        self,
        rasterizer: Rasterizer,
        threads: int,
        chunks: Iterable[Frames],
        fps: float,
        params: FlameParams | None,
        against: tuple[Subject, FlameParams] | None,
        files: LayerFiles,
    ) -> Generator[Picture]:
        """Yield the clip's pictures for the video, planes of yuv420p, and write its layers meanwhile.

        Args:
            rasterizer: that the stage's scene was opened with.
            threads: that paint.
            chunks: (T, V, 3) vertices in metres.
            fps: their rate.
            params: that they were made from, if they were.
            against: the ground truth, where errors are shown; see :func:`~singinghead.render.frames.frames`.
            files: for the layers.

        Raises:
            InputError: see :func:`~singinghead.render.ahead.drawn`.
        """
        if self.shown.is_plain:
            return drawn(rasterizer.draw_yuv, chunks, threads)
        painter = self.painter(rasterizer)

        def paint(frame: Frame) -> NDArray[np.uint8]:
            painted = painter.paint(frame)
            files.write(frame.index, painted.layers, painted.rgba)
            return to_yuv420p(painted.picture)

        return drawn(paint, frames(chunks, self.subject, self.shown, fps, params, against), threads)

    def painter(self, rasterizer: Rasterizer) -> Painter:
        """What paints the clip's frames, with a rasterizer that the stage's scene was opened with."""
        return Painter(rasterizer, self.scene, self.subject.arrays, self.rig, self.shown, self.legend(rasterizer.size))

    def legend(self, size: int) -> Legend | None:
        """What explains the colours of a picture, where there are any to explain, and room beside the head."""
        if self.shown.colour_by is None:
            return None
        by_region = self.shown.colour_by == "region"
        legend = region_names(self.subject.arrays, size) if by_region else color_bar(self.shown.scale, size)
        return legend if legend.fits(size) else None
