"""Imports: one uploaded file, and what becomes of each of its rows."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned


class Import(TenantOwned):
    """A file on its way in: columns are matched, every row is looked at, then all or nothing is confirmed.

    A job works on it in turns; `beat_at` and `token` say who and since when, so that a turn that was lost is repeated,
    and `failures` how often in a row that came to nothing.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Columns to be matched"
        CHECKING = "checking", "Being checked"
        READY = "ready", "Ready to be looked at"
        APPLYING = "applying", "Being imported"
        DONE = "done", "Imported"
        WEIGHING = "weighing", "Looking at what can be taken back"
        ASKING = "asking", "Waiting for your word to take it back"
        UNDOING = "undoing", "Being taken back"
        UNDONE = "undone", "Taken back"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Stopped"

    AT_WORK = (State.CHECKING, State.APPLYING, State.WEIGHING, State.UNDOING)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20, default="contacts", help_text="What the file brings in.")
    file_name = models.CharField(max_length=200)
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
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "-created_at"]), models.Index(fields=["state", "beat_at"])]

    def __str__(self) -> str:
        return self.file_name

    @property
    def source(self) -> str:
        """How histories and the consent ledger name it: every imported value can be traced to its file."""
        return f"Import {self.pk}: {self.file_name}"[:100]

    @property
    def undo_source(self) -> str:
        """The same, for what taking it back has changed."""
        return f"Import {self.pk} taken back: {self.file_name}"[:100]


class ImportPiece(TenantOwned):
    """A part of the file as it came, so that nobody has to hold all of it; erased once the file is imported."""

    data_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta(TenantOwned.Meta):
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["data_import", "number"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"Piece {self.number}"


class ImportKey(TenantOwned):
    """What a row that was looked at can be found by, while the file is being checked: the same person may come twice
    in one file, long before anything is written. `key` is a hash of an address, an identifier or a phone number."""

    data_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=40)
    contact_uid = models.UUIDField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["data_import", "key"])]

    def __str__(self) -> str:
        return self.key


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

    class Undo(models.TextChoices):
        DELETE = "delete", "Deleted again"
        RESTORE = "restore", "As it was before"
        PART = "part", "Partly as it was before"
        KEEP = "keep", "Stays"
        NOTHING = "nothing", "Nothing to take back"

    data_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet numbers it.")
    cells = models.JSONField(default=list)
    label = models.CharField(max_length=200, blank=True, help_text="Whom it is about.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.CharField(max_length=400, blank=True)
    contact_uid = models.UUIDField(null=True, blank=True)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="{what: [before, after]}")
    warnings = models.JSONField(default=list, help_text="Sentences about what was left out or needs a look.")
    has_warnings = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    undo = models.CharField(max_length=8, choices=Undo.choices, blank=True)
    undo_reason = models.CharField(max_length=400, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["data_import", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["data_import", "outcome", "number"]),
            models.Index(fields=["data_import", "state", "number"]),
            models.Index(fields=["data_import", "has_warnings", "number"]),
            models.Index(fields=["data_import", "undo", "number"]),
            models.Index(fields=["tenant", "contact_uid"]),
        ]

    def __str__(self) -> str:
        return f"Row {self.number}"
