"""What every command shares: errors in one line, warnings on stderr, and the last line of ``--json``."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import tyro

from singinghead.flame_model.errors import InputError, SingingHeadError

Options = TypeVar("Options")


def run(options_type: type[Options], work: Callable[[Options], int | None], program: str) -> int:
    """Parse the command line into ``options_type`` and do the work.

    Returns:
        The exit code: 0, or what ``work`` returns; 2 for a user's mistake, 1 for another failure that has a name, and 130
        for Ctrl-C, each after one line on stderr.
    """
    _log_to_stderr()
    _end_in_order()
    try:
        return work(_parsed(options_type, program)) or 0
    except SingingHeadError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        print(
            f"{program}: this environment lacks the package {error.name} (pip install -c constraints.txt -e .)",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print(f"{program}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object on one line; the last of stdout, for programs that call us."""
    print(json.dumps(record, ensure_ascii=False), flush=True)


def _parsed(options_type: type[Options], program: str) -> Options:
    """The command line as options; a mistake in it as one line, where tyro draws a box of several."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(options_type, prog=program)
    except SystemExit as end:
        if end.code != InputError.exit_code:
            raise
        words = " ".join(re.sub(r"[\u2500-\u257f]+", " ", said.getvalue()).split())
        raise InputError(words or "the command line is not understood; see --help") from None


def _end_in_order() -> None:
    """Let what batch systems, `timeout` and closed terminals send run the same clean-up as Ctrl-C does."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, leave)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logging.addLevelName(logging.WARNING, "warning")
    logger = logging.getLogger("singinghead")
    logger.handlers[:] = [handler]
    logger.propagate = False
    # Other libraries' deprecation notices are ours to read, in the tests, and not a user's.
    warnings.simplefilter("ignore")
