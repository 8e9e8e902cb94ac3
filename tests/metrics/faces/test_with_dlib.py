"""dlib's landmarks and identities of heads that we drew and so know."""

from __future__ import annotations

from dataclasses import dataclass

import detected
import numpy as np
import pytest
from PIL import Image

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.stand_in import load_stand_in
from singinghead.metrics import weights
from singinghead.metrics.faces import with_dlib
from singinghead.metrics.faces.backends import open_identity, open_landmarks
from singinghead.metrics.faces.with_dlib import DlibIdentity, DlibLandmarks
from singinghead.metrics.landmark_distances import identity_similarity
from singinghead.render.camera import fixed_camera
from singinghead.render.scene import head_scene
from singinghead.render.software import SoftwareRasterizer

SIZE = 256


@dataclass(frozen=True)
class Drawn:
    """A picture, and where its landmarks are."""

    picture: np.ndarray
    landmarks: np.ndarray


@pytest.fixture(scope="module")
def finder() -> DlibLandmarks:
    return DlibLandmarks()


@pytest.fixture(scope="module")
def heads() -> dict[tuple[str, float], Drawn]:
    """By identity and yaw in degrees."""
    head, drawn = load_stand_in(), {}
    for identity in ("seed 1", "seed 2"):
        subject = FlameModel(head.arrays).with_shape(detected.shape_code(identity))
        camera = fixed_camera(subject)
        rasterizer = SoftwareRasterizer(head_scene(subject), camera, SIZE)
        for yaw in (0.0, 12.0):
            params = head.blend(jawOpen=0.2).params
            params.global_pose[0, 1] = np.radians(yaw)
            known = camera.project(subject.landmarks(params, "full")[0], SIZE)[:, :2]
            drawn[identity, yaw] = Drawn(rasterizer.draw(subject.vertices(params)[0]), known)
    return drawn


def test_landmarks_are_where_the_model_has_them(finder: DlibLandmarks, heads: dict[tuple[str, float], Drawn]) -> None:
    for drawn in heads.values():
        found = finder.find(drawn.picture)
        assert found is not None
        assert found.shape == (68, 2)
        apart = np.linalg.norm(drawn.landmarks[36] - drawn.landmarks[45])
        assert np.linalg.norm(found - drawn.landmarks, axis=1)[17:].mean() < 0.05 * apart
        again = DlibLandmarks().find(drawn.picture)
        assert again is not None
        assert np.array_equal(found, again)


def test_where_there_is_no_face_there_is_none(finder: DlibLandmarks) -> None:
    assert finder.find(np.full((SIZE, SIZE, 3), 120, np.uint8)) is None
    assert finder.find(np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)) is None


def test_of_two_faces_the_larger_counts(finder: DlibLandmarks, heads: dict[tuple[str, float], Drawn]) -> None:
    picture = Image.fromarray(heads["seed 1", 0].picture)
    both = Image.new("RGB", (640, 384), "gray")
    both.paste(picture, (0, 0))
    both.paste(picture.resize((384, 384)), (256, 0))
    alone = Image.new("RGB", (640, 384), "gray")
    alone.paste(picture.resize((384, 384)), (256, 0))
    found, expected = finder.find(np.asarray(both)), finder.find(np.asarray(alone))
    assert found is not None
    assert expected is not None
    assert found == pytest.approx(expected)
    assert found[:, 0].min() > 256


def test_landmarks_move_with_the_face_by_less_than_a_pixel(
    finder: DlibLandmarks, heads: dict[tuple[str, float], Drawn]
) -> None:
    picture = Image.fromarray(np.pad(heads["seed 1", 0].picture, ((4, 4), (4, 4), (0, 0)), "edge"))
    whole, half = (
        finder.find(np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, -x, 0, 1, 0), 2)))
        for x in (0.0, 0.5)
    )
    assert whole is not None
    assert half is not None
    assert (half - whole)[:, 0].mean() == pytest.approx(0.5, abs=0.3)
    assert (half - whole)[:, 1].mean() == pytest.approx(0, abs=0.3)


def test_identities_tell_people_apart_whatever_way_they_look(
    finder: DlibLandmarks, heads: dict[tuple[str, float], Drawn]
) -> None:
    encoder = DlibIdentity()
    embeddings = {}
    for key, drawn in heads.items():
        landmarks = finder.find(drawn.picture)
        assert landmarks is not None
        embeddings[key] = encoder.encode(drawn.picture, landmarks)[None]
        assert np.array_equal(embeddings[key], encoder.encode(drawn.picture, landmarks)[None])
    turned = identity_similarity(embeddings["seed 1", 0], embeddings["seed 1", 12])
    other = identity_similarity(embeddings["seed 1", 0], embeddings["seed 2", 0])
    assert embeddings["seed 1", 0].shape == (1, 128)
    assert turned is not None
    assert other is not None
    assert turned > other + 0.01


@pytest.mark.parametrize("opening", [open_landmarks, open_identity])
def test_without_its_packages_the_remedy_is_named(opening: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(UnavailableError, match=r"\.dat .*metrics2d"):
        opening("dlib")

    def lacking() -> None:
        raise UnavailableError("dlib is not in this environment")

    monkeypatch.setattr(with_dlib, "_dlib", lacking)
    with pytest.raises(UnavailableError, match="dlib is not in this environment"):
        opening("dlib")


def test_other_weights_under_that_name_are_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shape_predictor_68_face_landmarks.dat").write_bytes(b"other trees")
    with pytest.raises(InputError, match="not the published"):
        open_landmarks("dlib", tmp_path)
