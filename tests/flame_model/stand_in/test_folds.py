"""Folds are found, and evened out."""

from __future__ import annotations

import numpy as np
import pytest
from grids import grid

from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stand_in import StandIn, load_stand_in
from singinghead.flame_model.stand_in.folds import Folds

ACROSS = 12
_POINTS, FACES = grid(ACROSS)
SHEET = np.column_stack([_POINTS, np.zeros(len(_POINTS))])


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


def skin_folds(head: StandIn, vertices: np.ndarray) -> np.ndarray:
    """(n, 3) metres: where on the neutral head the skin is folded that was open."""
    arrays = head.arrays
    faces = arrays.faces[np.concatenate([arrays.parts["skin"], arrays.parts["mouth"]])]
    folded = Folds(arrays.template[None], faces).made_by(vertices - arrays.template)
    return arrays.template[faces[folded]].mean(axis=(1, 2))


def test_the_jaw_folds_nothing(stand_in: StandIn, mean_person: Subject) -> None:
    params = FlameParams.zeros(8)
    params.jaw[:, 0] = np.linspace(0, 0.35, 8)
    for vertices in mean_person.vertices(params):
        assert not len(skin_folds(stand_in, vertices))


@pytest.mark.parametrize("unit", load_stand_in().units)
def test_no_unit_folds_the_skin_but_where_lips_and_lids_meet(stand_in: StandIn, mean_person: Subject, unit: str) -> None:
    activations = {unit: 1.0} | ({"jawOpen": 1.0} if unit == "mouthClose" else {})
    places = skin_folds(stand_in, mean_person.vertices(stand_in.blend(**activations).params)[0])
    arrays = stand_in.arrays
    lips, eyes = arrays.template[arrays.regions["lips"]], (arrays.joint_regressor @ arrays.template)[3:]
    of_lips = (places[:, 2] < lips[:, 2].max() - 0.008) & (np.abs(places[:, 0]) < 0.026)
    of_lids = np.linalg.norm(places[:, None] - eyes, axis=2).min(axis=1) < 0.0185
    assert (of_lips | of_lids).all(), 1000 * places[~(of_lips | of_lids)]
    assert len(places) < 20
