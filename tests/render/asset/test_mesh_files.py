"""OBJ, PLY and NPZ as others read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from asset_clips import HEADS, singing, subject

from singinghead.flame_model.errors import InputError
from singinghead.render.asset.mesh_files import MeshFormat, mesh_writer, write_mesh, write_meshes, write_vertices
from singinghead.render.scene import GAMMA, head_scene


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", ["obj", "ply"])
def test_trimesh_reads_back_our_vertices_and_faces(head: str, kind: MeshFormat, tmp_path: Path) -> None:
    who, path = subject(head), tmp_path / f"frame.{kind}"
    scene, (vertices,) = head_scene(who), who.vertices(singing(1))
    write_mesh(path, mesh_writer(kind, scene, who.arrays), vertices)
    # Textured faces that trimesh reads lose the order of their vertices to seams: read the geometry alone.
    mesh = trimesh.load(path, process=False, force="mesh", maintain_order=True, skip_texture=True, group_material=False)
    faces = np.concatenate([part.faces for part in scene.parts])
    assert np.abs(mesh.triangles - vertices[faces]).max() < 1e-6
    if kind == "ply":
        assert np.abs(mesh.vertices - vertices).max() < 1e-6
        skin = np.unique(scene.parts[0].faces)[:50]
        seen = (scene.parts[0].material.color * scene.vertex_colors[skin]).clip(0, 1) ** (1 / GAMMA)
        assert np.abs(mesh.visual.vertex_colors[skin, :3] / 255 - seen).max() < 0.003


def test_obj_holds_the_vertices_in_order_and_the_corners_texture_coordinates(tmp_path: Path) -> None:
    who, path = subject("stand-in"), tmp_path / "frame.obj"
    (vertices,), arrays = who.vertices(singing(1)), who.arrays
    write_mesh(path, mesh_writer("obj", head_scene(who), arrays), vertices)
    lines = [line.split() for line in path.read_text().splitlines()]
    places = np.array([words[1:] for words in lines if words[0] == "v"], float)
    assert np.abs(places - vertices).max() < 1e-7
    uvs = np.array([words[1:] for words in lines if words[0] == "vt"], float)
    corners = np.array([[corner.split("/") for corner in words[1:]] for words in lines if words[0] == "f"], int) - 1
    order = np.concatenate(list(arrays.parts.values()))
    assert arrays.uv_faces is not None
    assert arrays.uvs is not None
    assert np.array_equal(corners[:, :, 0], arrays.faces[order])
    assert np.allclose(uvs[corners[:, :, 1]], arrays.uvs[arrays.uv_faces[order]], atol=1e-6)
    assert [words[1] for words in lines if words[0] == "g"] == list(arrays.parts)


def test_a_clip_becomes_a_folder_of_numbered_files(tmp_path: Path) -> None:
    who, folder = subject("stand-in"), tmp_path / "frames"
    writer = mesh_writer("ply", head_scene(who), who.arrays)
    assert write_meshes(folder, "ply", writer, who.chunks(singing(62))) == 62
    assert sorted(path.name for path in folder.iterdir()) == [f"{i:06}.ply" for i in range(62)]
    last = trimesh.load(folder / "000061.ply", process=False)
    assert np.abs(last.vertices - who.vertices(singing(62))[61]).max() < 1e-6
    with pytest.raises(InputError, match="a folder with files in it"):
        write_meshes(folder, "ply", writer, who.chunks(singing(2)))
    assert len(list(folder.iterdir())) == 62


def test_npz_streams_vertices_that_numpy_reads(tmp_path: Path) -> None:
    who, path = subject("stand-in"), tmp_path / "clip.npz"
    truth = who.vertices(singing(70))
    write_vertices(path, who.faces, 25, 70, who.chunks(singing(70)))
    with np.load(path, allow_pickle=False) as content:
        assert np.array_equal(content["vertices"], truth)
        assert np.array_equal(content["faces"], who.faces)
        assert content["fps"] == 25


def test_a_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    who = subject("stand-in")

    def failing():  # type: ignore[no-untyped-def]
        yield who.vertices(singing(2))
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        write_vertices(tmp_path / "clip.npz", who.faces, 30, 4, failing())
    with pytest.raises(RuntimeError):
        write_meshes(tmp_path / "clip", "obj", mesh_writer("obj", head_scene(who), who.arrays), failing())
    assert not list(tmp_path.iterdir())
