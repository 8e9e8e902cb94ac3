"""The commands as a user runs them: processes of their own, whose output is piped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "SINGINGHEAD_FLAME"}

_HIDE_GL = """
for lib in /lib/*/libEGL*.so* /lib/*/libOSMesa*.so* /usr/lib/*/libEGL*.so* /usr/lib/*/libOSMesa*.so*; do
  [ -e "$lib" ] && mount --bind /dev/null "$(readlink -f "$lib")"
done 2>/dev/null
exec "$@"
"""

Done = subprocess.CompletedProcess[str]


def argv(script: str, *arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / script), *map(str, arguments)]


def run(script: str, *arguments: object, cwd: Path | None = None) -> Done:
    command = argv(script, *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=ENVIRONMENT)


def run_without_gl(script: str, *arguments: object) -> Done:
    """Run where the libraries of EGL and OSMesa really are not there."""
    may = subprocess.run(["unshare", "-m", "mount", "--bind", "/dev/null", "/dev/zero"], capture_output=True, check=False)
    if may.returncode != 0:
        pytest.skip(f"may not hide libraries here: {may.stderr.decode().strip()}")
    command = ["unshare", "-m", "sh", "-c", _HIDE_GL, "sh", *argv(script, *arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)


def assert_one_line(done: Done, *words: str) -> None:
    """A user's mistake: exit code 2, nothing but one line on stderr."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
