"""A sandbox on a port: a threaded server that can be started and stopped from a test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any, TypeVar

from tests.fakes.handler import Handler
from tests.fakes.sandbox import Sandbox

AnySandbox = TypeVar("AnySandbox", bound=Sandbox)


class Server(ThreadingHTTPServer):
    """A sandbox on a port."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), Handler)
        self.sandbox = sandbox
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        sandbox.url = f"http://{host}:{self.server_address[1]}"

    def start(self) -> None:
        self.sandbox.start()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.sandbox.stop()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self.stopping.is_set():
            super().handle_error(request, client_address)


@contextlib.contextmanager
def running(sandbox: AnySandbox, port: int = 0) -> Iterator[AnySandbox]:
    """Serve a sandbox from a thread; ``sandbox.url`` is its address."""
    server = Server(sandbox, port=port)
    server.start()
    try:
        yield sandbox
    finally:
        server.stop()
