"""A tenant's link to one outside service, and the lease that lets one worker at a time push."""

import uuid

from django.db import models

from contacts.tenancy.models import TenantOwned, User


def provider_choices() -> list[tuple[str, str]]:
    """Every provider that exists; a callable, so that a new one needs no migration."""
    from integrations.providers import all_providers

    return [(key, provider.label) for key, provider in all_providers().items()]


class Connection(TenantOwned):
    """One tenant's connection to one provider. `settings` are the provider's own choices, checked by its form."""

    class State(models.TextChoices):
        NOT_CONNECTED = "not_connected", "Not connected"
        SETUP = "setup", "Connected, not set up yet"
        READY = "ready", "Connected, waiting for the first Sync"
        ACTIVE = "active", "Connected"
        RECONNECT = "reconnect", "Reconnect needed"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    provider = models.CharField(max_length=30, choices=provider_choices)
    state = models.CharField(max_length=15, choices=State.choices, default=State.NOT_CONNECTED)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it is in this state, as a sentence.")
    settings = models.JSONField(default=dict, blank=True)
    account_id = models.CharField(max_length=100, blank=True)
    first_account = models.CharField(
        max_length=100, blank=True, help_text="The one that identifiers at contacts mean that name the service alone."
    )
    account_label = models.CharField(max_length=200, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    hook_key_hash = models.CharField(max_length=64, blank=True, db_index=True, help_text="SHA-256 of the address key.")

    # The lease (one worker at a time, judged by the database's clock) and the pauses.
    lease_token = models.CharField(max_length=36, blank=True)
    lease_holder = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    bulk_retry_at = models.DateTimeField(
        null=True, blank=True, help_text="Until then only opt-outs and single edits are sent: calls are short."
    )
    bulk_reason = models.CharField(max_length=300, blank=True, help_text="Why large changes wait, as a sentence.")
    failures = models.PositiveIntegerField(default=0, help_text="Calls in a row that failed on the way.")
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="When the first call failed after which none has succeeded yet."
    )
    # What the last call said, for the pages.
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    brake = models.JSONField(default=dict, blank=True, help_text="{list uid: [name, how many go, how many are there]}")
    taken_off = models.JSONField(
        default=dict, blank=True, help_text="{list uid: [since when, [records taken off it without asking]]}"
    )
    listen_error = models.CharField(max_length=300, blank=True, help_text="Why opt-outs do not reach us at once.")
    reading = models.TextField(
        blank=True, help_text="How far the reading of opt-outs has come that is under way: since|container|cursor."
    )
    listened_at = models.DateTimeField(null=True, blank=True, help_text="When opt-outs were last read from there.")
    swept_at = models.DateTimeField(
        null=True, blank=True, help_text="When that was last everybody, not only who left since the time before."
    )

    class Meta(TenantOwned.Meta):
        ordering = ["provider"]
        constraints = [models.UniqueConstraint(fields=["tenant", "provider"], name="one_connection_per_provider")]

    def __str__(self) -> str:
        return self.get_provider_display()

    @property
    def system(self) -> str:
        """What identifiers of this account are called at contacts; those of another account never mean the same."""
        is_first = self.account_id in ("", self.first_account) or not self.first_account
        return str(self) if is_first else f"{self} {self.account_id}"[:50]

    @property
    def is_connected(self) -> bool:
        """Whether there is a working grant."""
        return self.state in (self.State.SETUP, self.State.READY, self.State.ACTIVE)

    @property
    def is_failing(self) -> bool:
        """Whether calls fail, from the second one until the next good answer; one row's own trouble does not count."""
        return self.failures > 1 and self.failing_since is not None

    @property
    def place(self) -> str:
        """The name of this connection in the consent ledger, followed there by a container."""
        return self.provider
