"""Download one file, when asked: whole, of the right hash, and under its name only then."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from singinghead.flame_model.errors import InputError, SingingHeadError, UnavailableError

LARGEST_BYTES = 1 << 30

_CHUNK = 1 << 18
_TIMEOUT_S = 30
_AGAIN = "try again, or give another --url"


def fetch(url: str, path: Path, check: Callable[[str], None]) -> str:
    """Download ``url`` to ``path``, replacing what is there.

    It is written under a temporary name beside ``path``; whatever goes wrong, nothing is left of it and an older file of the
    name stays. A download that was killed leaves the temporary file, and the next one begins it anew.

    Args:
        url: http or https.
        path: the file to write; its folder is made where it is missing.
        check: gets the SHA-256, and raises what is to be raised for a wrong one.

    Returns:
        The SHA-256.

    Raises:
        InputError: another kind of URL, or a folder that cannot be written.
        UnavailableError: the server cannot be reached, refuses, sends too much or stops in the middle.
        SingingHeadError: the disk is full.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"'{url}' is not an http or https address")
    partial = path.with_name(f".{path.name}.partial.download")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = partial.open("ab")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=path, remedy="name a --weights") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(
                os.fstat(file.fileno()), partial.stat()
            ):  # finished, and so renamed, between our opening and locking it
                raise FileNotFoundError
        except (BlockingIOError, FileNotFoundError):
            raise UnavailableError("is being downloaded by another process", file=path) from None
        try:
            file.truncate(0)
            sha256 = _download(url, file, path)
            check(sha256)
            os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise SingingHeadError(f"cannot be written: {error.strerror or error}", file=path) from error
        finally:
            partial.unlink(missing_ok=True)
    return sha256


def _download(url: str, file: IO[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    with _opened(url) as response:
        declared = int(response.headers.get("Content-Length") or 0)
        if declared > LARGEST_BYTES:
            raise UnavailableError(f"{url} is {declared} bytes, more than weights have", remedy=_AGAIN)
        received = 0
        with tqdm(total=declared or None, unit="B", unit_scale=True, desc=path.name, disable=None) as progress:
            while chunk := _read(url, response):
                received += len(chunk)
                if received > LARGEST_BYTES:
                    raise UnavailableError(f"{url} sends more than the {LARGEST_BYTES} bytes allowed", remedy=_AGAIN)
                file.write(chunk)
                digest.update(chunk)
                progress.update(len(chunk))
        file.flush()
    if received == 0 or received < declared:
        raise UnavailableError(f"{url} ended after {received} of {declared or 'some'} bytes", remedy=_AGAIN)
    return digest.hexdigest()


def _opened(url: str) -> Any:
    request = urllib.request.Request(url, headers={"User-Agent": "singinghead", "Accept-Encoding": "identity"})
    try:
        return urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        raise UnavailableError(f"{url} answers {error.code} {error.reason}", remedy=_AGAIN) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise UnavailableError(f"{url} cannot be reached: {getattr(error, 'reason', error)}", remedy=_AGAIN) from None


def _read(url: str, response: Any) -> bytes:
    try:
        return bytes(response.read(_CHUNK))
    except (http.client.HTTPException, OSError) as error:
        raise UnavailableError(f"{url} stopped: {error or type(error).__name__}", remedy=_AGAIN) from None
