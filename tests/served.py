"""A server on loopback that answers as told."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What the server says to everyone.

    Attributes:
        content: the bytes it sends.
        declared: the length that it declares; None declares none.
        status: of HTTP.
        location: where a status of 302 points.
        asked: the paths that it was asked for.
    """

    content: bytes
    declared: int | None
    status: int = 200
    location: str = ""
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address of a server that gives this answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer.asked.append(self.path)
            moved = answer.status == 302 and self.path != answer.location
            self.send_response(answer.status if moved or answer.status != 302 else 200)
            if moved:
                self.send_header("Location", answer.location)
            elif answer.declared is not None:
                self.send_header("Content-Length", str(answer.declared))
            self.end_headers()
            if not moved:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(answer.content)

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/file.pth"
        finally:
            server.shutdown()
            thread.join()
