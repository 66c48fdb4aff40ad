"""Misbehaviour on request: decides which call goes wrong, and how.

A fault either comes *instead* of the work (nothing is applied) or *spoils* an answer
after the work was done. What the wire then does is told to the server by ``Wire``.
"""

from __future__ import annotations

import gzip
import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from werkzeug.wrappers import Response

# Nothing was applied when one of these happens.
INSTEAD = (
    "200_empty 200_html 401 403_empty 403_html 429 429_empty 500 502_html 503_html timeout cut redirect gzip_bomb"
).split()
# The work was done; only the answer is bad.
SPOILED = ("500_applied empty_applied invalid_json cut_body slow_body stall wrong_charset done_unanswered").split()
KINDS = (*INSTEAD, *SPOILED)

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
DENIED = (
    "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>"
    "You don't have permission to access this server. Reference #18.5f1a02d1</BODY></HTML>"
)


@dataclass(frozen=True, slots=True)
class Wire:
    """What the server does to the connection: hang, cut, half, stall or drip."""

    kind: str
    seconds: float = 0.0


class SpoiledResponse(Response):
    """A response whose bytes do not all arrive."""

    wire: Wire | None = None


@dataclass(slots=True)
class Faults:
    """The misbehaviour now asked for; an empty one lets every call through."""

    share: float = 0.0
    kinds: list[str] = field(default_factory=list)
    latency_ms: float = 0.0
    seed: int | None = None
    timeout_s: float = 5.0
    drip_s: float = 1.0
    retry_after: int | None = None
    methods: list[str] = field(default_factory=list)
    path: str = ""
    limit: int | None = None
    _dice: random.Random = field(default_factory=random.Random)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def from_json(cls, wish: dict[str, Any]) -> Faults:
        """Read the body of ``POST /_sandbox/faults``; ValueError tells what is wrong with it."""
        allowed = [name for name in cls.__slots__ if not name.startswith("_")]
        if unknown := set(wish) - set(allowed):
            raise ValueError(f"Unknown keys: {', '.join(sorted(unknown))}. Known: {', '.join(allowed)}")
        if strange := set(wish.get("kinds", [])) - set(KINDS):
            raise ValueError(f"Unknown kinds: {', '.join(sorted(strange))}. Known: {', '.join(KINDS)}")
        if wish.get("kinds"):
            wish = {"share": 1.0, **wish}
        return cls(**wish, _dice=random.Random(wish.get("seed")))

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}

    def draw(self, method: str, path: str) -> str:
        """The kind of fault this call meets, or "" for none."""
        if not self.kinds or (self.methods and method not in self.methods):
            return ""
        if self.path and not re.search(self.path, path):
            return ""
        with self._lock:
            if self.limit == 0 or self._dice.random() >= self.share:
                return ""
            if self.limit is not None:
                self.limit -= 1
            return self._dice.choice(self.kinds)

    def instead(self, kind: str, problem: Callable[[str], Response]) -> Response:
        """The answer given in place of the work; ``problem`` words it as this vendor would."""
        if kind in ("timeout", "cut"):
            return self._wired("hang" if kind == "timeout" else "cut", SpoiledResponse())
        if kind.endswith("_html"):
            page = DENIED if kind.startswith("403") else BAD_GATEWAY
            return Response(page, int(kind[:3]), content_type="text/html")
        if kind == "redirect":
            return Response("", 302, {"Location": "http://elsewhere.invalid/3.0/"})
        if kind == "gzip_bomb":
            return Response(_bomb(), 200, {"Content-Encoding": "gzip"}, content_type="application/json")
        response = Response(b"", int(kind[:3])) if kind.endswith("_empty") else problem(kind)
        if kind.startswith("429") and self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response

    def spoil(self, kind: str, response: Response, problem: Callable[[str], Response]) -> Response:
        """The bad answer to work that was done."""
        if kind == "500_applied":
            return problem("500")
        if kind == "empty_applied":
            return Response(b"", 200, content_type=response.content_type)
        if kind == "invalid_json":
            return Response(b'{"members": [{"id": "5eb0d79', 200, content_type=response.content_type)
        if kind == "wrong_charset":
            body = response.get_data(as_text=True).encode("utf-16")
            return Response(body, response.status_code, content_type=response.content_type)
        spoiled = SpoiledResponse(response.get_data(), response.status_code, response.headers)
        wires = {"cut_body": "half", "slow_body": "drip", "stall": "stall", "done_unanswered": "cut"}
        return self._wired(wires[kind], spoiled)

    def _wired(self, kind: str, response: SpoiledResponse) -> Response:
        response.wire = Wire(kind, self.timeout_s)
        return response


@cache
def _bomb() -> bytes:
    """A quarter of a gigabyte of nothing, in about 250 kB."""
    return gzip.compress(bytes(256 * 1024 * 1024), compresslevel=9)
