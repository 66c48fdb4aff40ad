"""A thank-you: somebody is to thank a contact, for reasons that stand beside it (`reason.py`)."""

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django_scopes import ScopedManager

from contacts.models.contact import Contact
from contacts.models.history import HistoryEntry
from contacts.models.recorded import Recorded, RecordedQuerySet
from contacts.tenancy.models import StaffMember
from tasks_app import signals, words


class ThankYouQuerySet(RecordedQuerySet):
    """Thank-yous by what is to be done with them."""

    def open(self) -> "ThankYouQuerySet":
        """Still to be done, snoozed ones included."""
        return self.filter(state=ThankYou.State.OPEN)

    def awake(self, today: date) -> "ThankYouQuerySet":
        """Open, and not put off to a later day."""
        return self.open().filter(models.Q(snoozed_until=None) | models.Q(snoozed_until__lte=today))

    def snoozed(self, today: date) -> "ThankYouQuerySet":
        """Open, and put off to a later day."""
        return self.open().filter(snoozed_until__gt=today)

    def due(self, today: date) -> "ThankYouQuerySet":
        """Awake, and due today or earlier."""
        return self.awake(today).filter(due_on__lte=today)

    def overdue(self, today: date) -> "ThankYouQuerySet":
        """Awake, and due before today."""
        return self.awake(today).filter(due_on__lt=today)

    def for_videos(self) -> "ThankYouQuerySet":
        """Those that a video may be sent for: nobody under Do Not Contact. What a video app is shown."""
        return self.filter(contact__do_not_contact=False)


class ThankYou(Recorded):
    """One thank-you. `assignee` empty means the whole team's: whoever comes first. `open_key` says of an open one for
    whom (and, as the organization chooses, under which rule) it is; the database lets only one of each be open."""

    class Kind(models.TextChoices):
        VIDEO = "video", "Video"

    class State(models.TextChoices):
        OPEN = "open", "To do"
        SENT = "sent", "Sent"
        DONE = "done", "Done"
        DISMISSED = "dismissed", "Dismissed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="thank_yous", verbose_name="donor")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.VIDEO, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    assignee = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name="for whom",
        help_text="Empty for the whole team: whoever comes first.",
    )  # fmt: skip
    for_whom = models.CharField("for", max_length=150, blank=True)  # the assignee's name, for histories
    due_on = models.DateField("due")
    claimed_at = models.DateTimeField("taken on", null=True, blank=True)
    snoozed_until = models.DateField("put off until", null=True, blank=True)
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    how = models.CharField("thanked by", max_length=100, blank=True)
    video_id = models.CharField(max_length=200, blank=True, editable=False)
    video_link = models.URLField(max_length=500, blank=True, editable=False)
    closing_note = models.CharField("why", max_length=400, blank=True, help_text="Why it was dismissed or withdrawn.")
    to_judge = models.CharField(
        "to look at", max_length=400, blank=True,
        help_text="What happened after it was sent, for a person to judge. Empty when there is nothing.",
    )  # fmt: skip
    open_key = models.CharField(max_length=80, blank=True, editable=False)
    tell_assignee = models.BooleanField(default=False, editable=False)  # whether they are still to hear of it by mail
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    subject_relations = ("contact",)
    objects: ClassVar[Any] = ScopedManager(
        _manager_class=models.Manager.from_queryset(ThankYouQuerySet), tenant="tenant"
    )

    class Meta(Recorded.Meta):
        verbose_name = "thank-you"
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "open_key"], condition=~models.Q(open_key=""), name="thank_you_open_once",
                violation_error_message="There is an open thank-you for this donor.",
            )
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["tenant", "state", "due_on", "id"], name="thank_you_by_due"),
            models.Index(fields=["tenant", "due_on", "id"], name="thank_you_all_by_due"),
            models.Index(fields=["tenant", "assignee", "state", "due_on"], name="thank_you_by_assignee"),
            models.Index(fields=["tenant", "updated_at", "id"], name="thank_you_by_change"),
            models.Index(fields=["contact", "state"], name="thank_you_by_donor"),
            models.Index(fields=["tenant", "id"], name="thank_you_to_judge", condition=~models.Q(to_judge="")),
            models.Index(fields=["assignee", "id"], name="thank_you_to_tell", condition=models.Q(tell_assignee=True)),
            models.Index(fields=["contact", "sent_at"], name="thank_you_by_sent"),
        ]

    def __str__(self) -> str:
        return f"Thank {self.contact}"

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.contact.uid

    def list_uid_concerned(self) -> uuid.UUID | None:
        """Not a list: so that the page of this thank-you finds its own history."""
        return self.uid

    def recorded_values(self) -> dict[str, Any]:
        """What people read; the rest is for the machine."""
        hidden = ("open_key", "tell_assignee")
        return {name: value for name, value in super().recorded_values().items() if name not in hidden}

    def give_to(self, member: StaffMember | None) -> None:
        """Whose it is, not saved yet; None is the team's."""
        self.assignee, self.for_whom = member, str(member.user)[:150] if member else ""

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to do it."""
        return self.state == self.State.OPEN

    @property
    def title(self) -> str:
        """What is to be done (D6). Whoever must not be contacted is thanked otherwise, or not."""
        if self.contact.do_not_contact:
            return f"Do not contact {self.contact}: thank them by other means, or dismiss this."
        return f"Send {self.contact} a thank you video."

    @property
    def sentence(self) -> str:
        """What is to be done, and why: “Send Ana Ruiz a thank you video. Ana made a $100.00 donation.”"""
        why = [reason.sentence for reason in self.reasons.all() if reason.stands]  # type: ignore[attr-defined]
        return " ".join(filter(None, [self.title, words.newest(why)]))

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Tell of changes; no contact has changed. That it is new is told once its reasons are there (`asking.py`)."""
        told: dict[int, list[int]] = {}
        for row, _, verb in changes:
            if verb == HistoryEntry.Verb.CHANGED:
                told.setdefault(row.tenant_id, []).append(row.pk)
        for tenant_id, pks in told.items():
            signals.task_changed.send(cls, tenant_id=tenant_id, thank_you_pks=pks)

    @classmethod
    def tell_deleted(cls, uids: Iterable[uuid.UUID | None]) -> None:
        """Nothing that is sent elsewhere depends on thank-yous."""
