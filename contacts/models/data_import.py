"""Imports: one uploaded file, and what becomes of each of its rows."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned


class Import(TenantOwned):
    """A file of contacts on its way in: columns are matched, every row is looked at, then all or nothing is confirmed.

    A job works on it in turns; `beat_at` and `token` say who and since when, so that a turn that was lost is repeated.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Columns to be matched"
        CHECKING = "checking", "Being checked"
        READY = "ready", "Ready to be looked at"
        APPLYING = "applying", "Being imported"
        DONE = "done", "Imported"
        UNDOING = "undoing", "Being taken back"
        UNDONE = "undone", "Taken back"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Stopped"

    AT_WORK = (State.CHECKING, State.APPLYING, State.UNDOING)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(help_text="The file as it came; erased when the import has been finished for a time.")
    format = models.JSONField(default=dict, help_text="How the file is read: encoding, delimiter or sheet, header row.")
    columns = models.JSONField(default=list, help_text="[{header, field}] in the file's order.")
    options = models.JSONField(default=dict, help_text="How rows find their contact, empty cells, list and tag.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    error = models.CharField(max_length=300, blank=True)
    counts = models.JSONField(default=dict)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    beat_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=36, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "-created_at"]), models.Index(fields=["state", "beat_at"])]

    def __str__(self) -> str:
        return self.file_name


class ImportRow(TenantOwned):
    """One row of the file: what will be done with it, why, and afterwards what was done, so that it can be undone."""

    class Outcome(models.TextChoices):
        CREATE = "create", "New contact"
        UPDATE = "update", "Changes a contact"
        UNCHANGED = "unchanged", "Nothing to change"
        REFUSED = "refused", "Refused"

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        UNDONE = "undone", "Taken back"
        KEPT = "kept", "Kept, because it was changed since"

    data_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet numbers it.")
    cells = models.JSONField(default=list)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.CharField(max_length=400, blank=True)
    contact_uid = models.UUIDField(null=True, blank=True)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="{what: [before, after]}")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)

    class Meta(TenantOwned.Meta):
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["data_import", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["data_import", "outcome", "number"]),
            models.Index(fields=["data_import", "state", "number"]),
            models.Index(fields=["tenant", "contact_uid"]),
        ]

    def __str__(self) -> str:
        return f"Row {self.number}"
