"""What a connection does only while somebody has switched it on (D4); each switch is off at first."""

from django.db import models

from contacts.tenancy.models import TenantOwned, User
from integrations.models.connection import Connection


class Switch(TenantOwned):
    """One of a provider's switches on one connection. What happened before `turned_on_at` is not acted on.

    `mark` is where things stood at the vendor at that moment, in the provider's own terms.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="switches")
    kind = models.CharField(max_length=20)
    is_on = models.BooleanField(default=False)
    turned_on_at = models.DateTimeField(null=True, blank=True)
    turned_on_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    turned_off_at = models.DateTimeField(null=True, blank=True)
    mark = models.JSONField(default=dict, blank=True)
    cursor = models.CharField(max_length=80, blank=True, help_text="How far the reading of what is new has come.")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When what is new was last looked for.")
    changes_looked_at = models.DateTimeField(null=True, blank=True, help_text="When changes were last looked for.")
    last_success_at = models.DateTimeField(null=True, blank=True, help_text="When it last did what it is for.")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["connection", "kind"], name="one_switch_of_each_kind")]

    def __str__(self) -> str:
        return f"{self.connection}: {self.kind}"
