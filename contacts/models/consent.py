"""The consent ledger (L35): every opt-in, opt-out and change of Do Not Contact; rows are only ever added."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_scopes import ScopedManager

from contacts.tenancy.acting import By, actor
from contacts.tenancy.models import TenantOwned
from contacts.tenancy.walls import TenantQuerySet


class LedgerIsAppendOnly(RuntimeError):
    """Somebody tried to change or delete a consent event."""


class LedgerQuerySet(TenantQuerySet):
    """Only adds."""

    def update(self, **values: Any) -> int:
        raise LedgerIsAppendOnly("A consent event is never changed.")

    def delete(self) -> Any:
        raise LedgerIsAppendOnly("A consent event is never deleted.")


class ConsentEvent(TenantOwned):
    """What somebody decided about being contacted, when, by whom and from where.

    The contact is named by uid and by address, so that the decision outlives their row. `list_uid` empty means
    everywhere. `place` names a vendor's audience when the person spoke there (“mailchimp audience:ab12”). `list_name`
    is for people: without `list_uid` it names the lists that somebody asked for again in a wider place.
    """

    class Kind(models.TextChoices):
        OPT_IN = "opt_in", "Opted in"
        OPT_OUT = "opt_out", "Opted out"
        DNC_SET = "dnc_set", "Do Not Contact set"
        DNC_CLEARED = "dnc_cleared", "Do Not Contact cleared"

    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    by = models.CharField(max_length=10, choices=By.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=250)
    source = models.CharField(max_length=100)
    contact_uid = models.UUIDField()
    contact_name = models.CharField(max_length=250)
    address = models.CharField(max_length=254, blank=True, help_text="In lower case.")
    list_uid = models.UUIDField(null=True, blank=True)
    list_name = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=250, blank=True)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(LedgerQuerySet), tenant="tenant")

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "contact_uid"]),
            models.Index(fields=["tenant", "address"]),
            models.Index(fields=["tenant", "-at"]),
        ]

    def __str__(self) -> str:
        where = self.list_name or "every list"
        return f"{self.get_kind_display()} ({where}) by {self.actor_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerIsAppendOnly("A consent event is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise LedgerIsAppendOnly("A consent event is never deleted.")

    @classmethod
    def by_actor(cls, kind: str, contact_uid: uuid.UUID, **values: Any) -> "ConsentEvent":
        """An unsaved event, attributed to whoever is acting now."""
        who = actor()
        return cls(
            kind=kind, contact_uid=contact_uid, by=who.by, user=who.user, actor_label=who.label[:250],
            source=who.source[:100], **values,
        )  # fmt: skip
