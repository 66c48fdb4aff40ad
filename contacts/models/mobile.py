"""The ledger of text messages: who agreed to get them at which number, and who took that back; rows are only added.

The state itself is `PhoneNumber.takes_texts`; each change of it, on every path, is told here. Email has a ledger of its
own (consent.py), since agreeing to one of them says nothing about the other.
"""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_scopes import ScopedManager

from contacts.models.consent import LedgerIsAppendOnly, LedgerQuerySet
from contacts.models.history import HistoryEntry
from contacts.tenancy.acting import By, actor
from contacts.tenancy.models import TenantOwned


class MobileEvent(TenantOwned):
    """One decision about text messages to one number. The contact is named by uid, and outlives their row."""

    class Kind(models.TextChoices):
        OPT_IN = "opt_in", "Agreed to text messages"
        OPT_OUT = "opt_out", "Wants no text messages"

    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.CharField(max_length=20, help_text="As E.164.")
    contact_uid = models.UUIDField()
    contact_name = models.CharField(max_length=250)
    by = models.CharField(max_length=10, choices=By.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=250)
    source = models.CharField(max_length=100)
    detail = models.CharField(max_length=250, blank=True)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(LedgerQuerySet), tenant="tenant")

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        verbose_name = "word about text messages"
        verbose_name_plural = "words about text messages"
        indexes = [
            models.Index(fields=["tenant", "number", "-at"], name="mobile_by_number"),
            models.Index(fields=["tenant", "contact_uid"], name="mobile_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.number}) by {self.actor_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerIsAppendOnly("A word about text messages is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise LedgerIsAppendOnly("A word about text messages is never deleted.")

    @classmethod
    def by_actor(cls, kind: str, number: str, contact_uid: uuid.UUID, **values: Any) -> "MobileEvent":
        """An unsaved event, attributed to whoever is acting now."""
        who = actor()
        return cls(
            kind=kind, number=number, contact_uid=contact_uid, by=who.by, user=who.user, actor_label=who.label[:250],
            source=who.source[:100], **values,
        )  # fmt: skip


def write_texts(changes: list[Any]) -> None:
    """An entry for each change of `takes_texts` of these phone numbers."""
    events = []
    for row, diff, verb in changes:
        before, after = diff.get("takes_texts", [None, None])
        if verb == HistoryEntry.Verb.DELETED or bool(before) == bool(after):
            continue
        kind = MobileEvent.Kind.OPT_IN if after else MobileEvent.Kind.OPT_OUT
        events.append(
            MobileEvent.by_actor(
                kind, str(row.number), row.contact.uid, tenant_id=row.tenant_id, contact_name=str(row.contact)[:250]
            )
        )
    MobileEvent.objects.bulk_create(events, batch_size=500)


def opted_out_at(number: str) -> bool:
    """Whether the last word about text messages to this number was the wish to get none. One query."""
    last = MobileEvent.objects.filter(number=number).order_by("-at", "-pk").values_list("kind", flat=True).first()
    return last == MobileEvent.Kind.OPT_OUT
