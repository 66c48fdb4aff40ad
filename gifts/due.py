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

READ = ["pk", "contact_id", "received_on", "is_history", "is_one", "replaces_id", "amount", "refunded", "gone_on"]


def note(tenant_id: int, contact_uids: Iterable[Any], gift_pks: list[int], is_new: bool) -> None:
    """These gifts of these contacts were added or changed. As many queries for one as for 500."""
    changed = list(Gift.objects.filter(pk__in=gift_pks).order_by("pk").values_list(*READ, named=True))
    if is_new and (to_thank := [gift.pk for gift in changed if is_to_thank(gift)]):
        signals.gifts_to_thank.send(Gift, tenant_id=tenant_id, gift_pks=to_thank)
    if not MilestoneRule.objects.exists():
        return  # a rule that comes later begins with what is there
    now, tenant = timezone.now(), current_tenant() or Tenant.objects.get(pk=tenant_id)
    notes = [
        Reassessment(
            contact_id=gift.contact_id,
            gift_pk=gift.pk,
            is_live=not gift.is_history,
            due_at=max(now, begin_of(gift.received_on, tenant)),
        )  # fmt: skip
        for gift in changed
    ]
    # Whoever gave it before; and of a gift of a day to come, what it was until now.
    told = {one.contact_id for one in notes if one.due_at == now}
    everybody = Contact.objects.filter(uid__in=contact_uids).order_by().values_list("pk", flat=True)
    Reassessment.objects.bulk_create([*notes, *(Reassessment(contact_id=pk, due_at=now) for pk in everybody
                                                if pk not in told)], batch_size=500)  # fmt: skip
    ring(tenant_id)


def is_to_thank(gift: Any) -> bool:
    """Whether somebody may be thanked for this new gift: it stands, is one of its own, and neither history nor the
    correction of an earlier one."""
    stands = gift.gone_on is None and (not gift.refunded or gift.refunded < gift.amount)
    return stands and gift.is_one and not gift.is_history and gift.replaces_id is None


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
