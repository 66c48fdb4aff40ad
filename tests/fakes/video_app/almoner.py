"""The app's side of Almoner's API: the calls that a program of others would make, with nothing but HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any

from tests.fakes.acts import Refusal

OLDEST = 300  # seconds that a signature may be old
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # Almoner is on this machine


class Almoner:
    """Calls of one organization's key."""

    def __init__(self, url: str, key: str) -> None:
        self.base, self.key = f"{url}/api/video/v1", key

    def get(self, path: str, **query: str) -> Any:
        """What is there. Raises `Refusal` with what Almoner says."""
        return self.call(f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Do something once: if no answer comes, the same is sent again under the same key."""
        once = {"Idempotency-Key": str(uuid.uuid4())}
        try:
            return self.call(path, body, once)
        except OSError:
            return self.call(path, body, once)

    def call(self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """One call; problem details become a refusal."""
        if not self.key:
            raise Refusal("This account has no API key of Almoner's. The demo gives it one.")
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | dict(headers or {})
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, sent)
        try:
            with _opener.open(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refusal(self.problem(error.code, error.read())) from None

    def problem(self, status: int, body: bytes) -> str:
        """What Almoner says is wrong."""
        try:
            said = json.loads(body)
            wrong = "; ".join(f"{each['field']}: {each['message']}" for each in said.get("errors", []))
            return f"Almoner answered {status}: {said['detail']} {wrong}".strip()
        except (ValueError, KeyError, TypeError):
            return f"Almoner answered {status}."


def is_genuine(secret: str, header: str, body: bytes) -> bool:
    """Whether a webhook was signed with this secret within the last five minutes."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    at = next((value for name, value in parts if name == "t"), "")
    if not secret or not at.isdigit() or abs(time.time() - int(at)) > OLDEST:
        return False
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    # While a secret is replaced, there is a signature by each.
    return any(hmac.compare_digest(signed, value) for name, value in parts if name == "v1" and value.isascii())
