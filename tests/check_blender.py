"""Does Blender play an exported clip as we do? By hand: Blender's own Python package is 370 MB and no dependency.

python tools/export_glb.py SEQ --out x.glb && python tools/export_glb.py SEQ --out x.npz
python3.11 -m venv /tmp/blender && /tmp/blender/bin/pip install bpy==5.0.1
/tmp/blender/bin/python tests/check_blender.py x.glb x.npz
"""

from __future__ import annotations

import sys

import bpy
import numpy as np

TOLERANCE_MM = 0.1


def imported_head(path: str, fps: float) -> bpy.types.Object:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = round(fps)
    bpy.context.scene.render.fps_base = round(fps) / fps
    bpy.ops.import_scene.gltf(filepath=path)
    (head,) = (thing for thing in bpy.data.objects if thing.type == "MESH" and "_VERTEX" in thing.data.attributes)
    return head


def evaluated(head: bpy.types.Object, frame: int) -> np.ndarray:
    """Vertices in metres, y up, as the modifiers and shape keys leave them."""
    bpy.context.scene.frame_set(frame)
    seen = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = seen.to_mesh()
    places = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    world = np.array(seen.matrix_world)
    x, y, z = (places.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]).T
    return np.stack([x, z, -y], axis=1)


def main(glb: str, npz: str) -> int:
    with np.load(npz) as truth:
        vertices, fps = truth["vertices"], float(truth["fps"])
    head = imported_head(glb, fps)
    numbers = np.zeros(len(head.data.vertices), np.float32)
    head.data.attributes["_VERTEX"].data.foreach_get("value", numbers)
    of = numbers.astype(int)
    keys = head.data.shape_keys
    print(f"Blender {bpy.app.version_string}: {len(of)} vertices, {len(keys.key_blocks) - 1 if keys else 0} shape keys")
    errors_mm = []
    for frame in np.linspace(0, len(vertices) - 1, 10).round().astype(int):
        distances = np.linalg.norm(evaluated(head, int(frame)) - vertices[frame][of], axis=1)
        errors_mm.append(1000 * distances.max())
        print(f"frame {frame}: {errors_mm[-1]:.4f} mm at most")
    good = max(errors_mm) <= TOLERANCE_MM
    print(f"{'as ours' if good else 'NOT as ours'}: {max(errors_mm):.4f} mm, {TOLERANCE_MM} allowed")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
