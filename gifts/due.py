"""Whose milestones are to be looked at: noted in the transaction of a gift's change, so that none is forgotten.

The notes are only ever added, and are taken away by whoever has looked (`gifts/assessing.py`): one that comes in
meanwhile stays, and is looked at next.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django.db.models import Min
from django.utils import timezone

from contacts.models import Contact
from contacts.models.recorded import chunks
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import current_tenant
from gifts import signals
from gifts.models import Gift, MilestoneRule, Reassessment
from gifts.models.gift import STANDS


def note(tenant_id: int, contact_uids: Iterable[Any], gift_pks: list[int], is_new: bool) -> None:
    """These gifts of these contacts were added or changed. Five queries, however many there are."""
    rows = Gift.objects.filter(pk__in=gift_pks).order_by().values_list("pk", "contact_id", "received_on", "is_history")
    changed = list(rows)
    if is_new:
        thank(tenant_id, [pk for pk, _, _, is_history in changed if not is_history])
    if not MilestoneRule.objects.exists():
        return  # a rule that comes later begins with what is there
    now, tenant = timezone.now(), current_tenant() or Tenant.objects.get(pk=tenant_id)
    notes = [
        Reassessment(contact_id=contact, gift_pk=pk, is_live=not is_history, due_at=max(now, begin_of(day, tenant)))
        for pk, contact, day, is_history in changed
    ]
    # Whoever gave it before; and of a gift of a day to come, what it was until now.
    told = {one.contact_id for one in notes if one.due_at == now}
    everybody = Contact.objects.filter(uid__in=contact_uids).order_by().values_list("pk", flat=True)
    Reassessment.objects.bulk_create([*notes, *(Reassessment(contact_id=pk, due_at=now) for pk in everybody
                                                if pk not in told)], batch_size=500)  # fmt: skip
    ring(tenant_id)


def thank(tenant_id: int, gift_pks: list[int]) -> None:
    """Announce those of these new gifts for which somebody may be thanked."""
    if not gift_pks:
        return
    rows = Gift.objects.filter(STANDS, pk__in=gift_pks, is_one=True, replaces=None)
    if found := list(rows.order_by("pk").values_list("pk", flat=True)):
        signals.gifts_to_thank.send(Gift, tenant_id=tenant_id, gift_pks=found)


def note_everybody(contact_pks: Iterable[int]) -> None:
    """Look at these again although nothing changed; what is found is noted quietly."""
    for part in chunks(contact_pks):
        Reassessment.objects.bulk_create([Reassessment(contact_id=pk) for pk in part])


def begin_of(day: date, tenant: Tenant) -> datetime:
    """When a day begins where the organization is."""
    return datetime.combine(day, time.min, tenant.tz)


def ring(tenant_id: int) -> None:
    """Have somebody look, once this transaction is committed."""
    from gifts import jobs

    jobs.soon("assess", tenant_id)


def tenants() -> list[int]:
    """The organizations of which somebody waits to be looked at, asked across all of them by the sweep."""
    rows = Reassessment.objects.with_scopes_disabled().order_by().values("tenant_id").annotate(due=Min("due_at"))
    return sorted(rows.filter(due__lte=timezone.now()).values_list("tenant_id", flat=True))
