"""Data that is put into a page comes out of it again, whatever it says."""

from __future__ import annotations

from pathlib import Path

import played
import pytest

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.render.player import template

PAGE = (
    "<title><!--title--></title>"
    '<script type="application/json" id="document"><!--document--></script>'
    '<script type="application/octet-stream" id="arrays"><!--arrays--></script>'
)


def test_what_is_put_in_comes_out(tmp_path: Path) -> None:
    document = {
        "id": "a</title><b>",
        "model": "x & <!--arrays-->",
        "facts": ["</script><script>alert(1)//", "Größe <!--title-->"],
    }
    template.write_page(tmp_path / "a.html", PAGE, document, bytes(range(256)))
    assert played.contents(tmp_path / "a.html") == (document, bytes(range(256)))
    text = (tmp_path / "a.html").read_text("utf-8")
    assert text.count("</script>") == 2
    assert "<title>a&lt;/title&gt;&lt;b&gt; · x &amp; &lt;!--arrays--&gt;</title>" in text


def test_a_page_that_was_not_built_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template.resources, "files", lambda _package: tmp_path)
    with pytest.raises(UnavailableError, match=r"player.html: the player's page is not built \(make player.*Node 18"):
        template.read_template()


def test_a_page_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no place '<!--document-->'"):
        template.write_page(tmp_path / "a.html", "<title><!--title--></title>", {"id": "a", "model": "b"}, b"")
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its folder does not exist"):
        template.write_page(tmp_path / "no" / "a.html", PAGE, {"id": "a", "model": "b"}, b"")
