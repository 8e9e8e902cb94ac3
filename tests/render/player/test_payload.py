"""The page's own modules make the vertices, normals and errors that ours are."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import asset_clips
import numpy as np
import played
import pytest
import soundfile

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import Sequence, VertexSequence, load_sequence
from singinghead.metrics.vertex_errors import distances
from singinghead.render.clip import Sound, motion
from singinghead.render.heat import ColorScale
from singinghead.render.normals import vertex_normals
from singinghead.render.player.payload import payload
from singinghead.render.player.stage import Actor, Performance
from singinghead.render.scene import head_scene

FRAMES = [0, 1, 17, 44]
T = 45


def performance(head: str, *drawn: Sequence, sound: Sound | None = None) -> Performance:
    def straight(one: Sequence) -> Sequence:
        return one if isinstance(one, VertexSequence) else replace(one, params=one.params.with_head_pose(None))

    actors = tuple(Actor(f"number {n}", (n, 20, 30), one, straight(one)) for n, one in enumerate(drawn))
    return Performance(
        "clip", asset_clips.subject(head), actors, 30, ColorScale(10, "mm"), sound or Sound(), np.array([0.5]), ()
    )


def singing(seed: int) -> Sequence:
    return asset_clips.clip(asset_clips.singing(T, seed))


def frames_of(show: Performance, sequence: Sequence) -> np.ndarray:
    return np.concatenate(list(motion(show.subject, sequence)))[FRAMES]


@pytest.mark.parametrize("head", asset_clips.HEADS)
def test_the_page_makes_our_vertices_normals_and_errors(head: str, tmp_path: Path) -> None:
    show = performance(head, singing(0), singing(1), singing(2))
    document, block = payload(show)
    assert len(document["bases"]) == 1
    made = played.evaluated(document, block, FRAMES, tmp_path)
    faces = np.concatenate([part.faces for part in head_scene(show.subject).parts])
    truth = frames_of(show, show.actors[0].straight)
    for n, actor in enumerate(show.actors):
        ours = frames_of(show, actor.drawn)
        assert np.linalg.norm(made["vertices"][n] - ours, axis=2).max() < 0.05e-3
        normals = np.stack([vertex_normals(vertices, faces) for vertices in made["vertices"][n]])
        assert np.abs(made["normals"][n] - normals).max() < 1e-3
        errors = distances(frames_of(show, actor.straight), truth)
        assert np.abs(made["errors"][n] - errors).max() < 0.05
    assert made["errors"][0].max() == 0
    assert np.median(made["errors"][1]) > 0.1


def test_eyes_that_move_and_a_neck_that_never_rests_are_exact_at_zero_pose(tmp_path: Path) -> None:
    """Correctives of joints that zero pose lacks then have weights that no frame has."""
    params = replace(asset_clips.singing(T), neck=np.full((T, 3), 0.3, np.float32), eyes=np.full((T, 6), 0.2, np.float32))
    show = performance("FLAME layout", singing(0), asset_clips.clip(params))
    made = played.evaluated(*payload(show), FRAMES, tmp_path)
    truth, own = (frames_of(show, actor.straight) for actor in show.actors)
    assert np.linalg.norm(made["vertices"][1] - frames_of(show, show.actors[1].drawn), axis=2).max() < 0.05e-3
    assert np.abs(made["errors"][1] - distances(own, truth)).max() < 0.05


def test_a_head_that_never_moves_needs_no_displacements(tmp_path: Path) -> None:
    still = asset_clips.clip(asset_clips.singing(T).map(lambda field: np.repeat(field[:1], T, axis=0)))
    show = performance("stand-in", still, still)
    document, block = payload(show)
    made = played.evaluated(document, block, FRAMES, tmp_path)
    assert np.linalg.norm(made["vertices"][1] - frames_of(show, still), axis=2).max() < 0.05e-3
    assert made["errors"].max() < 0.001


def test_generated_vertices_bring_a_basis_of_their_own(tmp_path: Path) -> None:
    show = performance("stand-in", singing(0))
    vertices = np.concatenate(list(motion(show.subject, show.actors[0].straight)))
    np.save(tmp_path / "clip.npy", vertices + np.float32([0.001, 0, 0]))
    show = performance("stand-in", singing(0), load_sequence(tmp_path / "clip.npy"))
    document, block = payload(show)
    assert [track["basis"] for track in document["tracks"]] == [0, 0, 1]
    made = played.evaluated(document, block, FRAMES, tmp_path)
    assert np.linalg.norm(made["vertices"][1] - vertices[FRAMES] - [0.001, 0, 0], axis=2).max() < 0.06e-3
    assert np.abs(made["errors"][1] - 1).max() < 0.1


def test_the_sound_is_the_mix_sample_by_sample(tmp_path: Path) -> None:
    wave = 0.2 * np.sin(np.arange(48_000 * 2) / 20)
    soundfile.write(tmp_path / "vocals.wav", wave, 48_000, subtype="PCM_24")
    document, block = payload(performance("stand-in", singing(0), sound=Sound(vocals=tmp_path / "vocals.wav")))
    heard, rate = soundfile.read(io.BytesIO(played.array(document["sound"], block).tobytes()))
    assert (rate, heard.shape) == (48_000, (T * 1600, 2))
    assert np.abs(heard - wave[: T * 1600, None]).max() < 1e-4
    assert list(document["waves"]) == ["vocals"]
    assert "cut" in document["sound_notes"][0]


def test_a_frame_that_cannot_be_drawn_is_named() -> None:
    params = asset_clips.singing(T)
    params.expression[7, 0] = np.nan
    with pytest.raises(InputError, match=r"frame 7.*NaN"):
        payload(performance("stand-in", singing(0), asset_clips.clip(params)))
