"""Pages of tasks in the order of their changes. What is changed while somebody reads moves to the end and is met again;
nothing that stays is passed over. A cursor holds where a page ended and when the reading began."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from contacts.api.problems import Problem

# A change is dated when it is written and seen when it is committed: the next reading begins so much earlier.
OVERLAP = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which row to go on, and since when somebody has been reading."""

    at: datetime
    pk: int
    began: datetime

    def __str__(self) -> str:
        parts = [self.at.isoformat(), self.pk, self.began.isoformat()]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def cursor_from(text: str) -> Cursor:
    """What a cursor says. Raises `Problem` for one that we did not make."""
    try:
        at, pk, began = json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        found = Cursor(datetime.fromisoformat(at), int(pk), datetime.fromisoformat(began))
        is_ours = found.at.tzinfo is not None and found.began.tzinfo is not None and abs(found.pk) < 2**62
        found.at.astimezone(UTC), found.began.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        is_ours = False
    if not is_ours:
        raise Problem(422, "invalid", "This cursor is none of ours.", [{"field": "cursor", "message": "Not known."}])
    return found


def page(rows: "QuerySet[Any]", limit: int, text: str) -> tuple[list[Any], str | None, datetime]:
    """The rows of the page after this cursor, the next cursor, and what to read from the next time."""
    cursor = cursor_from(text) if text else None
    began = cursor.began if cursor else timezone.now()
    if cursor:
        rows = rows.filter(updated_at__gte=cursor.at).filter(
            Q(updated_at__gt=cursor.at) | Q(updated_at=cursor.at, pk__gt=cursor.pk)
        )
    found = list(rows.order_by("updated_at", "pk")[: limit + 1])
    there_is_more = len(found) > limit
    found = found[:limit]
    follows = str(Cursor(found[-1].updated_at, found[-1].pk, began)) if there_is_more else None
    return found, follows, began - OVERLAP
