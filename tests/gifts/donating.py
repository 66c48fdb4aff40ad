"""What tests of the donation helper need: a page made by a program, and people as programs send them."""

from typing import Any

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.donations import record_donation
from gifts.donating.pages import create_page
from gifts.models import Donation, FundraisingPage

ANA, BEN, NEW = "ana@rivermail.test", "ben@rivermail.test", "new@rivermail.test"
NUMBER, OTHER, THIRD = "+12025550123", "+12025550177", "+12025550188"
JOHN = {
    "family_name": "Smith", "given_name": "John", "postal_addresses": [{"postal_code": "20009"}],
    "email_addresses": [{"address": "jsmith@mail.com"}], "phone_numbers": [{"number": "2021234444"}],
}  # fmt: skip


def page_of(tenant: Tenant, **values: Any) -> FundraisingPage:
    """A page made by a program."""
    with in_tenant(tenant):
        return create_page({"title": "Save the River", "origin_system": "OpenSupporter"} | values, "API key “Web”")


def body(person: dict[str, Any] | None = None, amount: str = "3.00", **more: Any) -> dict[str, Any]:
    """A donation as the API's document has it."""
    return {
        "recipients": [{"display_name": "Campaign To Elect Tom", "amount": amount}],
        "person": JOHN if person is None else person, **more,
    }  # fmt: skip


def person(email: str = "", phone: str = "", mail: str = "", text: str = "", **more: Any) -> dict[str, Any]:
    """Somebody with this address and number, and these statuses."""
    found = dict(more)
    if email or mail:
        found["email_addresses"] = [{"address": email, "status": mail}]
    if phone or text:
        found["phone_numbers"] = [{"number": phone, "status": text}]
    return found


def give(page: FundraisingPage, who: dict[str, Any], amount: str = "3.00", **more: Any) -> Donation:
    """Record one; the tenant is active."""
    return record_donation(page, body(who, amount), **more)


def addresses(contact: Contact) -> list[str]:
    """Their email addresses, as they stand."""
    return sorted(contact.email_addresses.values_list("address_key", flat=True))


def numbers(contact: Contact) -> list[str]:
    """Their phone numbers, as they stand."""
    return sorted(str(number) for number in contact.phone_numbers.values_list("number", flat=True))
