"""The form for a new API key: its name, what it may do, and for how long."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts.models import ContactList
from contacts.tenancy import keys

DAYS = [("90", "90 days"), ("365", "One year"), ("", "Until somebody revokes it")]


class KeyForm(forms.Form):
    """For whom, and what it may do."""

    name = forms.CharField(
        label="What uses this key?", max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "autofocus": True}),
        help_text="Such as “Video app”. Changes made with the key carry this name in histories.",
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label="What may it do?", widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )  # fmt: skip
    joins: Any = forms.ModelChoiceField(
        queryset=None, required=False, label="Which list do people join?", empty_label="No list",
        widget=UnfoldAdminSelectWidget,
        help_text="Only for donation pages (OSDI): people who are new by this key are put on that list, and "
        "“subscribed” is about it. Without one, it is about your email in general.",
    )  # fmt: skip
    days = forms.ChoiceField(
        label="How long does it work?", choices=DAYS, required=False, initial="365", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["joins"].queryset = ContactList.objects.order_by("name")  # type: ignore[attr-defined]
        offered = list(keys.scopes().items())
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["scopes"].initial = [offered[0][0]]

    @property
    def expires_at(self) -> datetime | None:
        """The moment from which it works no more."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None
