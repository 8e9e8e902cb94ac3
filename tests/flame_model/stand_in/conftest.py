"""What these tests share: the stand-in, and the mean person of it."""

from __future__ import annotations

import pytest

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.stand_in import StandIn, load_stand_in


@pytest.fixture(scope="session")
def stand_in() -> StandIn:
    return load_stand_in()


@pytest.fixture(scope="session")
def mean_person(stand_in: StandIn) -> Subject:
    return FlameModel(stand_in.arrays).with_shape()
