"""Real motion, fitted to FLAME by others, on the stand-in: it stays within what a face can do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.flame_model.stand_in import load_stand_in

REAL = sorted((Path(__file__).parents[4] / "shared" / "real" / "flame_seqs").glob("*.pkl"))


@pytest.mark.skipif(not REAL, reason="no ../shared/real here")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_amplitudes_are_natural(path: Path) -> None:
    sequence = load_sequence(path)
    assert isinstance(sequence, ParamSequence)
    subject = FlameModel(load_stand_in().arrays).with_shape(sequence.shape)
    motion = sequence.params.with_head_pose(None)
    vertices = 1000 * subject.vertices(motion)
    moved = np.linalg.norm(vertices - 1000 * subject.template, axis=2)
    face = subject.region("face")
    assert 1 < moved[:, face].max(axis=1).mean() < 15, "millimetres, of the vertex that moves most"
    assert moved.max() < 30
    marks = 1000 * subject.landmarks(motion)
    opening = marks[:, 62, 1] - marks[:, 66, 1]
    # The lips may press into each other, and in a single frame of one clip the lower one slides over the upper.
    assert np.percentile(opening, 5) > -6
    assert opening.min() > -12
    assert 3 < opening.max() < 30
    width = np.linalg.norm(marks[:, 48] - marks[:, 54], axis=1)
    at_rest = np.linalg.norm(np.diff(1000 * subject.landmarks(motion.map(lambda x: 0 * x[:1]))[0, [48, 54]], axis=0))
    assert (width / at_rest).min() > 0.7
    assert (width / at_rest).max() < 1.35
