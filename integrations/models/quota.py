"""How often an application key called today, for everybody who shares it, and whose calls these were (L29).

These rows belong to the installation: the limit is everybody's together. Of an organization they hold its number only.
"""

from django.db import models


class Quota(models.Model):
    """One application key: today's calls, the places in the present second, and pauses that the vendor asked for."""

    key = models.CharField(max_length=64, unique=True, help_text="A hash of the application key.")
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)
    carried = models.PositiveIntegerField(default=0, help_text="Of these, how many may count for the next day there.")
    slots = models.JSONField(default=list, help_text="When the latest calls leave, in seconds since 1970.")
    blocked_until = models.DateTimeField(null=True, blank=True, help_text="The vendor asked for a pause until then.")
    day_is_over = models.BooleanField(default=False, help_text="The vendor said that nothing is left of this day.")

    class Meta:
        verbose_name = "vendor's quota"

    def __str__(self) -> str:
        return f"{self.day}: {self.used}"


class QuotaShare(models.Model):
    """What one organization had of one day of a key. Tenant 0: calls before anybody was connected."""

    key = models.CharField(max_length=64)
    day = models.DateField(db_index=True)
    tenant_number = models.BigIntegerField()
    urgent = models.PositiveIntegerField(default=0, help_text="Calls for opt-outs and single edits.")
    of_kept = models.PositiveIntegerField(default=0, help_text="Of these, how many when only the kept ones were left.")
    bulk = models.PositiveIntegerField(default=0, help_text="Calls for large changes.")
    changes = models.PositiveIntegerField(default=0, help_text="Large changes that these calls brought to their end.")
    wanted_at = models.DateTimeField(null=True, blank=True, help_text="When it last had bulk work to do.")
    called_at = models.DateTimeField(null=True, blank=True, help_text="When its last bulk call left.")
    spacing = models.FloatField(default=0, help_text="Seconds between two of its bulk calls, lately.")

    class Meta:
        verbose_name = "share of a vendor's quota"
        constraints = [models.UniqueConstraint(fields=["key", "day", "tenant_number"], name="one_quota_share")]

    def __str__(self) -> str:
        return f"{self.day}: {self.urgent + self.bulk}"

    @property
    def used(self) -> int:
        """All calls of this organization on this day."""
        return self.urgent + self.bulk
