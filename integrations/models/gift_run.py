"""One look for gifts at a service and its report: what was new, changed, gone or skipped, and why (D5, D8)."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from gifts.models import Gift
from integrations.models.connection import Connection


class GiftRun(TenantOwned):
    """It goes on where it was: `cursor` moves in the transaction that stores a page. One of a kind at a time."""

    class Kind(models.TextChoices):
        NEW = "new", "New gifts"
        CHANGES = "changes", "Changed and deleted gifts"
        HISTORY = "history", "Earlier gifts"

    class State(models.TextChoices):
        RUNNING = "running", "Under way"
        DONE = "done", "Finished"
        STOPPED = "stopped", "Stopped"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="gift_runs")
    account_id = models.CharField(max_length=100, blank=True, help_text="Which account there it was about.")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    reason = models.CharField(max_length=300, blank=True, help_text="What went wrong last, or why it stopped.")
    cursor = models.CharField(max_length=80, blank=True, help_text="How far it has come.")
    since = models.DateField(null=True, blank=True, help_text="Of changes: from which day on they are asked for.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0, help_text="Rows that were read there.")
    new = models.PositiveIntegerField(default=0)
    to_thank = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0, help_text="So many were missing at once that it stopped.")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Who said that they were deleted there.",
    )  # fmt: skip

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at", "-pk"]
        verbose_name = "look for gifts"
        indexes = [models.Index(fields=["connection", "-created_at"], name="gift_runs_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind"], condition=models.Q(state="running"), name="one_gift_run_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_kind_display()}"

    @property
    def waits_for_word(self) -> bool:
        """Whether it stopped for somebody to say that what is missing was deleted there."""
        return self.state == self.State.STOPPED and bool(self.missing) and self.confirmed_by_id is None

    @property
    def has_news(self) -> bool:
        """Whether there is anything to read in it."""
        return bool(self.new or self.updated or self.gone or self.skipped or self.state == self.State.STOPPED)


class GiftRunItem(TenantOwned):
    """One gift of a report, by its number there; of what was skipped, nothing else is kept (D8)."""

    class Outcome(models.TextChoices):
        NEW = "new", "New"
        UPDATED = "updated", "Changed"
        GONE = "gone", "Deleted there"
        SKIPPED = "skipped", "Skipped"

    run = models.ForeignKey(GiftRun, on_delete=models.CASCADE, related_name="items")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    gift_id_there = models.CharField(max_length=100)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=300, blank=True)
    is_wish = models.BooleanField(default=False, help_text="Skipped because of what the donor wishes (D8).")
    replaces = models.CharField(max_length=100, blank=True, help_text="The number there of the one that it corrects.")
    gift = models.ForeignKey(Gift, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["connection", "gift_id_there"], name="gift_run_rows_by_number"),
            models.Index(fields=["run", "outcome", "id"], name="gift_run_rows_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.gift_id_there}: {self.get_outcome_display()}"
