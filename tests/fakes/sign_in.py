"""Letting an app in: a person signs in, presses Allow or Cancel, and is sent back with a code.

Every sandbox vendor with OAuth subclasses ``SignIn``; what a client calls afterwards is the vendor's own.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tests.fakes import sign_in_pages as pages


@dataclass(slots=True)
class Ask:
    """What a client asked for when it sent a person here."""

    redirect_uri: str
    state: str | None
    login: str = ""
    at: float = 0.0
    asked: dict[str, str] = field(default_factory=dict)

    def back(self, **answer: str) -> Response:
        if self.state is not None:
            answer["state"] = self.state
        joint = "&" if "?" in self.redirect_uri else "?"
        return redirect(f"{self.redirect_uri}{joint}{urlencode(answer)}", 302)


class SignIn:
    """The pages of the dance, and the codes it ends with."""

    prefix = "/oauth2"
    asked: tuple[str, ...] = ("response_type", "client_id", "redirect_uri", "state")
    look: pages.Look

    def __init__(self, sandbox: Any, redirects: list[str]) -> None:
        self.sandbox, self.redirect_uris = sandbox, redirects
        self.codes: dict[str, Ask] = {}
        self.tickets: dict[str, Ask] = {}  # signed in, Allow not yet pressed

    def is_client(self, client_id: str) -> bool:
        """Whether an app of this name is registered here."""
        raise NotImplementedError

    def objection(self, asked: Mapping[str, str]) -> dict[str, str] | None:
        """What is told to the app itself, at an address that is known to be its own."""
        return None

    def forget(self) -> None:
        self.codes.clear()
        self.tickets.clear()

    def page(self, request: Request) -> Response:
        path = (request.method, request.path.removeprefix(self.prefix))
        if path == ("GET", "/authorize"):
            return self.refusal(request.args) or pages.sign_in(self, request.args)
        if path == ("POST", "/authorize"):
            return self.refusal(request.form) or self.sign_in(request)
        if path == ("POST", "/allow"):
            return self.decide(request)
        return pages.trouble(self.look, "There is no such page.", 404)

    def refusal(self, asked: Mapping[str, str]) -> Response | None:
        """An error page where it would be unsafe to send the person back."""
        if not self.is_client(asked.get("client_id", "")):
            return pages.trouble(self.look, "This app is not registered here: unknown client_id.")
        if asked.get("redirect_uri") not in self.redirect_uris:
            return pages.trouble(self.look, "The redirect_uri is not one of those registered for this app.")
        if asked.get("response_type") != "code":
            return pages.trouble(self.look, "The response_type must be “code”.")
        if objection := self.objection(asked):
            return Ask(asked["redirect_uri"], asked.get("state")).back(**objection)
        return None

    def sign_in(self, request: Request) -> Response:
        form = request.form
        account = self.sandbox.accounts.get(form.get("login", "").strip().lower())
        if not account or not hmac.compare_digest(form.get("password", ""), account.password):
            return pages.sign_in(self, form, wrong=True)
        ticket = secrets.token_urlsafe(24)
        kept = {name: form[name] for name in self.asked if name in form}
        self.tickets[ticket] = Ask(form["redirect_uri"], form.get("state"), account.login, asked=kept)
        return pages.allow(self, account, ticket)

    def decide(self, request: Request) -> Response:
        ask = self.tickets.pop(request.form.get("ticket", ""), None)
        if ask is None:
            return pages.trouble(self.look, "This page has been used already. Please start again from the app.")
        if request.form.get("decision") != "allow":
            return ask.back(error="access_denied")
        code, ask.at = secrets.token_hex(16), self.sandbox.now()
        self.codes[code] = ask
        return ask.back(code=code)

    def redeem(self, code: str, life_s: float) -> Ask | None:
        """What a code was made for; it works once, and not for long."""
        ask = self.codes.pop(code, None)
        return None if ask is None or self.sandbox.now() - ask.at > life_s else ask


def as_json(content: Mapping[str, object], status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json; charset=utf-8")


def error(code: str, description: str, status: int = 400) -> Response:
    return as_json({"error": code, "error_description": description}, status)
