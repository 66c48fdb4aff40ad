"""The sandbox video app: pages for people, an address for Almoner's webhooks, and the control addresses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes import acts
from tests.fakes.kept import KeptSandbox
from tests.fakes.video_app import pages
from tests.fakes.video_app.almoner import Almoner, is_genuine
from tests.fakes.video_app.deeds import ACTS, Deed
from tests.fakes.video_app.state import NAMES, Account, Options

HOOKS = "/webhooks/"


class VideoAppSandbox(KeptSandbox[Account]):
    """The app on one port. `almoner_url` is where our API is; keys and secrets are given by account."""

    key = "video_app"
    title = "Sandbox video app"

    def __init__(
        self, *, almoner_url: str = "", keys: Mapping[str, str] | None = None,
        hook_secrets: Mapping[str, str] | None = None, state_dir: Path | str | None = None, latency_ms: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(Options(), state_dir=state_dir, latency_ms=latency_ms)
        self.almoner_url = almoner_url.rstrip("/")
        self.keys, self.hook_secrets = dict(keys or {}), dict(hook_secrets or {})
        self.load()

    # -- accounts -----------------------------------------------------------------------------

    def seeded(self) -> dict[str, Account]:
        return {login: Account(login) for login in NAMES}

    def written(self, account: Account) -> dict[str, Any]:
        return {"login": account.login, "messages": account.messages, "videos": account.videos}

    def read(self, data: dict[str, Any]) -> Account:
        return Account(data["login"], messages=data["messages"], videos=data["videos"])

    def reindex(self) -> None:
        """Keys and secrets are given from outside, and not written down here."""
        for login, account in self.accounts.items():
            account.key, account.hook_secret = self.keys.get(login, ""), self.hook_secrets.get(login, "")

    def almoner(self, account: Account) -> Almoner:
        return Almoner(self.almoner_url, account.key)

    # -- requests -----------------------------------------------------------------------------

    def is_api(self, path: str) -> bool:
        return path.startswith(HOOKS)

    def identify(self, request: Request) -> str:
        login = request.path.removeprefix(HOOKS)
        return login if login in self.accounts else ""

    def answer(self, request: Request) -> Response:
        """A webhook: looked at, kept, answered. One that is not genuine is kept as well, to be seen, and refused."""
        account = self.accounts.get(self.identify(request))
        if account is None or request.method != "POST":
            return Response(status=404)
        body = request.get_data()
        genuine = is_genuine(account.hook_secret, request.headers.get("Almoner-Signature", ""), body)
        try:
            said = json.loads(body)
            task = str(said.get("task", {}).get("id", ""))
            message = {"id": str(said["id"]), "type": str(said["type"]), "task": task}
        except (ValueError, KeyError, TypeError, AttributeError):
            return Response(status=400)
        with account.lock:
            account.took(message | {"is_genuine": genuine, "at": round(self.now(), 3)})
        self.account_changed(account)
        return Response(status=200 if genuine else 401)

    def page(self, request: Request) -> Response:
        return pages.respond(self, request)

    def problem(self, kind: str) -> Response:
        """What a fault answers to a webhook."""
        return Response(status={"connections": 429}.get(kind, int(kind) if kind.isdigit() else 500))

    # -- control ------------------------------------------------------------------------------

    def register_redirect(self, uri: str) -> None:
        raise ValueError("This app sends nobody back.")

    def act(self, wish: dict[str, Any]) -> dict[str, Any]:
        return acts.perform(self, ACTS, Deed, wish)

    def state(self, query: dict[str, str]) -> dict[str, Any]:
        logins = [query["account"]] if "account" in query else list(self.accounts)
        return {"almoner": self.almoner_url, "accounts": {login: self.accounts[login].shown() for login in logins}}
