"""Filters that staff keep under a name."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned


class SavedFilter(TenantOwned):
    """A search with its filters, on the list of contacts. Without a user it is everybody's."""

    name = models.CharField(max_length=80)
    query = models.CharField(max_length=1000, help_text="As it stands in the page's address.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=models.Q(user__isnull=True), name="shared_filter_once",
                violation_error_message="There is a saved filter of that name.",
            ),
            models.UniqueConstraint(
                fields=["tenant", "user", "name"], condition=models.Q(user__isnull=False), name="own_filter_once",
                violation_error_message="You have a saved filter of that name.",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name
