"""The history of what was sent (L30): one row for each operation that went out, with its cause and its answer."""

from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from integrations.models.connection import Connection
from integrations.models.run import SyncRun


class Delivery(TenantOwned):
    """One operation at a vendor: when, because of what, from which state to which, and what was answered."""

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        RETRY = "retry", "Will be tried again"
        UNCLEAR = "unclear", "No clear answer"
        HEARD = "heard", "Heard from there"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="deliveries")
    run = models.ForeignKey(SyncRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=12)
    subject_uid = models.UUIDField()
    at = models.DateTimeField(default=timezone.now)
    verb = models.CharField(max_length=20)
    container = models.CharField(max_length=80, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    answer = models.CharField(max_length=300, blank=True)
    cause = models.CharField(max_length=200, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        verbose_name = "sent change"
        indexes = [models.Index(fields=["tenant", "subject_uid", "-at"]), models.Index(fields=["connection", "-at"])]

    def __str__(self) -> str:
        return f"{self.verb}: {self.get_outcome_display()}"
