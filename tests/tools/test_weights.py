"""`weights.py list|check|get` as a user runs it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import commands
import pytest
from served import Answer, serving

from singinghead.metrics import weights
from singinghead.tools import weights as tool

SCRIPT = "tools/weights.py"
CONTENT = b"the weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _no_weights_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SINGINGHEAD_WEIGHTS", ""), ("TORCH_HOME", str(tmp_path / "torch")), ("HOME", str(tmp_path))):
        monkeypatch.setenv(name, value)
        monkeypatch.setitem(commands.ENVIRONMENT, name, value)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> weights.Network:
    """A network whose published file is ours."""
    network = dataclasses.replace(weights.NETWORKS[0], name="small", file="small.pth", sha256_prefix=SHA256[:8])
    monkeypatch.setattr(weights, "NETWORKS", (network, weights.network_named("arcface")))
    return network


def last_record(said: str) -> dict[str, dict[str, object]]:
    return dict(json.loads(said.splitlines()[-1]))


def test_list_says_what_is_there_and_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "w600k_r50.onnx").write_bytes(CONTENT)
    done = commands.run(SCRIPT, "list", "--weights", tmp_path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    records = last_record(done.stdout)
    assert {name: record["state"] for name, record in records.items()} == {
        "inception": "missing", "alexnet": "missing", "lpips_heads": "found", "fan": "missing", "s3fd": "missing",
        "dlib_landmarks": "found", "dlib_identity": "found", "arcface": "found",
    }  # fmt: skip
    assert records["arcface"]["path"] == str(tmp_path / "w600k_r50.onnx")
    assert f"is not in {tmp_path}, {tmp_path / 'torch'}" in done.stdout
    assert "licence: Apache-2.0; from https://github.com/toshas/torch-fidelity" in done.stdout


def test_check_tells_whole_wrong_unverified_and_missing_files(tmp_path: Path) -> None:
    for name in ("w600k_r50.onnx", "s3fd-619a316812.pth"):
        (tmp_path / name).write_bytes(CONTENT)
    done = commands.run(SCRIPT, "check", "--weights", tmp_path, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    records = last_record(done.stdout)
    states = {name: records[name]["state"] for name in ("dlib_identity", "s3fd", "arcface", "fan")}
    assert states == {"dlib_identity": "ok", "s3fd": "wrong", "arcface": "unverified", "fan": "missing"}
    assert records["arcface"]["sha256"] == SHA256
    assert f"its SHA-256 begins with {SHA256[:10]}, not 619a316812" in done.stdout

    assert commands.run(SCRIPT, "check", "dlib_identity").returncode == 0
    assert commands.run(SCRIPT, "check", "inception").returncode == 1  # asked for, and missing


def run_here(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["weights", *map(str, arguments)])
    return tool.main()


def test_get_puts_the_file_where_it_is_looked_for(
    published: weights.Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = Answer(CONTENT, len(CONTENT))
    with serving(answer) as url:
        network = dataclasses.replace(published, source=url)
        monkeypatch.setattr(weights, "NETWORKS", (network,))
        assert run_here(monkeypatch, "get", "small", "--json") == 0
        in_cache = tmp_path / "torch" / "hub" / "checkpoints" / "small.pth"
        assert in_cache.read_bytes() == CONTENT
        assert last_record(capsys.readouterr().out)["sha256"] == SHA256
        assert weights.require_weights("small").verified

        assert run_here(monkeypatch, "get", "small") == 0
        assert "is there already" in capsys.readouterr().out
        assert len(answer.asked) == 1

        in_cache.write_bytes(b"broken")
        assert run_here(monkeypatch, "get", "small") == 0
        assert in_cache.read_bytes() == CONTENT

        for folder, option in (("environment", ()), ("given", ("--weights", tmp_path / "given"))):
            monkeypatch.setenv("SINGINGHEAD_WEIGHTS", str(tmp_path / "environment"))
            assert run_here(monkeypatch, "get", "small", *option) == 0
            assert (tmp_path / folder / "small.pth").read_bytes() == CONTENT


def test_get_of_a_wrong_file_says_so_and_keeps_nothing(tmp_path: Path) -> None:
    with serving(Answer(CONTENT, len(CONTENT))) as url:
        done = commands.run(SCRIPT, "get", "inception", "--url", url, "--weights", tmp_path / "here")
    commands.assert_one_line(done, url, f"begins with {SHA256[:8]}, not 6726825d", "nothing of it was kept")
    assert list((tmp_path / "here").iterdir()) == []


def test_get_of_a_download_that_is_cut_off_says_so(tmp_path: Path) -> None:
    with serving(Answer(CONTENT, 2 * len(CONTENT))) as url:
        done = commands.run(SCRIPT, "get", "alexnet", "--url", url, "--weights", tmp_path / "here")
    commands.assert_one_line(done, "ended after 11000 of 22000 bytes")
    assert list((tmp_path / "here").iterdir()) == []


def test_get_without_a_published_hash_says_that_it_is_unverified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Answer(CONTENT, len(CONTENT))) as url:
        assert run_here(monkeypatch, "get", "arcface", "--url", url, "--weights", tmp_path) == 0
    assert f"SHA-256 {SHA256} (unverified" in capsys.readouterr().out
    assert (tmp_path / "w600k_r50.onnx").read_bytes() == CONTENT


def test_what_cannot_be_got_is_one_line_with_the_remedy() -> None:
    commands.assert_one_line(commands.run(SCRIPT, "get", "vgg"), "no network 'vgg'", "inception")
    commands.assert_one_line(commands.run(SCRIPT, "get", "arcface"), "buffalo_l.zip", "--url")
    commands.assert_one_line(commands.run(SCRIPT, "get", "dlib_landmarks"), "face_recognition_models", "pip install")
    commands.assert_one_line(commands.run(SCRIPT), "list, check, get")
