"""Keeping alive the grants that a vendor takes back when nobody uses them: each is renewed at least once a month."""

import logging
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from contacts.tenancy.walls import in_tenant
from integrations.keyring import Unreadable
from integrations.models import Connection, Credential
from integrations.provider_kit.base import Can
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.providers import all_providers, provider_for
from integrations.sync import notices

log = logging.getLogger(__name__)
UNUSED_FOR = timedelta(days=30)
State = Connection.State
CONNECTED = (State.SETUP, State.READY, State.ACTIVE)


def idle() -> list[int]:
    """The connections of all organizations whose grant was not renewed for a month, whatever they are waiting for."""
    able = [key for key, provider in all_providers().items() if Can.KEEP_ALIVE in provider.can]
    unused = Q(set_at__lt=Now() - UNUSED_FOR) & (Q(renewed_at=None) | Q(renewed_at__lt=Now() - UNUSED_FOR))
    rows = Credential.objects.with_scopes_disabled().filter(unused, connection__provider__in=able)
    return list(rows.filter(connection__state__in=CONNECTED).order_by("pk").values_list("connection", flat=True))


def keep_alive(pk: int) -> None:
    """Renew one. What fails on the way is tried again the next night; months are left for that."""
    found = Connection.objects.with_scopes_disabled().filter(pk=pk, state__in=CONNECTED).select_related("tenant")
    connection = found.first()
    if connection is None:
        return
    with in_tenant(connection.tenant):
        try:
            with provider_for(connection) as provider:
                provider.keep_alive()
        except CallFailed as failure:
            if isinstance(failure.outcome, Reconnect):
                notices.reconnect_needed(connection, failure.outcome.sentence)
            log.warning("grant not renewed: %s", failure, extra={"connection": pk})
        except Unreadable as unreadable:
            notices.reconnect_needed(connection, str(unreadable))
