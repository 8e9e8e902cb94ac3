"""The doctor tries things, and says which do not work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

DOCTOR = Path(__file__).parents[2] / "tools" / "doctor.py"


def examined(folder: Path, *options: str, **environment: str) -> tuple[int, dict[str, dict[str, object]]]:

    done = subprocess.run(
        [sys.executable, str(DOCTOR), *options, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_it_tries_what_rendering_needs_and_looks_for_the_rest(tmp_path: Path) -> None:
    code, findings = examined(tmp_path, SINGINGHEAD_WEIGHTS=str(tmp_path), SINGINGHEAD_FLAME="")
    assert code == 0
    for name in ("python", "torch", "ffmpeg", "backend software", "backend auto", "head model"):
        assert findings[name]["works"], findings[name]
    assert {"pyrender egl", "pyrender osmesa", "weights inception", "weights fan"} <= set(findings)
    assert str(tmp_path) in str(findings["weights fan"]["detail"])
    assert "stand-in" in str(findings["head model"]["detail"])


def test_a_broken_flame_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "generic_model.pkl").write_bytes(b"broken")
    code, findings = examined(tmp_path, "--flame", str(tmp_path))
    assert code == 1
    assert "generic_model.pkl" in str(findings["head model"]["detail"])
