"""A receiver of messages, for tests of what a vendor sends us."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Receiver(ThreadingHTTPServer):
    """Answers 200 to everything and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[tuple[Any, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hooks/secret/"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        self.answer()

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append((self.headers, body))
        self.answer()

    def answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server of ours that a vendor may send messages to."""
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
