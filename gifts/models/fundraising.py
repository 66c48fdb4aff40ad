"""Fundraising pages of programs of others, and the donations that they report to us (O11-O13, O15)."""

import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format

from contacts.models.history import HistoryEntry
from contacts.models.recorded import Recorded
from contacts.tenancy.models import TenantOwned
from gifts.models.amount import Amount
from gifts.models.gift import Gift
from gifts.money import money


class FundraisingPage(Recorded):
    """A page somewhere else on which people give. Only one that was made by a program through the API takes donations;
    it charges nobody and writes to nobody."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    summary = models.TextField(blank=True)
    description = models.TextField(blank=True)
    origin_system = models.CharField(max_length=255, blank=True)
    browser_url = models.CharField("address", max_length=500, blank=True)
    featured_image_url = models.CharField("address of its picture", max_length=500, blank=True)
    language = models.CharField(max_length=35, blank=True, help_text="Whoever is new by it is said to speak it.")
    is_hidden = models.BooleanField("hidden", default=False)
    currency = models.CharField(max_length=3)
    made_by_api = models.BooleanField(default=False, editable=False)
    takes_blind = models.BooleanField(
        "takes donations from forms without a key", default=True,
        help_text="Forms on websites report donations without a key. Nobody checks who fills them in.",
    )  # fmt: skip
    creator_name = models.CharField("made by", max_length=250, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Recorded.Meta):
        ordering = ["-created_at", "-pk"]
        verbose_name = "fundraising page"
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="page_by_age"),
            models.Index(fields=["tenant", "updated_at"], name="page_by_change"),
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """A page is about nobody: no contact has changed."""

    @classmethod
    def tell_deleted(cls, uids: Any) -> None:
        """See `announce`."""


class Period(models.TextChoices):
    """How often a donation is given again, in the words of the API."""

    WEEKLY = "Weekly", "every week"
    MONTHLY = "Monthly", "every month"
    QUARTERLY = "Quarterly", "every quarter"
    YEARLY = "Yearly", "every year"


class Donation(Recorded):
    """What a page reported about one gift. The gift has the donor, the sum and the day; merges move it, and this goes
    along. `amount` repeats the sum as it was given, for the figures of a page."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    gift = models.OneToOneField(Gift, on_delete=models.CASCADE, related_name="donation")
    page = models.ForeignKey(FundraisingPage, on_delete=models.PROTECT, related_name="donations")
    amount = Amount(default=Decimal(0))
    currency = models.CharField(max_length=3)
    recipients = models.JSONField(default=list, help_text="[{display_name, amount as a text}]")
    is_recurring = models.BooleanField("given again and again", default=False)
    period = models.CharField("how often", max_length=10, choices=Period.choices, blank=True)
    source_code = models.CharField("source", max_length=255, blank=True)
    website = models.CharField(max_length=500, blank=True)
    email_referrer = models.CharField("email that led there", max_length=255, blank=True)
    mobile_message_referrer = models.CharField("text message that led there", max_length=255, blank=True)
    is_blind = models.BooleanField("by a form without a key", default=False)
    given_at = models.DateTimeField("given", help_text="To the second; the program may say when.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    subject_relations = ("gift__contact",)

    class Meta(Recorded.Meta):
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="donation_by_age"),
            models.Index(fields=["tenant", "page", "-created_at", "-id"], name="donation_by_page"),
            models.Index(fields=["page", "amount"], name="donation_sums"),
            models.Index(fields=["tenant", "updated_at"], name="donation_by_change"),
            models.Index(fields=["tenant", "given_at"], name="donation_by_day"),
        ]

    def __str__(self) -> str:
        return f"{money(self.amount, self.currency)} of {date_format(timezone.localtime(self.given_at), 'M j, Y')}"

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.gift.contact.uid

    @classmethod
    def record(cls, changes: list[Any]) -> None:
        """That it came stands in the history as the gift; here is what was changed of it since."""
        super().record([change for change in changes if change[2] == HistoryEntry.Verb.CHANGED])

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Nothing of the contact has changed; whoever keeps gifts in step hears of the gift."""

    @classmethod
    def tell_deleted(cls, uids: Any) -> None:
        """See `announce`."""


class PageIdentifier(TenantOwned):
    """What another system calls a page: “crm:4711”, once in the organization."""

    page = models.ForeignKey(FundraisingPage, on_delete=models.CASCADE, related_name="identifiers")
    text = models.CharField(max_length=255)

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "text"], name="page_identifier_once")]

    def __str__(self) -> str:
        return self.text


class DonationIdentifier(TenantOwned):
    """What another system calls a donation: once in the organization, so that repeating a call does no harm."""

    donation = models.ForeignKey(Donation, on_delete=models.CASCADE, related_name="identifiers")
    text = models.CharField(max_length=255)

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "text"], name="donation_identifier_once")]

    def __str__(self) -> str:
        return self.text
