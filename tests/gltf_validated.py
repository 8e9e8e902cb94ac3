"""Khronos' validator, where Node and its npm package are: $SINGINGHEAD_NODE_MODULES is the folder that holds it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = """
const validator = require(process.argv[1]);
const content = new Uint8Array(require("fs").readFileSync(process.argv[2]));
validator.validateBytes(content, { maxIssues: 0 }).then(
  (report) => console.log(JSON.stringify(report)),
  (error) => { console.error(error); process.exit(1); });
"""


def report(path: Path) -> dict[str, Any]:
    """Its whole report; the test is skipped where it is not installed."""
    modules, node = os.environ.get("SINGINGHEAD_NODE_MODULES"), shutil.which("node")
    if not modules or not node:
        pytest.skip("no Node, or no $SINGINGHEAD_NODE_MODULES with gltf-validator in it")
    package = Path(modules) / "gltf-validator"
    done = subprocess.run([node, "-e", _SCRIPT, str(package), str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def assert_valid(path: Path) -> None:
    """No error, no warning; told is at most that no material uses the texture coordinates."""
    issues = report(path)["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues
    unexpected = [issue for issue in issues["messages"] if not issue["pointer"].endswith("TEXCOORD_0")]
    assert unexpected == []
