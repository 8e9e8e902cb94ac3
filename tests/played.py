"""What a page of the player holds, and its own modules asked for vertices, in Node."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SOURCES = Path(__file__).parents[1] / "render" / "player" / "page" / "src"

_ASK = """
import { readFileSync, writeFileSync } from "node:fs";
const [sources, folder, wanted] = process.argv.slice(1);
const { tracks, normals } = await import(`${sources}/basis.js`);
const { opened } = await import(`${sources}/data.js`);
const { distances } = await import(`${sources}/heat.js`);
const clip = JSON.parse(readFileSync(`${folder}/document.json`, "utf8"));
const open = opened(new Uint8Array(readFileSync(`${folder}/arrays.bin`)));
const all = tracks(clip, open), faces = open(clip.head.faces);
const n = 3 * clip.head.tints.shape[0], frames = JSON.parse(wanted);
const straight = new Float32Array(n), truth = new Float32Array(n);
const out = { vertices: [], normals: [], errors: [] };
for (const actor of clip.actors) for (const frame of frames) {
  const vertices = all[actor.drawn].vertices(frame, new Float32Array(n));
  out.vertices.push(vertices);
  out.normals.push(normals(vertices, faces, new Float32Array(n)));
  all[clip.actors[0].straight].vertices(frame, truth);
  out.errors.push(distances(all[actor.straight].vertices(frame, straight), truth, new Float32Array(n / 3)));
}
for (const [name, parts] of Object.entries(out)) {
  writeFileSync(`${folder}/${name}`, Buffer.concat(parts.map((part) => Buffer.from(part.buffer))));
}
"""


def is_built() -> bool:
    """Whether the page that is filled with clips is there."""
    return (resources.files("singinghead.render.player") / "dist" / "player.html").is_file()


def needs_page() -> None:
    """Skip the test where the page is not built."""
    if not is_built():
        pytest.skip("the player's page is not built: make player, with Node 18 or newer")


def contents(page: Path) -> tuple[dict[str, Any], bytes]:
    """The document and the block of arrays of a page."""
    text = page.read_text("utf-8")
    found = [
        re.search(f'<script type="application/[a-z-]+" id="{name}">(.*?)</script>', text) for name in ("document", "arrays")
    ]
    document, arrays = (part.group(1) for part in found if part)
    return json.loads(document), base64.b64decode(arrays)


def array(name: dict[str, Any], block: bytes) -> np.ndarray:
    return np.frombuffer(block, name["type"], int(np.prod(name["shape"])), name["at"]).reshape(name["shape"])


def evaluated(document: dict[str, Any], block: bytes, frames: list[int], folder: Path) -> dict[str, np.ndarray]:
    """By the page's own modules: ``vertices``, ``normals`` (actors, frames, V, 3); ``errors`` (actors, frames, V) in mm."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here: apt-get install nodejs")
    (folder / "document.json").write_text(json.dumps(document))
    (folder / "arrays.bin").write_bytes(block)
    asked = [node, "--input-type=module", "-e", _ASK, SOURCES.as_uri(), str(folder), json.dumps(frames)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shape = (len(document["actors"]), len(frames), document["head"]["tints"]["shape"][0])
    read = {name: np.fromfile(folder / name, np.float32) for name in ("vertices", "normals", "errors")}
    return {name: values.reshape(shape if name == "errors" else (*shape, 3)) for name, values in read.items()}
