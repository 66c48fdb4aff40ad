"""How far a list was in step when somebody last looked: the figure on the pages (L31)."""

from django.db import models

from contacts.tenancy.models import TenantOwned
from integrations.models.connection import Connection
from integrations.models.run import SyncRun


class ListCheck(TenantOwned):
    """The latest check of one list at one service; a repair raises `in_step` by what it put right."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="checks")
    list_uid = models.UUIDField()
    run = models.ForeignKey(SyncRun, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(help_text="When what is there had been read.")
    members = models.PositiveIntegerField(help_text="Who should be on it there, or is on it by our doing.")
    in_step = models.PositiveIntegerField(help_text="Of those, who was found as they should be.")
    moving = models.PositiveIntegerField(default=0, help_text="Of the others, whose change was on its way.")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["connection", "list_uid"], name="one_check_per_list")]

    def __str__(self) -> str:
        return f"{self.in_step} of {self.members}"
