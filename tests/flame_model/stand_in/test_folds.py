"""Folds are found, and evened out."""

from __future__ import annotations

import numpy as np
import pytest

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.flame_model.stand_in.folds import Folds

ACROSS = 12
_ROWS, _COLUMNS = np.meshgrid(np.arange(ACROSS - 1), np.arange(ACROSS - 1), indexing="ij")
_CORNER = (_ROWS * ACROSS + _COLUMNS).ravel()
FACES = np.concatenate(
    [
        np.stack([_CORNER, _CORNER + 1, _CORNER + ACROSS + 1], axis=1),
        np.stack([_CORNER, _CORNER + ACROSS + 1, _CORNER + ACROSS], axis=1),
    ]
)
SHEET = np.column_stack([*np.divmod(np.arange(ACROSS**2), ACROSS), np.zeros(ACROSS**2)]).astype(float)


def test_a_vertex_pulled_over_its_neighbours_is_put_back() -> None:
    folds = Folds(SHEET[None], FACES)
    pulled = np.zeros_like(SHEET)
    pulled[6 * ACROSS + 6, 0] = 2.5
    assert len(folds.made_by(pulled))
    evened = folds.evened_out(pulled)
    assert not len(folds.made_by(evened))
    assert np.abs(evened[0]).max() == 0, "far away nothing moves"


def test_what_folds_nothing_stays_as_it_is() -> None:
    bulge = np.zeros_like(SHEET)
    bulge[:, 2] = np.exp(-((SHEET[:, 0] - 5) ** 2 + (SHEET[:, 1] - 5) ** 2) / 8)
    np.testing.assert_array_equal(Folds(SHEET[None], FACES).evened_out(bulge), bulge)


@pytest.fixture(scope="module")
def head() -> StandIn:
    return load_stand_in()


@pytest.fixture(scope="module")
def subject(head: StandIn) -> Subject:
    return FlameModel(head.arrays).with_shape()


def skin_folds(head: StandIn, vertices: np.ndarray) -> np.ndarray:
    """(n, 3) metres: where on the neutral head the skin is folded that was open."""
    arrays = head.arrays
    faces = arrays.faces[np.concatenate([arrays.parts["skin"], arrays.parts["mouth"]])]
    folded = Folds(arrays.template[None], faces).made_by(vertices - arrays.template)
    return arrays.template[faces[folded]].mean(axis=(1, 2))


def test_the_jaw_folds_nothing(head: StandIn, subject: Subject) -> None:
    params = FlameParams.zeros(8)
    params.jaw[:, 0] = np.linspace(0, 0.35, 8)
    for vertices in subject.vertices(params):
        assert not len(skin_folds(head, vertices))


@pytest.mark.parametrize("unit", load_stand_in().units)
def test_no_unit_folds_the_skin_but_where_lips_and_lids_meet(head: StandIn, subject: Subject, unit: str) -> None:
    activations = {unit: 1.0} | ({"jawOpen": 1.0} if unit == "mouthClose" else {})
    places = skin_folds(head, subject.vertices(head.blend(**activations).params)[0])
    lips, eyes = head.arrays.template[head.arrays.regions["lips"]], (head.arrays.joint_regressor @ head.arrays.template)[3:]
    of_lips = (places[:, 2] < lips[:, 2].max() - 0.008) & (np.abs(places[:, 0]) < 0.026)
    of_lids = np.linalg.norm(places[:, None] - eyes, axis=2).min(axis=1) < 0.0185
    assert (of_lips | of_lids).all(), 1000 * places[~(of_lips | of_lids)]
    assert len(places) < 20
