"""A donor as other programs see one: a contact with what is said of their giving. Totals stand in `Giving`."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django_scopes import ScopedManager

from contacts.models.contact import Contact
from contacts.models.history import HistoryEntry
from contacts.models.recorded import Recorded, RecordedQuerySet
from contacts.tenancy.acting import actor
from contacts.tenancy.models import TenantOwned
from contacts.tenancy.walls import TenantQuerySet
from gifts.models.club import DonorClub

COUNTED = {"version", "updated_by", "deleted_by"}  # what follows from other changes is no change of its own


class DonorQuerySet(RecordedQuerySet):
    """Donors."""

    def plainly(self, **values: Any) -> int:
        """Write what is no change of its own, such as a version: without history."""
        return TenantQuerySet.update(self, **values)

    plainly.alters_data = True  # type: ignore[attr-defined]


class Donor(Recorded):
    """One contact's. Whoever gives or promises has one from then on (`gifts/totals.py`); a program may make one before.

    `version` rises by one with each change of what the donors API shows of it: through it, by a recount, by staff, or
    of its contact (`gifts/versions.py`) (A11).
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="donor")
    anonymous = models.BooleanField(
        "wants to stay anonymous", default=False, help_text="Their name is not to be published with their gifts."
    )
    notes = models.TextField("notes on giving", blank=True)
    external_id = models.CharField("identifier elsewhere", max_length=150, blank=True)
    is_locked = models.BooleanField(
        "locked",
        default=False,
        help_text="Programs may read this donor through the donors API, and change nothing of it there.",
    )
    club = models.ForeignKey(DonorClub, null=True, blank=True, on_delete=models.PROTECT, related_name="donors")
    club_is_by_hand = models.BooleanField(
        "placed by hand", default=False, help_text="The club stays as it is, whatever they give."
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.CharField(max_length=100, blank=True, editable=False)
    updated_by = models.CharField(max_length=100, blank=True, editable=False)
    deleted_by = models.CharField("last to try to delete it", max_length=100, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(DonorQuerySet), tenant="tenant")

    class Meta(Recorded.Meta):
        ordering = ["pk"]
        verbose_name = "donor"
        indexes = [
            models.Index(fields=["tenant", "id"], name="donors_in_turn"),
            models.Index(fields=["tenant", "club"], name="donors_by_club"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "external_id"], condition=~models.Q(external_id=""), name="donor_external_id",
                violation_error_message="Another donor has that identifier already.",
            )
        ]  # fmt: skip

    subject_relations = ("contact",)
    never_back = ("version", "updated_at", "updated_by")  # when a merge is undone

    def __str__(self) -> str:
        return str(self.contact)

    @property
    def called(self) -> str:
        """What pages call them."""
        return self.contact.called

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.contact.uid

    def recorded_values(self) -> dict[str, Any]:
        return {name: value for name, value in super().recorded_values().items() if name not in COUNTED}

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Nothing that is sent elsewhere depends on it. A donor who came to another contact by a merge, or back from
        there, leaves and finds gifts that are to be counted anew; one who is back is not deleted any more."""
        from gifts import totals

        totals.recount({pk for _, diff, verb in changes if verb != HistoryEntry.Verb.DELETED
                        for pk in diff.get("contact_id", []) if pk})  # fmt: skip
        if back := [row.uid for row, _, verb in changes if verb == HistoryEntry.Verb.ADDED]:
            DeletedDonor.objects.filter(uid__in=back).delete()

    @classmethod
    def tell_deleted(cls, uids: Any) -> None:
        """See `announce`."""

    def take_in(self, other: "Donor") -> None:
        """What this one takes over from the donor of a contact that is merged into this one's; the stricter counts. If
        this one was only made by the gifts that came along, it becomes the other, which other programs know."""
        from gifts import follow

        if other.created_at < self.created_at and not (self.external_id or self.notes) and self.version <= 3:
            self.club_is_by_hand = other.club_is_by_hand
            if other.club_is_by_hand:
                self.club_id = other.club_id
            follow.take_over_spells(self, other)
            self.uid, self.created_at, self.created_by = other.uid, other.created_at, other.created_by
        self.anonymous = self.anonymous or other.anonymous
        self.is_locked = self.is_locked or other.is_locked
        self.external_id = self.external_id or other.external_id
        self.notes = self.notes if other.notes in self.notes else f"{self.notes}\n\n{other.notes}".strip()
        self.version = max(self.version, other.version) + 1


class DeletedDonor(TenantOwned):
    """What is left of a deleted donor: its id, which stands in other programs, and who deleted it when."""

    uid = models.UUIDField(unique=True)
    deleted_by = models.CharField(max_length=100, blank=True)
    deleted_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Deleted by {self.deleted_by}"


def leave_note(sender: Any, instance: Donor, **more: Any) -> None:
    """Django's `pre_delete`, which also comes when a donor goes with its contact."""
    DeletedDonor.objects.update_or_create(
        uid=instance.uid, defaults={"deleted_by": actor().label[:100], "deleted_at": timezone.now()}
    )
