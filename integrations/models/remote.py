"""The one ledger: what we last knew of each contact, list and interaction at a vendor, and what is owed. A due row is
the outbox."""

from typing import Any

from django.db import models

from contacts.tenancy.models import TenantOwned
from integrations.models.connection import Connection


class Priority(models.IntegerChoices):
    """Lower goes first: lists before people, opt-outs and single edits before a full Sync."""

    LIST = 0, "List"
    OPT_OUT = 1, "Opt-out"
    EDIT = 2, "Edit"
    BULK = 5, "Bulk edit"
    SYNC = 9, "Sync"


# The same as `RemoteRecord.is_on_its_way`, for queries.
ON_ITS_WAY = models.Q(due_at__isnull=False) & ~models.Q(state="set_aside")


class RemoteRecord(TenantOwned):
    """One subject (a contact or a list by uid, or an event to be saved there) on one connection.

    `known` is what we last knew there; null `due_at` means in step. `want_version` counts the changes here: a row is
    settled only if the version that was sent is still the newest. The row says who and where, never what to send.
    """

    class Kind(models.TextChoices):
        LIST = "list", "List"
        CONTACT = "contact", "Contact"
        INTERACTION = "interaction", "Interaction"

    class State(models.TextChoices):
        OK = "ok", "In step or due"
        SET_ASIDE = "set_aside", "Set aside"
        HELD = "held", "Held by the brake"
        WAITING = "waiting", "Waits for the person"
        SKIPPED = "skipped", "Not sent, with a reason"

    class Effect(models.TextChoices):
        NONE = "none", "Nothing there yet"
        MAYBE = "maybe", "May exist there"
        DONE = "done", "Exists there"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="records")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    subject_uid = models.UUIDField()
    known = models.JSONField(default=dict)
    known_address = models.CharField(max_length=254, blank=True, help_text="In lower case; to find the row by it.")
    effect = models.CharField(max_length=6, choices=Effect.choices, default=Effect.NONE)

    want_version = models.BigIntegerField(default=0)
    sent_version = models.BigIntegerField(default=0, help_text="The version that is being sent, noted with the claim.")
    due_at = models.DateTimeField(null=True, blank=True)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.EDIT)
    cause = models.CharField(max_length=200, blank=True)
    run = models.ForeignKey("SyncRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="records")
    marked_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.OK)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    refused_hash = models.CharField(
        max_length=64, blank=True, help_text="What was refused; the same is not sent again."
    )
    attempts = models.PositiveIntegerField(default=0)
    troubles = models.PositiveSmallIntegerField(default=0, help_text="Times in a row that no clear answer came.")
    troubled_at = models.DateTimeField(null=True, blank=True, help_text="When that was so last.")
    brake_passed = models.BooleanField(default=False)
    seen = models.CharField(max_length=80, blank=True, help_text="The reading in which it was last met there (L31).")
    token = models.CharField(max_length=36, blank=True, help_text="The lease under which it is being sent.")

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "subject_uid"], name="one_record_per_subject")
        ]
        indexes = [
            models.Index(  # in the order in which rows are claimed, to the last tie: a slice is read, nothing is sorted
                fields=["connection", "kind", "priority", "due_at", "id"],
                name="outbox",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["tenant", "subject_uid"]),
            models.Index(fields=["connection", "known_address"]),
            models.Index(fields=["connection", "state"], name="not_in_step", condition=~models.Q(state="ok")),
            models.Index(fields=["run"], name="rows_of_a_run", condition=models.Q(run__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject_uid}"

    @property
    def is_on_its_way(self) -> bool:
        """Whether it goes out by itself soon. What was set aside, and is tried again now and then, is refused."""
        return self.due_at is not None and self.state != self.State.SET_ASIDE

    @property
    def containers(self) -> dict[str, Any]:
        """What we know of a contact there: {container: member as JSON}."""
        return self.known.get("containers", {})
