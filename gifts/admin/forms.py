"""Forms of the pages of gifts and pledges."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from contacts.models import Contact
from contacts.tenancy.together import SeenForm
from gifts.models import Gift, Pledge
from gifts.money import money
from gifts.services import today

TOO_FINE = {"max_decimal_places": "Type an amount with two decimals at most, such as 1250.00."}
FAR = timedelta(days=366)  # a gift may be dated a little ahead, such as a check for next week


class MoneyForm(SeenForm):
    """What gifts and pledges have in common."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.DateField):  # the browser's own calendar: it knows no time zones
                field.widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
            elif isinstance(field, forms.DecimalField):
                field.error_messages |= TOO_FINE

    def clean_amount(self) -> Decimal:
        """More than nothing, by hand."""
        amount: Decimal = self.cleaned_data["amount"]
        if amount <= 0:
            raise ValidationError("Type an amount of more than nothing.")
        return amount


class GiftForm(MoneyForm):
    """A gift, by hand."""

    def clean_amount(self) -> Decimal:
        amount = super().clean_amount()
        if amount < self.instance.refunded:
            words = money(self.instance.refunded)
            raise ValidationError(f"{words} of this gift was refunded, so it cannot be less than that.")
        return amount

    def clean_received_on(self) -> Any:
        """Not by years ahead, which is a slip of the hand."""
        day = self.cleaned_data["received_on"]
        if day.year < 1900 or day > today() + FAR:
            raise ValidationError("This date cannot be right. Type the day on which the gift was given.")
        return day

    def clean_pledge(self) -> Pledge | None:
        """Only of the same donor."""
        pledge: Pledge | None = self.cleaned_data.get("pledge")
        donor = self.cleaned_data.get("contact") or (self.instance.contact if self.instance.pk else None)
        if pledge is not None and donor is not None and pledge.contact_id != donor.pk:
            raise ValidationError(f"This is a pledge of {pledge.contact}, not of {donor}.")
        return pledge


class PledgeForm(MoneyForm):
    """A pledge, by hand."""

    def clean_amount(self) -> Decimal:
        amount = super().clean_amount()
        if amount < self.instance.written_off:
            words = money(self.instance.written_off)
            raise ValidationError(f"{words} of this pledge is written off. Expect it again first, then correct it.")
        return amount


class RefundForm(forms.Form):
    """How much of a gift was given back altogether, and when."""

    amount = forms.DecimalField(
        max_digits=12, decimal_places=2, min_value=Decimal(0), localize=False, label="Given back altogether",
        widget=UnfoldAdminDecimalFieldWidget, error_messages=TOO_FINE,
    )  # fmt: skip
    on = forms.DateField(label="On", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_refund_%s", **kwargs})  # the gift's own amount is on the page, too


class DonorForm(forms.Form):
    """Another donor."""

    contact: Any = forms.ModelChoiceField(queryset=None, label="It came from")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_other_%s", **kwargs})
        choice = self.fields["contact"]
        choice.queryset = Contact.objects.all()  # type: ignore[attr-defined]
        choice.widget = AutocompleteSelect(Gift._meta.get_field("contact"), admin.site)
        choice.widget.choices = choice.choices  # type: ignore[attr-defined]
