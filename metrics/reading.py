"""Run ffmpeg to read one file of a user's, and turn what it complains about into one clear line."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO

import imageio_ffmpeg

from singinghead.flame_model.errors import InputError

_NO_STREAM = "matches no streams"
_COMPLAINT = re.compile(r"^(?:\[[^]]*@ 0x[0-9a-f]+\] )?\[(?:error|fatal|panic)\] (.*)$", re.MULTILINE)


class Reading:
    """An ffmpeg that decodes one file to its standard output, as a context manager that ends it with the block.

    A file is believed only when ffmpeg has nothing to complain about: on damage it conceals and goes on, exits with 0, and
    the pictures and the sound that it makes up would be measured.

    Args:
        path: the file; taken as a file whatever its name, and read through no other protocol, so that a playlist of that
            name cannot reach further.
        output: ffmpeg's options after the input, without the output's name.
        kind: what is wanted of the file, ``video`` or ``sound``, for messages.

    Raises:
        InputError: there is no such file, or an AVI or WAV ends before it says.
    """

    def __init__(self, path: str | PathLike[str], output: list[str], kind: str) -> None:
        self.path = Path(path)
        self._kind = kind
        if not self.path.is_file():
            raise InputError("is a folder" if self.path.is_dir() else "no such file", file=path)
        _check_complete(self.path)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]
        source = ["-protocol_whitelist", "file", "-i", f"file:{self.path.absolute()}"]
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed in __exit__
        self._process = subprocess.Popen(
            [*command, *source, *output, "pipe:1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._words,
            start_new_session=True,  # Ctrl-C is ours: ffmpeg would end in good order and pass for done
        )
        assert self._process.stdout is not None
        self.pipe: IO[bytes] = self._process.stdout

    def __enter__(self) -> Reading:
        return self

    def finish(self) -> str:
        """Wait for ffmpeg after the last byte was read.

        Returns:
            What it said of the file.

        Raises:
            InputError: it failed, or found damage; with its words.
        """
        code = self._process.wait()
        self._words.seek(0)
        words = self._words.read().decode(errors="replace").replace(f"file:{self.path.absolute()}", self.path.name)
        complaints = _COMPLAINT.findall(words)
        if code < 0:
            raise InputError(f"ffmpeg was killed by {signal.Signals(-code).name}", file=self.path)
        if any(_NO_STREAM in complaint for complaint in complaints):
            raise InputError(f"has no {self._kind}", file=self.path)
        if code or complaints:
            said = complaints[0].strip().rstrip(".") if complaints else f"ffmpeg exited with {code}"
            raise InputError(f"not a whole, readable {self._kind}: {said}", file=self.path, remedy="is it complete?")
        return words

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.pipe.close()
        self._process.wait()
        self._words.close()


def read_all(path: str | PathLike[str], output: list[str], kind: str) -> tuple[bytes, str]:
    """Everything that ffmpeg makes of a file, and what it said of it; arguments and errors as :class:`Reading`'s."""
    with Reading(path, output, kind) as reading:
        return reading.pipe.read(), reading.finish()


def _check_complete(path: Path) -> None:
    """Refuse an AVI or WAV that ends before it says, which ffmpeg takes for a short one."""
    with path.open("rb") as file:
        kind, declared = file.read(4), int.from_bytes(file.read(4), "little")
    held = path.stat().st_size
    if kind == b"RIFF" and held + 1 < declared + 8 < 2**32:  # writers to pipes declare 2^32 - 1; a pad byte may be missing
        raise InputError(f"declares {declared + 8} bytes but holds {held}", file=path, remedy="is it complete?")
