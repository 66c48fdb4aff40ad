"""A short way to call the sandbox's API, with plain requests underneath."""

from __future__ import annotations

import hashlib
from typing import Any

import requests

from tests.fakes import MailchimpSandbox

JOE = "joe@rivermail.test"
ANN = "ann@rivermail.test"
CALLBACK = "http://127.0.0.1:8000/oauth/callback"


def md5(email: str) -> str:
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class Api:
    """The API as one account sees it; ``members`` is the path of its only audience's members."""

    def __init__(self, sandbox: MailchimpSandbox, login: str = "river") -> None:
        self.sandbox, self.login = sandbox, login
        self.audience = next(iter(sandbox.account(login).audiences.values()))
        self.base = sandbox.api_url(login)
        self.list = f"/lists/{self.audience.id}"
        self.members = f"{self.list}/members"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {sandbox.account(login).api_key}"

    def call(self, method: str, path: str, json: Any = None, **query: Any) -> requests.Response:
        return self.session.request(method, self.base + path, json=json, params=query, timeout=20)

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, **query).json()

    def post(self, path: str, json: Any = None, **query: Any) -> requests.Response:
        return self.call("POST", path, json, **query)

    def put(self, path: str, json: Any = None, **query: Any) -> requests.Response:
        return self.call("PUT", path, json, **query)

    def patch(self, path: str, json: Any = None, **query: Any) -> requests.Response:
        return self.call("PATCH", path, json, **query)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def member(self, email: str) -> str:
        return f"{self.members}/{md5(email)}"

    def add(self, email: str = JOE, status: str = "subscribed", **more: Any) -> dict[str, Any]:
        """A member, brought to any status."""
        first = "subscribed" if status in ("archived", "left", "unsubscribed", "cleaned") else status
        answer = self.post(self.members, {"email_address": email, "status": first, **more})
        assert answer.status_code == 200, answer.text
        if status == "left":
            self.act("person", "unsubscribe", email=email)
        elif status == "archived":
            assert self.delete(self.member(email)).status_code == 204
        elif status in ("unsubscribed", "cleaned"):
            assert self.put(self.member(email), {"status": status}).status_code == 200
        return answer.json()

    def act(self, role: str, action: str, **more: Any) -> requests.Response:
        wish = {"as": role, "action": action, "account": self.login, **more}
        answer = requests.post(f"{self.sandbox.url}/_sandbox/act", json=wish, timeout=20)
        assert answer.ok, answer.text
        return answer

    def control(self, path: str, wish: Any = None) -> Any:
        url = f"{self.sandbox.url}/_sandbox/{path}"
        answer = requests.get(url, timeout=20) if wish is None else requests.post(url, json=wish, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def held(self, email: str) -> dict[str, Any]:
        """What the sandbox itself says about a member."""
        account = self.control(f"state?account={self.login}")["accounts"][self.login]
        return next(m for m in account["audiences"][0]["members"] if m["email_address"] == email)
