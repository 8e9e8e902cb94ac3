"""ArcFace's plumbing with a network that averages its input: alignment, range, layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_onnx import write_averages

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.metrics.faces.backends import open_identity
from singinghead.metrics.faces.with_arcface import PLACES, SIZE, ArcFaceIdentity, aligned, five_points, similarity


def landmarks_at(points: np.ndarray) -> np.ndarray:
    """(68, 2) whose eyes, nose and mouth are five points."""
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48] = points[0], points[1]
    landmarks[30], landmarks[48], landmarks[54] = points[2:]
    return landmarks


def moved(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return points @ np.array([[c, s], [-s, c]]) + shift


@given(angle=st.floats(-3, 3), scale=st.floats(0.2, 5), x=st.floats(-100, 100), y=st.floats(-100, 100))
def test_a_similarity_is_found_again(angle: float, scale: float, x: float, y: float) -> None:
    found = similarity(PLACES, moved(PLACES, angle, scale, (x, y)))
    assert found == pytest.approx((scale * np.cos(angle), scale * np.sin(angle), x, y), abs=1e-6)


def test_five_points_are_found_among_the_landmarks() -> None:
    assert five_points(landmarks_at(PLACES)) == pytest.approx(PLACES)


def test_a_face_in_its_place_is_left_alone() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    assert np.abs(aligned(picture, landmarks_at(PLACES)).astype(int) - picture).max() <= 1


def test_a_face_elsewhere_is_brought_to_its_place() -> None:
    """White squares at the eyes, nose and mouth of a large, turned face come to lie in the template's places."""
    points = moved(PLACES, 0.3, 2.0, (90, 40))
    picture = np.zeros((400, 400, 3), np.uint8)
    for x, y in points:
        picture[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5] = 255
    brought = aligned(picture, landmarks_at(points))[..., 0].astype(float)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for x, y in PLACES:
        near = brought * (np.hypot(columns - x, rows - y) < 6)
        assert ((near * columns).sum() / near.sum(), (near * rows).sum() / near.sum()) == pytest.approx((x, y), abs=0.4)


def test_the_network_is_given_channels_of_rgb_from_minus_1_to_1(tmp_path: Path) -> None:
    write_averages(tmp_path / "w600k_r50.onnx")
    encoder = open_identity("arcface", tmp_path)
    picture = np.zeros((SIZE, SIZE, 3), np.uint8) + np.array([255, 0, 51], np.uint8)
    inside = aligned(picture, landmarks_at(PLACES)) != picture  # what lies beyond the frame is black
    expected = (np.where(inside, 0, picture).mean(axis=(0, 1)) - 127.5) / 127.5
    assert encoder.encode(picture, landmarks_at(PLACES)) == pytest.approx(expected, abs=1e-3)
    assert encoder.version.startswith("w600k_r50.onnx, ")


def test_other_files_are_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "w600k_r50.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(InputError, match=r"w600k_r50\.onnx: is not a network") as caught:
        ArcFaceIdentity(tmp_path)
    assert "\n" not in str(caught.value)
    write_averages(path, 64)
    with pytest.raises(InputError, match="not faces of 3 x 112 x 112"):
        ArcFaceIdentity(tmp_path)


def test_without_its_file_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"w600k_r50\.onnx .*--weights"):
        open_identity("arcface", tmp_path)
