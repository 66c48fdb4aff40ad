"""Where a gift or pledge came from, and what it is called there: so that nothing is taken in twice."""

from typing import Any

from django.db import models

from contacts.models.contact import Contact
from contacts.models.recorded import Recorded
from gifts.card_numbers import without_card_numbers
from gifts.models.amount import Amount


class Source(models.TextChoices):
    """The ways in. A source is data here; nothing in this app behaves differently for one."""

    BY_HAND = "by_hand", "By hand"
    CSV = "csv", "File"
    DONOR_PERFECT = "donor_perfect", "DonorPerfect"
    DONORS_API = "donors_api", "Donors API"
    DONATION_HELPER = "donation_helper", "Donation page"
    LUMINATE = "luminate", "Luminate"


EDITABLE_HERE = (Source.BY_HAND, Source.CSV)  # what came from elsewhere is corrected there, or it would come back

# Of which no more than date, amount and comment is stored (D9): no campaign and no fund.
WITHOUT_CAMPAIGN = (Source.DONOR_PERFECT,)


class FromSource(Recorded):
    """Something a contact gave or promised, with its origin."""

    contact = models.ForeignKey(Contact, on_delete=models.RESTRICT, related_name="%(class)ss", verbose_name="donor")
    amount = Amount()
    campaign = models.CharField(max_length=100, blank=True)
    fund = models.CharField(max_length=100, blank=True)
    comment = models.TextField(blank=True)
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.BY_HAND)
    source_place = models.CharField(
        "account at the source", max_length=100, blank=True, help_text="Which account or site there; empty if one."
    )
    source_id = models.CharField("identifier at the source", max_length=100, blank=True)

    subject_relations = ("contact",)

    class Meta(Recorded.Meta):
        abstract = True

    @property
    def is_ours(self) -> bool:
        """Whether it is corrected here; what a service sent is corrected there."""
        return self.source in EDITABLE_HERE

    def contact_uid_concerned(self) -> Any:
        return self.contact.uid

    def save(self, *args: Any, **kwargs: Any) -> None:
        if "comment" not in self.get_deferred_fields():
            self.comment = without_card_numbers(self.comment)
        super().save(*args, **kwargs)


def once_at_its_source(name: str) -> models.UniqueConstraint:
    """What has an identifier at its source stands here once, whatever is read again."""
    return models.UniqueConstraint(
        fields=["tenant", "source", "source_place", "source_id"], condition=~models.Q(source_id=""), name=name,
        violation_error_message="That identifier stands with another one already.",
    )  # fmt: skip
