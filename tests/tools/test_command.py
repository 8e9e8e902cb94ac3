"""What every command shares: one line and the right exit code for whatever goes wrong."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from singinghead.flame_model.errors import EncodingError, InputError
from singinghead.tools import command


@dataclass(frozen=True)
class Options:
    """Do a thing."""

    number: int = 1


@pytest.fixture(autouse=True)
def _command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["thing"])
    logger = logging.getLogger("singinghead")
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    monkeypatch.setattr(logger, "handlers", [])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("is empty", file="a.pkl", remedy="write it again"), 2, "a.pkl: is empty (write it again)"),
        (EncodingError("ffmpeg exited with 1"), 1, "ffmpeg exited with 1"),
        (ModuleNotFoundError("no", name="smplx"), 2, "lacks the package smplx"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_a_failure_is_one_line_and_its_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_options: Options) -> None:
        raise error

    assert command.run(Options, work, "thing") == code
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_programming_error_is_not_hidden() -> None:
    def work(_options: Options) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command.run(Options, work, "thing")


def test_the_work_decides_the_exit_code() -> None:
    assert command.run(Options, lambda options: options.number, "thing") == 1
    assert command.run(Options, lambda _options: None, "thing") == 0


def test_warnings_of_the_library_reach_stderr_as_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_options: Options) -> None:
        logging.getLogger("singinghead.flame_model.sequence").warning("jaw turns by %.1f rad", 3.5)

    command.run(Options, work, "thing")
    assert capsys.readouterr().err == "warning: jaw turns by 3.5 rad\n"


@pytest.mark.parametrize("arguments", [["--number", "many"], ["--nmuber", "1"], ["surplus"]])
def test_a_mistyped_command_line_is_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["thing", *arguments])
    assert command.run(Options, lambda _options: None, "thing") == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert said.startswith("thing: ")
    assert arguments[0] in said
    assert "─" not in said


def test_help_is_whole_and_succeeds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["thing", "--help"])
    with pytest.raises(SystemExit) as ended:
        command.run(Options, lambda _options: None, "thing")
    assert not ended.value.code
    assert "--number" in capsys.readouterr().out
