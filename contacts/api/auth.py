"""Who is calling: the key in the header that the API's document names. One that is wrong, revoked or too old is told
the same."""

import re
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from contacts.tenancy.keys import PREFIX, ApiToken, found

SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{20,100}}")
REALM = 'Bearer realm="Almoner"'


class Caller:
    """The program behind a key, in the place where Django expects a user."""

    is_authenticated, is_active, is_anonymous = True, True, False
    pk = id = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    def __str__(self) -> str:
        return f"API key “{self.token.name}”"


class BearerKey(BaseAuthentication):
    """`Authorization: Bearer almoner_…`; cookies of people who are logged in count for nothing here."""

    bare, header = False, ""  # whether the word Bearer may be missing; another header that may hold the key

    def authenticate(self, request: Request) -> tuple[Any, ApiToken]:
        given = self.given(request)
        if not given:
            raise AuthenticationFailed(self.missing)
        token = found(given[0]) if len(given) == 1 and SHAPE.fullmatch(given[0]) else None
        if token is None:
            raise AuthenticationFailed("This API key does not work. It may be mistyped, revoked or too old.")
        return Caller(token), token

    @property
    def missing(self) -> str:
        """What is told to whoever sends none."""
        return f"Send your API key in the header “{self.header}: …”." if self.header else (
            f"Send your API key in the header “Authorization: {'' if self.bare else 'Bearer '}…”."
        )  # fmt: skip

    def given(self, request: Request) -> list[str]:
        """What stands where keys stand; "" for what is none. Two that differ are no key."""
        found = []
        if text := request.headers.get("Authorization", "").strip():
            word, _, secret = text.partition(" ")
            found.append(secret.strip() if word.lower() == "bearer" else text if self.bare else "")
        if self.header and (text := request.headers.get(self.header, "").strip()):
            found.append(text)
        return list(dict.fromkeys(found))

    def authenticate_header(self, request: Request) -> str:
        return REALM


class PlainKey(BearerKey):
    """The same, and `Authorization: almoner_…` as the document of the donors API has it."""

    bare = True


class OsdiKey(PlainKey):
    """The same, and `OSDI-API-Token: almoner_…` as OSDI has it."""

    header = "OSDI-API-Token"
