"""The world at the start: two nonprofits with people who were there before any sync."""

from __future__ import annotations

from typing import Any

from tests.fakes.constant_contact.lists import new_list
from tests.fakes.constant_contact.options import Options
from tests.fakes.constant_contact.state import Account
from tests.fakes.constant_contact.writing import Writer

LONG_AGO = 1_772_442_000.108  # 2026-03-02 09:00 UTC
PRIVILEGES = ("contacts:read", "contacts:write", "contacts:lists:read", "contacts:lists:write", "account:read")

ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "login": "river",
        "id": "p07r1v2rtrust",
        "name": "River Trust",
        "email": "office@rivertrust.test",
        "first_name": "Ana",
        "last_name": "Ruiz",
        "time_zone_id": "US/Pacific",
        "place": ("1 Mill Lane", "Portland", "OR", "97201"),
        "list": "River Friends",
        "people": (
            ("marisol.vega@rivermail.test", "Marisol", "Vega", "explicit"),
            ("tobias.lind@rivermail.test", "Tobias", "Lind", "implicit"),
            ("amara.okafor@rivermail.test", "Amara", "Okafor", "implicit"),
            ("june.park@rivermail.test", "June", "Park", "left"),
            ("hugo.marchetti@rivermail.test", "Hugo", "Marchetti", "deleted"),
        ),
    },
    {
        "login": "harbor",
        "id": "p07h4rb0rfood",
        "name": "Harbor Food Bank",
        "email": "team@harborfoodbank.test",
        "first_name": "Ben",
        "last_name": "Osei",
        "time_zone_id": "US/Pacific",
        "place": ("22 Quay Street", "Seattle", "WA", "98101"),
        "list": "Harbor Neighbors",
        "people": (
            ("leo.tanaka@harbormail.test", "Leo", "Tanaka", "explicit"),
            ("priya.nair@harbormail.test", "Priya", "Nair", "implicit"),
            ("sam.whitlock@harbormail.test", "Sam", "Whitlock", "implicit"),
            ("greta.olsen@harbormail.test", "Greta", "Olsen", "left"),
        ),
    },
)


def seed(options: Options) -> dict[str, Account]:
    """Fresh accounts; the same ids every time."""
    return {each["login"]: _account(each, options) for each in ACCOUNTS}


def _account(plan: dict[str, Any], options: Options) -> Account:
    street, city, state, postcode = plan["place"]
    summary = {
        "contact_email": plan["email"],
        "contact_phone": "5035550100",
        "country_code": "US",
        "encoded_account_id": plan["id"],
        "first_name": plan["first_name"],
        "last_name": plan["last_name"],
        "organization_name": plan["name"],
        "organization_phone": "503-555-0100",
        "state_code": state,
        "time_zone_id": plan["time_zone_id"],
        "website": f"http://{plan['email'].partition('@')[2]}",
        "physical_address": {
            "address_line1": street, "city": city, "state_code": state, "postal_code": postcode, "country_code": "US",
        },
    }  # fmt: skip
    account = Account(
        plan["login"], "sandbox", plan["name"], plan["email"], plan["id"], summary, list(PRIVILEGES)
    )  # fmt: skip
    found = new_list(account, plan["list"], LONG_AGO)
    write = Writer(account, LONG_AGO, options)
    for email, first, last, status in plan["people"]:
        row = {"email_address": {"address": email}, "first_name": first, "last_name": last,
               "list_memberships": [found.list_id]}  # fmt: skip
        contact = write.create(row, "Account", permitted="explicit" if status == "explicit" else "implicit")
        later = Writer(account, LONG_AGO + 86_400, options)
        if status == "left":
            later.unsubscribe(contact, "Contact", "I no longer want these emails")
        elif status == "deleted":
            later.delete(contact)
    return account
