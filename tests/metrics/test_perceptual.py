"""LPIPS against the package of its authors with the same random trunk."""

from __future__ import annotations

import warnings
from pathlib import Path

import lpips
import numpy as np
import pytest
import torch
import written_networks
from scipy.ndimage import gaussian_filter

from singinghead.flame_model.errors import InputError, MissingWeightsError
from singinghead.metrics import networks, weights
from singinghead.metrics.perceptual import Lpips


@pytest.fixture(scope="module")
def trunk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_networks.write_alexnet(tmp_path_factory.mktemp("weights") / "alexnet.pth")


@pytest.fixture(scope="module")
def measure(trunk: Path) -> Lpips:
    return Lpips(trunk)


@pytest.fixture(scope="module")
def reference(trunk: Path) -> lpips.LPIPS:
    """The authors' network; its trunk numbers the same layers within five slices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    weights = torch.load(trunk, weights_only=True)
    own = network.net.state_dict()
    own.update({name: weights[f"features.{name.split('.', 1)[1]}"] for name in own})
    network.net.load_state_dict(own)
    return network.eval()


def frames(seed: int, n: int = 3, height: int = 64, width: int = 80) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(128, 150, (n, height, width, 3))
    return np.clip(gaussian_filter(noise, (0, 2, 2, 0)), 0, 255).astype(np.uint8)


def signed(pictures: np.ndarray) -> torch.Tensor:
    return torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.parametrize("seed_range", [False, True])
def test_it_equals_its_authors_package(measure: Lpips, reference: lpips.LPIPS, seed_range: bool) -> None:
    one, other = frames(0), frames(1)
    with torch.no_grad():
        given = [(signed(pictures) + 1) / 2 if seed_range else signed(pictures) for pictures in (one, other)]
        expected = reference(*given).numpy().ravel()
    assert expected.min() > 0.001
    assert measure.distances(one, other, seed_range) == pytest.approx(expected, rel=1e-4)


def test_the_seeds_range_gives_other_numbers(measure: Lpips) -> None:
    one, other = frames(0), frames(1)
    assert np.all(np.abs(measure.distances(one, other) - measure.distances(one, other, seed_range=True)) > 1e-3)


def test_identity_symmetry_and_batches(measure: Lpips) -> None:
    one, other = frames(0), frames(1)
    assert np.array_equal(measure.distances(one, one), np.zeros(3))
    together = measure.distances(one, other)
    assert np.array_equal(together, measure.distances(one, other))
    assert together == pytest.approx(measure.distances(other, one), rel=1e-6)
    alone = [measure.distances(one[k : k + 1], other[k : k + 1])[0] for k in range(3)]
    assert together == pytest.approx(alone, rel=1e-5)


def test_blur_and_noise_raise_it(measure: Lpips) -> None:
    truth = frames(2)
    blurred = [measure.distances(gaussian_filter(truth, (0, s, s, 0)), truth).mean() for s in (0.5, 1, 2, 4)]
    assert blurred == sorted(blurred)
    noise = np.random.default_rng(0).normal(size=truth.shape)
    noisy = [measure.distances(np.clip(truth + s * noise, 0, 255).astype(np.uint8), truth).mean() for s in (3, 10, 30)]
    assert noisy == sorted(noisy)


def test_other_weights_are_one_clear_line(trunk: Path, tmp_path: Path) -> None:
    whole = torch.load(trunk, weights_only=True)
    cases = {
        "missing.pth": {name: value for name, value in whole.items() if name != "features.3.weight"},
        "shape.pth": whole | {"features.0.weight": torch.zeros(64, 3, 7, 7)},
        "more.pth": whole | {"layer1.weight": torch.zeros(3)},
        "nan.pth": whole | {"features.0.bias": torch.full((64,), torch.nan)},
        "list.pth": [1, 2],
    }
    words = (
        "another network: Missing",
        "another network: size mismatch",
        "another network: Unexpected",
        "NaN",
        "dictionary",
    )
    for (name, content), expected in zip(cases.items(), words, strict=True):
        torch.save(content, tmp_path / name)
        with pytest.raises(InputError, match=expected) as caught:
            Lpips(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")
        assert "\n" not in str(caught.value)


class _Planted:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("planted"),)


def test_weights_that_run_code_or_are_damaged_are_refused(
    trunk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"features.0.weight": _Planted()}, tmp_path / "planted.pth")
    (tmp_path / "cut.pth").write_bytes(trunk.read_bytes()[:100_000])
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "garbage.pth").write_bytes(np.random.default_rng(0).bytes(5000))
    for name in ("planted", "cut", "empty", "garbage"):
        with pytest.raises(InputError, match=rf"{name}\.pth: not readable weights") as caught:
            Lpips(tmp_path / f"{name}.pth")
        assert len(str(caught.value)) < 500
    assert not (tmp_path / "planted").exists()
    with pytest.raises(InputError, match="no such file"):
        Lpips(tmp_path / "absent.pth")
    monkeypatch.setattr(networks, "_LARGEST_BYTES", 1000)
    with pytest.raises(InputError, match="more than 1 GB"):
        Lpips(trunk)


def test_without_the_package_the_remedy_is_named(trunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _name: None)
    with pytest.raises(MissingWeightsError, match=r"LPIPS: alex\.pth .* \(pip install"):
        Lpips(trunk)


def test_other_shapes_are_refused(measure: Lpips) -> None:
    good = frames(0)
    for bad, words in ((good / 255, "uint8"), (good[0], "N, H, W, 3"), (good[:, :40], "at least 63"), (good[:0], "N, H")):
        with pytest.raises(InputError, match=words):
            measure.distances(bad, bad)
    with pytest.raises(InputError, match="differ in shape"):
        measure.distances(good, good[:2])
