"""Where weights are looked for, in order, and nowhere else; and what is said of those that are missing or wrong."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from singinghead.flame_model.errors import InputError, MissingWeightsError, UnavailableError
from singinghead.metrics import weights
from singinghead.metrics.weights import NETWORKS, examine, find_weights, network_named, require_weights, search_folders

INCEPTION = network_named("inception")
DOWNLOADED = [network for network in NETWORKS if not network.package]
PACKAGED = [network for network in NETWORKS if network.package]


@pytest.fixture(autouse=True)
def _no_weights_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SINGINGHEAD_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def put(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / INCEPTION.file
    path.write_bytes(content)
    return path


def test_missing_weights_are_not_found() -> None:
    assert all(find_weights(network) is None for network in DOWNLOADED)


def test_a_given_folder_wins_over_the_environment_and_that_over_torch_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_hub = put(tmp_path / "torch" / "hub" / "checkpoints")
    assert find_weights(INCEPTION) == in_hub
    in_environment = put(tmp_path / "environment")
    monkeypatch.setenv("SINGINGHEAD_WEIGHTS", str(in_environment.parent))
    assert find_weights(INCEPTION) == in_environment
    given = put(tmp_path / "given")
    assert find_weights(INCEPTION, given.parent) == given


def test_what_another_library_keeps_is_found_there(tmp_path: Path) -> None:
    arcface = network_named("arcface")
    folder = tmp_path / "home" / ".insightface" / "models" / "buffalo_l"
    folder.mkdir(parents=True)
    (folder / arcface.file).write_bytes(b"weights")
    assert find_weights(arcface) == folder / arcface.file
    assert find_weights(INCEPTION, folder) is None


@pytest.mark.parametrize("network", PACKAGED, ids=lambda network: network.name)
def test_what_a_package_brings_is_found_in_it_and_whole(network: weights.Network) -> None:
    found = require_weights(network.name)
    assert found.verified
    assert found.sha256 == network.sha256_prefix


def test_a_published_hash_stands_in_the_file_name() -> None:
    assert all(network.sha256_prefix in network.file for network in DOWNLOADED)
    assert all(len(network.sha256_prefix) == 64 for network in PACKAGED)


def test_every_network_has_its_licence_and_a_way_to_get_it() -> None:
    for network in NETWORKS:
        assert network.licence
        assert bool(network.source) + bool(network.package) + bool(network.hint) == 1
        assert network.source.endswith(network.file) or not network.source
    assert len({network.name for network in NETWORKS}) == len(NETWORKS)


def test_missing_weights_are_one_line_with_all_that_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINGINGHEAD_WEIGHTS", str(tmp_path / "environment"))
    with pytest.raises(MissingWeightsError) as caught:
        require_weights("inception", tmp_path / "given")
    assert isinstance(caught.value, UnavailableError)
    said = str(caught.value)
    assert "\n" not in said
    for word in (
        "FID", INCEPTION.file, "6726825d", str(tmp_path / "given"), str(tmp_path / "environment"), "checkpoints",
        "--weights", "$SINGINGHEAD_WEIGHTS", "python tools/weights.py get inception",
    ):  # fmt: skip
        assert word in said


def test_what_has_no_address_or_comes_with_a_package_has_another_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingWeightsError, match=r"CSIM by arcface: .*no published SHA-256.*buffalo_l\.zip.*unpack"):
        require_weights("arcface")
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    for network in PACKAGED:
        assert search_folders(None, network) == []
        with pytest.raises(MissingWeightsError, match=r"is not in any folder \(pip install"):
            require_weights(network.name)


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, b"others")
    with pytest.raises(InputError, match=r"not the published .*begins with [0-9a-f]{8}, not 6726825d \(python") as caught:
        require_weights("inception", tmp_path)
    assert caught.value.file == path


def test_found_weights_say_their_hash_and_whether_it_is_known(tmp_path: Path) -> None:
    path = put(tmp_path)
    sha256 = hashlib.sha256(b"weights").hexdigest()
    for prefix, verified in ((sha256[:8], True), (sha256, True), ("", False), ("0" * 8, False)):
        found = examine(dataclasses.replace(INCEPTION, sha256_prefix=prefix), path)
        assert (found.path, found.sha256, found.verified) == (path, sha256, verified)


def test_unverified_weights_are_used_and_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "w600k_r50.onnx").write_bytes(b"weights")
    assert not require_weights("arcface", tmp_path).verified


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no network 'vgg' \(one of inception, alexnet"):
        require_weights("vgg")
