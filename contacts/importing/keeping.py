"""How long imports are kept: their rows hold people's data a second time, for as long as they may be of use."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from contacts.models import Import, ImportKey, ImportPiece, ImportRow

KEEP = timedelta(days=90)  # so long can an import be taken back, and its rows be looked at
KEEP_UNFINISHED = timedelta(days=14)
State = Import.State
UNFINISHED = (State.UPLOADED, State.CHECKING, State.READY)
FINISHED = (State.DONE, State.ASKING, State.UNDONE, State.CANCELLED, State.FAILED)


def may_be_taken_back(data_import: Import) -> bool:
    """Whether its rows are still kept."""
    return bool(data_import.finished_at and data_import.finished_at > timezone.now() - KEEP)


def prune() -> None:
    """Every night, for the active organization: forget files that nobody went on with, and the rows of old imports."""
    now = timezone.now()
    left = Import.objects.filter(state__in=UNFINISHED, created_at__lt=now - KEEP_UNFINISHED)
    left.update(state=State.CANCELLED, token="", finished_at=now)  # noqa: S106 - no password
    given_up = Q(state=State.CANCELLED) | Q(finished_at__lt=now - KEEP) | Q(created_at__lt=now - 2 * KEEP)
    old = Import.objects.filter(given_up, state__in=FINISHED).order_by()
    for model in (ImportRow, ImportKey, ImportPiece):
        model.objects.filter(data_import__in=old).delete()
