"""Named units as parameters: what they are, what they cannot be, and how near they come to what was sculpted."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import Subject
from singinghead.flame_model.stand_in import StandIn, load_stand_in

# The largest distance from a sculpted unit, millimetres. The units that MakeHuman adds to ARKit's repeat them, and are
# kept less well.
ARKIT_MM, MAKEHUMAN_MM = 1.7, 4.5


UNITS = [unit for unit in load_stand_in().units if unit != "mouthClose"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_what_was_sculpted(stand_in: StandIn, mean_person: Subject, unit: str) -> None:
    blend = stand_in.blend(**{unit: 1.0})
    wanted = stand_in.arrays.template + stand_in.unit_shapes[stand_in.units.index(unit)]
    distance = 1000 * np.linalg.norm(mean_person.vertices(blend.params)[0] - wanted, axis=1)
    assert distance.max() == pytest.approx(blend.error_mm[0], abs=1e-2), "the stated error is the whole model's"
    assert blend.error_mm[0] < (MAKEHUMAN_MM if "_" in unit else ARKIT_MM)


def test_mouth_close_shuts_an_open_jaw(stand_in: StandIn) -> None:
    assert stand_in.blend(mouthClose=1, jawOpen=1).error_mm[0] < ARKIT_MM
    assert stand_in.blend(mouthClose=1).error_mm[0] > 5, "by itself it is no shape of a face"


def test_the_jaw_is_in_the_jaw(stand_in: StandIn) -> None:
    opened = stand_in.blend(jawOpen=1).params
    assert 0.3 < opened.jaw[0, 0] < 0.38
    assert np.abs(opened.jaw[0, 1:]).max() < 0.01
    left, right = (stand_in.blend(**{unit: 1}).params.jaw[0] for unit in ("jawLeft", "jawRight"))
    np.testing.assert_allclose(left, right * [1, -1, -1], atol=2e-3)
    assert left[1] > 0.03, "to the subject's left is about +y"
    np.testing.assert_array_equal(stand_in.blend(mouthPucker=1, mouthSmileLeft=1).params.jaw, 0)


def test_nothing_but_expression_and_jaw_moves(stand_in: StandIn) -> None:
    params = stand_in.blend(jawOpen=0.5, mouthPucker=1).params
    assert not params.global_pose.any()
    assert not params.neck.any()
    assert not params.eyes.any()


def test_blends_add_up(stand_in: StandIn) -> None:
    both = stand_in.blend(mouthPucker=0.5, eyeBlinkLeft=-0.25, jawOpen=0.5).params.to_vectors()
    parts = [
        stand_in.blend(**{unit: 1}).params.to_vectors() * share
        for unit, share in (("mouthPucker", 0.5), ("eyeBlinkLeft", -0.25), ("jawOpen", 0.5))
    ]
    np.testing.assert_allclose(both, sum(parts), atol=1e-5)
    assert both.dtype == np.float32


def test_nothing_is_the_neutral_face(stand_in: StandIn) -> None:
    nothing = stand_in.blend()
    assert len(nothing.params) == 1
    assert not nothing.params.to_vectors().any()
    assert nothing.error_mm[0] < 1e-9


def test_curves_make_frames(stand_in: StandIn) -> None:
    curve = np.linspace(0, 1, 5)
    moving = stand_in.blend(jawOpen=curve, mouthPucker=0.5)
    assert len(moving.params) == 5
    assert moving.error_mm.shape == (5,)
    for frame, activation in enumerate(curve):
        still = stand_in.blend(jawOpen=activation, mouthPucker=0.5)
        np.testing.assert_allclose(moving.params.to_vectors()[frame], still.params.to_vectors()[0], atol=1e-6)
        assert moving.error_mm[frame] == pytest.approx(still.error_mm[0], abs=1e-4)


def test_left_is_the_subjects_left(stand_in: StandIn) -> None:
    moved = np.linalg.norm(stand_in.arrays.expression_basis @ stand_in.blend(eyeBlinkLeft=1).params.expression[0], axis=1)
    assert stand_in.arrays.template[moved.argmax(), 0] > 0.01


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("mouthPuker", "mouthPucker"),
        ("zzz", "browDownLeft"),
        ("eyeLookUpLeft", "gaze is a rotation"),
        ("tongueOut", "stays in"),
        ("jawForward", "not thrust forward"),
    ],
)
def test_what_is_no_unit_is_refused_with_the_reason(stand_in: StandIn, unit: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"{unit}.*{message}"):
        stand_in.blend(**{unit: 1})


@pytest.mark.parametrize("bad", [np.nan, np.inf, np.zeros((2, 2)), np.zeros(0), "a", None, {}, 1 + 1j, [[1], [2, 3]], 1e300])
def test_what_is_no_activation_is_refused(stand_in: StandIn, bad: float) -> None:
    with pytest.raises(InputError, match=r"finite number|too large"):
        stand_in.blend(jawOpen=bad)


def test_curves_of_unequal_length_are_refused(stand_in: StandIn) -> None:
    with pytest.raises(InputError, match="unequal length"):
        stand_in.blend(jawOpen=np.zeros(3), mouthPucker=np.zeros(4))


def test_six_people_differ_and_look_like_themselves(stand_in: StandIn) -> None:
    face = stand_in.arrays.regions["face"]
    faces = (stand_in.arrays.shape_basis[face] @ stand_in.people_codes.T).transpose(2, 0, 1)
    assert len(stand_in.people) == len(faces) == 6
    assert {name.split("_")[1] for name in stand_in.people} == {"female", "male"}
    for one in range(6):
        for other in range(one):
            apart = 1000 * np.linalg.norm(faces[one] - faces[other], axis=1).mean()
            assert apart > 2, (stand_in.people[one], stand_in.people[other])
    np.testing.assert_allclose(faces.mean(axis=0), 0, atol=1e-3)
