"""What is drawn: parts with materials, lights, background. Both rasterizers draw the same scene by the same formulas.

Colours are linear, 0 to 1, unless a name says sRGB. The reflectance is glTF's metallic-roughness model with pyrender's
constants (no metal), the picture's encoding is a gamma of 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import JOINTS, Floats, Indices
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import Frames
from singinghead.flame_model.shapes import check_shape
from singinghead.render.texture import GAMMA, Texture

_WITHIN = 10.0
"""Metres from the origin that a head's vertices never leave."""
_UV_WITHIN = 100.0
"""Times that a texture may repeat: beyond, coordinates are pixels, or single precision no longer finds the texel."""


def linear(red: int, green: int, blue: int) -> Floats:
    """A linear colour (3,) from 8-bit numbers of the picture, by the gamma with which it will be encoded again."""
    return (np.array([red, green, blue]) / 255) ** GAMMA


@dataclass(frozen=True)
class Material:
    """How a surface reflects.

    Attributes:
        color: (3,) linear albedo.
        roughness: 0 a mirror, 1 chalk; glTF's perceptual roughness.
        double_sided: draw triangles seen from behind, too.
    """

    color: Floats
    roughness: float
    double_sided: bool = False


@dataclass(frozen=True)
class Part:
    """Some faces of the head, of one material.

    Attributes:
        name: of the part.
        faces: (F, 3) indices of the scene's vertices.
        material: how it reflects.
        texture: whose colour there multiplies the material's, or None.
        uvs: (F, 3, 2) where in the texture each corner of the faces lies; see :mod:`~singinghead.render.texture`.
    """

    name: str
    faces: Indices
    material: Material
    texture: Texture | None = None
    uvs: Floats | None = None

    def __post_init__(self) -> None:
        """Check the texture coordinates.

        Raises:
            InputError: a texture has none, or they are not (F, 3, 2), hold NaN, or lie far outside the texture.
        """
        if self.texture is None:
            return
        if self.uvs is None:
            raise InputError(f"part '{self.name}' has a texture and no texture coordinates")
        check_shape("texture coordinates", self.uvs, len(self.faces), 3, 2)
        if not (np.abs(self.uvs) <= _UV_WITHIN).all():  # nor NaN
            raise InputError(
                f"texture coordinates of part '{self.name}' are not within {_UV_WITHIN:g}",
                remedy="0 to 1 is the width and height of the texture, whatever its pixels",
            )


@dataclass(frozen=True)
class Light:
    """A lamp infinitely far away.

    Attributes:
        towards: (3,) from the head to the lamp, any length.
        color: (3,) linear colour times intensity.
    """

    towards: Floats
    color: Floats


@dataclass(frozen=True)
class Scene:
    """Everything but the moving vertices and the camera.

    Attributes:
        parts: what is drawn.
        vertex_colors: (V, 3) linear factors of the parts' colours.
        lights: lamps.
        ambient: (3,) light from everywhere.
        background: (3,) uint8, as it stands in the picture.
    """

    parts: tuple[Part, ...]
    vertex_colors: Floats
    lights: tuple[Light, ...]
    ambient: Floats
    background: NDArray[np.uint8]

    def check(self, vertices: Frames, colors: Frames | None = None) -> None:
        """Refuse a frame that cannot be drawn: it is an error, and never a black picture.

        Raises:
            InputError: ``vertices`` are not (V, 3), hold NaN, or lie nowhere near a head; ``colors`` are not (V, 3), or
                not within 0 to 1.
        """
        check_shape("vertices", vertices, len(self.vertex_colors), 3)
        if not np.isfinite(vertices).all():
            raise InputError("vertices hold NaN or infinity; such a frame cannot be drawn")
        if (extent := np.abs(vertices).max()) > _WITHIN:
            raise InputError(
                f"vertices lie {extent:g} m from the origin; such a frame cannot be drawn",
                remedy="are the parameters sane, and the vertices in metres?",
            )
        if colors is not None:
            check_shape("colours", colors, len(self.vertex_colors), 3)
            if not ((colors >= 0) & (colors <= 1)).all():  # nor NaN
                raise InputError("colours of vertices are not within 0 to 1")


MATERIALS = {
    "skin": Material(linear(224, 183, 160), roughness=0.55),
    "eyes": Material(linear(226, 223, 219), roughness=0.18),
    "teeth": Material(linear(222, 214, 198), roughness=0.35),
    "tongue": Material(linear(150, 72, 70), roughness=0.5),
    "mouth": Material(linear(92, 36, 34), roughness=0.7),
}
"""By name of the part."""

# Key from the upper left of the picture, a weak warm fill from the right, a cool rim from above and behind.
LIGHTS = (
    Light(np.array([-0.55, 0.55, 0.95]), np.array([1.0, 0.96, 0.91]) * 2.35),
    Light(np.array([0.95, 0.05, 0.65]), np.array([0.90, 0.95, 1.0]) * 0.95),
    Light(np.array([0.45, 0.75, -0.85]), np.array([0.92, 0.96, 1.0]) * 1.6),
)
AMBIENT = np.array([0.17, 0.175, 0.185])
BACKGROUND = (205, 211, 218)

_LIP_TINT = np.array([0.72, 0.46, 0.47])
_IRIS_TINT = np.array([0.16, 0.24, 0.30])
_PUPIL_TINT = np.array([0.015, 0.015, 0.018])
_IRIS_ANGLE, _PUPIL_ANGLE = np.radians(27.0), np.radians(11.0)
"""As seen from the eyeball's centre: an iris of 12 mm on an eyeball of 24 mm, a pupil of 4.5 mm."""


def head_scene(subject: Subject, texture: Texture | None = None) -> Scene:
    """The house style: three-point light, skin, eyes, teeth, tongue and mouth as far as the model has them.

    Args:
        subject: whose head.
        texture: colours the skin, in the place of its material's colour and of the colours of its vertices. Eyes, teeth,
            tongue and mouth stay as they are.

    Raises:
        InputError: the model has a part of no known material, or a texture is given and the model has no skin, or no
            texture coordinates.
    """
    parts = []
    for name, faces in (subject.arrays.parts or {"skin": np.arange(len(subject.faces))}).items():
        if name not in MATERIALS:
            raise InputError(f"part '{name}' has no material", remedy=f"known are {', '.join(MATERIALS)}")
        parts.append(Part(name, subject.faces[faces], MATERIALS[name]))
    scene = Scene(tuple(parts), _vertex_colors(subject), LIGHTS, AMBIENT, np.array(BACKGROUND, np.uint8))
    return scene if texture is None else _textured(scene, subject, texture)


def _textured(scene: Scene, subject: Subject, texture: Texture) -> Scene:
    """The same with skin from a texture; vertices that skin and another part share lose their colours, too."""
    arrays = subject.arrays
    if arrays.uvs is None or arrays.uv_faces is None:
        raise InputError(
            f"{arrays.name} has no texture coordinates: no texture fits on it",
            remedy="FLAME's come with its texture space: put FLAME_texture.npz beside the model",
        )
    if arrays.parts and "skin" not in arrays.parts:
        raise InputError(f"{arrays.name} has no part 'skin' to put a texture on")
    uvs = arrays.uvs[arrays.uv_faces[arrays.parts["skin"] if arrays.parts else slice(None)]]
    white = replace(MATERIALS["skin"], color=np.ones(3))
    parts = [
        replace(part, material=white, texture=texture, uvs=uvs) if part.name == "skin" else part for part in scene.parts
    ]
    colors = scene.vertex_colors.copy()
    colors[np.unique(subject.faces[arrays.parts["skin"]] if arrays.parts else subject.faces)] = 1
    return replace(scene, parts=tuple(parts), vertex_colors=colors)


def _vertex_colors(subject: Subject) -> Floats:
    """(V, 3) the model's own colours, or tints: lips that fade into the skin; iris and pupil on eyes that look ahead."""
    if subject.arrays.colors is not None:
        return subject.arrays.colors
    colors = np.ones_like(subject.template)
    regions = subject.arrays.regions
    if "lips" in regions:
        amount = _softened(regions["lips"], subject)
        colors = colors * (1 - amount) + _LIP_TINT * amount
    for name in ("left_eye", "right_eye"):
        if f"{name}ball" in regions:
            ball = regions[f"{name}ball"]
            gaze = subject.template[ball] - subject.neutral_joints[JOINTS.index(name)]
            angle = np.arccos(np.clip(gaze[:, 2] / np.linalg.norm(gaze, axis=1), -1, 1))
            colors[ball[angle < _IRIS_ANGLE]] = _IRIS_TINT
            colors[ball[angle < _PUPIL_ANGLE]] = _PUPIL_TINT
    return colors


def _softened(region: Indices, subject: Subject, rounds: int = 2) -> Floats:
    """(V, 1) 1 inside a region, fading to 0 over its border: each round replaces values by the mean of their faces."""
    amount = np.zeros(len(subject.template))
    amount[region] = 1
    corners = subject.faces.ravel()
    n_faces = np.maximum(np.bincount(corners, minlength=len(amount)), 1)
    for _ in range(rounds):
        face_means = amount[subject.faces].mean(axis=1)
        amount = np.bincount(corners, weights=np.repeat(face_means, 3), minlength=len(amount)) / n_faces
    return amount[:, None]
