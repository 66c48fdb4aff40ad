"""Exports leave a trace: who took which contacts out, and when."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned


class Export(TenantOwned):
    """One download. `rows` is empty while it runs, and stays so when it was broken off."""

    what = models.CharField(max_length=100, help_text="Such as contacts or members of Newsletter.")
    chosen = models.CharField("filtered by", max_length=500, blank=True)
    columns = models.JSONField(default=list)
    rows = models.PositiveIntegerField(null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=250)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["tenant", "-at"])]

    def __str__(self) -> str:
        return f"{self.what} by {self.actor_label}"
