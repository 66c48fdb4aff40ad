"""The history of every change: who, when, what. Written by `Recorded`, never changed."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from contacts.tenancy.acting import By, actor
from contacts.tenancy.models import TenantOwned


class HistoryEntry(TenantOwned):
    """One change of one row. `contact_uid` and `list_uid` say on whose pages it shows; the latter may be
    the uid of a household."""

    class Verb(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        DELETED = "deleted", "Deleted"

    at = models.DateTimeField(default=timezone.now)
    verb = models.CharField(max_length=10, choices=Verb.choices)
    what = models.CharField(max_length=100, help_text="The kind of row, such as “email address”.")
    label = models.CharField(max_length=250, help_text="The row's name at that time.")
    contact_uid = models.UUIDField(null=True)
    list_uid = models.UUIDField(null=True)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="{field: [before, after]}")
    by = models.CharField(max_length=10, choices=By.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=250)
    source = models.CharField(max_length=100)

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "contact_uid", "-at"]),
            models.Index(fields=["tenant", "list_uid", "-at"]),
            models.Index(fields=["tenant", "-at"]),
        ]
        verbose_name = "history entry"
        verbose_name_plural = "history"

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.what} {self.label}"

    @classmethod
    def by_actor(cls, **values: Any) -> "HistoryEntry":
        """An unsaved entry, attributed to whoever is acting now."""
        who = actor()
        return cls(by=who.by, user=who.user, actor_label=who.label[:250], source=who.source, **values)
