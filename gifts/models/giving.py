"""A contact's giving: totals that `gifts/totals.py` makes from the gifts, right as soon as a gift is."""

from decimal import Decimal
from typing import ClassVar

from django.db import models

from contacts.models.contact import Contact
from contacts.tenancy.models import TenantOwned
from gifts.models.amount import Amount
from gifts.money import money


class Giving(TenantOwned):
    """What one contact has given. Whoever never gave, or whose gifts are all gone, has none or one with zeros."""

    is_derived: ClassVar[bool] = True  # merging moves the gifts, and this follows

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="giving")
    total = Amount(max_digits=14, default=Decimal(0))
    number = models.PositiveIntegerField("number of gifts", default=0)
    first_on = models.DateField("first gift", null=True)
    last_on = models.DateField("last gift", null=True)
    last_amount = Amount("amount of the last gift", default=Decimal(0))
    largest = Amount("largest gift", default=Decimal(0))
    largest_on = models.DateField("date of the largest gift", null=True)
    pledged = Amount("still to come of pledges", max_digits=14, default=Decimal(0))

    class Meta(TenantOwned.Meta):
        verbose_name = "giving"
        verbose_name_plural = "giving"
        indexes = [
            models.Index(fields=["tenant", "-total"], name="giving_by_total"),
            models.Index(fields=["tenant", "last_on"], name="giving_by_last"),
        ]

    def __str__(self) -> str:
        return f"{money(self.total)} in {self.number:,} {'gift' if self.number == 1 else 'gifts'}"
