"""The small forms beside the buttons of thank-yous."""

from datetime import timedelta
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts.models import StaffMember
from gifts.services import today
from tasks_app import services
from tasks_app.models import NoteTemplate
from tasks_app.services import ALREADY_THANKED

DATE = {"type": "date", "class": "al-input"}
REASONS = [ALREADY_THANKED, "Not to be thanked", "A mistake", "Somebody else thanks them"]
WAYS = ["By phone", "By letter", "In person", "By email", "By video"]


class WhoField(forms.ModelChoiceField):
    """A person by name alone."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.user)


class HandOverForm(forms.Form):
    """To whom; empty is the team."""

    member = WhoField(
        queryset=StaffMember.objects.none(), required=False, label="Hand it over to", empty_label="The whole team",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        who = services.who_thanks().order_by("user__first_name", "user__last_name", "user__email")
        self.fields["member"].queryset = who  # type: ignore[attr-defined]


class SnoozeForm(forms.Form):
    """Until when."""

    until = forms.DateField(label="Put it off until", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("until", today() + timedelta(days=7))


class ThankedForm(forms.Form):
    """How somebody thanked them."""

    how = forms.ChoiceField(label="Thanked", choices=[(one, one) for one in WAYS], widget=UnfoldAdminSelectWidget)


class DismissForm(forms.Form):
    """Why it is not done."""

    reason = forms.ChoiceField(
        label="Not to be done, because", choices=[(one, one) for one in REASONS], widget=UnfoldAdminSelectWidget
    )
    more = forms.CharField(
        label="In your words, if you like", required=False, max_length=300, widget=UnfoldAdminTextInputWidget
    )

    def sentence(self) -> str:
        """Both together."""
        more = self.cleaned_data["more"].strip()
        return f"{self.cleaned_data['reason']}: {more}" if more else str(self.cleaned_data["reason"])


class NoteForm(forms.Form):
    """Which words to send to one contact."""

    template = forms.ModelChoiceField(
        queryset=NoteTemplate.objects.none(), label="Send a note", empty_label=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = NoteTemplate.objects.order_by("name", "pk")  # type: ignore[attr-defined]
