"""Both rasterizers draw the same head, GL is found by trying, and is not needed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from likeness import band, psnr, ssim
from textured import detailed, flame_ball

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.model import FlameModel
from singinghead.flame_model.params import FlameParams
from singinghead.render import rasterizer
from singinghead.render.camera import fixed_camera
from singinghead.render.rasterizer import Layers, Probe, choose_backend, open_rasterizer, probe_gl
from singinghead.render.scene import head_scene

SIZE = 384
HEADS = ("plain", "textured", "flame", "colored")

DRAW = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
import test_backends
test_backends.draw_poses(*sys.argv[1:])
"""


def poses() -> FlameParams:
    """Neutral; mouth open; turned and mouth open; profile; neutral again."""
    params = FlameParams.zeros(5)
    params.jaw[1:3, 0] = 0.25
    params.global_pose[2:4] = [[0.1, 0.4, 0.05], [0, 1.3, 0]]
    return params


def stripes(vertices: np.ndarray) -> np.ndarray:
    """Colours that differ from frame to frame, as the head moves."""
    return (0.5 + 0.5 * np.sin(200 * vertices)).astype(np.float32)


def draw_poses(platform: str, out: str) -> None:
    """Save every layer of every pose of the stand-in, of the same textured, and of a textured FLAME file."""
    stand_in, flame = FlameModel.load().with_shape(), flame_ball(Path(out).parent)
    if platform in rasterizer.GL_PLATFORMS:
        rasterizer.GL_PLATFORMS = (platform,)
    backend = "pyrender" if platform in rasterizer.GL_PLATFORMS else "software"
    texture = detailed(512, 768)
    arrays = {}
    for head, subject, scene in (
        ("plain", stand_in, head_scene(stand_in)),
        ("textured", stand_in, head_scene(stand_in, texture)),
        ("flame", flame, head_scene(flame, texture)),
    ):
        with open_rasterizer(backend, scene, fixed_camera(subject), SIZE) as drawer:
            layers = [vars(drawer.layers(vertices)) for vertices in subject.vertices(poses())]
            colored = [vars(drawer.layers(vertices, stripes(vertices))) for vertices in subject.vertices(poses())]
        if head == "textured":  # where there is most to put other colours in the place of
            arrays |= {f"colored {name}": np.stack([one[name] for one in colored]) for name in colored[0]}
        arrays |= {f"{head} {name}": np.stack([one[name] for one in layers]) for name in layers[0]}
    np.savez(out, **arrays)


def drawn(platform: str, tmp_path: Path) -> dict[str, Layers]:
    out = tmp_path / f"{platform}.npz"
    subprocess.run([sys.executable, "-c", DRAW, platform, str(out)], check=True)
    with np.load(out) as arrays:
        return {head: Layers(**{layer.name: arrays[f"{head} {layer.name}"] for layer in fields(Layers)}) for head in HEADS}


@pytest.fixture(scope="module")
def by_software(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layers]:
    return drawn("software", tmp_path_factory.mktemp("software"))


@pytest.fixture(scope="module", params=rasterizer.GL_PLATFORMS)
def by_pyrender(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layers]:
    probe = probe_gl(request.param)
    if not probe.works:
        pytest.skip(f"no {request.param} here: {probe.detail}")
    return drawn(request.param, tmp_path_factory.mktemp("pyrender"))


@pytest.mark.parametrize("head", HEADS)
def test_pyrender_draws_what_the_software_rasterizer_draws(
    head: str, by_software: dict[str, Layers], by_pyrender: dict[str, Layers]
) -> None:
    ours, theirs = by_software[head], by_pyrender[head]
    for one, other, alpha in zip(ours.color, theirs.color, ours.alpha, strict=True):
        inside, outline = alpha > 0, band(alpha > 0)
        print(
            f"{head}: PSNR {psnr(one, other, inside):.1f} dB inside, {psnr(one, other, outline):.1f} dB at the outline,"
            f" SSIM {ssim(one, other):.4f}"
        )
        assert psnr(one, other, inside) >= 38
        assert psnr(one, other, outline) >= 30
        assert ssim(one, other) >= 0.98
    assert np.abs(ours.color[0].astype(int) - ours.color[2]).mean() > 5, "the poses differ more than the backends"
    assert np.array_equal(theirs.color[0], theirs.color[-1]), "vertices uploaded in place leave nothing behind"
    assert (ours.part != theirs.part).mean() < 1e-4
    assert np.abs(ours.alpha - theirs.alpha).mean() < 1e-3
    both = (ours.part >= 0) & (theirs.part >= 0) & (ours.alpha == 1)
    np.testing.assert_allclose(ours.depth[both], theirs.depth[both], atol=0.02)
    assert np.median(np.abs(ours.depth[both] - theirs.depth[both])) < 1e-5
    cosine = (ours.normal[both] * theirs.normal[both]).sum(axis=-1)
    assert np.degrees(np.arccos(np.clip(np.quantile(cosine, 0.02), -1, 1))) < 2


def test_no_pixel_of_the_head_is_missing() -> None:
    """From crown to chest, the middle column is head; the corners above are background."""
    subject = FlameModel.load().with_shape()
    scene = head_scene(subject)
    with open_rasterizer("software", scene, fixed_camera(subject), SIZE) as drawer:
        picture = drawer.draw(subject.vertices(FlameParams.zeros(1))[0]).astype(int)
    is_background = np.abs(picture - scene.background).max(axis=-1) == 0
    assert is_background[0, 0]
    assert is_background[0, -1]
    middle = is_background[:, SIZE // 2]
    assert middle[: np.argmin(middle)].all()
    assert not middle[np.argmin(middle) :].any()


MASKED = """
for lib in /lib/*/libEGL*.so* /lib/*/libOSMesa*.so* /usr/lib/*/libEGL*.so* /usr/lib/*/libOSMesa*.so*; do
  [ -e "$lib" ] && mount --bind /dev/null "$(readlink -f "$lib")" || true
done 2>/dev/null
"$@"
"""


def without_gl(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where EGL and OSMesa really are not there."""
    done = subprocess.run(["unshare", "-m", "sh", "-c", MASKED, "sh", *command], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"may not hide libraries here: {done.stderr.strip()}")
    return done


def test_without_gl_pyrender_is_refused_by_name_and_with_the_remedy() -> None:
    ask = "from singinghead.render.rasterizer import choose_backend; choose_backend('pyrender')"
    done = without_gl(sys.executable, "-c", ask)
    last = done.stderr.strip().splitlines()[-1]
    assert "UnavailableError: pyrender finds no GL on this machine: egl: " in last
    assert "osmesa: " in last
    assert "--backend software" in last


def test_without_gl_auto_is_software() -> None:
    ask = "from singinghead.render.rasterizer import choose_backend; print(choose_backend('auto').backend)"
    assert without_gl(sys.executable, "-c", ask).stdout.strip() == "software"


@pytest.mark.parametrize(
    ("has_device", "probe", "expected"),
    [
        (False, Probe(True, "NVIDIA H200"), ("software", "")),
        (True, Probe(True, "NVIDIA H200/PCIe/SSE2"), ("pyrender", "egl")),
        (True, Probe(True, "llvmpipe (LLVM 15.0.6, 256 bits)"), ("software", "")),
        (True, Probe(False, "libEGL is not installed"), ("software", "")),
    ],
)
def test_auto_takes_gl_only_where_it_reaches_a_gpu(
    has_device: bool, probe: Probe, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rasterizer, "_has_gpu_device", lambda: has_device)
    monkeypatch.setattr(rasterizer, "probe_gl", lambda _platform: probe)
    choice = choose_backend("auto")
    assert (choice.backend, choice.platform) == expected
    assert choice.why


def test_pyrender_falls_from_egl_to_osmesa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasterizer, "probe_gl", lambda platform: Probe(platform == "osmesa", "tried"))
    assert choose_backend("pyrender").platform == "osmesa"
    monkeypatch.setattr(rasterizer, "probe_gl", lambda _platform: Probe(False, "no such library"))
    with pytest.raises(UnavailableError, match=r"egl: no such library; osmesa: no such library"):
        choose_backend("pyrender")


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(InputError, match="auto, software or pyrender"):
        choose_backend("vulkan")  # type: ignore[arg-type]
