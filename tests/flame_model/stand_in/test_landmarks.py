"""The stand-in's landmarks and regions: their order and place, and what an independent detector says of them."""

from __future__ import annotations

import importlib.util

import detected
import numpy as np
import pytest
from detected import Floats

from singinghead.flame_model.arrays import LANDMARK_SHAPES, HeadArrays, Landmarks
from singinghead.flame_model.landmarks import contour_row
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stand_in import load_stand_in

needs_dlib = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("dlib", "face_recognition_models")),
    reason="dlib or its weights are not installed: pip install singinghead[metrics2d]",
)

MIRROR = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    *range(45, 41, -1), 47, 46, *range(39, 35, -1), 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
]  # fmt: skip
"""The landmark at each one's mirror image."""
YAW_ORDER = np.r_[39:0:-1, 0, 40:79]
"""Rows of the contour table from the subject's left to the right or back, a degree each."""


@pytest.fixture(scope="module")
def head() -> HeadArrays:
    return load_stand_in().arrays


@pytest.fixture(scope="module")
def points(head: HeadArrays) -> Floats:
    """(68, 3) millimetres from the middle between the eyes."""
    return 1000 * (places(head, head.landmarks["full"]) - [0, 0.04, 0.06])


@pytest.fixture(scope="module")
def subject(head: HeadArrays) -> Subject:
    return FlameModel(head).with_shape()


def places(head: HeadArrays, landmarks: Landmarks) -> Floats:
    return np.einsum("...c,...cx->...x", landmarks.weights, head.template[head.faces[landmarks.faces]])


# ** Landmarks


def test_all_sets_are_there_and_on_the_skin(head: HeadArrays) -> None:
    assert {name: marks.faces.shape for name, marks in head.landmarks.items()} == LANDMARK_SHAPES
    for marks in head.landmarks.values():
        assert marks.weights.min() >= 0
        np.testing.assert_allclose(marks.weights.sum(axis=-1), 1, atol=1e-12)
        assert np.isin(marks.faces, np.r_[head.parts["skin"], head.parts["mouth"]]).all()


def test_left_mirrors_right(points: Floats) -> None:
    np.testing.assert_allclose(points, points[MIRROR] * [-1, 1, 1], atol=0.2)
    assert np.abs(points[[8, 27, 28, 29, 30, 33, 51, 57, 62, 66], 0]).max() < 0.05


def test_ibug_order(points: Floats) -> None:
    x, y, z = points.T
    for row in (slice(0, 17), slice(17, 27), slice(31, 36), slice(48, 55), slice(60, 65)):
        assert (np.diff(x[row]) > 0).all(), "runs from the subject's right to the left"
    assert (np.diff(y[:9]) < 0).all()
    assert (np.diff(y[[27, 28, 29, 30, 33]]) < 0).all()
    assert x[36] < x[41] < x[40] < x[39] < 0 < x[42] < x[47] < x[46] < x[45]
    assert (y[[37, 38, 43, 44]] > y[[41, 40, 47, 46]] + 5).all()
    assert (y[17:27] > y[36:48].max()).all()
    assert x[48] < x[59] < x[58] < x[57] < x[56] < x[55] < x[54]
    assert (y[[50, 51, 52]] > y[[61, 62, 63]]).all()
    assert (y[[61, 62, 63]] > y[[67, 66, 65]]).all()
    assert (y[[67, 66, 65]] > y[[58, 57, 56]]).all()
    assert z.argmax() == 30


def test_features_are_where_faces_have_them(head: HeadArrays, points: Floats) -> None:
    """Millimetres, with adult averages (Farkas 1994, Anthropometry of the Head and Face) well inside of the limits."""
    assert 80 < points[45, 0] - points[36, 0] < 100
    assert 28 < points[42, 0] - points[39, 0] < 38
    assert 38 < points[54, 0] - points[48, 0] < 58
    assert 90 < points[27, 1] - points[8, 1] < 125
    full = head.landmarks["full"]
    lips = 1000 * (head.template[head.regions["lips"]] - [0, 0.04, 0.06])
    assert np.linalg.norm(points[48:, None] - lips, axis=2).min(axis=1).max() < 4
    for region, marks in (("nose", slice(28, 36)), ("eye_region", slice(36, 48))):
        between = head.faces[full.faces[marks]][full.weights[marks] > 0]
        assert np.isin(between, head.regions[region]).all(), region


def test_the_gap_of_the_lips_opens_with_the_jaw(subject: Subject) -> None:
    params = FlameParams.from_vectors(np.zeros((36, 59), np.float32))
    params.jaw[:, 0] = np.linspace(0, 0.35, 36)
    marks = subject.landmarks(params)
    gap = 1000 * (marks[:, 62, 1] - marks[:, 66, 1])
    assert 0 <= gap[0] < 1.5
    assert (np.diff(gap) > 0.1).all()
    assert 15 < gap[-1] < 50
    assert np.abs(marks[:, [62, 66], 0]).max() < 1e-4


# ** Contour


def test_contour_faces_ahead_as_the_jaw_line(head: HeadArrays, points: Floats) -> None:
    ahead = 1000 * (places(head, head.landmarks["dynamic"])[0] - [0, 0.04, 0.06])
    assert np.linalg.norm(ahead - points[:17], axis=1).max() < 2


def test_contour_slides_and_does_not_jump(head: HeadArrays) -> None:
    rows = places(head, head.landmarks["dynamic"])[YAW_ORDER]
    assert 1000 * np.linalg.norm(np.diff(rows, axis=0), axis=2).max() < 6
    np.testing.assert_allclose(rows, rows[::-1, ::-1] * [-1, 1, 1], atol=5e-4)


@pytest.mark.parametrize("yaw", [-39, -25, -10, 10, 25, 39])
def test_contour_is_the_edge_of_the_face(head: HeadArrays, subject: Subject, yaw: int) -> None:
    """On the side that the head turns to, nothing of the face lies further out at the same height."""
    params = FlameParams.zeros(1)
    params.global_pose[:, 1] = np.radians(yaw)
    sign = np.sign(yaw)
    jaw_line = subject.landmarks(params, "contour")[0, :17]
    face = subject.vertices(params)[0, head.regions["face"]]
    for point in jaw_line[11:16] if sign > 0 else jaw_line[1:6]:
        level = np.abs(face[:, 1] - point[1]) < 0.004
        assert 1000 * (sign * face[level, 0]).max() - 1000 * sign * point[0] < 5


def test_contour_row_of_a_turn_is_the_table_s(head: HeadArrays) -> None:
    """A head that turns to its left shows its left cheek's edge: points of that side move forward."""
    params = FlameParams.zeros(1)
    params.global_pose[:, 1] = np.radians(30)
    rows = places(head, head.landmarks["dynamic"])
    forward = rows[contour_row(params)[0], :, 2] - rows[0, :, 2]
    assert (forward[12:] > 0.005).all()
    assert np.abs(forward[:8]).max() < 0.002


# ** Regions


def test_regions_partition_the_head(head: HeadArrays) -> None:
    apart = [
        "face",
        "scalp",
        "neck",
        "boundary",
        "left_ear",
        "right_ear",
        "left_eyeball",
        "right_eyeball",
        "teeth",
        "tongue",
    ]
    together = np.concatenate([head.regions[name] for name in apart])
    assert len(np.unique(together)) == len(together)
    for name in ("lips", "nose", "forehead", "eye_region", "left_eye_region", "right_eye_region"):
        assert np.isin(head.regions[name], head.regions["face"]).all(), name
    inside = ["lips", "nose", "forehead", "eye_region"]
    together = np.concatenate([head.regions[name] for name in inside])
    assert len(np.unique(together)) == len(together)


@pytest.mark.parametrize("name", ["face", "lips", "nose", "forehead", "eye_region", "scalp", "neck", "boundary"])
def test_regions_are_symmetric(head: HeadArrays, name: str) -> None:
    region = head.regions[name]
    mirrored = head.template[region] * [-1, 1, 1]
    twins = np.linalg.norm(head.template - mirrored[:, None], axis=2).argmin(axis=1)
    assert len(np.setxor1d(region, twins)) <= 4


@pytest.mark.parametrize("name", ["eye_region", "ear", "eyeball"])
def test_sides_are_the_subject_s(head: HeadArrays, name: str) -> None:
    left, right = head.regions[f"left_{name}"], head.regions[f"right_{name}"]
    assert head.template[left, 0].min() > 0 > head.template[right, 0].max()
    assert len(left) == len(right)


@pytest.mark.parametrize("name", ["face", "lips", "nose", "forehead", "scalp", "neck", "left_ear", "eye_region"])
def test_regions_are_in_one_piece(head: HeadArrays, name: str) -> None:
    """No stray vertices across the border; nostrils and lips are open to the inside."""
    inside = np.isin(head.faces, head.regions[name])
    edges = np.concatenate([head.faces[inside.all(axis=1)][:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    label = np.arange(len(head.template))
    for _ in range(100):
        lowest = label[edges].min(axis=1)
        np.minimum.at(label, edges[:, 0], lowest)
        np.minimum.at(label, edges[:, 1], lowest)
    _, sizes = np.unique(label[head.regions[name]], return_counts=True)
    assert sizes.max() >= 0.97 * sizes.sum()


def test_the_boundary_is_the_edge_of_the_bust(head: HeadArrays) -> None:
    np.testing.assert_allclose(head.template[head.regions["boundary"], 1], head.template[:, 1].min(), atol=1e-9)


def test_the_upper_face_composes(subject: Subject, head: HeadArrays) -> None:
    upper = subject.region("upper_face")
    assert len(upper) == len(head.regions["forehead"]) + len(head.regions["eye_region"])
    assert head.template[upper, 1].min() > head.template[head.regions["lips"], 1].max()


# ** Beside dlib's detector


@pytest.fixture(scope="module")
def comparers() -> list[detected.Comparer]:
    head, detect = load_stand_in(), detected.Detector()
    return [detected.Comparer(head, identity, detect) for identity in detected.IDENTITIES]


@needs_dlib
def test_a_detector_agrees_on_identities_and_expressions(comparers: list[detected.Comparer]) -> None:
    errors = detected.errors(detected.compare_ahead(comparers), detected.INNER)
    assert np.isfinite(errors).all(), "a face was not found"
    assert errors.mean() < 3, f"{errors.mean():.1f} %"
    assert errors.max() < 5


@needs_dlib
@pytest.mark.parametrize("yaw", [yaw for yaw in detected.YAWS if abs(yaw) <= 25])
def test_a_detector_finds_the_turned_face(comparers: list[detected.Comparer], yaw: int) -> None:
    for comparer in comparers:
        comparison = comparer.compare(yaw=yaw)
        assert comparison.seen is not None
        assert comparison.error(detected.INNER) < 5
