"""OAuth: sign in, allow, hand over a code, swap it for a token, and say whose token it is."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tests.fakes.mailchimp import oauth_pages as pages
from tests.fakes.mailchimp.state import Account

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox


@dataclass(slots=True)
class Ask:
    """What a client asked for when it sent a person here."""

    redirect_uri: str
    state: str | None
    login: str = ""
    at: float = 0.0

    def back(self, **answer: str) -> Response:
        if self.state is not None:
            answer["state"] = self.state
        joint = "&" if "?" in self.redirect_uri else "?"
        return redirect(f"{self.redirect_uri}{joint}{urlencode(answer)}", 302)


class OAuth:
    """The one registered app, its codes and its tokens."""

    def __init__(self, sandbox: MailchimpSandbox, client_id: str, secret: str, redirects: list[str]) -> None:
        self.sandbox, self.client_id, self.client_secret = sandbox, client_id, secret
        self.redirect_uris = redirects
        self.codes: dict[str, Ask] = {}
        self.tickets: dict[str, Ask] = {}  # signed in, Allow not yet pressed

    def forget(self) -> None:
        self.codes.clear()
        self.tickets.clear()

    # -- what a person sees -------------------------------------------------------------------

    def page(self, request: Request) -> Response:
        path = (request.method, request.path)
        if path == ("GET", "/oauth2/authorize"):
            return self.refusal(request.args) or pages.sign_in(request.args)
        if path == ("POST", "/oauth2/authorize"):
            return self.refusal(request.form) or self.sign_in(request)
        if path == ("POST", "/oauth2/allow"):
            return self.decide(request)
        return pages.trouble("There is no such page.", 404)

    def refusal(self, asked: dict[str, str]) -> Response | None:
        """An error page where it would be unsafe to send the person back."""
        if asked.get("client_id") != self.client_id:
            return pages.trouble("This app is not registered here: unknown client_id.")
        if asked.get("redirect_uri") not in self.redirect_uris:
            return pages.trouble("The redirect_uri is not one of those registered for this app.")
        if asked.get("response_type") != "code":
            return pages.trouble("The response_type must be “code”.")
        return None

    def sign_in(self, request: Request) -> Response:
        form = request.form
        account = self.sandbox.accounts.get(form.get("login", "").strip().lower())
        if not account or not hmac.compare_digest(form.get("password", ""), account.password):
            return pages.sign_in(form, wrong=True)
        ticket = secrets.token_urlsafe(24)
        self.tickets[ticket] = Ask(form["redirect_uri"], form.get("state"), account.login)
        return pages.allow(account, ticket)

    def decide(self, request: Request) -> Response:
        ask = self.tickets.pop(request.form.get("ticket", ""), None)
        if ask is None:
            return pages.trouble("This page has been used already. Please start again from the app.")
        if request.form.get("decision") != "allow":
            return ask.back(error="access_denied")
        code, ask.at = secrets.token_hex(16), self.sandbox.now()
        self.codes[code] = ask
        return ask.back(code=code)

    # -- what a client calls ------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        if request.path == "/oauth2/metadata":
            return self.metadata(request)
        if request.method != "POST":
            return error("invalid_request", "Use POST.", 405)
        return self.token(request)

    def token(self, request: Request) -> Response:
        form = request.form
        if request.mimetype != "application/x-www-form-urlencoded":
            return error("invalid_request", "Send a form (application/x-www-form-urlencoded).")
        genuine = hmac.compare_digest(form.get("client_secret", ""), self.client_secret)
        if form.get("client_id") != self.client_id or not genuine:
            return error("invalid_client", "Client authentication failed.", 401)
        if form.get("grant_type") != "authorization_code":
            return error("unsupported_grant_type", "Only authorization_code is known.")
        ask = self.codes.pop(form.get("code", ""), None)
        if ask is None or self.sandbox.now() - ask.at > self.sandbox.options.code_life_s:
            return error("invalid_grant", "The code is unknown, used or too old.")
        if form.get("redirect_uri") != ask.redirect_uri:
            return error("invalid_grant", "The redirect_uri differs from the one the code was made for.")
        token = self.new_token(self.sandbox.accounts[ask.login])
        return as_json({"access_token": token, "expires_in": 0, "scope": None})

    def new_token(self, account: Account) -> str:
        """A token without an end; only the account holder can take it back."""
        token = secrets.token_hex(16)
        account.tokens[token] = int(self.sandbox.now())
        self.sandbox.reindex()
        self.sandbox.account_changed(account)
        return token

    def metadata(self, request: Request) -> Response:
        """Whose token this is. A bad one is answered with 200 and an ``error``, as the vendor does."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        account = self.sandbox.owners.get(token.strip()) if kind.lower() in ("oauth", "bearer") else None
        if account is None:
            return error("invalid_token", "The access token provided is invalid.", 200)
        login = {
            "email": account.email,
            "avatar": None,
            "login_id": account.user_id,
            "login_name": account.login,
            "login_email": account.email,
        }
        return as_json(
            {
                "dc": account.dc,
                "role": "owner",
                "accountname": account.name,
                "user_id": account.user_id,
                "login": login,
                "login_url": request.host_url.rstrip("/"),
                "api_endpoint": f"{request.host_url}{account.dc}",
            }
        )


def as_json(content: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json; charset=utf-8")


def error(code: str, description: str, status: int = 400) -> Response:
    return as_json({"error": code, "error_description": description}, status)
