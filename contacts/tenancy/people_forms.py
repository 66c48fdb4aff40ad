"""Forms for inviting somebody, for choosing a role, and for taking up an invitation."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from contacts.tenancy.models import Invitation, Role, User
from contacts.tenancy.roles import ROLE_WORDS


class RoleForm(forms.Form):
    """One of the roles, each with what it may do."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.STAFF, widget=forms.RadioSelect)

    @property
    def roles(self) -> list[tuple[Any, str]]:
        """(the button of a role, what that role may do)."""
        return [(button, ROLE_WORDS[str(button.data["value"])]) for button in self["role"]]


class InviteForm(RoleForm):
    """Whom, and as what."""

    email = forms.EmailField(
        label="E-mail address", max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off", "autofocus": True}),
        help_text="The person’s own address at work: they will log in with it.",
    )  # fmt: skip

    def clean_email(self) -> str:
        """The form in which addresses are kept."""
        return str(self.cleaned_data["email"]).strip().lower()


class NewColleagueForm(forms.Form):
    """Somebody who has no log-in yet: their name and a password of their own."""

    first_name = forms.CharField(
        label="First name", max_length=150, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label="Last name", max_length=150, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "family-name"})
    )
    password = forms.CharField(
        label="Choose a password", strip=False, help_text="At least 12 characters. A few words in a row are good.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label="The same password again", strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = invitation.email

    def clean(self) -> dict[str, Any]:
        """The password is judged together with the name and the address."""
        given = super().clean() or {}
        if not self.errors:
            if given["password"] != given["again"]:
                self.add_error("again", "The two passwords differ.")
            user = User(email=self.email, first_name=given["first_name"], last_name=given["last_name"])
            try:
                validate_password(given["password"], user)
            except forms.ValidationError as problem:
                self.add_error("password", problem)
        return given


class KnownColleagueForm(forms.Form):
    """Somebody who has a log-in: their password shows that it is theirs."""

    password = forms.CharField(
        label="Your password", strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
