"""What can go wrong, as one small hierarchy whose messages tell the fix.

Every message is one line: what (a file, where there is one), the problem, the remedy. The command-line tools print it and
exit with :attr:`SingingHeadError.exit_code`; library users catch :class:`SingingHeadError`.
"""

from __future__ import annotations


class SingingHeadError(Exception):
    """Base of every error that singinghead raises on purpose.

    Args:
        problem: what is wrong, in words.
        file: the file it is wrong with, if there is one: a path, or whatever else names it as text. It leads the message,
            and is an attribute of the error.
        remedy: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, problem: str, *, file: object = None, remedy: str = "") -> None:
        self.file = file
        subject = f"{file}: " if file is not None else ""
        advice = f" ({remedy})" if remedy else ""
        super().__init__(" ".join(f"{subject}{problem}{advice}".split()))


class InputError(SingingHeadError):
    """A file, an option or an array that the caller gave is not usable."""

    exit_code = 2


class NotFiniteError(InputError):
    """An array holds NaN or infinity."""


class AngleError(InputError):
    """A rotation is by more than a turn, as degrees taken for radians are."""


class UnsafePickleError(InputError):
    """A pickle asks for something other than arrays and plain containers; it was not executed."""


class UnavailableError(SingingHeadError):
    """A backend, a package, a model file or a weight that was asked for is not on this machine."""

    exit_code = 2


class MissingWeightsError(UnavailableError):
    """A metric's network is not on this machine; the message names the file, where it was looked for, and how to get it."""


class EncodingError(SingingHeadError):
    """ffmpeg failed; the message carries its own words."""
