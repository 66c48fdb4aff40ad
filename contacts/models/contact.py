"""Contacts, people and organizations, and the ways to reach them."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import prefetch_related_objects
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from phonenumber_field.modelfields import PhoneNumberField

from contacts.models.consent import ConsentEvent
from contacts.models.history import HistoryEntry
from contacts.models.household import note_moves, part_company
from contacts.models.kept_marks import leave_marks, leave_marks_with, rows_of, take_over
from contacts.models.kept_words import keep_words, leave_addresses, leave_complaints, leave_words
from contacts.models.mobile import write_texts
from contacts.models.recorded import Recorded, announce_contacts


def contact_consent(changes: list[Any]) -> None:
    """Write the ledger entries (L35) for contacts whose Do Not Contact changed."""
    addresses = dict(
        EmailAddress.objects.filter(
            contact__in=[row.pk for row, diff, verb in changes if row.pk and any(diff.get("do_not_contact", ()))],
            is_primary=True,
        ).values_list("contact_id", "address_key")
    )
    write_consent(changes, lambda row: {
        "contact_uid": row.uid, "contact_name": str(row)[:250], "address": addresses.get(row.pk, ""),
    })  # fmt: skip


def write_consent(changes: list[Any], who: Any) -> None:
    """A ledger entry for each change of `do_not_contact`; `who(row)` names contact, address and list."""
    events = []
    for row, diff, verb in changes:
        before, after = diff.get("do_not_contact", [None, None])
        if verb == HistoryEntry.Verb.DELETED or bool(before) == bool(after):
            continue
        kind = ConsentEvent.Kind.DNC_SET if after else ConsentEvent.Kind.DNC_CLEARED
        events.append(ConsentEvent.by_actor(kind, tenant_id=row.tenant_id, **who(row)))
    ConsentEvent.objects.bulk_create(events, batch_size=500)


class Contact(Recorded):
    """A person or an organization the tenant knows."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        ORGANIZATION = "organization", "Organization"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.PERSON)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    organization_name = models.CharField("organization", max_length=200, blank=True)
    job_title = models.CharField(max_length=150, blank=True)
    do_not_contact = models.BooleanField(
        "Do Not Contact", default=False, help_text="Everywhere: no list, no newsletter, no message of any kind."
    )
    custom_user_id = models.CharField(
        max_length=100, blank=True, db_index=True, help_text="The id that another system knows this contact by."
    )
    notes = models.TextField(blank=True)
    household = models.ForeignKey(
        "contacts.Household", null=True, blank=True, on_delete=models.SET_NULL, related_name="members"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Recorded.Meta):
        ordering = ["last_name", "first_name", "organization_name", "pk"]
        indexes = [
            models.Index(fields=["tenant", "last_name", "first_name", "organization_name", "id"]),
            models.Index(fields=["tenant", "do_not_contact", "id"]),
            models.Index(fields=["tenant", "kind", "id"], name="contact_by_kind"),
            models.Index(fields=["tenant", "-created_at"]),
            models.Index(fields=["tenant", "updated_at"]),
            # Programs of others look people up by name and place, whatever the case.
            models.Index("tenant", Upper("first_name"), name="contact_by_first_name"),
            models.Index("tenant", Upper("last_name"), name="contact_by_last_name"),
            models.Index("tenant", Upper("job_title"), name="contact_by_job_title"),
        ]

    def __str__(self) -> str:
        person = f"{self.first_name} {self.last_name}".strip()
        if self.kind == self.Kind.ORGANIZATION:
            return self.organization_name or person or "Unnamed organization"
        return person or self.organization_name or "Unnamed contact"

    @property
    def has_name(self) -> bool:
        """Whether there is anything to call them by."""
        return bool(self.first_name.strip() or self.last_name.strip() or self.organization_name.strip())

    @property
    def called(self) -> str:
        """What pages call them: by an address or a number where there is no name. Lists load these with `load_ways`.
        What is kept in a ledger, sent to somebody or told to a program says `str`, which has names only."""
        if self.has_name:
            return str(self)
        way = next(iter(self.email_addresses.all()), None) or next(iter(self.phone_numbers.all()), None)
        return str(way or self)

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.uid

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        contact_consent(changes)
        leave_marks(changes)
        leave_words(changes)
        leave_lists(changes)
        announce_contacts(changes)
        note_moves(changes)
        part_company(changes)

    @property
    def primary_email(self) -> "EmailAddress | None":
        """The address that lists are sent to; uses prefetched addresses when there are any."""
        return next((e for e in self.email_addresses.all() if e.is_primary), None)


def load_ways(contacts: Iterable[Contact]) -> None:
    """What `called` needs of those of them who have no name. Two queries at most, however many there are."""
    prefetch_related_objects([one for one in contacts if not one.has_name], "email_addresses", "phone_numbers")


def leave_lists(changes: list[Any]) -> None:
    """Before contacts are deleted, they are taken off their lists, so that the lists' histories say so."""
    if gone := [row.pk for row, _, verb in changes if verb == HistoryEntry.Verb.DELETED and row.pk]:
        rows_of("ListMembership").filter(contact__in=gone).delete()


class PartOfContact(Recorded):
    """Something that hangs on one contact and shows in their history."""

    subject_relations: ClassVar[tuple[str, ...]] = ("contact",)

    class Meta(Recorded.Meta):
        abstract = True

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.contact.uid  # type: ignore[attr-defined]


class EmailAddress(PartOfContact):
    """An email address of a contact. One may be primary: that is where lists are sent."""

    class State(models.TextChoices):
        OK = "ok", "Good"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Reported us as spam"
        INVALID = "invalid", "Not a valid address"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="email_addresses")
    address = models.EmailField("email address")
    address_key = models.CharField(max_length=254, editable=False)
    is_primary = models.BooleanField("primary", default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OK)

    class Meta(PartOfContact.Meta):
        ordering = ["-is_primary", "pk"]
        verbose_name = "email address"
        verbose_name_plural = "email addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=models.Q(is_primary=True), name="one_primary_email",
                violation_error_message="Only one email address can be the primary one.",
            ),
            models.UniqueConstraint(
                fields=["contact", "address_key"], name="email_once_per_contact",
                violation_error_message="This contact has that email address already.",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["tenant", "address_key"]),
            # The first page counts primary addresses by their state among 100,000.
            models.Index(fields=["tenant", "state"], name="primary_by_state", condition=models.Q(is_primary=True)),
        ]

    def __str__(self) -> str:
        return self.address

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.address = self.address.strip()
        self.address_key = address_key(self.address)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.address_key = address_key(self.address)
        if len(self.address_key) > 254:  # a few letters become two in small letters
            raise ValidationError({"address": "Enter a valid email address."})

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        leave_complaints(changes)
        leave_addresses(changes)
        leave_marks_with(changes)
        take_over(changes)
        keep_words(changes)
        announce_contacts(changes)


def address_key(address: str) -> str:
    """The form in which two spellings of one email address are equal."""
    return address.strip().lower()


class PhoneNumber(PartOfContact):
    """A phone number of a contact, kept as E.164."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="phone_numbers")
    number = PhoneNumberField("phone number")
    label = models.CharField(max_length=30, blank=True, help_text="Such as home, work or mobile.")
    is_primary = models.BooleanField("primary", default=False)
    takes_texts = models.BooleanField(
        "text messages", default=False, help_text="Whether somebody agreed to get text messages at this number."
    )

    class Meta(PartOfContact.Meta):
        ordering = ["-is_primary", "pk"]
        verbose_name = "phone number"
        indexes = [models.Index(fields=["tenant", "number"])]

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        write_texts(changes)
        announce_contacts(changes)


class PostalAddress(PartOfContact):
    """A postal address of a contact."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="postal_addresses")
    label = models.CharField(max_length=30, blank=True, help_text="Such as home or work.")
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField("state or region", max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="Two letters, such as US.")
    is_primary = models.BooleanField("primary", default=False)

    class Meta(PartOfContact.Meta):
        ordering = ["-is_primary", "pk"]
        verbose_name = "postal address"
        verbose_name_plural = "postal addresses"
        indexes = [
            models.Index("tenant", Upper("city"), name="postal_by_city"),
            models.Index("tenant", Upper("state"), name="postal_by_state"),
            models.Index("tenant", Upper("postal_code"), name="postal_by_code"),
        ]

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.street, self.city, self.state, self.postal_code, self.country]))


class OutsideIdentifier(PartOfContact):
    """What another system calls this contact."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="outside_identifiers")
    system = models.CharField(max_length=50, help_text="Such as DonorPerfect or our old database.")
    value = models.CharField("identifier", max_length=150)

    class Meta(PartOfContact.Meta):
        ordering = ["system", "value"]
        verbose_name = "identifier elsewhere"
        verbose_name_plural = "identifiers elsewhere"
        constraints = [
            models.UniqueConstraint(
                "tenant", Lower("system"), "value", name="outside_identifier_once",
                violation_error_message="Another contact has that identifier already.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.system}: {self.value}"
