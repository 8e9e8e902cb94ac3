"""What is heard in a clip: where its recordings lie, its beats, and how loud its voice is at each frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.audio_beats import BeatAudio, Sound
from singinghead.metrics.clips import find_stored


@dataclass(frozen=True)
class Recordings:
    """Where recordings lie.

    Attributes:
        vocals: the folder of ``ID.wav``, or None.
        bgm: the folder of ``ID_bgm.wav``, or None.
        beat_audio: whose beats count.
    """

    vocals: Path | None = None
    bgm: Path | None = None
    beat_audio: BeatAudio = "vocals"

    def files(self, clip_id: str) -> tuple[StoredFile | None, StoredFile | None]:
        """Where one clip's vocals and music are stored; None for what is not there."""
        return self._voice(clip_id)[0], self._music(clip_id)[0]

    def hear(self, clip_id: str) -> Heard:
        """The recordings of one clip; a missing one leaves a reason."""
        voice, voice_missing = self._voice(clip_id)
        music, music_missing = self._music(clip_id)
        beats = {"vocals": (voice,), "bgm": (music,), "mix": (voice, music)}[self.beat_audio]
        wanting = {"vocals": voice_missing, "bgm": music_missing, "mix": voice_missing or music_missing}[self.beat_audio]
        found = tuple(recording for recording in beats if recording)
        return Heard(Sound(found) if not wanting else None, wanting, Sound((voice,)) if voice else None, voice_missing)

    def _voice(self, clip_id: str) -> tuple[StoredFile | None, str]:
        return _find(self.vocals, f"{clip_id}.wav", "vocals")

    def _music(self, clip_id: str) -> tuple[StoredFile | None, str]:
        return _find(self.bgm, f"{clip_id}_bgm.wav", "background music")


@dataclass(frozen=True)
class Heard:
    """One clip's sound.

    Attributes:
        beats_from: the recordings whose beats count, or None.
        no_beats: why they are None.
        voice: the vocals, or None.
        no_voice: why they are None.
    """

    beats_from: Sound | None
    no_beats: str
    voice: Sound | None
    no_voice: str

    def beat_frames(self) -> tuple[Indices | None, str]:
        """Beats in hops of 512 samples at 16 kHz; None and the reason where nothing can be listened to."""
        if self.beats_from is None:
            return None, self.no_beats
        try:
            return self.beats_from.beat_frames(), ""
        except InputError as error:
            return None, str(error)

    def loudness(self, n_frames: int, fps: float) -> tuple[Floats | None, str]:
        """(n_frames,) loudness of the voice; None and the reason where there is none."""
        if self.voice is None:
            return None, self.no_voice
        try:
            return self.voice.loudness(n_frames, fps), ""
        except InputError as error:
            return None, str(error)


def _find(folder: Path | None, name: str, what: str) -> tuple[StoredFile | None, str]:
    if folder is None:
        return None, f"no folder of {what} was given"
    try:
        found = find_stored(folder, [name])
    except InputError as error:
        return None, str(error)
    return found, "" if found else f"no {what}: {folder / name} is not there"
