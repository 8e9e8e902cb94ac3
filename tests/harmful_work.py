"""Work for worker processes to do, some of which ends them; a module, so that they can import it."""

from __future__ import annotations

import os
import signal

from singinghead.flame_model.errors import InputError

KILLED, ENDED = -3, -4


def halved(number: int) -> float:
    """Half of it; negative ones do harm."""
    if number == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == ENDED:
        os._exit(7)
    if number < 0:
        raise InputError("must be positive", file=f"clip{number}")
    if number == 1000:
        raise ZeroDivisionError("a riddle")
    return number / 2
