"""Fields that a tenant adds to its contacts, and their values."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from contacts.models.contact import Contact, PartOfContact
from contacts.models.recorded import Recorded


class CustomField(Recorded):
    """A question that one organization asks about its contacts, such as “T-shirt size”."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        CHOICE = "choice", "One of several choices"
        YES_NO = "yes_no", "Yes or no"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    choices = models.JSONField(default=list, blank=True, help_text="One a line.")
    help_text = models.CharField("hint", max_length=200, blank=True, help_text="Shown below the field.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower numbers come first.")
    # Set while its values are being taken away, which can take a while: it is shown nowhere any more.
    going_at = models.DateTimeField(null=True, blank=True, editable=False)
    going_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )

    class Meta(Recorded.Meta):
        ordering = ["position", "name"]
        verbose_name = "custom field"
        constraints = [
            models.UniqueConstraint(
                "tenant", Lower("name"), name="custom_field_once", condition=models.Q(going_at=None),
                violation_error_message="There is a field of that name.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def recorded_values(self) -> dict[str, Any]:
        """Choices as a line of words; the order of the fields and the steps of a deletion are nobody's news."""
        values = super().recorded_values()
        for name in ("position", "going_at", "going_by_id"):
            values.pop(name, None)
        if "choices" in values:
            values["choices"] = "; ".join(map(str, self.choices))
        return values

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """Concerns no contact by itself."""


class CustomValue(PartOfContact):
    """What one contact answers. `value` is canonical: dates as 2026-03-31, yes or no, numbers without separators;
    `number` repeats a number for comparing."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="custom_values")
    field = models.ForeignKey(CustomField, on_delete=models.CASCADE, related_name="values")
    value = models.CharField(max_length=500)
    number = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True, editable=False)
    subject_relations = ("contact", "field")

    class Meta(PartOfContact.Meta):
        ordering = ["field__position", "field__name"]
        verbose_name = "custom field value"
        constraints = [models.UniqueConstraint(fields=["contact", "field"], name="custom_value_once")]
        indexes = [
            models.Index(fields=["field", "value"]),
            models.Index(fields=["field", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.value}"
