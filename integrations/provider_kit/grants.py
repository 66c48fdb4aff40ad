"""A grant that expires: one worker at a time renews it and writes it down before anybody uses it.

Where each renewal kills the token before it, two workers who renew at once would lose the connection for good. So
whoever needs a fresh one takes a lease on the credential (over all processes, judged by the database's clock), looks
whether somebody else was faster, asks the vendor, and stores the answer. The others take what was stored.

One gap cannot be closed from here: whoever dies between the vendor's answer and our writing takes a rotating token
with them, and somebody has to connect again. Nothing that waits to be sent is lost by that. Application keys with
long-lived refresh tokens do not have the gap.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from integrations.keyring import Unreadable
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import CallFailed, Reconnect, Retry

SPARE = 300.0  # seconds before its end from which a token is not used any more
LOOK_AGAIN = 0.2
# {access_token, refresh_token, expires_at}. Gets the stored secret; raises `CallFailed`, and `Reconnect` only where the
# vendor says that the grant is gone: its troubles of the moment are no reason to send a person to its login page.
Renew = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Grant:
    """The access token of one connection, for the client of its vendor."""

    def __init__(self, provider: Provider, renew: Renew) -> None:
        self.provider = provider
        self._renew = renew

    def token(self) -> str:
        """A token that is good for some minutes, as far as the clock can tell."""
        secret = self.provider.secret
        return str(secret["access_token"]) if is_fresh(secret) else self.renewed(str(secret.get("access_token", "")))

    def renewed(self, stale: str) -> str:
        """Another token than this one, which expired or which the vendor did not take: somebody else's renewal if
        there was one meanwhile, else ours."""
        until = time.monotonic() + 2 * settings.CALL_DEADLINE_SECONDS
        while True:
            secret = self._stored()
            if is_another(secret, stale):
                return str(secret["access_token"])
            # It outlives the call, so that nobody comes between the vendor's answer and our writing.
            if lease := self.provider.connection.credential.take_lease(settings.CALL_DEADLINE_SECONDS + 30):
                break
            if time.monotonic() > until:
                label = self.provider.label
                raise CallFailed(Retry(f"The permission for {label} is being renewed, which takes too long."))
            time.sleep(LOOK_AGAIN)
        try:
            return self._renew_as_the_only_one(stale)
        finally:
            self.provider.connection.credential.give_back(lease)

    def _renew_as_the_only_one(self, stale: str) -> str:
        secret = self._stored()
        if is_another(secret, stale):
            return str(secret["access_token"])  # somebody was faster than our lease
        try:
            news = self._renew(secret)
        except CallFailed as failure:
            now = self._stored()
            if isinstance(failure.outcome, Reconnect) and is_another(now, stale):
                return str(now["access_token"])  # somebody connected anew while we asked with the old one
            raise
        credential = self.provider.connection.credential
        kept = credential.renew(news, instead_of={"refresh_token": secret.get("refresh_token")})
        return str(kept["access_token"])

    def _stored(self) -> Mapping[str, Any]:
        """The secret as it is in the database now. Erased or unreadable, it pauses the connection."""
        try:
            return self.provider.connection.credential.read_anew()  # type: ignore[no-any-return]
        except Unreadable:
            return self.provider.secret  # says in a sentence what is wrong
        except ObjectDoesNotExist:
            raise CallFailed(Reconnect(f"No key for {self.provider.label} is stored. Connect again.")) from None


def is_fresh(secret: Mapping[str, Any]) -> bool:
    """Whether its access token is good for some minutes."""
    return bool(secret.get("access_token")) and float(secret.get("expires_at") or 0) - time.time() > SPARE


def is_another(secret: Mapping[str, Any], stale: str) -> bool:
    """Whether somebody else has brought a fresh token meanwhile."""
    return is_fresh(secret) and secret["access_token"] != stale
