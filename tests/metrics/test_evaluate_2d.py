"""The 2D benchmark on small videos whose numbers are known, with every fault that a folder of videos can have."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import coded_video
import numpy as np
import pytest
import soundfile
import torch
import written_networks
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.metrics import clip_2d, evaluate_2d, instruments, stored_arrays
from singinghead.metrics.eval_folder import EvalFolder
from singinghead.metrics.evaluate_2d import evaluate
from singinghead.metrics.frechet import FeatureStatistics, fid, kid
from singinghead.metrics.inception import Inception
from singinghead.metrics.instruments import Measuring2D, open_instruments
from singinghead.metrics.one_video import read_features
from singinghead.metrics.perceptual import Lpips
from singinghead.metrics.pooled_2d import PooledRow, without_values
from singinghead.metrics.required_metrics import check_required, missing_required
from singinghead.metrics.results import MethodResult, SequenceRecord, check_result
from singinghead.metrics.video_reader import open_frames

SIZE, T = 64, 36
DARK = 40
"""Frames whose mean is below have no face, to the finder here."""


class BrightFaces:
    """A finder that sees a face wherever a picture is bright; it moves and opens its mouth with the brightness."""

    name, version = "dlib", "bright 1"

    def find(self, frame: np.ndarray) -> np.ndarray | None:
        brightness = float(frame.mean())
        if brightness < DARK:
            return None
        face = np.random.default_rng(0).uniform(10, 50, (68, 2)) + np.array([brightness / 10, 0])
        face[48:, 1] += np.linspace(0, brightness / 20, 20)
        return face


class MeanColors:
    """An encoder by mean colour."""

    name, version = "dlib", "colours 1"

    def encode(self, frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        assert landmarks.shape == (68, 2)
        return frame.mean(axis=(0, 1)).astype(np.float64)


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, no weights, and faces that are quickly found."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(instruments, "open_landmarks", lambda _name, _weights: BrightFaces())
    monkeypatch.setattr(instruments, "open_identity", lambda _name, _weights: MeanColors())
    open_instruments.cache_clear()


def pictures(seed: int, n_frames: int = T, width: int = SIZE, height: int = SIZE) -> np.ndarray:
    """Blocks of colour that move and pulse."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(60, 200, (1, 8, 8, 3)) + 30 * np.sin(np.arange(n_frames) / 4)[:, None, None, None]
    columns = (np.arange(width) * 8 // width + np.arange(n_frames)[:, None] // 6) % 8
    rows = np.arange(height) * 8 // height
    return np.stack([block[rows][:, shown] for block, shown in zip(blocks, columns, strict=True)]).astype(np.uint8)


def noisy(frames: np.ndarray, seed: int = 9, spread: float = 8) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, spread, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def write(path: Path, frames: np.ndarray, fps: float = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return coded_video.write(path, frames, fps, options=("-c:v", "libx264rgb", "-crf", "0"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips, a method ``noisy`` and a method ``identical``."""
    root = tmp_path / "eval"
    (root / "input_audio").mkdir(parents=True)
    for number, clip_id in enumerate(("id0_1", "id1_1")):
        truth = write(root / "generated" / "gt_videos" / f"{clip_id}.mp4", pictures(number))
        write(root / "generated" / "noisy" / f"{clip_id}.mp4", noisy(pictures(number)))
        (root / "generated" / "identical").mkdir(exist_ok=True)
        shutil.copy(truth, root / "generated" / "identical")
        clicks = np.zeros(round(16_000 * T / 30))
        clicks[4000::8000] = 1
        soundfile.write(root / "input_audio" / f"{clip_id}.wav", np.convolve(clicks, np.hanning(200), "same"), 16_000)
    return root


def measure(root: Path, **options: object) -> dict[str, MethodResult]:
    results = evaluate(EvalFolder.open(root), Measuring2D(**{"size": SIZE, **options}))  # type: ignore[arg-type]
    for result in results:
        check_result(result)
    return {result.method: result for result in results}


def record(results: dict[str, MethodResult], method: str, clip_id: str = "id0_1") -> SequenceRecord:
    return next(record for record in results[method].sequences if record.id == clip_id)


def generated(root: Path, method: str = "noisy", clip_id: str = "id0_1") -> Path:
    return root / "generated" / method / f"{clip_id}.mp4"


def test_numbers_are_those_of_the_frames(folder: Path) -> None:
    results = measure(folder)
    truth, frames = pictures(0), noisy(pictures(0))
    found = record(results, "noisy").metrics
    pairs = list(zip(truth, frames, strict=True))
    assert found["psnr_db"] == pytest.approx(np.mean([peak_signal_noise_ratio(a, b) for a, b in pairs]))
    assert found["ssim"] == pytest.approx(np.mean([structural_similarity(a, b, channel_axis=2) for a, b in pairs]))
    assert found["csim_dlib"] == pytest.approx(1, abs=1e-3)
    assert found["f_lmd_px_dlib"] > 0
    assert results["ground truth"].role == "ground truth"
    assert record(results, "ground truth").metrics["cpbd"] == record(results, "identical").metrics["cpbd"]
    assert record(results, "ground truth").metrics["beat_lmk_dlib"] == record(results, "identical").metrics["beat_lmk_dlib"]
    assert record(results, "ground truth").reasons["ssim"] == "compares with the ground truth, which this is"
    identical = record(results, "identical")
    assert identical.metrics["ssim"] == pytest.approx(1)
    assert identical.metrics["f_lmd_px_dlib"] == identical.metrics["m_lmd_iod_dlib"] == 0
    assert identical.reasons["psnr_db"] == "infinite: every frame is identical to the true one"


@pytest.mark.parametrize("every", [1, 5])
def test_every_nth_frame_is_compared_and_beats_take_all(folder: Path, every: int) -> None:
    found = record(measure(folder, every=every), "noisy").metrics
    pairs = list(zip(pictures(0)[::every], noisy(pictures(0))[::every], strict=True))
    assert found["psnr_db"] == pytest.approx(np.mean([peak_signal_noise_ratio(a, b) for a, b in pairs]))
    beats = "beat_lmk_dlib_precision"
    assert found[beats] == record(measure(folder), "noisy").metrics[beats]


@pytest.mark.parametrize("protocol", ["corrected", "seed"])
def test_a_rerun_reads_all_from_disk_and_says_the_same(folder: Path, protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measure(folder, protocol=protocol)
    monkeypatch.setattr(clip_2d, "open_frames", lambda *_a: pytest.fail("a video was decoded again"))
    assert measure(folder, protocol=protocol) == first


def test_one_more_method_looks_for_no_face_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measure(folder)
    write(generated(folder, "worse"), noisy(pictures(0), spread=20))
    write(generated(folder, "worse", "id1_1"), noisy(pictures(1), spread=20))
    looked: list[int] = []
    find = BrightFaces.find
    monkeypatch.setattr(BrightFaces, "find", lambda self, frame: (looked.append(1), find(self, frame))[1])
    decoded: list[str] = []

    def counted(path: Path, size: int) -> object:
        decoded.append(path.parent.name)
        return open_frames(path, size)

    monkeypatch.setattr(clip_2d, "open_frames", counted)
    again = measure(folder)
    assert len(looked) == 2 * T
    assert sorted(decoded) == ["gt_videos", "gt_videos", "worse", "worse"]
    assert {name: again[name].sequences for name in first} == {name: first[name].sequences for name in first}
    assert record(again, "worse").metrics["psnr_db"] < record(again, "noisy").metrics["psnr_db"]


def test_a_broken_entry_on_disk_is_made_anew(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = measure(folder)
    entries = list((stored_arrays.entry("landmarks", "").parents[1]).rglob("*.npz"))
    assert len(entries) == 4  # identical videos share theirs
    for path in entries:
        path.write_bytes(path.read_bytes()[:100])
    with caplog.at_level(logging.WARNING):
        assert measure(folder) == first
    assert "is broken and is made anew" in caplog.text


def test_frames_without_a_face_are_counted_and_left_out_of_both_sides(folder: Path) -> None:
    frames = noisy(pictures(0))
    whole = record(measure(folder), "noisy").metrics
    frames[10:12] = 0
    write(generated(folder), frames)
    found = measure(folder)
    assert any(note.startswith("no face in 2 of 36 frames, in 0 of the true ones") for note in record(found, "noisy").notes)
    assert "2 frames without a face are bridged evenly for beats" in record(found, "noisy").notes
    assert "no face in 2 frames of 1 clips" in found["noisy"].notes
    finder = BrightFaces()
    kept = [number for number in range(T) if number not in (10, 11)]
    landmarks, truth = (np.stack([finder.find(shown[k]) for k in kept]) for shown in (frames, pictures(0)))
    centred = [points - points.mean(axis=1, keepdims=True) for points in (landmarks, truth)]
    expected = np.linalg.norm(centred[0] - centred[1], axis=-1).mean()
    assert record(found, "noisy").metrics["f_lmd_px_dlib"] == pytest.approx(expected)
    assert record(found, "noisy").metrics["csim_dlib"] is not None
    assert whole["f_lmd_px_dlib"] is not None


def test_all_frames_without_a_face_give_null_with_the_reason(folder: Path) -> None:
    write(generated(folder), np.zeros_like(pictures(0)))
    found = record(measure(folder), "noisy")
    for name in ("f_lmd_px_dlib", "m_lmd_iod_dlib"):
        assert found.metrics[name] is None
        assert found.reasons[name] == "no face in 36 of 36 frames, in 0 of the true ones"
    assert found.reasons["beat_lmk_dlib"] == "no face in any frame"
    assert found.reasons["csim_dlib"] == "no face in any frame of one of the videos"
    assert found.metrics["psnr_db"] is not None


def test_a_long_time_without_a_face_makes_the_motion_unknown(folder: Path) -> None:
    frames = noisy(pictures(0))
    frames[10:14] = 0
    write(generated(folder), frames)
    found = record(measure(folder), "noisy")
    assert found.reasons["beat_lmk_dlib"].startswith("the motion is not known: more than 3 frames in a row")
    assert found.metrics["f_lmd_px_dlib"] is not None


def test_videos_that_have_no_partner_are_named(folder: Path) -> None:
    generated(folder).unlink()
    write(generated(folder, clip_id="id9_9"), pictures(3))
    (folder / "generated" / "noisy" / "readme.txt").write_text("hello")
    found = measure(folder)["noisy"]
    assert found.failures == {"id0_1": "has no video", "id9_9": "has no ground truth of this name"}
    assert [record.id for record in found.sequences] == ["id1_1"]
    assert "1 files are no videos: readme.txt" in found.notes


@pytest.mark.parametrize(("n_frames", "fails"), [(T - 12, True), (T + 12, True), (T - 3, False), (T + 3, False)])
def test_short_and_long_videos_are_cut_by_a_tenth_of_a_second_at_most(folder: Path, n_frames: int, fails: bool) -> None:
    write(generated(folder), noisy(pictures(0, n_frames)))
    found = measure(folder)
    if fails:
        lasts = f"lasts {n_frames / 30:.2f} s, but the ground truth 1.20 s"
        assert found["noisy"].failures == {"id0_1": f"{generated(folder)}: {lasts}"}
    else:
        note = f"cut to {min(T, n_frames)} frames: ground truth and video differ by 3"
        assert note in record(found, "noisy").notes
        assert "1 clips: cut to N frames: ground truth and video differ by N" in found["noisy"].notes


def test_silent_odd_sized_and_slow_videos_are_noted(folder: Path) -> None:
    write(generated(folder), noisy(pictures(0, T * 25 // 30, 101, 101)), fps=25)
    notes = record(measure(folder), "noisy").notes
    assert "has no sound; beats are those of input_audio" in notes
    assert "is of 101 x 101, the true one of 64 x 64" in notes
    assert "has 25 frames a second, shown at 30" in notes


def test_another_shape_of_picture_fails(folder: Path) -> None:
    write(generated(folder), noisy(pictures(0, T, 96, 64)))
    (reason,) = measure(folder)["noisy"].failures.values()
    assert reason.endswith("is of 96 x 64 pixels, which is another shape than the ground truth's 64 x 64")


@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_an_unreadable_video_fails_and_the_others_go_on(folder: Path, kept: float) -> None:
    path = generated(folder)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    found = measure(folder)
    assert list(found["noisy"].failures) == ["id0_1"]
    assert found["noisy"].failures["id0_1"].startswith(f"{path}: ")
    assert not found["identical"].failures
    assert len(found["ground truth"].sequences) == 2


def test_damage_in_the_middle_of_a_video_is_no_shorter_video(folder: Path) -> None:
    path = generated(folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    path.write_bytes(data)
    found = measure(folder)
    assert "not a whole, readable video" in found["noisy"].failures["id0_1"]
    assert [record.id for record in found["noisy"].sequences] == ["id1_1"]


def test_an_unreadable_recording_fails_for_all(folder: Path) -> None:
    path = generated(folder, "gt_videos")
    path.write_bytes(b"")
    found = measure(folder)
    assert all(list(result.failures) == ["id0_1"] for result in found.values())
    assert found["noisy"].failures["id0_1"].startswith("the ground truth cannot be measured: ")


def test_without_sound_beats_are_null_with_the_reason(folder: Path) -> None:
    (folder / "input_audio" / "id0_1.wav").unlink()
    (folder / "input_audio" / "id1_1.wav").write_bytes(b"no sound")
    found = measure(folder)
    assert record(found, "noisy").reasons["beat_lmk_dlib"] == "no input_audio/id0_1.wav"
    assert "id1_1.wav: not a readable sound" in record(found, "noisy", "id1_1").reasons["beat_lmk_dlib"]


def test_nobody_to_look_for_faces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_name: str, _weights: object) -> None:
        raise UnavailableError("trees are not in any folder", remedy="plant some")

    monkeypatch.setattr(instruments, "open_landmarks", lacking)
    found = measure(folder)
    for name in ("f_lmd_px_dlib", "beat_lmk_dlib_f1", "csim_dlib"):
        assert record(found, "noisy").reasons[name] == "trees are not in any folder (plant some)"
    with pytest.raises(UnavailableError, match=r"--require F-LMD: trees are not in any folder \(plant some\)"):
        check_required(["F-LMD"], Measuring2D(size=SIZE))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    return {
        "alexnet": written_networks.write_alexnet(folder / "alexnet.pth"),
        "inception": written_networks.write_inception(folder / "inception.pth"),
    }


@pytest.fixture
def weights(written: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """Networks of seeded weights, taken for the published ones, on one thread as in a worker."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(
        instruments, "require_weights", lambda name, _folder: SimpleNamespace(path=written[name], sha256=name * 8)
    )
    yield written
    torch.set_num_threads(n_threads)


def test_networks_see_every_nth_frame(folder: Path, weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def comparing(names: tuple[str, ...], ids: list[str], generated: object, truth: object) -> PooledRow:
        compared.append((generated, truth))
        return without_values(names, ids, "not here: it takes seconds")

    monkeypatch.setattr(evaluate_2d, "compare_features", comparing)
    found = measure(folder, every=12)
    truth, frames = pictures(0)[::12], noisy(pictures(0))[::12]
    lpips = Lpips(weights["alexnet"]).distances(frames, truth).mean()
    assert record(found, "noisy").metrics["lpips_alex"] == pytest.approx(lpips, rel=1e-4)
    assert record(found, "identical").metrics["lpips_alex"] == 0
    network, (files, true_files) = Inception(weights["inception"]), compared[-1]
    for file, seen in ((files["id0_1"], frames), (true_files["id0_1"], truth)):
        assert read_features(file) == pytest.approx(network.features(seen), rel=1e-4, abs=1e-4)
    check_required(["FID", "lpips_alex", "KID", "F-LMD", "csim"], Measuring2D(size=SIZE, every=12))
    assert missing_required(["lpips"], list(found.values())) == []


def test_fid_is_over_the_clips_that_every_method_has(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Colors:
        def features(self, frames: np.ndarray) -> np.ndarray:
            return frames[:, ::32, ::32].reshape(len(frames), -1).astype(np.float32)

    def opened(_weights: object, versions: dict[str, str]) -> Colors:
        versions["inception"] = "colours"
        return Colors()

    monkeypatch.setattr(instruments, "_inception", opened)
    generated(folder, "identical").unlink()
    found = measure(folder)
    assert found["noisy"].pooled["fid_clean"].ids == found["identical"].pooled["fid_clean"].ids == ("id1_1",)
    expected = [Colors().features(frames) for frames in (noisy(pictures(1)), pictures(1))]
    statistics, true_statistics = (FeatureStatistics.of(features) for features in expected)
    assert found["noisy"].pooled["fid_clean"].value == pytest.approx(fid(statistics, true_statistics))
    assert found["noisy"].pooled["kid_clean"].value == pytest.approx(kid(*expected))
    assert found["identical"].pooled["fid_clean"].value == pytest.approx(0, abs=1e-6)
    assert "fid_clean, kid_clean of 36 generated and 36 true frames" in found["noisy"].notes
    assert any("fewer than 2048" in note for note in found["noisy"].notes)
    assert missing_required(["fid"], list(found.values())) == []


def test_without_weights_there_is_null_and_the_remedy(folder: Path) -> None:
    found = measure(folder)
    assert "weights.py get alexnet" in record(found, "noisy").reasons["lpips_alex"]
    assert "weights.py get inception" in found["noisy"].pooled["fid_clean"].reason
    missing = missing_required(["FID", "csim"], list(found.values()))
    assert [line.split(": ")[:2] for line in missing] == [["identical", "fid_clean"], ["noisy", "fid_clean"]]
    with pytest.raises(UnavailableError, match=r"--require FID: .*weights\.py get inception"):
        check_required(["FID"], Measuring2D(size=SIZE))
    with pytest.raises(InputError, match="--require nonsense: there is no such metric"):
        check_required(["nonsense"], Measuring2D(size=SIZE))


def test_the_seeds_names_and_formulas(folder: Path, weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "_inception", lambda *_: None)  # FID is tested above
    frames = noisy(pictures(0))
    frames[12] = 0
    write(generated(folder), frames)
    plain, seed = (measure(folder, every=6, protocol=protocol) for protocol in ("corrected", "seed"))
    found, own = record(seed, "noisy"), record(plain, "noisy")
    assert list(found.metrics) == ["PSNR", "SSIM", "CPBD", "LPIPS", "F-LMD", "M-LMD", "BA"]
    assert set(seed["noisy"].pooled) == {"FID"}
    assert (found.metrics["PSNR"], found.metrics["CPBD"]) == (own.metrics["psnr_db"], own.metrics["cpbd"])
    assert found.metrics["M-LMD"] == pytest.approx(own.metrics["m_lmd_px_dlib"] * 5 / 6)  # the dark frame counts
    assert found.metrics["LPIPS"] != own.metrics["lpips_alex"]
    expected = Lpips(weights["alexnet"]).distances(frames[::6], pictures(0)[::6], seed_range=True).mean()
    assert found.metrics["LPIPS"] == pytest.approx(expected, rel=1e-4)
    assert any("count as no distance" in note for note in found.notes)
    assert "PSNR" in record(seed, "identical").reasons


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: shutil.rmtree(root), "no such folder"),
        (lambda root: shutil.rmtree(root / "generated"), "has no folder generated"),
        (lambda root: shutil.rmtree(root / "generated" / "gt_videos"), "holds 0 of gt_videos and gt"),
        (lambda root: shutil.copytree(root / "generated" / "gt_videos", root / "generated" / "gt"), "holds 2 of gt_videos"),
        (lambda root: [path.unlink() for path in (root / "generated" / "gt_videos").iterdir()], "holds no videos"),
        (lambda root: [shutil.rmtree(root / "generated" / name) for name in ("noisy", "identical")], "holds no method"),
        (lambda root: shutil.copy(generated(root), generated(root).with_suffix(".mkv")), "is a second video of id0_1"),
    ],
)
def test_another_layout_is_one_clear_line(folder: Path, change: object, words: str) -> None:
    change(folder)  # type: ignore[operator]
    with pytest.raises(InputError, match=words) as caught:
        EvalFolder.open(folder)
    assert "\n" not in str(caught.value)


def test_the_seeds_name_of_the_recordings_folder_is_read_too(folder: Path) -> None:
    (folder / "generated" / "gt_videos").rename(folder / "generated" / "gt")
    assert EvalFolder.open(folder).truth.name == "gt"
    assert [method.name for method in EvalFolder.open(folder).methods] == ["identical", "noisy"]
