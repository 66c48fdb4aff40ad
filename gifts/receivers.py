"""What this app hears of itself: a change of gifts leaves a note that the donors' milestones are to be looked at."""

from collections.abc import Iterable
from typing import Any

from gifts import due, signals


def connect() -> None:
    """Called once when the app is ready."""
    signals.gifts_changed.connect(note, dispatch_uid="gifts.milestones")


def note(
    sender: Any, tenant_id: int, contact_uids: Iterable[Any], gift_pks: list[int], is_new: bool = False, **more: Any
) -> None:
    """In the transaction of the change."""
    due.note(tenant_id, contact_uids, gift_pks, is_new)
