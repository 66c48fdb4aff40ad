"""Lists and committees, and who is on them."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from contacts import signals
from contacts.models.contact import Contact, EmailAddress, write_consent
from contacts.models.history import HistoryEntry
from contacts.models.kept_marks import take_over_on_lists
from contacts.models.recorded import CHUNK, Recorded, announce_contacts, chunks, told_by


class ContactList(Recorded):
    """A list or committee. With its flag set, it is kept in step with the newsletter services."""

    class Kind(models.TextChoices):
        LIST = "list", "List"
        COMMITTEE = "committee", "Committee"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LIST)
    description = models.TextField(blank=True)
    synchronize = models.BooleanField(
        "Synchronize contacts with authorized third party newsletter solution",
        default=False,
        help_text="The list and its members are then kept in step with every connected newsletter service.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Recorded.Meta):
        ordering = ["name"]
        verbose_name = "list"
        constraints = [
            models.UniqueConstraint(
                "tenant", Lower("name"), name="list_name_once",
                violation_error_message="There is a list or committee of that name.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def in_choices(self) -> str:
        """“Newsletter (synchronized)”: whoever puts people on it sends them to the newsletter services as well."""
        return f"{self.name} (synchronized)" if self.synchronize else self.name

    def list_uid_concerned(self) -> uuid.UUID | None:
        return self.uid

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Tell that lists changed and, when that changes who is synchronized, every member of them."""
        for row, diff, verb in changes:
            cause = told_by(describe_list, (row, diff, verb))
            signals.lists_changed.send(cls, tenant_id=row.tenant_id, uids=[row.uid], cause=cause)
            if "synchronize" in diff or verb == HistoryEntry.Verb.DELETED:
                members = ListMembership.objects.filter(contact_list_id=row.pk).values_list("contact__uid", flat=True)
                for uids in chunks(members.iterator(CHUNK)):
                    signals.contacts_changed.send(
                        cls, tenant_id=row.tenant_id, uids=uids, cause=cause, is_opt_out=False
                    )


def describe_list(row: ContactList, diff: dict[str, list[Any]], verb: str) -> str:
    """What happened to a list, for a person."""
    if verb == HistoryEntry.Verb.CHANGED and "synchronize" in diff:
        return f"Synchronizing of “{row}” switched {'on' if row.synchronize else 'off'}"
    if verb == HistoryEntry.Verb.CHANGED and "name" in diff:
        return f"List renamed to “{row}”"
    return f"List “{row}” {verb}"


class ListMembership(Recorded):
    """A contact on a list. Its own Do Not Contact concerns this list only (L7)."""

    contact_list = models.ForeignKey(
        ContactList, on_delete=models.CASCADE, related_name="memberships", verbose_name="list"
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships")
    do_not_contact = models.BooleanField("Do Not Contact (this list)", default=False)
    position = models.CharField(max_length=100, blank=True, help_text="On a committee, such as chair or treasurer.")
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    subject_relations: ClassVar[tuple[str, ...]] = ("contact", "contact_list")

    class Meta(Recorded.Meta):
        ordering = ["contact_list__name", "pk"]
        verbose_name = "place on a list"
        verbose_name_plural = "places on lists"
        constraints = [
            models.UniqueConstraint(
                fields=["contact_list", "contact"], name="once_on_a_list",
                violation_error_message="This contact is on that list already.",
            )
        ]  # fmt: skip
        # With the tenant, which every query names: members are then counted without a look at the rows.
        indexes = [models.Index(fields=["contact_list", "tenant", "do_not_contact"], name="members_counted")]

    def __str__(self) -> str:
        return f"{self.contact} on {self.contact_list}"

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.contact.uid

    def list_uid_concerned(self) -> uuid.UUID | None:
        return self.contact_list.uid

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        addresses = dict(
            EmailAddress.objects.filter(
                contact__in=[row.contact_id for row, diff, verb in changes if "do_not_contact" in diff],
                is_primary=True,
            ).values_list("contact_id", "address_key")
        )
        write_consent(changes, lambda row: {
            "contact_uid": row.contact.uid, "contact_name": str(row.contact)[:250],
            "address": addresses.get(row.contact_id, ""),
            "list_uid": row.contact_list.uid, "list_name": row.contact_list.name,
        })  # fmt: skip
        take_over_on_lists(changes)
        announce_contacts(changes)
