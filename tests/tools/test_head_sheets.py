"""The contact sheets of the stand-in head."""

from __future__ import annotations

from pathlib import Path

import commands
import numpy as np
import pytest
from PIL import Image


def test_every_sheet_is_drawn(tmp_path: Path) -> None:
    done = commands.run(
        "tools/head_sheets.py", "--out", tmp_path / "sheets", "--size", 48, "--tile", 40, "--backend", "software"
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "sheets") in done.stdout
    written = {path.stem: np.asarray(Image.open(path)) for path in (tmp_path / "sheets").glob("*.png")}
    assert set(written) == {"neutral", "units", "jaw", "views", "identities", "id0_1_0_0", "id1_2_0_0", "id2_3_0_0"}
    assert written["neutral"].shape == (48, 48, 3)
    assert written["units"].shape == (8 * 40, 10 * 40, 3)
    assert written["views"].shape == (40, 5 * 40, 3)
    for name, sheet in written.items():
        assert sheet.std() > 20, name


@pytest.mark.parametrize("option", ["--size=0", "--size=-5", "--size=100000000", "--tile=0"])
def test_a_wrong_size_is_one_line(tmp_path: Path, option: str) -> None:
    done = commands.run("tools/head_sheets.py", "--out", tmp_path / "sheets", option)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "pixels" in done.stderr
    assert not (tmp_path / "sheets").exists()


def test_a_file_for_a_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "sheets").write_text("a file")
    done = commands.run("tools/head_sheets.py", "--out", tmp_path / "sheets")
    assert done.returncode == 2
    assert "is no folder" in done.stderr
