"""Forms for logging in and for the organization's settings."""

import zoneinfo
from functools import cache
from importlib import resources
from typing import Any

import phonenumbers
from django import forms
from django.contrib.auth.forms import AuthenticationForm as DjangoAuthenticationForm
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts.tenancy.models import StaffMember, Tenant, User


class LogInForm(AuthenticationForm):
    """By e-mail address; its case does not matter, neither for the person nor for the count of wrong passwords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget.input_type = "email"
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        waits = "password" if self.data.get("username") else "username"  # for what has to be typed (again)
        for name, field in self.fields.items():
            field.widget.attrs["autofocus"] = name == waits

    def clean_username(self) -> str:
        """The form in which addresses are kept."""
        return self.cleaned_data["username"].strip().lower()

    def get_invalid_login_error(self) -> ValidationError:
        return ValidationError("That e-mail address and password do not match. Passwords tell upper case from lower.")


class StaffLogInForm(LogInForm):
    """Lets in people with a place in an organization."""

    def confirm_login_allowed(self, user: User) -> None:
        DjangoAuthenticationForm.confirm_login_allowed(self, user)
        if not StaffMember.of_user(user).exists():
            raise ValidationError(no_place_sentence(user))


class OperatorLogInForm(LogInForm):
    """Lets in those who run the installation; everybody else hears what a wrong password hears."""

    def confirm_login_allowed(self, user: User) -> None:
        DjangoAuthenticationForm.confirm_login_allowed(self, user)
        if not user.is_superuser:
            raise self.get_invalid_login_error()


def no_place_sentence(user: User) -> str:
    """Why somebody who is known is not let in."""
    if user.is_superuser:
        return (
            f"{user.email} runs this installation but has no place in any organization. "
            "Use the operators’ address, or give yourself a place there."
        )
    return f"{user.email} has no place in any organization yet. Ask the people who run this installation for one."


@cache
def places() -> frozenset[str]:
    """The zones that people live in, by the tables that come with them; their many older names are left out."""
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    named = {line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#")}
    return frozenset(named & zoneinfo.available_timezones())


def time_zone_choices(present: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Time zones by region, in words: America / New York; `present` is there, whatever it is called."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(places() | ({present} & zoneinfo.available_timezones())):
        region, _, place = name.partition("/")
        if place:
            regions.setdefault(region, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return [("General", [("UTC", "UTC")]), *regions.items()]


class OrganizationForm(forms.ModelForm):
    """The settings of one organization; read-only for those who may not change them."""

    class Meta:
        model = Tenant
        fields = [
            "name", "time_zone", "currency", "fiscal_year_start", "phone_region",
            "street", "city", "state", "postal_code", "country", "from_name", "from_email",
        ]  # fmt: skip
        labels = {
            "phone_region": "Country of your phone numbers",
            "from_name": "Name of the sender",
            "from_email": "Address of the sender",
        }
        help_texts = {
            "name": "As it appears at the top of every page.",
            "time_zone": "Times on all pages are shown in this zone.",
            "currency": "Three letters, such as USD, EUR or GBP.",
            "fiscal_year_start": "Totals by year begin in this month.",
            "phone_region": "Two letters, such as US. Numbers typed without a country code are read as numbers of it.",
            "street": "Newsletter law asks for a postal address in bulk mail.",
            "country": "Two letters, such as US. Also decides whether 3/4 is March or April in files.",
            "from_name": "Whom people see as the sender of newsletters.",
            "from_email": "Answers to newsletters go to this address.",
        }
        error_messages = {
            "name": {"unique": "Another organization of this installation has that name. Choose a different one."},
            "currency": {"max_length": "Use the three letters of a currency, such as USD."},
            "country": {"max_length": "Use the two letters of a country, such as US."},
            "phone_region": {"max_length": "Use the two letters of a country, such as US."},
        }

    def __init__(self, *args: Any, may_change: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(
            choices=time_zone_choices(self.instance.time_zone),
            label="Time zone",
            help_text=self.Meta.help_texts["time_zone"],
        )
        for name, field in self.fields.items():
            if isinstance(field, forms.ChoiceField):
                field.widget = UnfoldAdminSelectWidget(choices=field.choices)
            else:
                field.widget = UnfoldAdminEmailInputWidget() if name == "from_email" else UnfoldAdminTextInputWidget()
            field.disabled = not may_change

    def clean_currency(self) -> str:
        """Typed in any case."""
        return self.cleaned_data["currency"].upper()

    def clean_country(self) -> str:
        return self._country("country")

    def clean_phone_region(self) -> str:
        return self._country("phone_region")

    def _country(self, name: str) -> str:
        """The two letters of a country there is, typed in any case."""
        code = str(self.cleaned_data[name]).strip().upper()
        if code not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError(f"“{code}” stands for no country. Use two letters, such as US, CA or GB.")
        return code

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """The fields in the order of the page, under headings."""
        return [
            (
                "The organization",
                [self[n] for n in ("name", "time_zone", "currency", "fiscal_year_start", "phone_region")],
            ),
            ("Postal address", [self[n] for n in ("street", "city", "state", "postal_code", "country")]),
            ("Newsletters come from", [self[n] for n in ("from_name", "from_email")]),
        ]
