"""The stand-in head over its whole range of motion, as it is drawn: no holes, and nothing where it does not belong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.ndimage import label
from scipy.spatial import Delaunay

from singinghead.flame_model.arrays import JOINTS
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.render.camera import Camera, fixed_camera
from singinghead.render.scene import head_scene
from singinghead.render.software import SoftwareRasterizer

SIZE = 384
INSIDE = ("teeth", "tongue", "mouth")
_BEYOND_LIDS = 8  # Pixels, 4 mm: six landmarks are not quite the opening.


@pytest.fixture(scope="module")
def head() -> StandIn:
    return load_stand_in()


class Seen:
    """What the camera sees of a subject's face, whichever side of a triangle it is."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.scene = head_scene(subject)
        # A part of no name for each part's backs: triangles turned round are seen where the others are not drawn.
        backs = tuple(replace(part, name="", faces=part.faces[:, ::-1]) for part in self.scene.parts)
        self.names = np.array([part.name for part in (*self.scene.parts, *backs, backs[0])])
        fixed = fixed_camera(subject)
        self.camera = Camera(fixed.position + np.array([0, 0.02, 0]), 1.6 * fixed.focal_length)
        both = replace(self.scene, parts=(*self.scene.parts, *backs))
        self.rasterizer = SoftwareRasterizer(both, self.camera, SIZE)

    def __call__(self, params: FlameParams) -> View:
        """One frame."""
        return next(self.all([params]))

    def all(self, frames: list[FlameParams]) -> Iterator[View]:
        """Many frames of one moment each; the forward pass costs the same for one as for sixty."""
        together = FlameParams(**{name: np.concatenate([getattr(one, name) for one in frames]) for name in vars(frames[0])})
        marks = self.subject.landmarks(together)
        for vertices, of_frame in zip(self.subject.vertices(together), marks, strict=True):
            part = self.rasterizer.layers(vertices).part
            screen, points = (self.camera.project(each, SIZE)[:, :2] for each in (vertices, of_frame))
            yield View(self.names, part, part >= len(self.scene.parts), screen, points)


@dataclass(frozen=True)
class View:
    """One picture: ``part`` and ``back`` (SIZE, SIZE), and pixels of the vertices (V, 2) and of the landmarks (68, 2)."""

    names: np.ndarray
    part: np.ndarray
    back: np.ndarray
    screen: np.ndarray
    marks: np.ndarray

    def of(self, *names: str) -> np.ndarray:
        """Where parts of these names are seen from outside."""
        return np.isin(self.names, names)[self.part]


def moved(head: StandIn) -> Iterator[tuple[str, FlameParams]]:
    """The sweep: each unit at 1, the jaw from shut to 0.35 rad in fifteen poses, and expressions drawn by chance."""
    for unit in head.units:
        yield unit, head.blend(**{unit: 1.0} | ({"jawOpen": 1.0} if unit == "mouthClose" else {})).params
    for jaw in np.linspace(0, 0.35, 6):
        for yaw in (-1.2, -0.6, 0, 0.6, 1.2):
            for pitch in (-0.4, 0, 0.4):
                params = FlameParams.zeros(1)
                params.jaw[0, 0], params.global_pose[0, :2] = jaw, (pitch, yaw)
                yield f"jaw {jaw:.2f} yaw {yaw} pitch {pitch}", params
    for seed in range(20):
        yield f"by chance {seed}", by_chance(seed)


def by_chance(seed: int) -> FlameParams:
    random = np.random.default_rng(seed)
    params = FlameParams.zeros(1)
    params.expression[0] = random.normal(0, 1, 50)
    params.jaw[0, 0] = random.uniform(0, 0.3)
    params.global_pose[0] = random.normal(0, 0.2, 3)
    params.eyes[0] = np.tile(random.normal(0, 0.15, 3), 2)
    return params


def assert_whole(view: View, lips: np.ndarray, name: str) -> None:
    """No background within the head, nothing of the mouth beyond the lips, no eye beyond its lids."""
    places, n_places = label(view.part < 0)
    at_border = np.unique(np.concatenate([places[0], places[-1], places[:, 0], places[:, -1]]))
    enclosed = np.setdiff1d(np.arange(1, n_places + 1), at_border)
    n_pixels = np.isin(places, enclosed).sum()
    assert n_pixels <= 2, f"{name}: {n_pixels} pixels of background in the head"  # between ear and head it may be seen
    beyond = _outside(view.of(*INSIDE), view.screen[lips])
    assert not len(beyond), f"{name}: {len(beyond)} pixels of the mouth's inside beyond the lips"
    lids = view.marks[36:48].reshape(2, 6, 2)
    middles = lids.mean(axis=1, keepdims=True)
    wide = lids + _BEYOND_LIDS * (lids - middles) / np.linalg.norm(lids - middles, axis=2, keepdims=True)
    beyond = _outside(view.of("eyes"), *wide)
    assert not len(beyond), f"{name}: {len(beyond)} pixels of an eye beyond its lids"


def _outside(mask: np.ndarray, *groups: np.ndarray) -> np.ndarray:
    """(n, 2) pixels of a mask outside of the hulls of all groups of points."""
    rows, columns = np.nonzero(mask)
    pixels = np.column_stack([columns, rows]) + 0.5
    for points in groups:
        pixels = pixels[Delaunay(points).find_simplex(pixels) < 0] if len(pixels) else pixels
    return pixels


def test_the_check_sees_a_hole(head: StandIn) -> None:
    faces = head.arrays.faces.copy()
    faces[::50] = faces[::50, ::-1]
    view = Seen(FlameModel(replace(head.arrays, faces=faces)).with_shape())(FlameParams.zeros(1))
    assert view.back.sum() > 100


def test_no_hole_and_nothing_pokes_out_over_the_sweep(head: StandIn) -> None:
    seen = Seen(FlameModel(head.arrays).with_shape())
    names, frames = zip(*moved(head), strict=True)
    for name, view in zip(names, seen.all(list(frames)), strict=True):
        assert_whole(view, head.arrays.regions["lips"], name)
        assert not view.back.any(), f"{name}: a fold, whose back is seen"


PEOPLE = list(load_stand_in().people)


@pytest.mark.parametrize("person", [*PEOPLE[:2], *(pytest.param(person, marks=pytest.mark.slow) for person in PEOPLE[2:])])
def test_nor_in_its_six_people(head: StandIn, person: str) -> None:
    seen = Seen(FlameModel(head.arrays).with_shape(head.people_codes[head.people.index(person)]))
    names, frames = zip(*((name, params) for name, params in moved(head) if "yaw" not in name), strict=True)
    for name, view in zip(names, seen.all(list(frames)), strict=True):
        assert_whole(view, head.arrays.regions["lips"], name)


@pytest.mark.parametrize("seed", range(8))
def test_nor_in_other_people(head: StandIn, seed: int) -> None:
    own = np.random.default_rng(seed).normal(0, 0.6, 100)  # real shapecodes deviate by 0.5 to 0.6
    seen = Seen(FlameModel(head.arrays).with_shape(own))
    for chance, view in enumerate(seen.all([by_chance(chance) for chance in range(seed, seed + 5)]), start=seed):
        assert_whole(view, head.arrays.regions["lips"], f"by chance {chance}")
    shut = head.blend(eyeBlinkLeft=[1, 1, 1], eyeBlinkRight=1).params
    shut.eyes[:, [1, 4]] = np.array([[-0.3], [0], [0.3]])
    for view in seen.all([shut]):
        assert not view.of("eyes").any(), "a blink shuts the eyes"


def test_closed_lips_hide_the_mouth(head: StandIn) -> None:
    view = Seen(FlameModel(head.arrays).with_shape())(FlameParams.zeros(1))
    assert not view.of(*INSIDE).any()
    assert view.of("eyes").sum() > 200


def test_teeth_lie_within_lips_and_mouth_at_rest(head: StandIn) -> None:
    """None outside the hull of the lips and the cavity behind them, nor as far forward as the lips are thick."""
    template, regions = head.arrays.template, head.arrays.regions
    teeth, lips = template[regions["teeth"]], template[regions["lips"]]
    hull = Delaunay(np.concatenate([lips, template[regions["mouth"]]]))
    assert (hull.find_simplex(teeth) >= 0).all()
    assert teeth[:, 2].max() < lips[:, 2].max() - 0.004


def test_an_open_jaw_shows_the_teeth_and_a_dark_mouth(head: StandIn) -> None:
    subject = FlameModel(head.arrays).with_shape()
    params = head.blend(jawOpen=0.8).params
    seen = Seen(subject)
    view = seen(params)
    assert view.of("teeth").sum() > 100
    inside = view.of("mouth", "tongue")
    assert inside.sum() > 300
    picture = SoftwareRasterizer(seen.scene, seen.camera, SIZE).draw(subject.vertices(params)[0])
    assert picture[inside].mean() < 60
    assert picture[view.of("teeth")].mean() > 120


def test_upper_teeth_stay_and_lower_teeth_go_with_the_jaw(head: StandIn) -> None:
    arrays, jaw = head.arrays, JOINTS.index("jaw")
    weight = arrays.skinning[arrays.regions["teeth"], jaw]
    upper = weight < 0.5
    np.testing.assert_allclose(weight[upper], 0, atol=0.02)
    np.testing.assert_allclose(weight[~upper], 1, atol=0.02)
    assert 0.4 < upper.mean() < 0.6
