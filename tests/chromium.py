"""Debian's Chromium, headless, by the DevTools protocol over a pipe: no driver, no package, no port."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe",
)  # fmt: skip
_KEYS = {"Escape": 27, "Tab": 9, "Enter": 13, " ": 32}
_HIGH = 10  # descriptors that cannot be those that Chromium reads from (3) and writes to (4)
_START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One tab.

    Attributes:
        requests: addresses of whatever it has asked for.
        said: its console's errors and warnings, and exceptions that nobody caught.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.said: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Give a command, and wait for its result."""
        self._last += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._last, "method": method, "params": params} | session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._answers.get(timeout=90)
            if answer["id"] == self._last:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])

    def open(self, path: Path, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Load a file, and wait until it plays."""
        self.resize(width, height)
        self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.until("window.player && player.state.frame >= 0")

    def resize(self, width: int, height: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, expression: str) -> Any:
        """The value of an expression in the page, of a promise once it is kept."""
        done = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, condition: str, seconds: float = 60) -> None:
        """Wait for a condition in the page."""
        ends = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < ends, f"never came true: {condition}; {self.said}"
            time.sleep(0.05)

    def press(self, key: str, code: str = "", shift: bool = False) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=code or key, modifiers=8 * shift,
                windowsVirtualKeyCode=_KEYS.get(key, 0), **(text if kind == "keyDown" else {}),
            )  # fmt: skip

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def _read(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while part := os.read(self._from, 1 << 20):
                *whole, rest = (rest + part).split(b"\0")
                for message in map(json.loads, whole):
                    if "id" in message:
                        self._answers.put(message)
                    else:
                        self._note(message["method"], message["params"])

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"][:200])
        elif event == "Runtime.exceptionThrown":
            self.said.append(json.dumps(params["exceptionDetails"])[:2000])
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.said.append(params["entry"]["text"])
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.said.append(str([argument.get("value") for argument in params["args"]]))


@contextlib.contextmanager
def browser(profile: Path, *flags: str) -> Iterator[Page]:
    """A browser with one tab; the test is skipped where there is none.

    Args:
        profile: a new folder.
        flags: more of them.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, _HIGH) for pair in (os.pipe(), os.pipe()) for end in pair]
    browser_reads, we_write, we_read, browser_writes = ends
    command = [program, *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        [sys.executable, "-c", _START, str(browser_reads), str(browser_writes), *command],
        pass_fds=(browser_reads, browser_writes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(browser_reads)
    os.close(browser_writes)
    try:
        yield Page(we_write, we_read)
    finally:
        with contextlib.suppress(OSError):
            os.write(we_write, b'{"id":0,"method":"Browser.close"}\0')
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(we_write)
        os.close(we_read)
