"""Connecting: the *Allow* page, the code for a token, and whose token it is. Tokens have no end and no refresh."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from integrations.provider_kit.base import Account
from integrations.provider_kit.errors import CallFailed, Refused
from integrations.provider_kit.http import Http
from integrations.providers.mailchimp.api import DATA_CENTRE, Api

NOT_GIVEN = "Mailchimp did not confirm the permission. Press Connect to try again."


def authorize_url(state: str, redirect_uri: str) -> str:
    """Where the person allows access."""
    query = {
        "response_type": "code",
        "client_id": settings.MAILCHIMP_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{settings.MAILCHIMP_LOGIN_URL}/oauth2/authorize?{urlencode(query)}"


def account_from_code(code: str, redirect_uri: str) -> Account:
    """Three calls: the token, the account's data centre, and what the account says of itself."""
    login = Http("Mailchimp", settings.MAILCHIMP_LOGIN_URL)
    try:
        token = _token(login, code, redirect_uri)
        data_centre = _data_centre(login, token)
    finally:
        login.close()
    api = Api(token, data_centre)
    try:
        root = api.call("GET", query={"fields": "account_id,account_name,email,contact"})
    finally:
        api.close()
    if not root.get("account_id"):
        raise CallFailed(Refused("oauth", NOT_GIVEN))
    name = str(root.get("account_name", ""))[:200]
    secret = {"token": token, "dc": data_centre}
    return Account(str(root["account_id"])[:100], name, secret, proposal(root, name, data_centre))


def proposal(root: dict[str, Any], name: str, data_centre: str) -> dict[str, Any]:
    """The account's own contact information, for review on the settings page (L3)."""
    contact = root.get("contact") or {}
    # The account calls the street addr1, an audience calls it address1.
    theirs = {"address1": "addr1", "address2": "addr2"}
    ours = ("company", "address1", "address2", "city", "state", "zip", "country", "phone")
    return {
        "mode": "tags",
        "dc": data_centre,
        "contact": {key: str(contact.get(theirs.get(key, key)) or "")[:100] for key in ours},
        "from_name": name[:100],
        "from_email": str(root.get("email", ""))[:254],
        "permission_reminder": f"You gave your email address to {name}." if name else "",
        "language": "en",
    }


def _token(login: Http, code: str, redirect_uri: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "client_id": settings.MAILCHIMP_CLIENT_ID,
        "client_secret": settings.MAILCHIMP_CLIENT_SECRET,
        "redirect_uri": redirect_uri,
        "code": code,
    }
    answer = login.call("POST", "/oauth2/token", form=form)
    content = answer.json if isinstance(answer.json, dict) else {}
    token = content.get("access_token")
    if answer.status != 200 or not isinstance(token, str) or not token:
        if content.get("error") == "invalid_client":
            raise CallFailed(
                Refused("oauth", "Mailchimp does not accept this installation's application key. Tell its operator.")
            )
        raise CallFailed(Refused("oauth", NOT_GIVEN))
    return token


def _data_centre(login: Http, token: str) -> str:
    answer = login.call("GET", "/oauth2/metadata", headers={"Authorization": f"OAuth {token}"})
    # A bad token is answered with 200 and an `error` here, so the status proves nothing.
    content = answer.json if answer.status == 200 and isinstance(answer.json, dict) else {"error": True}
    data_centre = str(content.get("dc", ""))
    if content.get("error") or not DATA_CENTRE.fullmatch(data_centre):
        raise CallFailed(Refused("oauth", NOT_GIVEN))
    return data_centre
