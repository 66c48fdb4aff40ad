"""Counts kept once a day, so that a chart of two years reads a few hundred rows whatever the size of the tenant."""

import uuid

from django.db import models

from contacts.tenancy.models import TenantOwned

EVERYBODY = uuid.UUID(int=0)


class DailyCount(TenantOwned):
    """How many there were at the end of one day, in the tenant's time zone; `list_uid` zero means all contacts."""

    class What(models.TextChoices):
        MEMBERS = "members", "Contacts"
        REACHABLE = "reachable", "May be written to"
        DO_NOT_CONTACT = "dnc", "Do Not Contact"
        OPT_INS = "opt_ins", "Opted in that day"
        OPT_OUTS = "opt_outs", "Opted out that day"

    day = models.DateField()
    list_uid = models.UUIDField(default=EVERYBODY)
    what = models.CharField(max_length=10, choices=What.choices)
    count = models.PositiveIntegerField()

    class Meta(TenantOwned.Meta):
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["tenant", "list_uid", "what", "day"], name="one_count_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count} {self.get_what_display()}"
