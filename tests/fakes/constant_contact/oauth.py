"""OAuth 2: a code with PKCE, access tokens of a day, and refresh tokens that rotate or stay."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from tests.fakes.constant_contact.state import Account, Grant
from tests.fakes.sign_in import SignIn, as_json, error
from tests.fakes.sign_in_pages import Look

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox

PREFIX = "/oauth2/default/v1"
SCOPES = ("account_read", "account_update", "contact_data", "campaign_data", "offline_access")
LOOK = Look(
    "Sandbox Constant Contact",
    ("see your account, lists and contacts", "add, change and delete contacts", "put them on lists and take them off"),
)
NOTICE = LOOK.notice
MOST_SPENT = 50


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class OAuth(SignIn):
    """The registered apps: {client_id: secret}; one without a secret is public and needs PKCE."""

    prefix = PREFIX
    asked = ("response_type", "client_id", "redirect_uri", "state", "scope", "prompt", "code_challenge",
             "code_challenge_method")  # fmt: skip
    look = LOOK
    sandbox: ConstantContactSandbox

    def __init__(self, sandbox: ConstantContactSandbox, apps: dict[str, str], redirects: list[str]) -> None:
        super().__init__(sandbox, redirects)
        self.apps = apps

    # -- the page -----------------------------------------------------------------------------

    def is_client(self, client_id: str) -> bool:
        return client_id in self.apps

    def objection(self, asked: Mapping[str, str]) -> dict[str, str] | None:
        scopes = asked.get("scope", "").split()
        if not scopes or set(scopes) - set(SCOPES):
            return {"error": "invalid_scope", "error_description": "One or more scopes are not configured."}
        challenge, method = asked.get("code_challenge", ""), asked.get("code_challenge_method", "")
        if not challenge and not method:
            if self.apps[asked["client_id"]]:
                return None
            return {"error": "invalid_request", "error_description": "PKCE code challenge is required."}
        if method != "S256" or not 43 <= len(challenge) <= 128:
            return {"error": "invalid_request", "error_description": "Use a code_challenge with S256."}
        return None

    # -- the token endpoint -------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        if request.method != "POST":
            return error("invalid_request", "Use POST.", 405)
        if request.mimetype != "application/x-www-form-urlencoded":
            return error("invalid_request", "Send a form (application/x-www-form-urlencoded).")
        if (client_id := self.client(request)) is None:
            return error("invalid_client", "Client authentication failed.", 401)
        kinds = {"authorization_code": self.from_code, "refresh_token": self.from_refresh}
        if (kind := kinds.get(request.form.get("grant_type", ""))) is None:
            return error("unsupported_grant_type", "Only authorization_code and refresh_token are known.")
        return kind(client_id, request.form)

    def client(self, request: Request) -> str | None:
        """A confidential client by its Basic header, a public one by its id alone."""
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            client_id = request.form.get("client_id", "")
            return client_id if self.apps.get(client_id) == "" else None
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return None
        known = self.apps.get(client_id, "")
        return client_id if known and hmac.compare_digest(secret, known) else None

    def from_code(self, client_id: str, form: Mapping[str, str]) -> Response:
        ask = self.redeem(form.get("code", ""), self.sandbox.options.code_life_s)
        if ask is None or ask.asked["client_id"] != client_id:
            return error("invalid_grant", "The authorization code is invalid or has expired.")
        if form.get("redirect_uri") != ask.redirect_uri:
            return error("invalid_grant", "The 'redirect_uri' does not match the one of the authorization request.")
        if challenge := ask.asked.get("code_challenge"):
            made = unpadded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if not hmac.compare_digest(made, challenge):
                return error("invalid_grant", "PKCE verification failed.")
        return as_json(self.new_grant(self.sandbox.accounts[ask.login], client_id, ask.asked["scope"].split()))

    def from_refresh(self, client_id: str, form: Mapping[str, str]) -> Response:
        """Rotating: the old token is dead once a new one was made, whether or not the answer arrived."""
        sandbox, token, now = self.sandbox, form.get("refresh_token", ""), self.sandbox.now()
        with sandbox.tokens_lock:
            account, grant = sandbox.by_refresh.get(digest(token), (None, None))
            if account is None or grant is None or grant.client_id != client_id:
                return self.spent(token)
            if now - grant.used_at > sandbox.options.refresh_life_s:
                return error("invalid_grant", "The refresh token is invalid or expired.")
            grant.used_at = now
            if sandbox.options.refresh_mode == "rotating":
                grant.spent = [*grant.spent, grant.refresh][-MOST_SPENT:]
                token = secrets.token_urlsafe(32)
                grant.refresh = digest(token)
            return as_json(self.tokens(account, grant, token))

    def spent(self, token: str) -> Response:
        """A predecessor of a living token, or one that never was."""
        if self.sandbox.options.reuse_kills_grant:
            for account in self.sandbox.accounts.values():
                if gone := [each for each in account.grants if digest(token) in each.spent]:
                    account.grants = [each for each in account.grants if each not in gone]
                    self.sandbox.grants_changed(account)
        return error("invalid_grant", "The refresh token is invalid or expired.")

    def new_grant(self, account: Account, client_id: str, scopes: list[str]) -> dict[str, Any]:
        """The answer to a code: an access token, and with `offline_access` a refresh token."""
        grant, refresh = Grant(client_id, scopes, used_at=self.sandbox.now()), ""
        if "offline_access" in scopes:
            refresh = secrets.token_urlsafe(32)
            grant.refresh = digest(refresh)
        with self.sandbox.tokens_lock:
            account.grants.append(grant)
            return self.tokens(account, grant, refresh)

    def tokens(self, account: Account, grant: Grant, refresh: str) -> dict[str, Any]:
        now, life = self.sandbox.now(), self.sandbox.options.access_life_s
        access = access_token(account, grant, now, life)
        living = {each: ends for each, ends in grant.access.items() if ends > now}
        grant.access = {**living, digest(access): now + life}
        self.sandbox.grants_changed(account)
        content = {
            "token_type": "Bearer",
            "expires_in": int(life),
            "access_token": access,
            "scope": " ".join(grant.scopes),
        }
        return {**content, "refresh_token": refresh} if refresh else content


def access_token(account: Account, grant: Grant, now: float, life: float) -> str:
    """A JWT in shape and length, with account data in its claims; nothing checks its signature."""
    claims = {
        "ver": 1, "jti": f"AT.{secrets.token_urlsafe(32)}.oar{secrets.token_urlsafe(16)}",
        "iss": "https://identity.sandbox.invalid/oauth2/default", "aud": "https://api.sandbox.invalid/v3",
        "iat": int(now), "exp": int(now + life), "cid": grant.client_id, "uid": secrets.token_urlsafe(15),
        "scp": grant.scopes, "auth_time": int(now), "sub": account.login, "cctpAccountId": account.encoded_account_id,
        "organization_name": account.name, "platform_user_id": secrets.token_hex(18), "email": account.email,
    }  # fmt: skip
    head = unpadded(json.dumps({"kid": secrets.token_urlsafe(32), "alg": "RS256"}).encode())
    return f"{head}.{unpadded(json.dumps(claims).encode())}.{unpadded(secrets.token_bytes(256))}"
