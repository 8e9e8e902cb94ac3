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
from singinghead.render.anatomy import Anatomy, anatomy_of
from singinghead.render.occlusion import occlusion, softened
from singinghead.render.styles import HOUSE, Light, Material, Style, linear
from singinghead.render.texture import GAMMA, Texture

__all__ = [
    "AMBIENT", "BACKGROUND", "GAMMA", "LIGHTS", "MATERIALS", "Light", "Material", "Part", "Scene", "head_scene", "linear",
]  # fmt: skip

_WITHIN = 10.0
"""Metres from the origin that a head's vertices never leave."""
_UV_WITHIN = 100.0
"""Times that a texture may repeat: beyond, coordinates are pixels, or single precision no longer finds the texel."""


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
class Scene:
    """Everything but the moving vertices and the camera.

    Attributes:
        parts: what is drawn.
        vertex_colors: (V, 3) linear factors of the parts' colours.
        lights: lamps.
        ambient: (3,) light from everywhere.
        background: (3,) uint8, as it stands in the picture.
        anatomy: whose vertices come after the model's own, or None.
        note: what of the anatomy the model has no room for, and why.
    """

    parts: tuple[Part, ...]
    vertex_colors: Floats
    lights: tuple[Light, ...]
    ambient: Floats
    background: NDArray[np.uint8]
    anatomy: Anatomy | None = None
    note: str = ""

    @property
    def n_vertices(self) -> int:
        """Of the model: as many as a frame has."""
        return len(self.vertex_colors) - (len(self.anatomy) if self.anatomy else 0)

    @property
    def model_faces(self) -> Indices:
        """(F, 3) triangles of the model, part by part, without those of the anatomy."""
        faces = np.concatenate([part.faces for part in self.parts])
        return faces[(faces < self.n_vertices).all(axis=1)]

    def completed(self, vertices: Frames, colors: Frames | None = None) -> tuple[Frames, Frames | None]:
        """A frame and its colours, the anatomy's added to both; as :meth:`check` for what is refused.

        Colours that were given stand for something: anatomy that covers a vertex has that vertex's, the rest is grey.
        """
        self.check(vertices, colors)
        if self.anatomy is None:
            return vertices, colors
        vertices = np.concatenate([vertices, self.anatomy.placed(vertices)])
        return vertices, None if colors is None else self.completed_colors(colors)

    def completed_colors(self, colors: Frames) -> Frames:
        """Colours (V, 3) that were given, and the anatomy's after them."""
        if self.anatomy is None:
            return colors
        below = self.anatomy.covered
        return np.concatenate([colors, np.where(below[:, None] >= 0, colors[below], self.anatomy.shades)])

    def check(self, vertices: Frames, colors: Frames | None = None) -> None:
        """Refuse a frame that cannot be drawn: it is an error, and never a black picture.

        Raises:
            InputError: ``vertices`` are not (V, 3), hold NaN, or lie nowhere near a head; ``colors`` are not (V, 3), or
                not within 0 to 1.
        """
        check_shape("vertices", vertices, self.n_vertices, 3)
        if not np.isfinite(vertices).all():
            raise InputError("vertices hold NaN or infinity; such a frame cannot be drawn")
        if (extent := np.abs(vertices).max()) > _WITHIN:
            raise InputError(
                f"vertices lie {extent:g} m from the origin; such a frame cannot be drawn",
                remedy="are the parameters sane, and the vertices in metres?",
            )
        if colors is not None:
            check_shape("colours", colors, self.n_vertices, 3)
            if not ((colors >= 0) & (colors <= 1)).all():  # nor NaN
                raise InputError("colours of vertices are not within 0 to 1")


MATERIALS, LIGHTS, AMBIENT, BACKGROUND = HOUSE.materials, HOUSE.lights, HOUSE.ambient, HOUSE.background
"""Of the house style."""

_UNPAINTED = ("eyes", "teeth")
"""Parts whose colours stay whatever a style does to those of the skin."""
_LIT_INSIDE = {"teeth": 0.8, "tongue": 0.45, "mouth": 0.45}
"""By name of the part in the mouth, the share of light that comes from its walls and not from the sky."""
_LIP_TINT = np.array([0.72, 0.46, 0.47])
_IRIS_TINT = np.array([0.16, 0.24, 0.30])
_PUPIL_TINT = np.array([0.015, 0.015, 0.018])
_IRIS_ANGLE, _PUPIL_ANGLE = np.radians(27.0), np.radians(11.0)
"""As seen from the eyeball's centre: an iris of 12 mm on an eyeball of 24 mm, a pupil of 4.5 mm."""


def head_scene(subject: Subject, texture: Texture | None = None, style: Style = HOUSE, anatomy: bool = True) -> Scene:
    """A head in a style: skin, eyes, teeth, tongue and mouth as far as the model has them, in their own soft shadow.

    Args:
        subject: whose head.
        texture: colours the skin, in the place of its material's colour and of the colours of its vertices. Eyes, teeth,
            tongue and mouth stay as they are.
        style: materials, lights and background.
        anatomy: whether a model without teeth and mouth gets these, a tongue and round irises; see
            :func:`~singinghead.render.anatomy.anatomy_of`.

    Raises:
        InputError: the model has a part of no known material, or a texture is given and the model has no skin, or no
            texture coordinates.
    """
    added, note = anatomy_of(subject) if anatomy else (None, "")
    own = subject.arrays.parts or {"skin": np.arange(len(subject.faces))}
    parts = []
    for name, faces in own.items():
        if name not in style.materials:
            raise InputError(f"part '{name}' has no material", remedy=f"known are {', '.join(style.materials)}")
        parts.append(Part(name, subject.faces[faces], style.materials[name]))
    colors = _vertex_colors(subject)
    if added:
        colors[added.eyeballs] = 1
    if style.paint < 1:
        skin = np.unique(np.concatenate([part.faces for part in parts if part.name not in _UNPAINTED]))
        colors[skin] = 1 - style.paint * (1 - colors[skin])
    scene = Scene(tuple(parts), colors, style.lights, style.ambient, np.array(style.background, np.uint8), note=note)
    if texture is not None:
        scene = _textured(scene, subject, own.get("skin"), texture)
    return _with_anatomy(_shadowed(scene, subject, style), added, style)


def _with_anatomy(scene: Scene, anatomy: Anatomy | None, style: Style) -> Scene:
    """The same with the anatomy's triangles in the parts of their names, and its colours after the model's."""
    if anatomy is None:
        return scene
    n_vertices, whole = len(scene.vertex_colors), anatomy.whole
    parts = {part.name: part for part in scene.parts}
    for name, faces in anatomy.faces.items():
        shifted = faces + n_vertices
        if name in parts:
            shifted = np.concatenate([parts[name].faces, shifted])
        parts[name] = Part(name, shifted, style.materials[name])
    colors, covers = whole.colors.copy(), anatomy.covered >= 0
    shadow = scene.vertex_colors[anatomy.covered[covers]]  # eyeballs are white: all that darkens them is shadow
    colors[covers] *= shadow
    colors = np.concatenate([scene.vertex_colors, colors])
    return replace(scene, parts=tuple(parts.values()), vertex_colors=colors, anatomy=anatomy)


def _shadowed(scene: Scene, subject: Subject, style: Style) -> Scene:
    """The same, each vertex as dark as what it sees of the sky makes it in that style."""
    if not style.shadow.any():
        return scene
    share = occlusion(subject).copy()
    for part in scene.parts:
        if part.name in _LIT_INSIDE:
            own, lit = np.unique(part.faces), _LIT_INSIDE[part.name]
            share[own] = lit + (1 - lit) * share[own]
    return replace(scene, vertex_colors=scene.vertex_colors * share[:, None] ** style.shadow)


def _textured(scene: Scene, subject: Subject, skin: Indices | None, texture: Texture) -> Scene:
    """The same with skin from a texture; vertices that skin and another part share lose their colours, too."""
    arrays = subject.arrays
    if arrays.uvs is None or arrays.uv_faces is None:
        raise InputError(
            f"{arrays.name} has no texture coordinates: no texture fits on it",
            remedy="FLAME's come with its texture space: put FLAME_texture.npz beside the model",
        )
    if skin is None:
        raise InputError(f"{arrays.name} has no part 'skin' to put a texture on")
    uvs = arrays.uvs[arrays.uv_faces[skin]]
    parts = [
        replace(part, material=replace(part.material, color=np.ones(3)), texture=texture, uvs=uvs)
        if part.name == "skin"
        else part
        for part in scene.parts
    ]
    colors = scene.vertex_colors.copy()
    colors[np.unique(subject.faces[skin])] = 1
    return replace(scene, parts=tuple(parts), vertex_colors=colors)


def _vertex_colors(subject: Subject) -> Floats:
    """(V, 3) the model's own colours, or tints: lips that fade into the skin; iris and pupil on eyes that look ahead."""
    if subject.arrays.colors is not None:
        return subject.arrays.colors.copy()
    colors = np.ones_like(subject.template)
    regions = subject.arrays.regions
    if "lips" in regions:
        inside = np.zeros(len(colors))
        inside[regions["lips"]] = 1
        amount = softened(inside, subject.faces)[:, None]
        colors = colors * (1 - amount) + _LIP_TINT * amount
    for name in ("left_eye", "right_eye"):
        if f"{name}ball" in regions:
            ball = regions[f"{name}ball"]
            gaze = subject.template[ball] - subject.neutral_joints[JOINTS.index(name)]
            angle = np.arccos(np.clip(gaze[:, 2] / np.linalg.norm(gaze, axis=1), -1, 1))
            colors[ball[angle < _IRIS_ANGLE]] = _IRIS_TINT
            colors[ball[angle < _PUPIL_ANGLE]] = _PUPIL_TINT
    return colors
