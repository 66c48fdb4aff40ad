"""Donor clubs: levels of giving that an organization names, and who was in which one when (A13)."""

import uuid
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from contacts.models.recorded import Recorded
from contacts.tenancy.models import TenantOwned


class DonorClub(Recorded):
    """One level. Whoever reaches its minimum is in it, unless they reach a higher one or are placed by hand."""

    class Basis(models.TextChoices):
        LIFETIME = "lifetime", "Everything given"
        FISCAL_YEAR = "fiscal_year", "What is given in this fiscal year"
        LARGEST = "largest", "The largest gift"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    minimum = models.DecimalField(
        max_digits=12, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    basis = models.CharField("what is counted", max_length=12, choices=Basis.choices, default=Basis.LIFETIME)
    is_automatic = models.BooleanField(
        "fills by itself", default=True, help_text="Otherwise donors are only placed in it by hand."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(Recorded.Meta):
        ordering = ["-minimum", "name", "pk"]
        verbose_name = "donor club"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="donor_club_name",
                violation_error_message="There is a club of that name.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @classmethod
    def announce(cls, changes: list) -> None:  # type: ignore[type-arg]
        """A club is about everybody: no contact has changed."""

    @classmethod
    def tell_deleted(cls, uids: object) -> None:  # type: ignore[override]
        """See `announce`."""


class DonorClubSpell(TenantOwned):
    """A stretch of days in one club. It names the donor by uid: it outlives a merge, and an undone one finds it."""

    donor_uid = models.UUIDField()
    club = models.ForeignKey(DonorClub, on_delete=models.PROTECT, related_name="spells")
    start_on = models.DateField()
    end_on = models.DateField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["start_on", "pk"]
        verbose_name = "time in a club"
        verbose_name_plural = "times in clubs"
        indexes = [models.Index(fields=["tenant", "donor_uid"], name="club_spells_by_donor")]
        constraints = [
            models.UniqueConstraint(
                fields=["donor_uid"], condition=models.Q(end_on=None), name="one_open_club_spell"
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.club} from {self.start_on}"
