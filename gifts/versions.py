"""A change of a contact is one of its donor, as other programs see it: the version rises (A11), so that a PUT of what
was read before is refused, instead of writing over what staff have changed.

Once the change is committed, in a transaction of its own: it waits for nobody while it holds anything, and whoever has
raised the version after the change (a program by its own PATCH, or a gift) has said it already.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from contacts import signals
from contacts.models import Contact, CustomValue, EmailAddress, PostalAddress
from contacts.models.recorded import Recorded, chunks
from contacts.tenancy.acting import actor
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import current_tenant, in_tenant
from gifts import totals
from gifts.models import Donor

AT_ONCE = 1_000
SHOWN = (Contact, EmailAddress, PostalAddress, CustomValue, Recorded)  # the last: several of them, told as one


def connect() -> None:
    """Called once when the app is ready."""
    signals.contacts_changed.connect(hear, dispatch_uid="gifts.versions")


def hear(sender: Any, tenant_id: int, uids: list[uuid.UUID], **more: Any) -> None:
    """In the transaction of the change."""
    tenant = current_tenant()
    if sender not in SHOWN or tenant is None or tenant.pk != tenant_id:
        return
    for _, waiting, *_ in connection.run_on_commit:
        if isinstance(waiting, Raise) and waiting.tenant.pk == tenant_id:
            waiting.note(uids)
            return
    ours = Raise(tenant)
    ours.note(uids)
    transaction.on_commit(ours, robust=True)


@dataclass(slots=True)
class Raise:
    """Waits for the end of a transaction, and knows who was changed when; taken back with it."""

    tenant: Tenant
    by: str = ""
    at: dict[uuid.UUID, datetime] = field(default_factory=dict)

    def note(self, uids: list[uuid.UUID]) -> None:
        """These were changed now."""
        self.by = actor().label[:100]
        self.at |= dict.fromkeys(uids, timezone.now())

    def __call__(self) -> None:
        with in_tenant(self.tenant):
            for part in chunks(sorted(self.at), AT_ONCE):
                raise_versions({uid: self.at[uid] for uid in part}, self.by)


def raise_versions(changed: Mapping[uuid.UUID, datetime], by: str) -> int:
    """One more for the donors of these contacts that nobody has raised since {contact's uid: then}; returns how many.
    One query, and nothing is locked, where there is none."""
    if not (contacts := late(changed)):
        return 0
    with transaction.atomic():
        totals.locked(contacts.values())  # as everybody does who changes donors
        pks = list(late(changed))
        Donor.objects.filter(pk__in=pks).order_by().plainly(
            version=F("version") + 1, updated_at=timezone.now(), updated_by=by
        )
    return len(pks)


def late(changed: Mapping[uuid.UUID, datetime]) -> dict[int, int]:
    """{donor: contact} of those whose version is older than the change."""
    rows = Donor.objects.filter(contact__uid__in=list(changed)).order_by()
    found = rows.values_list("pk", "contact_id", "contact__uid", "updated_at")
    return {pk: contact for pk, contact, uid, at in found if at < changed[uid]}
