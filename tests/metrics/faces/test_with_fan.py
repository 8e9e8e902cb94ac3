"""FAN: never downloaded, never replaced; its plumbing with seeded weights where the package is installed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.metrics.faces import with_fan
from singinghead.metrics.faces.backends import open_landmarks


def test_without_its_weights_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"s3fd-619a316812\.pth .*weights\.py get s3fd"):
        open_landmarks("fan", tmp_path)


def test_other_weights_under_that_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s3fd-619a316812.pth").write_bytes(b"other weights")
    with pytest.raises(InputError, match="not the published"):
        open_landmarks("fan", tmp_path)


def seeded(network: torch.nn.Module, path: Path) -> SimpleNamespace:
    torch.save(network.state_dict(), path)
    return SimpleNamespace(path=path, sha256="0" * 64)


def test_the_largest_box_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With random weights the detector finds nothing of use: boxes are given, and what FAN makes of the largest is asked."""
    face_alignment = pytest.importorskip("face_alignment", reason="the extra fan is not installed")
    from face_alignment.detection.sfd.net_s3fd import s3fd

    torch.manual_seed(0)
    files = {
        "s3fd": seeded(s3fd(), tmp_path / "s3fd.pth"),
        "fan": seeded(face_alignment.models.FAN(4), tmp_path / "fan.pth"),
    }
    monkeypatch.setattr(with_fan, "require_weights", lambda name, _folder: files[name])
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", pytest.fail)
    finder = open_landmarks("fan", tmp_path)
    frame = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    small, large = np.array([10, 10, 60, 60, 0.99]), np.array([80, 60, 220, 220, 0.9])
    detector = finder._alignment.face_detector
    monkeypatch.setattr(detector, "detect_from_image", lambda _frame: [small, large])
    (expected,) = finder._alignment.get_landmarks_from_image(frame, detected_faces=[large])
    assert finder.find(frame) == pytest.approx(np.asarray(expected))
    monkeypatch.setattr(detector, "detect_from_image", lambda _frame: [])
    assert finder.find(frame) is None
