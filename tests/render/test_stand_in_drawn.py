"""The stand-in head over its whole range of motion, as it is drawn: no holes, and nothing where it does not belong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
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

    def __call__(self, params: FlameParams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(SIZE, SIZE) parts; (SIZE, SIZE) whether a back is seen; (V, 2) pixels of the vertices."""
        return self.at(self.subject.vertices(params)[0])

    def of(self, part: np.ndarray, *names: str) -> np.ndarray:
        """Where parts are of these names."""
        return np.isin(self.names, names)[part]

    def at(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        part = self.rasterizer.layers(vertices).part
        back = part >= len(self.scene.parts)
        return part, back, self.camera.project(vertices, SIZE)[:, :2]


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


def assert_whole(seen: Seen, params: list[FlameParams], names: list[str]) -> None:
    every = FlameParams(**{name: np.concatenate([getattr(one, name) for one in params]) for name in vars(params[0])})
    for name, vertices in zip(names, seen.subject.vertices(every), strict=True):
        assert_whole_at(seen, vertices, name)


def assert_whole_at(seen: Seen, vertices: np.ndarray, name: str) -> None:
    parts, back, screen = seen.at(vertices)
    assert not back.any(), f"{name}: a hole, or a fold"
    rows, columns = np.nonzero(seen.of(parts, *INSIDE))
    if len(rows):
        lips = Delaunay(screen[seen.subject.region("lips")])
        outside = lips.find_simplex(np.column_stack([columns, rows]) + 0.5) < 0
        assert not outside.any(), f"{name}: {outside.sum()} pixels of the mouth's inside beyond the lips"
    rows, columns = np.nonzero(seen.of(parts, "eyes"))
    beyond = [np.full(len(rows), np.inf)]
    for side in ("left_eyeball", "right_eyeball"):
        ball = screen[seen.subject.region(side)]
        low, high = ball.min(axis=0), ball.max(axis=0)
        beyond.append(np.hypot(columns - (low + high)[0] / 2, rows - (low + high)[1] / 2) - np.ptp(ball, axis=0).max() / 2)
    assert (np.min(beyond, axis=0) < 1).all(), f"{name}: an eye outside its socket"


def test_the_check_sees_a_hole(head: StandIn) -> None:
    turned = replace(
        head.arrays,
        faces=np.where(np.arange(len(head.arrays.faces))[:, None] % 50 == 0, head.arrays.faces[:, ::-1], head.arrays.faces),
    )
    with pytest.raises(AssertionError, match="a hole"):
        assert_whole(Seen(FlameModel(turned).with_shape()), [FlameParams.zeros(1)], ["neutral"])


def test_no_hole_and_nothing_pokes_out_over_the_sweep(head: StandIn) -> None:
    seen = Seen(FlameModel(head.arrays).with_shape())
    names, params = zip(*moved(head), strict=True)
    assert_whole(seen, list(params), list(names))


@pytest.mark.parametrize("seed", range(8))
def test_nor_in_other_people(head: StandIn, seed: int) -> None:
    own = np.random.default_rng(seed).normal(0, 0.6, 100)  # real shapecodes deviate by 0.5 to 0.6
    seen = Seen(FlameModel(head.arrays).with_shape(own))
    chances = range(seed, seed + 5)
    assert_whole(seen, [by_chance(chance) for chance in chances], [f"by chance {chance}" for chance in chances])
    shut = head.blend(eyeBlinkLeft=1, eyeBlinkRight=1).params
    for gaze in (-0.3, 0, 0.3):
        shut.eyes[0, [1, 4]] = gaze
        assert not seen.of(seen(shut)[0], "eyes").any(), "a blink shuts the eyes"


def test_closed_lips_hide_the_mouth(head: StandIn) -> None:
    seen = Seen(FlameModel(head.arrays).with_shape())
    parts, _, _ = seen(FlameParams.zeros(1))
    assert not seen.of(parts, *INSIDE).any()
    assert seen.of(parts, "eyes").sum() > 200


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
    parts, _, _ = seen(params)
    assert seen.of(parts, "teeth").sum() > 100
    assert seen.of(parts, "mouth", "tongue").sum() > 300
    picture = SoftwareRasterizer(seen.scene, seen.camera, SIZE).draw(subject.vertices(params)[0])
    assert picture[seen.of(parts, "mouth", "tongue")].mean() < 60
    assert picture[seen.of(parts, "teeth")].mean() > 120


def test_upper_teeth_stay_and_lower_teeth_go_with_the_jaw(head: StandIn) -> None:
    arrays, jaw = head.arrays, JOINTS.index("jaw")
    weight = arrays.skinning[arrays.regions["teeth"], jaw]
    upper = weight < 0.5
    np.testing.assert_allclose(weight[upper], 0, atol=0.02)
    np.testing.assert_allclose(weight[~upper], 1, atol=0.02)
    assert 0.4 < upper.mean() < 0.6
