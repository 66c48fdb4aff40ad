"""Notes: thank-yous by email, made from a template, sent at once or after a delay, and never to whoever must not be
written to (T2). A due row is the outbox; the job is a bell."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from contacts.models.contact import Contact
from contacts.models.recorded import Recorded
from tasks_app import merge_fields


def known_fields_only(text: str) -> None:
    """Refuse a merge field that there is none of, with what there is."""
    if problem := merge_fields.problem(text):
        raise ValidationError(problem)


class Quiet(Recorded):
    """Its changes are in the history; nothing that is sent elsewhere depends on it."""

    class Meta(Recorded.Meta):
        abstract = True

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """No contact has changed."""

    @classmethod
    def tell_deleted(cls, uids: Iterable[uuid.UUID | None]) -> None:
        """See `announce`."""


class NoteTemplate(Quiet):
    """The words of a note, with merge fields such as {{ first_name }}."""

    name = models.CharField(max_length=100)
    subject = models.CharField(max_length=200, validators=[known_fields_only])
    body = models.TextField(validators=[known_fields_only])
    delay_hours = models.PositiveSmallIntegerField(
        "send after (hours)", default=0, help_text="0 sends it at once. A delay leaves time to correct a gift."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Quiet.Meta):
        verbose_name = "note template"
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="note_template_name",
                violation_error_message="There is a template of that name.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class Note(Quiet):
    """One note to one contact. Its words are made when it is sent, from what is true then, and kept."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        MAYBE = "maybe", "Being sent"  # before the mail server is asked; it is never asked twice by itself
        SENT = "sent", "Sent"
        FAILED = "failed", "Not delivered"
        HELD = "held", "Not sent"  # the contact must not be written to, or cannot be
        WITHDRAWN = "withdrawn", "Withdrawn"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="notes_sent", verbose_name="donor")
    template = models.ForeignKey(NoteTemplate, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField("to be sent", default=timezone.now)
    why = models.CharField("what happened", max_length=400, blank=True)
    address = models.EmailField("to", blank=True)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    sent_at = models.DateTimeField("sent", null=True)
    began_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    subject_relations = ("contact",)

    class Meta(Quiet.Meta):
        verbose_name = "note"
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="note_by_time"),
            models.Index(fields=["tenant", "state", "due_at"], name="note_due"),
            models.Index(fields=["contact", "state"], name="note_by_donor"),
        ]

    def __str__(self) -> str:
        return f"Note to {self.contact}"

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.contact.uid

    def list_uid_concerned(self) -> uuid.UUID | None:
        """Not a list: so that the page of this note finds its own history."""
        return self.uid

    def recorded_values(self) -> dict[str, Any]:
        """What people read in a history; the words of a message stand on its own page."""
        hidden = ("subject", "body", "began_at")
        return {name: value for name, value in super().recorded_values().items() if name not in hidden}
