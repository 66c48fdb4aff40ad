"""The settings page of Mailchimp: how lists live there, and what new audiences are made with (L3, L24)."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from integrations.providers.mailchimp import lists
from integrations.providers.mailchimp.api import Api

TAGS, AUDIENCES = "tags", "audiences"
MODES = [
    (TAGS, "As tags in one audience (everybody is there once, and you pay for each person once)"),
    (AUDIENCES, "As an audience each (somebody on two lists is there, and paid for, twice)"),
]
CONTACT = {
    "company": "Organization", "address1": "Street address", "address2": "Second line", "city": "City",
    "state": "State or region", "zip": "Postal code", "country": "Country", "phone": "Phone",
}  # fmt: skip
CONTACT_NEEDED = ("company", "address1", "city", "country")
SENDER_NEEDED = ("from_name", "from_email", "permission_reminder")
COUNTRY = RegexValidator(r"^[A-Z]{2}$", "Use the two-letter code of the country, such as US.")
LANGUAGE = RegexValidator(r"^[a-z]{2}(_[A-Z]{2})?$", "Use a language code, such as en.")


def has_contact(settings: Mapping[str, Any]) -> bool:
    """Whether new audiences can be made with these settings."""
    contact = settings.get("contact") or {}
    return all(contact.get(key) for key in CONTACT_NEEDED) and all(settings.get(key) for key in SENDER_NEEDED)


GROUPS = [
    ("Your lists in Mailchimp", "", ("mode", "audience")),
    (
        "Organization contact information",
        "New audiences are made with it, and Mailchimp shows it to everybody who gets your mail.",
        tuple(CONTACT),
    ),
    ("The sender", "", ("from_name", "from_email", "permission_reminder", "language")),
]


class MailchimpSettings(forms.Form):
    """Asks Mailchimp which audiences there are, so making one raises `CallFailed` when it does not answer."""

    mode = forms.ChoiceField(
        label="How should your lists appear in Mailchimp?", choices=MODES, widget=forms.RadioSelect
    )
    audience = forms.ChoiceField(
        label="Audience", required=False, help_text="Where everybody goes, with a tag per list."
    )
    company = forms.CharField(label="Organization", max_length=100, required=False)
    address1 = forms.CharField(label="Street address", max_length=100, required=False)
    address2 = forms.CharField(label="Second line", max_length=100, required=False)
    city = forms.CharField(label="City", max_length=100, required=False)
    state = forms.CharField(label="State or region", max_length=100, required=False)
    zip = forms.CharField(label="Postal code", max_length=20, required=False)
    country = forms.CharField(label="Country", max_length=2, required=False, help_text="Two letters, such as US.")
    phone = forms.CharField(label="Phone", max_length=50, required=False)
    from_name = forms.CharField(label="Mail comes from (name)", max_length=100, required=False)
    from_email = forms.EmailField(label="Mail comes from (address)", max_length=254, required=False)
    permission_reminder = forms.CharField(
        label="Why people get your mail", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Mailchimp prints this at the foot of each newsletter.",
    )  # fmt: skip
    language = forms.CharField(label="Language", max_length=5, required=False, validators=[LANGUAGE])

    GROUPS = GROUPS  # (heading, sentence, fields), for the page

    def __init__(self, data: Any = None, *, initial: Mapping[str, Any] | None = None, connection: Any = None) -> None:
        self.kept = dict(initial or {})
        super().__init__(data, initial=_flat(self.kept))
        self.audiences, allowed = _audiences_of(connection)
        self.fields["audience"].choices = [("", "Choose an audience"), *self.audiences]  # type: ignore[attr-defined]
        self.fields["mode"].help_text = room_for(allowed)
        self.room = more_than_now(allowed)
        self.apart = {**self.kept, "mode": AUDIENCES, "audience": ""}  # were each list an audience: for the warning
        if len(self.audiences) == 1:
            self.initial.setdefault("audience", self.audiences[0][0])

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).strip().upper()
        if country:
            COUNTRY(country)  # Mailchimp would silently make any other word the United States.
        return country

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("mode") == TAGS and not cleaned.get("audience") and "audience" not in self.errors:
            self.add_error("audience", "Choose the audience that your lists become tags of.")
        if cleaned.get("mode") == AUDIENCES:
            for name in (*CONTACT_NEEDED, *SENDER_NEEDED):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, "Mailchimp needs this to make an audience.")
        return cleaned

    def to_settings(self) -> dict[str, Any]:
        """What to keep."""
        given = self.cleaned_data
        audience = given["audience"] if given["mode"] == TAGS else ""
        return {
            **self.kept,
            "mode": given["mode"],
            "room": self.room,
            "audience": audience,
            "audience_name": dict(self.audiences).get(audience, ""),
            "contact": {key: given[key].strip() for key in CONTACT},
            "from_name": given["from_name"],
            "from_email": given["from_email"],
            "permission_reminder": given["permission_reminder"],
            "language": given["language"] or "en",
        }


def more_than_now(allowed: Mapping[str, Any]) -> int | None:
    """How many more audiences the plan allows; None if it says nothing, or does not limit them."""
    most, now = allowed.get("max_instances"), allowed.get("current_total_instances")
    if not isinstance(most, int) or not isinstance(now, int) or most < 0:
        return None
    return max(0, most - now)


def room_for(allowed: Mapping[str, Any]) -> str:
    """The same as a sentence."""
    most, more = allowed.get("max_instances"), more_than_now(allowed)
    if more is None:
        return "Your Mailchimp plan does not limit the number of audiences." if isinstance(most, int) else ""
    if not more:
        return f"Your Mailchimp plan allows {most} audiences, and all of them are in use."
    return f"Your Mailchimp plan allows {more} more {'audience' if more == 1 else 'audiences'}."


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: value for key, value in settings.items() if not isinstance(value, dict) and value != ""},
        **(settings.get("contact") or {}),
        "mode": settings.get("mode") or TAGS,
    }


def _audiences_of(connection: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    from integrations.providers.mailchimp.provider import Mailchimp

    with Mailchimp(connection) as provider:
        api: Api = provider.api  # type: ignore[attr-defined]
        return lists.audiences(api)
