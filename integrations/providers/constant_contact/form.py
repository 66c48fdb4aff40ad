"""The settings page of Constant Contact: whose account it is, and what is sent. The vendor is not asked."""

from collections.abc import Mapping
from typing import Any

from django import forms

NAMES, ADDRESS = "names", "address"
FIELDS = [
    (NAMES, "Email address, first name and last name (recommended)"),
    (ADDRESS, "Only the email address. Names that are there already stay as they are"),
]
ACCOUNT = {"organization": "Organization", "email": "Email address", "address": "Postal address"}


class ConstantContactSettings(forms.Form):
    """The account is shown for review and changed at Constant Contact only."""

    organization = forms.CharField(label="Organization", required=False, disabled=True)
    email = forms.CharField(label="Email address", required=False, disabled=True)
    address = forms.CharField(label="Postal address", required=False, disabled=True)
    sent = forms.ChoiceField(label="What do you want to send about people?", choices=FIELDS, widget=forms.RadioSelect)

    GROUPS = [
        (
            "Your account at Constant Contact",
            "Your newsletters show these details to everybody who gets them. They are changed at Constant Contact. If "
            "this is not the right account, disconnect and log in to the other one.",
            tuple(ACCOUNT),
        ),
        (
            "Your lists at Constant Contact",
            "Each synchronized list becomes a list of the same name there. Lists that you made there yourself, and the "
            "people on them, are left alone. Somebody on several lists is there, and paid for, once.",
            ("sent",),
        ),
    ]  # (heading, sentence, fields), for the page

    def __init__(self, data: Any = None, *, initial: Mapping[str, Any] | None = None, connection: Any = None) -> None:
        self.kept = dict(initial or {})
        super().__init__(
            data,
            initial={
                **{name: value for name, value in (self.kept.get("account") or {}).items() if name in ACCOUNT},
                "sent": self.kept.get("fields") or NAMES,
            },
        )

    def to_settings(self) -> dict[str, Any]:
        """What to keep."""
        return {**self.kept, "fields": self.cleaned_data["sent"]}
