"""The benchmark, chunk by chunk and method beside method, against the pure functions on whole sequences."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from sung_dataset import IDS, MASKS, Dataset, T, smooth_motion, write_dataset, write_sequence

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics import audio_beats, face_dynamics, motion_distance, seed_formulas, smoothness, vertex_errors
from singinghead.metrics.beat_scores import beat_alignment, motion_beats
from singinghead.metrics.clips import Method
from singinghead.metrics.evaluate_3d import Benchmark, evaluate
from singinghead.metrics.head import MeasuredHead
from singinghead.metrics.motion_distance import HEAD
from singinghead.metrics.results import MethodResult
from singinghead.metrics.sound_of_clip import Recordings

LIPS, FACE = np.unique(MASKS["lips"]), MASKS["face"]
UPPER_FACE_TWICE = np.concatenate([MASKS["forehead"], MASKS["eye_region"]])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    dataset = write_dataset(tmp_path_factory.mktemp("dataset"))
    dataset.write_noisy("noisy", 3)
    dataset.write_noisy("one", 1, seed=6)
    return dataset


@pytest.fixture
def dataset(shared: Dataset, tmp_path: Path) -> Dataset:
    """One that a test may break."""
    shutil.copytree(shared.root, tmp_path / "dataset")
    return Dataset(tmp_path / "dataset")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The models are so small that threads wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def measure(dataset: Dataset, *names: str, ids: tuple[str, ...] = IDS, **changes: Any) -> dict[str, MethodResult]:
    head = MeasuredHead.load(dataset.model)
    recordings = Recordings(dataset.root / "audio_seqs", dataset.root / "bgm_seqs", changes.pop("beat_audio", "vocals"))
    benchmark = Benchmark(head, dataset.truth, recordings, **changes)
    methods = [Method.parse(name if "=" in name else f"{name}={dataset.method(name)}", 30) for name in names]
    return {result.method: result for result in evaluate(methods, ids, benchmark)}


def values(result: MethodResult, clip_id: str = IDS[0]) -> dict[str, float | None]:
    return dict(next(record.metrics for record in result.sequences if record.id == clip_id))


def reason(result: MethodResult, metric: str, clip_id: str = IDS[0]) -> str:
    return next(record.reasons[metric] for record in result.sequences if record.id == clip_id)


def motions(dataset: Dataset, name: str, clip_id: str) -> tuple[Subject, list[FlameParams], FlameParams]:
    """The person, a method's samples, and the truth."""
    subject = FlameModel.load(dataset.model).with_shape(dataset.shape(clip_id))
    samples = np.load(dataset.method(name) / f"{clip_id}.npy")
    return subject, [FlameParams.from_vectors(s) for s in samples], FlameParams.from_vectors(dataset.vectors(clip_id))


def test_the_corrected_protocol_is_the_pure_functions_on_whole_sequences(shared: Dataset) -> None:
    found = values(measure(shared, "noisy")["noisy"])
    subject, samples, truth = motions(shared, "noisy", IDS[0])
    p = np.stack([subject.vertices(s.with_head_pose(None)) for s in samples]).astype(np.float64)
    g = subject.vertices(truth.with_head_pose(None)).astype(np.float64)
    lve, upper = vertex_errors.lip_vertex_error(p, g, LIPS), np.unique(UPPER_FACE_TWICE)
    fdd = face_dynamics.upper_face_dynamics_deviation(p, g, subject.template, upper)
    vectors, theirs = np.stack([s.to_vectors() for s in samples]), truth.to_vectors()
    landmarks = np.stack([subject.landmarks(s) for s in samples])
    beats = audio_beats.Sound((StoredFile(shared.root / "audio_seqs" / f"{IDS[0]}.wav"),)).beats_s()
    beat = [beat_alignment(beats, motion_beats(lmk, 30), T / 30) for lmk in landmarks]
    expected = {
        "lve_l2_mm": lve.mean(),
        "lve_l2_mm_min": lve.min(),
        "lve_sq_m2": vertex_errors.lip_vertex_error_squared(p, g, LIPS).mean(),
        "ve_mm": vertex_errors.vertex_error(p, g, FACE).mean(),
        "mve_mm": vertex_errors.vertex_error(p, g).mean(),
        "ve_mm_nose": vertex_errors.vertex_error(p, g, MASKS["nose"]).mean(),
        "fdd_m2": fdd.mean(),
        "fdd_m2_min": fdd[np.abs(fdd).argmin()],
        "fdd_abs_m2": np.abs(fdd).mean(),
        "dist_params": motion_distance.vector_distance(vectors, theirs).mean(),
        "dist_pose_rad_min": motion_distance.vector_distance(vectors[..., HEAD], theirs[:, HEAD]).min(),
        "diversity_params": motion_distance.vector_diversity(vectors),
        "diversity_lmk_mm": motion_distance.point_diversity(landmarks),
        "diversity_verts_mm": motion_distance.point_diversity(p),
        "diversity_face_mm": motion_distance.point_diversity(p[:, :, FACE]),
        "jitter_mm_s2": smoothness.jitter(p, 30).mean(),
        "velocity_error_mm_s": smoothness.velocity_error(p, g, 30).mean(),
        "beat_lmk": np.mean([alignment.score for alignment in beat]),
        "beat_lmk_over_chance": np.mean([alignment.over_chance for alignment in beat]),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=2e-3 if "fdd" in name else 2e-4), name


def test_the_seed_protocol_is_the_seeds_formulas_on_whole_sequences(shared: Dataset) -> None:
    found = values(measure(shared, "noisy", protocol="seed")["noisy"])
    subject, samples, truth = motions(shared, "noisy", IDS[0])
    p = np.stack([subject.vertices(s.with_head_pose(None)) for s in samples]).astype(np.float64)
    g = subject.vertices(truth.with_head_pose(None)).astype(np.float64)
    posed, landmarks = (np.stack([f(s) for s in samples]) for f in (subject.vertices, subject.landmarks))
    beats = audio_beats.Sound((StoredFile(shared.root / "audio_seqs" / f"{IDS[0]}.wav"),)).beat_frames()
    lve = vertex_errors.lip_vertex_error(p, g, LIPS) / 1000
    expected = {
        "lve_mean": lve.mean(),
        "lve_min": lve.min(),
        "ve_mean": vertex_errors.vertex_error(p, g, FACE).mean() / 1000,
        "ve_min": seed_formulas.smallest_vertex_error(p, g, FACE),
        "fdd": seed_formulas.dynamics_deviation(p, g, UPPER_FACE_TWICE),
        "diversity_verts": seed_formulas.sequence_diversity(posed),
        "diversity_face": seed_formulas.sequence_diversity(posed[:, :, FACE]),
        "diversity_lmk": seed_formulas.sequence_diversity(landmarks),
        "ba_lmk": np.mean([seed_formulas.beat_score(beats, lmk) for lmk in landmarks]),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=2e-4), name


def test_neither_order_nor_company_matters(shared: Dataset) -> None:
    together = measure(shared, "noisy", "one")
    alone = measure(shared, "one", ids=IDS[::-1])
    for clip_id in IDS:
        assert values(together["one"], clip_id) == values(alone["one"], clip_id)


def test_baselines_say_what_the_best_and_the_worthless_score(shared: Dataset) -> None:
    results = measure(shared, "one")
    truth, still, shuffled = (results[name] for name in ("ground truth", "still face", "shuffled audio"))
    assert [truth.role, still.role, shuffled.role] == ["ground truth", "baseline", "baseline"]
    assert values(truth)["mve_mm"] == values(truth)["mouth_lag_ms"] == values(truth)["fdd_m2"] == 0
    assert values(still)["beat_lmk"] == values(still)["beat_pose"] == values(still)["head_motion_deg"] == 0
    assert any("as in a still face" in note for note in still.sequences[0].notes)
    assert values(shuffled)["mve_mm"] is None
    assert values(shuffled)["beat_pose"] != values(truth)["beat_pose"]
    assert shuffled.sequences[0].notes == (f"to the sound of {IDS[1]}",)
    assert list(measure(shared, "one", baselines=False)) == ["one"]


def test_generated_vertices_give_the_numbers_of_their_parameters(dataset: Dataset) -> None:
    for clip_id in IDS:
        subject, samples, _ = motions(dataset, "noisy", clip_id)
        vertices = np.stack([subject.vertices(s.with_head_pose(None)) for s in samples])
        np.save(dataset.method("vertices") / f"{clip_id}.npy", vertices)
        turned = np.stack([subject.vertices(s.map(lambda x: x + 0.4)) for s in samples])
        np.save(dataset.method("turned") / f"{clip_id}.npy", turned.reshape(3, T, -1))
        np.save(dataset.method("calm") / f"{clip_id}.npy", np.repeat(subject.template[None].astype(np.float32), T, axis=0))
    results = measure(dataset, "noisy", "vertices", "turned", "calm")
    ours, theirs = values(results["noisy"]), values(results["vertices"])
    for name in ("lve_l2_mm", "fdd_m2", "jitter_mm_s2", "mouth_open_mm", "diversity_face_mm"):
        assert theirs[name] == pytest.approx(ours[name], rel=1e-5), name
    assert theirs["dist_params"] is theirs["beat_pose"] is theirs["head_motion_deg"] is None
    assert "vertices, not parameters" in reason(results["vertices"], "dist_params")
    assert "zero head pose" in results["turned"].sequences[0].notes[0]
    assert not any("zero head pose" in note for note in results["calm"].sequences[0].notes)


def test_another_frame_rate_is_resampled_and_recorded(dataset: Dataset) -> None:
    for clip_id in IDS:
        faster = np.stack([np.interp(np.arange(2 * T) / 2, np.arange(T), c) for c in dataset.vectors(clip_id).T], axis=1)
        np.save(dataset.method("fast") / f"{clip_id}.npy", faster.astype(np.float32))
    result = measure(dataset, f"fast={dataset.method('fast')}@60")["fast"]
    assert values(result)["mve_mm"] == pytest.approx(0, abs=0.05)
    assert result.sequences[0].notes == ("resampled from 60 to 30 frames a second",)


@pytest.mark.parametrize(("extra", "cut_to"), [(2, T), (-2, T - 2)])
def test_lengths_that_hardly_differ_are_cut(extra: int, cut_to: int, dataset: Dataset) -> None:
    longer = np.pad(dataset.vectors(IDS[0]), ((0, 9), (0, 0)))[: T + extra]
    np.save(dataset.method("cut") / f"{IDS[0]}.npy", longer)
    result = measure(dataset, "cut", "one", ids=IDS[:1])
    assert result["cut"].sequences[0].notes == (f"cut to {cut_to} frames: ground truth and prediction differ by 2",)
    assert values(result["cut"])["mve_mm"] == 0
    assert values(result["one"]) == values(measure(dataset, "one", ids=IDS[:1])["one"])
    assert len(result["cut"].sequences[0].curves["lip_error_mm"]) == cut_to


def break_nan(dataset: Dataset) -> None:
    broken = dataset.vectors(IDS[1])
    broken[7, 3] = np.nan
    np.save(dataset.method("one") / f"{IDS[1]}.npy", broken)


def break_late_nan_of_vertices(dataset: Dataset) -> None:
    subject, (sample,), _ = motions(dataset, "one", IDS[1])
    vertices = subject.vertices(sample)
    vertices[65, 3] = np.nan
    np.save(dataset.method("one") / f"{IDS[1]}.npy", vertices)


def break_length(dataset: Dataset) -> None:
    np.save(dataset.method("one") / f"{IDS[1]}.npy", dataset.vectors(IDS[1])[:-4])


def break_missing(dataset: Dataset) -> None:
    (dataset.method("one") / f"{IDS[1]}.npy").unlink()


def break_mesh(dataset: Dataset) -> None:
    np.save(dataset.method("one") / f"{IDS[1]}.npy", np.zeros((T, 50, 3), np.float32))


def break_truth(dataset: Dataset) -> None:
    (dataset.truth / f"{IDS[1]}.pkl").write_bytes(b"broken")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (break_missing, "no id1_1_0_0.pkl, .npz or .npy"),
        (break_nan, "NaN or infinity, first in frame 7"),
        (break_late_nan_of_vertices, "NaN"),
        (break_length, "lasts 2.10 s, but the ground truth 2.23 s"),
        (break_mesh, "has 50 vertices a frame, but generic_model.pkl 131"),
        (break_truth, "id1_1_0_0.pkl"),
    ],
)
def test_what_cannot_be_measured_is_listed_and_never_averaged(break_it: Any, words: str, dataset: Dataset) -> None:
    whole = measure(dataset, "noisy", "one")
    break_it(dataset)
    results = measure(dataset, "noisy", "one")
    assert words in results["one"].failures[IDS[1]]
    assert [record.id for record in results["one"].sequences] == [IDS[0], IDS[2]]
    for clip_id in (IDS[0], IDS[2]):
        assert values(results["one"], clip_id) == values(whole["one"], clip_id)
    assert (IDS[1] in results["noisy"].failures) == (break_it is break_truth)


def test_silent_missing_and_broken_sound_gives_null_with_the_reason(dataset: Dataset) -> None:
    audio = dataset.root / "audio_seqs"
    soundfile.write(audio / f"{IDS[0]}.wav", np.zeros(48000), 16000)
    (audio / f"{IDS[1]}.wav").unlink()
    (audio / f"{IDS[2]}.wav").write_bytes(b"no sound")
    result = measure(dataset, "one")["one"]
    assert not result.failures
    for clip_id, words in zip(IDS, ("no beats", "is not there", "not a readable sound"), strict=True):
        assert values(result, clip_id)["beat_lmk"] is values(result, clip_id)["beat_pose_f1"] is None
        assert words in reason(result, "beat_lmk", clip_id)
        assert values(result, clip_id)["mve_mm"] is not None
    assert "silent" in reason(result, "speech_lip_correlation", IDS[0])


def test_music_can_give_the_beats(dataset: Dataset) -> None:
    scores = [values(measure(dataset, "one", beat_audio=heard)["one"])["beat_pose"] for heard in ("vocals", "bgm", "mix")]
    assert len(set(scores)) > 1
    (dataset.root / "bgm_seqs" / f"{IDS[0]}_bgm.wav").unlink()
    assert "no background music" in reason(measure(dataset, "one", beat_audio="mix")["one"], "beat_pose")


def test_without_masks_and_landmarks_their_metrics_are_null_with_the_reason(dataset: Dataset) -> None:
    (dataset.model / "FLAME_masks.pkl").unlink()
    (dataset.model / "landmark_embedding.npy").unlink()
    for protocol in ("corrected", "seed"):
        result = measure(dataset, "noisy", protocol=protocol)["noisy"]
        assert not result.failures
        assert result.conditions["mask_sha256"] is None
        null = {name for name, value in values(result).items() if value is None}
        masked, marked = ("lve_l2_mm", "beat_lmk") if protocol == "corrected" else ("lve_min", "ba_lmk")
        assert {masked, marked} <= null
        assert "no mask 'lips'" in reason(result, masked)
        assert "landmark_embedding.npy" in reason(result, marked)
        assert {"mve_mm", "dist_params", "beat_pose", "jitter_mm_s2", "diversity", "ba_pose"} & null == set()


def test_masks_can_be_given_and_their_hash_is_kept(dataset: Dataset) -> None:
    other = dataset.root / "other.pkl"
    other.write_bytes(pickle.dumps(MASKS | {"lips": np.arange(10)}))
    heads = [MeasuredHead.load(dataset.model, masks) for masks in (None, other)]
    assert heads[0].mask_sha256 != heads[1].mask_sha256
    assert heads[1].mask_list("lips").tolist() == list(range(10))
    assert heads[0].mask_list("upper_face").tolist() == UPPER_FACE_TWICE.tolist()


def test_the_best_is_of_as_many_samples_as_every_method_has(shared: Dataset) -> None:
    alone, beside = measure(shared, "noisy"), measure(shared, "noisy", "one")
    assert (alone["noisy"].n_samples, beside["noisy"].n_samples, beside["one"].n_samples) == (3, 1, 1)
    best = [[values(results["noisy"], clip_id)["lve_l2_mm_min"] or 0 for clip_id in IDS] for results in (alone, beside)]
    assert all(of_three <= of_one for of_three, of_one in zip(*best, strict=True))
    assert best[0] != best[1]
    several, one = values(alone["noisy"]), values(beside["noisy"])
    assert several["lve_l2_mm"] == one["lve_l2_mm"]
    assert one["diversity_params"] == several["diversity_params"]
    assert "one sample" in reason(beside["one"], "diversity_params")
    assert values(measure(shared, "one", protocol="seed")["one"])["diversity"] == 0


def test_the_stand_in_is_refused_unless_allowed_and_then_marked(shared: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SINGINGHEAD_FLAME", raising=False)
    with pytest.raises(InputError, match="--allow-stand-in"):
        MeasuredHead.load()
    head = MeasuredHead.load(allow_stand_in=True)
    methods = [Method("one", shared.method("one"))]
    (result,) = evaluate(methods, IDS[:1], Benchmark(head, shared.truth, baselines=False))
    assert result.conditions["stand_in"] is True
    assert "stand-in" in str(result.conditions["model"])
    assert "compare with no others" in result.notes[0]


def test_a_truth_without_shape_is_the_mean_face_and_says_so(dataset: Dataset) -> None:
    np.save(dataset.truth / "plain.npy", smooth_motion(np.random.default_rng(0)))
    shutil.copy(dataset.truth / "plain.npy", dataset.method("one"))
    result = measure(dataset, "one", ids=("plain",))["one"]
    assert any("mean face" in note for note in result.sequences[0].notes)
    np.save(dataset.truth / "mesh.npy", np.zeros((T, 131, 3), np.float32))
    assert "must be FLAME parameters" in measure(dataset, "one", ids=("mesh",))["one"].failures["mesh"]


def test_names_must_differ(shared: Dataset) -> None:
    with pytest.raises(InputError, match="is taken"):
        measure(shared, "one", "one")
    with pytest.raises(InputError, match="is taken"):
        measure(shared, f"still face={shared.method('one')}")


@pytest.mark.parametrize(
    ("text", "words"),
    [("folder", "names no method"), ("a=nowhere", "no such folder"), ("a=.@fast", "no number"), ("a=.@0", "no number")],
)
def test_methods_that_are_no_methods(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Method.parse(text, 30)


def test_the_releases_zips_are_read_in_place(dataset: Dataset) -> None:
    plain = measure(dataset, "one")
    for part in ("flame_seqs", "audio_seqs"):
        shutil.make_archive(str(dataset.root / part), "zip", dataset.root, part)
        shutil.rmtree(dataset.root / part)
    zipped = measure(dataset, "one")
    assert not zipped["one"].failures
    for clip_id in IDS:
        assert values(zipped["one"], clip_id) == values(plain["one"], clip_id)


def test_beats_are_found_once_and_kept(shared: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = audio_beats.Sound((StoredFile(shared.root / "audio_seqs" / f"{IDS[0]}.wav"),))
    before = sound.beat_frames()
    audio_beats._beat_frames.cache_clear()

    def never(_samples: object) -> None:
        raise AssertionError("listened again")

    monkeypatch.setattr(audio_beats, "detect_beats", never)
    assert sound.beat_frames().tolist() == before.tolist()


def test_a_sequence_of_one_frame_is_measured(dataset: Dataset) -> None:
    write_sequence(dataset.truth / "short.pkl", smooth_motion(np.random.default_rng(0), 1), np.zeros(100))
    shutil.copy(dataset.truth / "short.pkl", dataset.method("one"))
    result = measure(dataset, "one", ids=("short",))["one"]
    assert values(result, "short")["mve_mm"] == 0
    assert "too few frames" in reason(result, "jitter_mm_s2", "short")
