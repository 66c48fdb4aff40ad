"""A pledge: money promised. What is still to come is what was promised, less its payments, less what was given up."""

from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Coalesce, Round
from django.utils import timezone
from django.utils.formats import date_format
from django_scopes import ScopedManager

from contacts.models.contact import Contact
from contacts.models.history import HistoryEntry
from contacts.models.recorded import RecordedQuerySet
from gifts.models.amount import Amount
from gifts.models.source import FromSource, once_at_its_source
from gifts.money import money

MONEY: Any = models.DecimalField(max_digits=12, decimal_places=2)


def in_cents(amount: Any) -> Any:
    """An amount that the database works out. SQLite does so in binary: 5000.10 less 4999.99 is 0.110000000000582 there,
    and would never be equal to what is kept."""
    return Round(amount, precision=2, output_field=MONEY)


class PledgeQuerySet(RecordedQuerySet):
    """Pledges with what became of them."""

    def with_balance(self) -> "PledgeQuerySet":
        """Each with `paid` and `balance`, read in the same question; gifts that no longer count pay nothing."""
        from gifts.models.gift import NET, Gift

        payments = Gift.objects.in_totals().filter(pledge=models.OuterRef("pk")).order_by().values("pledge")
        paid = models.Subquery(payments.annotate(sum=models.Sum(NET)).values("sum"), output_field=MONEY)
        rows = self.annotate(paid=in_cents(Coalesce(paid, Decimal(0), output_field=MONEY)))
        return rows.annotate(balance=in_cents(models.F("amount") - models.F("paid") - models.F("written_off")))


class Pledge(FromSource):
    """One promise of one contact."""

    class Frequency(models.TextChoices):
        ONCE = "once", "Once"
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"
        QUARTERLY = "quarterly", "Every quarter"
        YEARLY = "yearly", "Every year"
        OTHER = "other", "Otherwise"

    started_on = models.DateField("promised on")
    frequency = models.CharField("how often", max_length=10, choices=Frequency.choices, default=Frequency.ONCE)
    written_off = Amount(default=Decimal(0), help_text="What is not expected any more.")
    written_off_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(PledgeQuerySet), tenant="tenant")

    class Meta(FromSource.Meta):
        ordering = ["-started_on", "-pk"]
        constraints = [
            once_at_its_source("pledge_once_at_its_source"),
            models.CheckConstraint(
                condition=models.Q(written_off__gte=0) & models.Q(written_off__lte=models.F("amount")),
                name="pledge_written_off_at_most_whole",
                violation_error_message="No more than the pledge can be written off.",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-started_on", "-id"], name="pledge_by_date")]

    def __str__(self) -> str:
        return f"{money(self.amount)} promised on {date_format(self.started_on, 'M j, Y')}"

    def in_choices(self) -> str:
        """Where one is chosen: several people promise the same."""
        return f"{self.contact}: {self}"

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Nothing that is sent elsewhere depends on pledges; what is still to come of them is one of the totals."""
        from gifts import totals

        donors = {pk for row, diff, verb in changes if verb != HistoryEntry.Verb.DELETED
                  for pk in (row.contact_id, *diff.get("contact_id", [])) if pk}  # fmt: skip
        totals.recount(donors)

    @classmethod
    def tell_deleted(cls, uids: Any) -> None:
        """Now that they are gone."""
        from gifts import totals

        known = Contact.objects.filter(uid__in={uid for uid in uids if uid}).order_by()
        totals.recount(known.values_list("pk", flat=True))
