"""What this app hears of itself: a change of gifts leaves a note that the donors' milestones are to be looked at;
a donor who is deleted leaves one on who did it."""

from collections.abc import Iterable
from typing import Any

from django.db.models.signals import pre_delete

from gifts import due, signals
from gifts.models.donor import Donor, leave_note


def connect() -> None:
    """Called once when the app is ready."""
    signals.gifts_changed.connect(note, dispatch_uid="gifts.milestones")
    pre_delete.connect(leave_note, sender=Donor, dispatch_uid="gifts.donor_deleted")


def note(
    sender: Any, tenant_id: int, contact_uids: Iterable[Any], gift_pks: list[int], is_new: bool = False, **more: Any
) -> None:
    """In the transaction of the change."""
    due.note(tenant_id, contact_uids, gift_pks, is_new)
