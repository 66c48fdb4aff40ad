"""The inbox: what a vendor told us, stored once and as it came, before anything is done about it."""

from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from integrations.models.connection import Connection


class WebhookEvent(TenantOwned):
    """One message from a vendor. A repetition has the same `fingerprint` and is not stored again."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="webhook_events")
    fingerprint = models.CharField(max_length=64)
    body = models.TextField()
    received_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=250, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-received_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["connection", "fingerprint"], name="webhook_event_once")]
        indexes = [
            models.Index(fields=["connection", "received_at"], name="inbox", condition=models.Q(handled_at=None))
        ]

    def __str__(self) -> str:
        return f"Message of {timezone.localtime(self.received_at):%Y-%m-%d %H:%M:%S}"
