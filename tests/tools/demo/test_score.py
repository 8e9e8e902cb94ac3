"""The score in seconds: vowels on the beat, consonants before it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sung import by_song, one_line

from singinghead.flame_model.errors import InputError
from singinghead.tools.demo.phonemes import CONSONANTS, VOWELS
from singinghead.tools.demo.score import SONGS, Song


def test_three_songs_of_three_singers():
    assert len(SONGS) == 3
    for values in (
        {song.name.split("_")[0] for song in SONGS},
        {song.voice for song in SONGS},
        {song.beats_per_minute for song in SONGS},
        {song.beats_per_bar for song in SONGS},
        {song.chords for song in SONGS},
    ):
        assert len(values) == 3
    assert all(song.duration_s == 8 for song in SONGS)


def test_a_line_is_read():
    (line,) = one_line("-:1 shi-57:1 bam60:.5 | -:.5 la62:1").lines
    assert line.text == "shibam la"
    assert [note.midi for note in line.notes] == [57, 60, 62]
    assert [note.start_s for note in line.notes] == [1, 2, 3]
    assert [sound.symbol for sound in line.phonemes] == ["sh", "i", "b", "a", "m", "l", "a"]
    shi, bam, _ = line.notes
    assert shi.phonemes[0].start_s == pytest.approx(1 - CONSONANTS["sh"].duration_s)
    assert shi.end_s == pytest.approx(2 - CONSONANTS["b"].duration_s), "the next onset takes its time"
    assert bam.vowel.end_s == pytest.approx(bam.end_s - CONSONANTS["m"].duration_s)
    assert 2.3 < bam.end_s < 2.5


@pytest.mark.parametrize("token", ["ma57", "57:1", "ma:1", "ma57:", "xa57:1", "mm57:1", "maa57:1", "M57:1"])
def test_a_token_that_is_none_is_named(token: str):
    with pytest.raises(InputError, match=token):
        _ = one_line(f"-:1 {token}").lines


@by_song
def test_sounds_follow_one_another(song: Song):
    sounds = sorted([*song.phonemes, *song.breaths], key=lambda sound: sound.start_s)
    assert sounds[0].start_s >= 0
    assert sounds[-1].end_s < song.duration_s - 0.1
    assert all(before.end_s <= after.start_s + 1e-9 for before, after in pairwise(sounds))
    assert min(sound.end_s - sound.start_s for sound in sounds) > 0.07
    for line in song.lines:
        assert all(after.start_s == pytest.approx(before.end_s) for before, after in pairwise(line.phonemes))
        assert all(note.vowel.start_s == note.start_s for note in line.notes)


@by_song
def test_vowels_begin_on_a_beat_or_half_a_beat(song: Song):
    halves = np.array([note.start_s - song.first_beat_s for note in song.notes]) / song.beat_s * 2
    assert np.allclose(halves, np.round(halves))


@by_song
def test_a_bar_is_as_long_as_the_metre_says(song: Song):
    bars = [bar.split() for bar in " ".join(song.score).replace("| |", "|").strip(" |").split("|")]
    lengths = [sum(float(token.split(":")[1]) for token in bar) for bar in bars]
    assert sum(lengths) == pytest.approx(song.beats_per_bar * len(song.chords.split()))


@by_song
def test_a_breath_comes_before_each_line(song: Song):
    assert len(song.breaths) == len(song.lines) >= 2
    for breath, line in zip(song.breaths, song.lines, strict=True):
        assert 0.2 < breath.end_s - breath.start_s < 0.4
        assert 0 < line.start_s - breath.end_s < 0.1


@by_song
def test_lips_are_shut_in_every_bilabial_and_in_no_vowel(song: Song):
    closures = song.lip_closures
    assert np.all(closures[1:, 0] > closures[:-1, 1])
    for sound in song.phonemes:
        inside = np.any((closures[:, 0] <= sound.start_s + 1e-9) & (closures[:, 1] >= sound.release_s - 1e-9))
        assert inside == (sound.symbol in ("m", "b", "p")), sound
        if sound.symbol in VOWELS:
            assert not np.any((closures[:, 0] < sound.end_s - 1e-9) & (closures[:, 1] > sound.start_s + 1e-9)), sound


def test_between_them_the_songs_use_many_sounds():
    used = {sound.symbol for song in SONGS for sound in song.phonemes}
    assert used == set(VOWELS) | set(CONSONANTS)
