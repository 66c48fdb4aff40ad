"""Connecting: the *Allow* page, the code for tokens, whose they are, and renewing them. Access tokens live for a day.

With a client secret the application is known by it; without one (a public client) by the code verifier alone (PKCE).
The challenge goes along in both cases: it does no harm where it is not asked for.
"""

import base64
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from integrations.provider_kit.base import Account
from integrations.provider_kit.errors import CallFailed, Reconnect, Refused, Retry
from integrations.provider_kit.gate import Gate
from integrations.provider_kit.http import Answer, Http
from integrations.providers.constant_contact.api import Api

SCOPES = ("account_read", "contact_data", "offline_access")
NEEDED = ("contacts:read", "contacts:write", "contacts:lists:read", "contacts:lists:write")
LIFE = 86_400.0  # of an access token, should the answer not say
NOT_GIVEN = "Constant Contact did not confirm the permission. Press Connect to try again."
WRONG_KEY = "Constant Contact does not accept this installation's application key. Tell its operator."
TOO_LITTLE = (
    "The Constant Contact user who allowed access may not change contacts and lists there. Ask the owner of the "
    "account to connect, or to give that user the right to do so."
)


def authorize_url(state: str, redirect_uri: str, code_challenge: str) -> str:
    """Where the person allows access."""
    query = {
        "client_id": settings.CONSTANT_CONTACT_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
    }
    return f"{settings.CONSTANT_CONTACT_LOGIN_URL}/authorize?{urlencode(query)}"


def account_from_code(code: str, redirect_uri: str, code_verifier: str, gate: Gate) -> Account:
    """Three calls: the tokens, what the account says of itself, and what its user may do there."""
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": code_verifier,
    }  # fmt: skip
    answer = _ask(form)
    content = answer.json if isinstance(answer.json, dict) else {}
    if answer.status != 200 or not content.get("access_token"):
        raise CallFailed(_trouble(answer, Refused("oauth", NOT_GIVEN)))
    if not content.get("refresh_token"):
        raise CallFailed(Refused("oauth", f"The permission would end within a day. {NOT_GIVEN}"))
    secret = tokens(content)
    api = Api(lambda: str(secret["access_token"]), gate=gate)
    try:
        summary = api.call("GET", "/v3/account/summary", query={"extra_fields": "physical_address"})
        privileges = {str(row.get("privilege_name")) for row in api.call("GET", "/v3/account/user/privileges")}
    finally:
        api.close()
    if not summary.get("encoded_account_id"):
        raise CallFailed(Refused("oauth", NOT_GIVEN))
    if not privileges.issuperset(NEEDED):
        raise CallFailed(Refused("oauth", TOO_LITTLE))
    name = str(summary.get("organization_name") or summary.get("contact_email") or "")[:200]
    return Account(str(summary["encoded_account_id"])[:100], name, secret, proposal(summary))


def proposal(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The account, for review on the settings page, and the choices that most organizations keep."""
    place = summary.get("physical_address") or {}
    lines = [place.get("address_line1"), place.get("address_line2"), place.get("city")]
    lines.append(" ".join(filter(None, (place.get("state_code"), place.get("postal_code")))))
    lines.append(place.get("country_code"))
    return {
        "account": {
            "organization": str(summary.get("organization_name") or "")[:200],
            "email": str(summary.get("contact_email") or "")[:254],
            "address": ", ".join(str(line) for line in lines if line)[:300],
        },
        "fields": "names",
    }


def renew(secret: Mapping[str, Any]) -> dict[str, Any]:
    """New tokens for the stored refresh token. Only `invalid_grant` means that the grant is gone; everything else is
    trouble of the moment, the operator's key included."""
    try:
        answer = _ask({"grant_type": "refresh_token", "refresh_token": str(secret.get("refresh_token") or "")})
    except CallFailed as failure:
        raise CallFailed(Retry(failure.outcome.sentence)) from None
    content = answer.json if isinstance(answer.json, dict) else {}
    if answer.status == 200 and content.get("access_token"):
        return tokens({"refresh_token": secret.get("refresh_token"), **content})
    if content.get("error") == "invalid_grant":
        raise CallFailed(Reconnect("Constant Contact no longer accepts the permission that was given. Connect again."))
    sentence = "Constant Contact could not renew the permission just now."
    raise CallFailed(_trouble(answer, Retry(sentence, answer.retry_after)))


def tokens(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of an answer with tokens."""
    try:
        life = float(content.get("expires_in") or LIFE)
    except (TypeError, ValueError):
        life = LIFE
    return {
        "access_token": str(content["access_token"]), "refresh_token": str(content["refresh_token"]),
        "expires_at": time.time() + life,
    }  # fmt: skip


def _ask(form: Mapping[str, str]) -> Answer:
    """One call to the token address."""
    headers = {}
    client, secret = settings.CONSTANT_CONTACT_CLIENT_ID, settings.CONSTANT_CONTACT_CLIENT_SECRET
    if secret:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()
    else:
        form = {**form, "client_id": client}
    login = Http("Constant Contact", settings.CONSTANT_CONTACT_LOGIN_URL)
    try:
        return login.call("POST", "/token", form=form, headers=headers)
    finally:
        login.close()


def _trouble(answer: Answer, otherwise: Refused | Retry) -> Refused | Retry:
    """What went wrong at the token address, if it was not the code or the grant."""
    content = answer.json if isinstance(answer.json, dict) else {}
    if content.get("error") == "invalid_client":
        return Retry(WRONG_KEY, after=3600.0) if isinstance(otherwise, Retry) else Refused("oauth", WRONG_KEY)
    if answer.status == 429 or answer.status >= 500:
        return Retry("Constant Contact is too busy to answer. Please try again in a minute.", answer.retry_after)
    return otherwise
