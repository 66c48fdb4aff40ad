"""A gift: money received. Every change of one sets its donor's totals right in the same transaction, on every path."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django_scopes import ScopedManager

from contacts.models.history import HistoryEntry
from contacts.models.recorded import RecordedQuerySet, describe, told_by
from gifts import signals
from gifts.card_numbers import without_card_numbers
from gifts.models.amount import Amount
from gifts.models.pledge import Pledge
from gifts.models.source import FromSource, Source, once_at_its_source
from gifts.money import money

# A gift given back in full counts no more; neither does one that is gone at its source.
STANDS = models.Q(gone_on=None) & (models.Q(refunded=0) | models.Q(refunded__lt=models.F("amount")))
NET = models.F("amount") - models.F("refunded")


class GiftQuerySet(RecordedQuerySet):
    """Gifts by what they count for."""

    def in_totals(self) -> "GiftQuerySet":
        """Those whose amount (less what was refunded) is part of totals."""
        return self.filter(STANDS, counts=True)

    def in_number(self) -> "GiftQuerySet":
        """Those that count as one gift in number, and for which somebody may be thanked."""
        return self.filter(STANDS, is_one=True)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        rows = list(objs)
        for row in rows:
            row.comment = without_card_numbers(row.comment)
        return super().bulk_create(rows, *args, **kwargs)


class Gift(FromSource):
    """One gift of one contact. `counts` and `is_one` are what its source says; `stands` is what became of it here."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    received_on = models.DateField("date", help_text="The day on which it was given.")
    refunded = Amount(default=Decimal(0))
    refunded_on = models.DateField(null=True, blank=True)
    payment_method = models.CharField(
        max_length=30, blank=True, help_text="A word such as check, cash or card. Never the number of a card."
    )
    counts = models.BooleanField("counts in totals", default=True)
    is_one = models.BooleanField("counts as one gift", default=True)
    replaces = models.ForeignKey(
        "gifts.Gift", null=True, blank=True, on_delete=models.SET_NULL, related_name="replaced_by",
        help_text="The earlier gift that this one corrects; nobody is thanked for it again.",
    )  # fmt: skip
    pledge = models.ForeignKey(Pledge, null=True, blank=True, on_delete=models.SET_NULL, related_name="payments")
    is_history = models.BooleanField(
        "brought in as history", default=False, help_text="Nobody is thanked for it; it counts in totals."
    )
    gone_on = models.DateField(null=True, blank=True, help_text="When it was found to be deleted at its source.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(GiftQuerySet), tenant="tenant")

    class Meta(FromSource.Meta):
        ordering = ["-received_on", "-pk"]
        constraints = [
            once_at_its_source("gift_once_at_its_source"),
            models.CheckConstraint(
                condition=models.Q(refunded=0)
                | (models.Q(refunded__gt=0) & models.Q(refunded__lte=models.F("amount"))),
                name="gift_refunded_at_most_whole",
                violation_error_message="No more than the gift can be refunded.",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-received_on", "-id"], name="gift_by_date"),
            # With the organization first, as every question names it: without statistics no other index looks better.
            models.Index(fields=["tenant", "contact", "received_on", "id"], name="gift_by_donor"),
            models.Index(fields=["tenant", "campaign", "-received_on"], name="gift_by_campaign"),
            models.Index(fields=["tenant", "amount"], name="gift_by_amount"),
            models.Index(fields=["tenant", "refunded_on"], name="gift_refunded", condition=~models.Q(refunded=0)),
        ]

    def __str__(self) -> str:
        return f"{money(self.amount)} of {date_format(self.received_on, 'M j, Y')}"

    @property
    def net(self) -> Decimal:
        """What is left of it after refunds."""
        return self.amount - self.refunded

    @property
    def is_by_form(self) -> bool:
        """Whether a form on a website reported it without a key: nobody has checked it, and there is no place where a
        mistake or a bad joke could be taken back but here. One query, for gifts of donation pages only."""
        found = getattr(self, "donation", None) if self.source == Source.DONATION_HELPER else None
        return found is not None and found.is_blind

    @property
    def stands(self) -> bool:
        """Whether it was neither given back in full nor deleted at its source."""
        return self.gone_on is None and (not self.refunded or self.refunded < self.amount)

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Totals first, then whoever listens. A deleted gift is still there at this point: see `tell_deleted`."""
        from gifts import totals

        by_cause: dict[tuple[int, str, bool], list[tuple[int, set[Any]]]] = {}
        pledges: set[Any] = set()
        for row, diff, verb in changes:
            pledges |= {row.pledge_id, *diff.get("pledge_id", [])}
            if verb != HistoryEntry.Verb.DELETED:
                donors = {row.contact_id, *diff.get("contact_id", [])} - {None}
                key = (row.tenant_id, told_by(describe, (row, diff, verb)), verb == HistoryEntry.Verb.ADDED)
                by_cause.setdefault(key, []).append((row.pk, donors))
        givers = {pk for told in by_cause.values() for _, donors in told for pk in donors}
        uids = totals.recount(givers | pledged_by(pledges - {None}))
        for (tenant_id, cause, is_new), told in by_cause.items():
            signals.gifts_changed.send(
                cls, tenant_id=tenant_id, gift_pks=[pk for pk, _ in told], cause=cause, is_new=is_new,
                contact_uids=sorted({uids[pk] for _, donors in told for pk in donors if pk in uids}),
            )  # fmt: skip

    @classmethod
    def tell_deleted(cls, uids: Iterable[uuid.UUID | None]) -> None:
        """Now that they are gone."""
        from gifts import totals

        if known := {uid for uid in uids if uid}:
            totals.after_deletion(cls, known)


def pledged_by(pledges: set[Any]) -> set[int]:
    """Whose pledges these are; somebody else may have paid one."""
    if not pledges:
        return set()
    return set(Pledge.objects.filter(pk__in=pledges).order_by().values_list("contact_id", flat=True))
