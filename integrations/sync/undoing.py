"""Undo (L37): whether a run can be taken back, and the beginning of doing so; its preview is made by undo_preview.

Confirmed, an undo is carried out like every other run, row by row, through taking_back.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations.models import Connection, Delivery, SyncRun
from integrations.sync import runs
from integrations.sync.runs import ELSEWHERE
from integrations.sync.undo_preview import WAS_SENT

KEEP = timedelta(days=30)  # for so long what a run shows is kept
UNDONE = (SyncRun.State.DONE, SyncRun.State.RUNNING, SyncRun.State.ASKING)
OVER = (SyncRun.State.DONE, SyncRun.State.CANCELLED, SyncRun.State.FAILED)


def why_not(run: SyncRun) -> str:
    """Why this run cannot be taken back, as a sentence, or ""."""
    if run.kind == SyncRun.Kind.UNDO:
        return "What was taken back is sent again by a Sync."
    if run.confirmed_at is None or run.state not in OVER:
        return "Nothing was sent by it yet, or it is not over."
    if run.finished_at is None or timezone.now() - run.finished_at > KEEP:
        return "It is more than 30 days ago, and what was there before is not kept for longer."
    if run.new_settings is not None:
        return "It moved people to another place there. To move them back, choose the earlier setting again."
    if run.found.get(ELSEWHERE):
        return f"{run.connection} was connected to another account since."
    if run.connection.state != Connection.State.ACTIVE:
        return f"{run.connection} has to be connected, and its first Sync confirmed."
    if not Delivery.objects.filter(run=run, outcome__in=WAS_SENT).exists():
        return "It changed nothing there."
    return ""


def undo_of(run: SyncRun) -> SyncRun | None:
    """The latest run that took this one back, or is about to."""
    confirmed = SyncRun.objects.filter(undoes=run, confirmed_at__isnull=False, state__in=UNDONE)
    return confirmed.select_related("started_by").first()


def start(run: SyncRun, user: Any) -> SyncRun:
    """A preview of taking this run back; or whatever is under way on its connection."""
    with transaction.atomic():  # an undo without the run that it takes back is never seen
        started = runs.start(run.connection, user, kind=SyncRun.Kind.UNDO)
        SyncRun.objects.filter(pk=started.pk, kind=SyncRun.Kind.UNDO, undoes=None).update(undoes=run)
    started.refresh_from_db()
    return started
