"""The gallery shows what there is to show, and its pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import ROOT, assert_one_line, run
from PIL import Image

from singinghead.render.shown import LAYERS
from singinghead.render.styles import STYLES
from singinghead.render.views import VIEWS
from singinghead.tools.gallery_entries import ENTRIES
from singinghead.tools.make_gallery import page

SCRIPT = "tools/make_gallery.py"
DOCS = ROOT / "docs" / "gallery"
COMMANDS = " ".join(entry.shown_command for entry in ENTRIES)


@pytest.mark.parametrize(
    "option",
    [
        "--view", "--turntable", "--camera", "--pose", "--wireframe", "--landmarks full", "--landmarks contour", "--regions",
        "--colour-by region", "--colour-by speed", "--colour-by error", "--background", "--texture", "--layer", "--still",
        *(f"--style {name}" for name in STYLES if name != "house"),
        *(name for name in VIEWS if name != "right"), *LAYERS[1:],
    ],
)  # fmt: skip
def test_every_way_of_drawing_has_a_picture(option: str) -> None:
    assert option in COMMANDS


def test_the_page_is_the_committed_one_and_its_pictures_are_small() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    assert text == page()
    pictures = re.findall(r"\]\((.+?\.jpg)\)", text)
    assert sorted(pictures) == sorted(path.name for path in DOCS.glob("*.jpg"))
    for name in pictures:
        assert (DOCS / name).stat().st_size < 300_000
        assert min(Image.open(DOCS / name).size) >= 300


def test_one_picture_is_drawn_from_the_commands_own_file(tmp_path: Path) -> None:
    done = run(SCRIPT, "--out", tmp_path / "new" / "gallery", "--only", "layers")
    assert done.returncode == 0, done.stderr
    (picture,) = (tmp_path / "new" / "gallery").iterdir()
    drawn, committed = (Image.open(path).convert("L").resize((96, 24)) for path in (picture, DOCS / "layers.jpg"))
    differences = [abs(a - b) for a, b in zip(drawn.tobytes(), committed.tobytes(), strict=True)]
    assert sum(differences) / len(differences) < 4


def test_an_unknown_picture_is_told(tmp_path: Path) -> None:
    assert_one_line(run(SCRIPT, "--out", tmp_path / "g", "--only", "hous"), "no picture 'hous'", "house")
    assert not list(tmp_path.iterdir())
