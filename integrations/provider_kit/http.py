"""Every call to a vendor: one deadline, one size limit, checked addresses, and no secret in what it says afterwards.

Only this file imports `requests`. A vendor's answer of any status comes back as an `Answer`; when none came,
`CallFailed` says whether the request can have left: not connected is `Retry`, anything later is `Ambiguous` (a read
is just repeated).
"""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import timezone
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from integrations.provider_kit.addresses import open_line
from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Retry

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
MOST_BYTES = 20 * 1024 * 1024
PIECE = 64 * 1024
LONGEST_RETRY_AFTER = 3600.0
TROUBLE = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError, RecursionError)
SECRET_WORDS = re.compile(r"(?i)\b((?:api_?key|access_token|token|password|secret|authorization)\W{1,4})[^\s&\"',;]+")


def scrub(text: str) -> str:
    """The same text with whatever looks like a credential blotted out."""
    return SECRET_WORDS.sub(r"\1…", text)


def names_no_address(record: logging.LogRecord) -> bool:
    """Whether a line of urllib3's may be logged: its warning of broken headers quotes the address, maybe with a key."""
    return "url=" not in str(record.msg)


logging.getLogger("urllib3.connection").addFilter(names_no_address)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor said. `json` is None when it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def request_id(self) -> str:
        return self.headers.get("X-Request-Id", "")[:100]

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, from either form of Retry-After; at most an hour."""
        return seconds_to_wait(self.headers.get("Retry-After", ""))


def seconds_to_wait(text: str) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(text) - timezone.now()).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


class TooLate(OSError):
    """The whole call took longer than its deadline."""


class TooLarge(OSError):
    """The answer was larger than any that we read."""


class Call:
    """One call under way, so that it can be cut off, and so that we know whether anything left."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.has_left = self.is_late = False
        self.line: socket.socket | None = None

    def cut(self) -> None:
        """Time is up: whoever waits on the line hears that it is dead."""
        self.is_late = True
        if self.line is not None:
            with suppress(OSError):  # it may be closed by now
                socket.socket.shutdown(self.line, socket.SHUT_RDWR)

    def check(self) -> None:
        if self.is_late or time.monotonic() > self.until:
            raise TooLate


_in_hand = threading.local()


class _Line:
    """What our connections add to urllib3's: the checked address, and the note that bytes are leaving."""

    def _new_conn(self: Any) -> socket.socket:
        _in_hand.call.check()
        options = self.socket_options or ()
        return open_line(self.host, self.port, CONNECT_SECONDS, options, encrypted=isinstance(self, HTTPSConnection))

    def send(self: Any, data: Any) -> None:
        if self.sock is None:
            self.connect()
        call = _in_hand.call
        call.line = self.sock
        call.check()
        call.has_left = True
        super().send(data)  # type: ignore[misc]


class _HttpLine(_Line, HTTPConnection):
    pass


class _HttpsLine(_Line, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpLine


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsLine


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class Http:
    """The line to one vendor for one connection; several threads may call at once. Close it when done."""

    def __init__(self, vendor: str, base: str, headers: Mapping[str, str] | None = None) -> None:
        self.vendor, self.base = vendor, base.rstrip("/")
        parts = urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError(f"The base address of {vendor} must be an http or https address without a user name.")
        self.session = requests.Session()
        self.session.trust_env = False  # no proxies, no .netrc: nothing around us changes where a secret goes
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.session.headers = CaseInsensitiveDict({"User-Agent": "Almoner", "Accept-Encoding": "gzip"})
        self.headers = dict(headers or {})
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(pool_connections=2, pool_maxsize=16))

    def close(self) -> None:
        """Hang up every line."""
        self.session.close()

    def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, json: Any = None,
        form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        patience: float = READ_SECONDS,
    ) -> Answer:  # fmt: skip
        """The vendor's answer, whatever its status. `patience`: how long it may say nothing at all."""
        sent = self.checked({**self.headers, **(headers or {})})
        data: Any = form
        if json is not None:
            data, sent["Content-Type"] = as_body(json), "application/json"
        call = Call(settings.CALL_DEADLINE_SECONDS)
        sentence = ""
        try:
            with _under_way(call), self.session.request(
                method, self.base + path, params=query, data=data, headers=sent,
                timeout=(CONNECT_SECONDS, patience), allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                return _answer(response, call)
        except TooLarge:
            sentence = f"{self.vendor} sent an answer that is too large to be one."
        except TROUBLE:
            sentence = self.what_happened(call)
        # Raised out here, so that nothing hangs on to the original exception: its text holds addresses and headers.
        may_be_done = call.has_left and method != "GET"
        raise CallFailed(Ambiguous(sentence) if may_be_done else Retry(sentence))

    def what_happened(self, call: Call) -> str:
        """A sentence for people; the same for a machine that is down and for one that we refuse to call."""
        if not call.has_left:
            return f"{self.vendor} could not be reached."
        if call.is_late:
            return f"{self.vendor} took too long to answer."
        return f"The connection to {self.vendor} broke, or its answer could not be read."

    def checked(self, headers: dict[str, str]) -> dict[str, str]:
        """The same headers, if all can be sent. A line break in a stored key must not end up in an error's text."""
        for value in headers.values():
            if not value.isascii() or not value.isprintable() or value != value.strip():
                raise CallFailed(Reconnect(f"The stored key for {self.vendor} cannot be sent as it is. Connect again."))
        return headers


def as_body(content: Any) -> bytes:
    """The bytes in which `json` is sent, for whoever has to sign them."""
    return json.dumps(content, separators=(",", ":")).encode()


@contextmanager
def _under_way(call: Call) -> Iterator[None]:
    """Note the call for the connection that carries it, and cut it off at its deadline, whatever it is doing."""
    _in_hand.call = call
    watch = threading.Timer(max(0.0, call.until - time.monotonic()), call.cut)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        call.line = None


def _answer(response: requests.Response, call: Call) -> Answer:
    """Read the body in pieces, each against the deadline and the size limit, unpacked."""
    body = bytearray()
    for piece in response.raw.stream(PIECE, decode_content=True):
        body += piece
        call.check()
        if len(body) > MOST_BYTES:
            raise TooLarge
    call.check()
    is_json = "json" in response.headers.get("Content-Type", "")
    content = None
    if body and (is_json or body[:1] in b"{["):
        try:
            content = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            if is_json and response.ok:
                raise
    return Answer(response.status_code, response.headers, bytes(body), content)
