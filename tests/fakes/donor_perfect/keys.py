"""The key of a call: taken from the raw query string and decoded once, as a web server does, and not a second time."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from tests.fakes.donor_perfect.errors import NO_BYTES, NOT_AUTHORIZED, Problem

if TYPE_CHECKING:
    from tests.fakes.donor_perfect.state import Account

UNKNOWN = {
    "invalid_token": Problem(error="Invalid token."),
    "login_failed": Problem("login failed"),
    "bad_api_key": Problem(error="bad api key"),
    "reason": Problem(NOT_AUTHORIZED),
}
SIGNS = frozenset("+/=")


def new_key(name: str, number: int) -> str:
    """108 signs with + / = among them, before they are encoded; the same for the same name."""
    while True:
        raw = b"".join(hashlib.sha256(f"{name}/{number}/{part}".encode()).digest() for part in range(3))[:79]
        if set(key := base64.b64encode(raw).decode()) >= SIGNS:
            return key
        number += 1_000


def issued(key: str) -> str:
    """As the vendor mails it: percent-encoded already, in small letters."""
    return "".join(f"%{ord(sign):02x}" if sign in SIGNS else sign for sign in key)


def raw_key(query_string: str) -> str | None:
    """What stands behind `apikey=`, as it came."""
    for part in query_string.split("&"):
        name, sign, value = part.partition("=")
        if sign and name.lower() == "apikey":
            return value
    return None


def owner(query_string: str, accounts: Mapping[str, Account], unknown: str) -> Account:
    """Whose key it is, or a `Problem`."""
    raw = raw_key(query_string)
    if not raw:
        raise UNKNOWN["login_failed"]
    key = unquote_plus(raw)
    for account in accounts.values():
        if key == account.key:
            if account.is_revoked:
                raise Problem(NOT_AUTHORIZED)
            return account
        # Encoded twice, or cut off: the vendor's own decoding fails before it looks the key up.
        as_issued = issued(account.key).lower()
        if key.lower() == as_issued or (len(raw) >= 20 and as_issued.startswith(raw.lower())):
            raise Problem(NO_BYTES)
    raise UNKNOWN.get(unknown, UNKNOWN["reason"])


def shown(query_string: str) -> str:
    """A query string without its key."""
    raw = raw_key(query_string)
    return query_string.replace(raw, "…") if raw else query_string


def quoted(key: str) -> str:
    """A key encoded once, in capitals: the other right way to send it."""
    return quote(key, safe="")
