"""Silence that was noticed (L36): an integration should have spoken and did not, since when, and when that was over."""

from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from integrations.models.connection import Connection


class Alarm(TenantOwned):
    """One trouble of one connection, from when it was noticed until it was over. Each end is mailed at most once."""

    class Kind(models.TextChoices):
        RECONNECT = "reconnect", "Reconnect needed"
        SENDING = "sending", "Changes do not go out"
        LIMIT = "limit", "No calls left"
        OPT_OUTS = "opt_outs", "Unsubscribes are not read"
        GIFTS = "gifts", "New gifts are not looked for"
        WEBHOOKS = "webhooks", "Unsubscribes do not come at once"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    sentence = models.CharField(max_length=400, help_text="What happened.")
    waiting = models.PositiveIntegerField(default=0, help_text="How many changes waited when it was last looked at.")
    waiting_since = models.DateTimeField(null=True, blank=True, help_text="Since when the oldest of them waited.")
    opened_at = models.DateTimeField(default=timezone.now)
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When owners and managers were told.")
    cleared_at = models.DateTimeField(null=True, blank=True)
    all_clear_at = models.DateTimeField(null=True, blank=True, help_text="When they were told that it is over.")

    class Meta(TenantOwned.Meta):
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["connection", "-opened_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"], condition=models.Q(cleared_at=None), name="one_open_alarm"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_kind_display()}"
