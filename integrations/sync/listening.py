"""The address at which one connection hears from its vendor, and asking the vendor to use it.

Called after settings are saved, after a new grant, and when lists came or went that are containers of their own.
"""

import hashlib
import secrets
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import transaction

from integrations.keyring import Unreadable
from integrations.models import Connection, Credential
from integrations.provider_kit.base import Can
from integrations.provider_kit.errors import CallFailed
from integrations.providers import all_providers, provider_for
from integrations.sync import slices


def hash_of(key: str) -> str:
    """What the database keeps of an address key: its hash opens nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


def secret_of(connection: Connection) -> dict[str, Any]:
    """What is stored now; nothing when it cannot be read any more, which is why somebody connects again."""
    credential = Credential.objects.filter(connection=connection).first()
    try:
        return credential.read() if credential else {}
    except Unreadable:
        return {}


def add_to_secret(connection: Connection, news: dict[str, Any]) -> dict[str, Any]:
    """Merge something into the stored credential, which stays that of whoever connected."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        old = Credential.objects.filter(connection=connection).select_related("set_by").first()
        secret = {**secret_of(connection), **news}
        Credential.store(connection, secret, old.set_by if old else None)
    return secret


def address(connection: Connection) -> str:
    """The unguessable address of this connection; its key is made once and lives inside the encrypted credential."""
    key = secret_of(connection).get("hook_key")
    if not key:
        key = add_to_secret(connection, {"hook_key": secrets.token_urlsafe(32)})["hook_key"]
    if connection.hook_key_hash != hash_of(key):
        connection.hook_key_hash = hash_of(key)
        Connection.objects.filter(pk=connection.pk).update(hook_key_hash=connection.hook_key_hash)
    return f"{settings.PUBLIC_URL}/hooks/{connection.provider}/{key}/"


def start_listening(connection: Connection) -> str:
    """Ask the vendor to tell us of opt-outs at once. Returns a sentence when that failed, "" when it works."""
    if Can.WEBHOOKS not in all_providers()[connection.provider].can:
        return ""
    # Committed before the call: the vendor looks whether the address answers while it is being told of it.
    url, sentence = address(connection), ""
    try:
        with provider_for(connection) as provider:
            news = provider.listen(url, slices.places_of(connection))
        if news:
            add_to_secret(connection, dict(news))
    except CallFailed as failure:
        sentence = str(failure)[:300]
    Connection.objects.filter(pk=connection.pk).update(listen_error=sentence)
    return sentence


def stop_listening(connection: Connection) -> None:
    """Ask the vendor to send nothing more, while there is a grant to ask with. What fails does no harm: messages to an
    address that is not known any more are thrown away."""
    if Can.WEBHOOKS in all_providers()[connection.provider].can:
        with suppress(CallFailed, Unreadable), provider_for(connection) as provider:
            provider.stop_listening()
