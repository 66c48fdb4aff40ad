"""The door for vendors' messages: check, store once, answer. A job acts on them afterwards.

Always 200 for a message that is genuine, whatever becomes of it; 403 for a wrong key or signature. Never a redirect
and never 410, which make vendors stop sending.
"""

import hashlib
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt

from contacts.tenancy.walls import in_tenant
from integrations import jobs
from integrations.models import Connection, WebhookEvent
from integrations.providers import provider_for
from integrations.sync.listening import hash_of

LARGEST = 64 * 1024


@csrf_exempt
def door(request: HttpRequest, provider: str, key: str) -> HttpResponse:
    """One address for each connection; its key tells whose message it is, no log-in involved."""
    if request.method not in ("GET", "HEAD", "POST") or _is_plain_where_tls_is_due(request):
        return HttpResponseForbidden()
    connection = (
        Connection.objects.with_scopes_disabled()
        .select_related("tenant", "credential")
        .filter(provider=provider, hook_key_hash=hash_of(key))
        .first()
    )
    if connection is None:
        return HttpResponseForbidden()
    if request.method != "POST" or connection.state == Connection.State.NOT_CONNECTED:
        # Vendors look whether the address answers before they use it. Somebody disconnected has no use for news.
        return HttpResponse()
    if len(body := request.body) > LARGEST:  # Django itself refuses what is larger than a megabyte before reading it
        return HttpResponse(status=413)
    with in_tenant(connection.tenant):
        if not provider_for(connection).verify(request.headers, body):
            return HttpResponseForbidden()
        _store(connection, body)
    return HttpResponse()


def _store(connection: Connection, body: bytes) -> None:
    """Keep the message, unless it is here already, and nudge the job that reads it; one nudge does for a burst."""
    # PostgreSQL takes no NUL in a text, and no vendor sends one.
    text = body.decode("utf-8", "replace").replace("\x00", "")
    with transaction.atomic():
        WebhookEvent.objects.bulk_create(
            [WebhookEvent(connection=connection, body=text, fingerprint=fingerprint(text))], ignore_conflicts=True
        )
        jobs.nudge(connection)


def fingerprint(text: str) -> str:
    """The same for two messages that say the same, in whatever order their fields came."""
    fields = sorted(parse_qsl(text, keep_blank_values=True)) if "=" in text else [("", text)]
    return hashlib.sha256(repr(fields).encode()).hexdigest()


def _is_plain_where_tls_is_due(request: HttpRequest) -> bool:
    return settings.MODE == "production" and not request.is_secure()
