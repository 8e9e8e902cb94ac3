"""The page that Vite has made, with a clip's data put into it: one file that needs neither a server nor a network."""

from __future__ import annotations

import base64
import html
import json
from importlib import resources
from pathlib import Path
from typing import Any

from singinghead.flame_model.errors import UnavailableError
from singinghead.flame_model.whole_file import written_whole

_TITLE, _DOCUMENT, _ARRAYS = "<!--title-->", "<!--document-->", "<!--arrays-->"


def read_template() -> str:
    """The page without data.

    Raises:
        UnavailableError: it has not been built.
    """
    file = resources.files("singinghead.render.player") / "dist" / "player.html"
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise UnavailableError(
            "the player's page is not built", file=file, remedy="make player, which needs Node 18 or newer and npm"
        ) from None


def write_page(path: Path, template: str, document: dict[str, Any], arrays: bytes) -> None:
    """Write the page, whole or not at all.

    Args:
        path: an ``.html`` file.
        template: of :func:`read_template`.
        document: of :func:`~singinghead.render.player.payload.payload`.
        arrays: likewise.

    Raises:
        InputError: it cannot be written there.
        UnavailableError: the template is not ours, or of another version.
    """
    # A "<" could end the element that the text stands in; JSON has another way to write it.
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {_TITLE: html.escape(f"{document['id']} · {document['model']}"), _DOCUMENT: written}
    page = template
    for mark, text in (*parts.items(), (_ARRAYS, base64.b64encode(arrays).decode())):
        before, found, after = page.partition(mark)
        if not found:
            raise UnavailableError(f"the player's page has no place '{mark}'", remedy="build it again: make player")
        page = before + text + after
    with written_whole(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="")
