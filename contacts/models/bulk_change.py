"""Bulk actions on many contacts, carried out by a job in turns."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned


class BulkChange(TenantOwned):
    """One action on chosen contacts, such as adding 40,000 of them to a list. The chosen are kept by number, so that
    a contact who comes to match the filter later is not caught by it."""

    class State(models.TextChoices):
        WORKING = "working", "At work"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped"

    uid = models.UUIDField(default=uuid.uuid4, editable=False)  # of the form that asked for it
    verb = models.CharField(max_length=40)
    sentence = models.CharField(max_length=300, help_text="What it does, for a person.")
    params = models.JSONField(default=dict)
    contact_pks = models.JSONField(default=list)
    total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WORKING)
    error = models.CharField(max_length=300, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=36, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # turns that began and ended with nothing, in a row

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "uid"], name="bulk_change_once")]
        indexes = [models.Index(fields=["tenant", "-created_at"]), models.Index(fields=["state", "beat_at"])]

    def __str__(self) -> str:
        return self.sentence
