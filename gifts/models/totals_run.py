"""A recount of all donors that a program asked for (A7): how far it is, so that several callers share one."""

from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned


class TotalsRun(TenantOwned):
    """One run; while it is not finished there is no other. `after` is the last contact that was counted."""

    after = models.BigIntegerField(default=0)
    donors = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    touched_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=models.Q(finished_at=None), name="one_totals_run")
        ]

    def __str__(self) -> str:
        return f"{self.donors} donors counted"
