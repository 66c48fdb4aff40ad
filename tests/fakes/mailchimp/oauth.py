"""OAuth: sign in, allow, hand over a code, swap it for a token, and say whose token it is."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from tests.fakes.mailchimp.state import Account
from tests.fakes.sign_in import SignIn, as_json, error
from tests.fakes.sign_in_pages import Look

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox


LOOK = Look(
    "Sandbox Mailchimp",
    (
        "see your audiences, contacts and tags",
        "add, change, tag and archive contacts",
        "be told when contacts change",
    ),
)
NOTICE = LOOK.notice


class OAuth(SignIn):
    """The one registered app, its codes and its tokens."""

    look = LOOK
    sandbox: MailchimpSandbox

    def __init__(self, sandbox: MailchimpSandbox, client_id: str, secret: str, redirects: list[str]) -> None:
        super().__init__(sandbox, redirects)
        self.client_id, self.client_secret = client_id, secret

    def is_client(self, client_id: str) -> bool:
        return client_id == self.client_id

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
        ask = self.redeem(form.get("code", ""), self.sandbox.options.code_life_s)
        if ask is None:
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
