"""Where weights are looked for, in order, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from singinghead.metrics.weights import NETWORKS, find_weights


@pytest.fixture(autouse=True)
def _no_weights_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SINGINGHEAD_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def put(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / NETWORKS[0].file
    path.write_bytes(b"weights")
    return path


def test_missing_weights_are_not_found() -> None:
    assert all(find_weights(network) is None for network in NETWORKS)


def test_a_given_folder_wins_over_the_environment_and_that_over_torch_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_hub = put(tmp_path / "torch" / "hub" / "checkpoints")
    assert find_weights(NETWORKS[0]) == in_hub
    in_environment = put(tmp_path / "environment")
    monkeypatch.setenv("SINGINGHEAD_WEIGHTS", str(in_environment.parent))
    assert find_weights(NETWORKS[0]) == in_environment
    given = put(tmp_path / "given")
    assert find_weights(NETWORKS[0], given.parent) == given


def test_a_published_hash_stands_in_the_file_name() -> None:
    assert all(network.sha256_prefix in network.file for network in NETWORKS)
