"""Exports leave a trace: who took which rows out, and when. The last one of a person is also what they chose last."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned

MORE_KINDS: dict[str, str] = {}  # what apps above can export: filled by `contacts.exporting.sources.add_source`


def kinds() -> list[tuple[str, str]]:
    """What can be exported, with its name."""
    return [*Export.Kind.choices, *MORE_KINDS.items()]


class Export(TenantOwned):
    """One download. `rows` is empty while it runs, and stays so when it was broken off."""

    class Kind(models.TextChoices):
        CONTACTS = "contacts", "Contacts"
        MEMBERS = "members", "Members of a list"
        CONSENT = "consent", "Consent ledger"
        HISTORY = "history", "History"
        REPORT = "report", "Report of an integration"

    class Form(models.TextChoices):
        XLSX = "xlsx", "Excel"
        CSV = "csv", "CSV"

    kind = models.CharField("what", max_length=10, choices=kinds, default=Kind.CONTACTS)
    form = models.CharField("kind of file", max_length=4, choices=Form.choices, default=Form.CSV)
    what = models.CharField(max_length=200, help_text="Such as contacts or members of Newsletter.")
    chosen = models.CharField("filtered by", max_length=500, blank=True)
    columns = models.JSONField(default=list, help_text="Their headings.")
    rows = models.PositiveIntegerField(null=True, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_label = models.CharField(max_length=250)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["tenant", "-at"]), models.Index(fields=["tenant", "user", "kind", "-at"])]

    def __str__(self) -> str:
        return f"{self.what} by {self.actor_label}"
