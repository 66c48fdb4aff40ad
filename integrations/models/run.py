"""One sitting of work: a preview that people read, and the run that carries out what was shown."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from integrations.models.connection import Connection
from integrations.models.remote import RemoteRecord

RELEASED = "released:"  # in the place of a cursor, of a run that had no preview


class SyncRun(TenantOwned):
    """A Sync, a Check or an Undo: planned, shown, confirmed, carried out, reported.

    One unfinished run per connection at a time.
    """

    class Kind(models.TextChoices):
        SYNC = "sync", "Sync"  # everything we want there
        CHECK = "check", "Check"  # the same, with what is there freshly read (L31)
        UNDO = "undo", "Undo"  # back to what was there before an earlier run (L37)

    class State(models.TextChoices):
        PLANNING = "planning", "Making the preview"
        READY = "ready", "Preview ready"
        RUNNING = "running", "Running"
        ASKING = "asking", "Stopped, waiting for your answer"
        DONE = "done", "Finished"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Stopped"

    UNFINISHED = (State.PLANNING, State.READY, State.RUNNING, State.ASKING)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.SYNC)
    undoes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by",
        help_text="The run that this one takes back (L37).",
    )  # fmt: skip
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNING)
    reason = models.CharField(max_length=300, blank=True)
    new_settings = models.JSONField(null=True, blank=True, help_text="Settings that take effect when it is confirmed.")
    is_first = models.BooleanField(default=False, help_text="Whether sending by itself began with this run.")
    cursor = models.CharField(max_length=400, blank=True, help_text="How far the planning has come.")
    looked_at = models.PositiveIntegerField(default=0, help_text="Contacts planned so far.")
    to_look_at = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="{verb: how many were shown}")
    outcomes = models.JSONField(null=True, blank=True, help_text="{state: {verb: how many}}, once it is over.")
    removals = models.JSONField(default=dict, help_text="{list uid: [name, how many go, how many are there]}")
    found = models.JSONField(default=dict, blank=True, help_text="What a check has read and found; see sync.comparing.")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at"]
        verbose_name = "sync"
        indexes = [models.Index(fields=["tenant", "-created_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state__in=["planning", "ready", "running", "asking"]),
                name="one_unfinished_run",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} {self.get_kind_display()} of {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"

    @property
    def name(self) -> str:
        """What people call it: as the button says by which it was started."""
        if not self.had_preview:
            return "Answered question"
        return "Take-back" if self.kind == self.Kind.UNDO else str(self.Kind(self.kind).label)

    @property
    def had_preview(self) -> bool:
        """Whether it was shown beforehand, as all are but what the brake held and somebody let go."""
        return self.cursor != RELEASED

    def count_outcomes(self) -> dict[str, dict[str, int]]:
        """What came of its rows: {state: {verb: how many}}."""
        found: dict[str, dict[str, int]] = {}
        rows: Any = RunItem.objects.filter(run=self).order_by().values_list("state", "verb")
        for state, verb, count in rows.annotate(models.Count("pk")):
            found.setdefault(state, {})[verb] = count
        return found


class RunItem(TenantOwned):
    """One row of a preview and of its report: what was shown for one subject, and what came of it."""

    class State(models.TextChoices):
        SHOWN = "shown", "Not sent yet"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Not sent"
        REFUSED = "refused", "Refused"
        HELD = "held", "Waits for your answer"
        CHANGED = "changed", "Changed after the preview"

    class Difference(models.TextChoices):
        """How a check found what is there to differ from what is wanted (L31), in the order in which people read it."""

        CONSENT = "consent", "Different consent"
        MISSING = "missing", "Missing there"
        EXTRA = "extra", "Extra there"
        DIFFERS = "differs", "Differs"
        NOT_OURS = "not_ours", "Put there by others"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items")
    record = models.ForeignKey(RemoteRecord, null=True, on_delete=models.SET_NULL, related_name="run_items")
    kind = models.CharField(max_length=8)
    subject_uid = models.UUIDField()
    label = models.CharField(max_length=250)
    address = models.CharField(max_length=254, blank=True)
    difference = models.CharField(max_length=8, blank=True, choices=Difference.choices, help_text="Found by a check.")
    verb = models.CharField(max_length=20, help_text="The weightiest operation: create, update, disable, skip …")
    operations = models.JSONField(default=list, help_text="Each with verb, container, before and after.")
    plan_hash = models.CharField(max_length=64)
    want_version = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.SHOWN)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["run", "kind", "subject_uid"], name="one_item_per_subject")]
        indexes = [
            models.Index(fields=["run", "verb"]),
            models.Index(fields=["run", "difference"], name="rows_by_difference", condition=~models.Q(difference="")),
            models.Index(fields=["run", "state"]),
            models.Index(fields=["run", "label"]),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.label}"
