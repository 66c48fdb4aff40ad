"""Who is calling: the key in the Authorization header. A key that is wrong, revoked or too old is told the same."""

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

    def authenticate(self, request: Request) -> tuple[Any, ApiToken]:
        word, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not word:
            raise AuthenticationFailed("Send your API key in the header “Authorization: Bearer …”.")
        secret = secret.strip()
        token = found(secret) if word.lower() == "bearer" and SHAPE.fullmatch(secret) else None
        if token is None:
            raise AuthenticationFailed("This API key does not work. It may be mistyped, revoked or too old.")
        return Caller(token), token

    def authenticate_header(self, request: Request) -> str:
        return REALM
