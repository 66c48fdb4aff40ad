"""What an organization wants of thank-yous, and of what each person wants to hear by mail (T3)."""

from decimal import Decimal

from django.core.validators import MaxValueValidator
from django.db import models

from contacts.tenancy.models import StaffMember, TenantOwned
from tasks_app.models.note import NoteTemplate


class ThanksSettings(TenantOwned):
    """One row for each organization that has changed any of it; `ThanksSettings.now()` is right without one too."""

    class One(models.TextChoices):
        DONOR = "donor", "One for each donor, with all its reasons"
        RULE = "rule", "One for each milestone rule, and one for gifts"

    class Gifts(models.TextChoices):
        NONE = "none", "No gift: only milestones"
        EVERY = "every", "Every new gift"
        MINIMUM = "minimum", "New gifts of at least …"

    class Do(models.TextChoices):
        TASK = "task", "A thank-you for somebody to do"
        NOTE = "note", "A note by email"

    one_per = models.CharField("open at a time", max_length=5, choices=One.choices, default=One.DONOR)
    due_days = models.PositiveSmallIntegerField(
        "due after (days)", default=7, validators=[MaxValueValidator(365)], help_text="0 means the same day."
    )
    new_gifts = models.CharField("thank for", max_length=8, choices=Gifts.choices, default=Gifts.EVERY)
    minimum = models.DecimalField("at least", max_digits=12, decimal_places=2, default=Decimal(0))
    gift_action = models.CharField("with", max_length=4, choices=Do.choices, default=Do.TASK)
    cool_down_days = models.PositiveSmallIntegerField(
        "leave in peace (days)", default=0, validators=[MaxValueValidator(3_650)],
        help_text="Whoever was thanked in so many days is not thanked for another gift. Milestones always count.",
    )  # fmt: skip
    template = models.ForeignKey(
        NoteTemplate, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name="words of notes",
        help_text="The template of notes that are sent by themselves.",
    )  # fmt: skip

    class Meta(TenantOwned.Meta):
        verbose_name = "settings of thank-yous"
        constraints = [models.UniqueConstraint(fields=["tenant"], name="thanks_settings_once")]

    def __str__(self) -> str:
        return "Settings of thank-yous"

    @classmethod
    def now(cls) -> "ThanksSettings":
        """What holds in the active organization; unsaved where nobody has changed anything."""
        found: ThanksSettings | None = cls.objects.select_related("template").first()
        return found or cls()


class Notifications(TenantOwned):
    """What one person wants to hear by mail: nothing unless they say so."""

    member = models.OneToOneField(StaffMember, on_delete=models.CASCADE, related_name="notifications")
    on_assignment = models.BooleanField("when a thank-you is given to me", default=False)
    weekly = models.BooleanField("every Monday, what is open and what is overdue", default=False)
    weekly_sent_on = models.DateField(null=True, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name = "notifications"
        verbose_name_plural = "notifications"

    def __str__(self) -> str:
        return f"What {self.member} hears by mail"
