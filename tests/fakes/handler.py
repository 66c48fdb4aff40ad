"""One connection: read a request whole, ask the sandbox, write the answer, or misbehave on the wire.

Werkzeug's own development server closes the connection after each answer, which would hide
pooling mistakes and slow the benches; hence this small handler around its Request and Response.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from werkzeug.wrappers import Request, Response

from tests.fakes.faults import Wire

if TYPE_CHECKING:
    from tests.fakes.server import Server


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive; each answer leaves in one piece unless a fault says otherwise."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def serve(self) -> None:
        response = self.server.sandbox.respond(Request(self.environ()))
        try:
            self.write(response)
        finally:
            response.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve  # noqa: N815

    def environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body()),
            "wsgi.input_terminated": True,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ["CONTENT_LENGTH"] = str(environ["wsgi.input"].getbuffer().nbytes)
        return environ

    def body(self) -> bytes:
        """The request body, read to its end so that the next request starts cleanly."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def write(self, response: Response) -> None:
        wire: Wire | None = getattr(response, "wire", None)
        if wire and wire.kind in ("hang", "cut"):
            if wire.kind == "hang":
                self.server.stopping.wait(wire.seconds)
            self.hang_up()
            return
        body = response.get_data()
        head = self.head(response, len(body))
        if self.command == "HEAD":
            body = b""
        if wire is None:
            self.wfile.write(head + body)
            return
        if wire.kind == "half":
            self.wfile.write(head + body[: len(body) // 2])
        else:
            self.wfile.write(head)
            self.dribble(body if wire.kind == "drip" else b"", wire.seconds)
        self.hang_up()

    def head(self, response: Response, length: int) -> bytes:
        lines = [f"HTTP/1.1 {response.status}"]
        headers = response.headers
        lines += [f"{k}: {v}" for k, v in headers.items() if k != "Content-Length"]
        lines += [f"Date: {self.date_time_string()}", "Server: sandbox"]
        if response.status_code != 204:
            lines.append(f"Content-Length: {length}")
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def dribble(self, body: bytes, seconds: float) -> None:
        """One byte at a time until ``seconds`` are over, then nothing more."""
        pause = self.server.sandbox.faults.drip_s
        spent = 0.0
        with contextlib.suppress(OSError):
            for byte in body:
                self.wfile.write(bytes([byte]))
                if spent >= seconds or self.server.stopping.wait(pause):
                    return
                spent += pause
        if not body:
            self.server.stopping.wait(seconds)

    def hang_up(self) -> None:
        """Reset the connection instead of closing it politely."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ValueError, TimeoutError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Quiet: what was called is in the call log, without secrets."""
