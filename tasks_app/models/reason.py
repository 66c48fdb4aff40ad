"""Why somebody is thanked: a gift, or a milestone with the gift that reached it. It holds a thank-you or a note."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django_scopes import ScopedManager

from contacts.tenancy.models import TenantOwned
from contacts.tenancy.walls import TenantQuerySet
from gifts.models import Gift, MilestoneReached
from tasks_app.models.note import Note
from tasks_app.models.thank_you import ThankYou


class ReasonQuerySet(TenantQuerySet):
    """Reasons by whether they hold."""

    def standing(self) -> "ReasonQuerySet":
        """Those that were not withdrawn."""
        return self.filter(withdrawn_at=None)


class Reason(TenantOwned):
    """One reason, in a sentence that was true when it was made. A gift and a milestone each give reason once (M5): the
    database lets only one that stands in. `gift_uid` stays when the gift is deleted."""

    thank_you = models.ForeignKey(ThankYou, null=True, on_delete=models.CASCADE, related_name="reasons")
    note = models.ForeignKey(Note, null=True, on_delete=models.CASCADE, related_name="reasons")
    # Without constraints: whoever deletes a gift and whoever notes a reason must not wait for each other.
    gift = models.ForeignKey(Gift, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False)
    award = models.ForeignKey(
        MilestoneReached, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    gift_uid = models.UUIDField(null=True)  # of a gift that gives reason itself; of a milestone it is empty
    sentence = models.CharField(max_length=300)
    instruction = models.CharField(max_length=500, blank=True, help_text="What the rule asks for, in its words.")
    on = models.DateField("date of the gift")
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_why = models.CharField(max_length=200, blank=True)

    objects: ClassVar[Any] = ScopedManager(_manager_class=models.Manager.from_queryset(ReasonQuerySet), tenant="tenant")

    class Meta(TenantOwned.Meta):
        ordering = ["pk"]
        indexes = [models.Index(fields=["gift_uid"], name="reason_by_gift")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "gift_uid"], condition=models.Q(withdrawn_at=None, gift_uid__isnull=False),
                name="thanked_once_for_a_gift",
            ),
            models.UniqueConstraint(
                fields=["tenant", "award"], condition=models.Q(withdrawn_at=None, award__isnull=False),
                name="thanked_once_for_a_milestone",
            ),
            models.CheckConstraint(
                condition=models.Q(thank_you__isnull=False, note=None) | models.Q(thank_you=None, note__isnull=False),
                name="reason_of_one_thing",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.sentence

    @property
    def stands(self) -> bool:
        """Whether it was not withdrawn."""
        return self.withdrawn_at is None

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody here asked for it: what they wrote is for us, not for the donor."""
        return self.gift_uid is None and self.gift_id is None and self.award_id is None and self.amount is None

    @property
    def held(self) -> Any:
        """The thank-you or note that it is a reason of."""
        return self.thank_you or self.note

    @property
    def known_as(self) -> tuple[str, uuid.UUID | int | None]:
        """What it is about, and is once."""
        return ("award", self.award_id) if self.award_id else ("gift", self.gift_uid)
