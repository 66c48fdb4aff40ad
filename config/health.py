"""`/healthz`: whether this installation is well, in three figures and without anybody's data."""

from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from integrations.models import Connection, RemoteRecord
from integrations.models.heartbeat import age


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, else 503. What the figures should stay under is for the monitoring to say.

    `worker_heartbeat_seconds`: since background work last looked around (about 60 at most), null if it never did.
    `oldest_due_seconds`: how long the oldest change waits that could go out now, null if none does.
    """
    try:
        figures = {"database": True, "worker_heartbeat_seconds": rounded(age()), "oldest_due_seconds": oldest_due()}
    except (DatabaseError, InterfaceError):
        return JsonResponse({"database": False}, status=503)
    return JsonResponse(figures)


def oldest_due() -> float | None:
    """Over all organizations; a connection that waits for its people is not the installation's fault."""
    now = timezone.now()
    due: Any = RemoteRecord.objects.with_scopes_disabled().filter(
        due_at__lte=now, state=RemoteRecord.State.OK, connection__state=Connection.State.ACTIVE
    )
    oldest = due.order_by().aggregate(oldest=Min("marked_at"))["oldest"]
    return rounded((now - oldest).total_seconds()) if oldest else None


def rounded(seconds: float | None) -> float | None:
    """Tenths of a second are enough."""
    return None if seconds is None else round(seconds, 1)
