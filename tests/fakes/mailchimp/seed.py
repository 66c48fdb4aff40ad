"""The world at the start: two nonprofits with people who were there before any sync."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp.lists import new_audience
from tests.fakes.mailchimp.options import Options
from tests.fakes.mailchimp.state import Account, md5
from tests.fakes.mailchimp.writing import Writer

LONG_AGO = 1_772_442_000  # 2026-03-02 09:00 UTC

ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "login": "river",
        "dc": "us21",
        "name": "River Trust",
        "email": "office@rivertrust.test",
        "street": ("1 Mill Lane", "Portland", "OR", "97201"),
        "audience": "River Friends",
        "tag": "Spring Gala",
        "people": (
            ("marisol.vega@rivermail.test", "Marisol", "Vega", "subscribed", True),
            ("tobias.lind@rivermail.test", "Tobias", "Lind", "subscribed", True),
            ("amara.okafor@rivermail.test", "Amara", "Okafor", "subscribed", False),
            ("june.park@rivermail.test", "June", "Park", "subscribed", False),
            ("hugo.marchetti@rivermail.test", "Hugo", "Marchetti", "left", False),
            ("nora.bright@rivermail.test", "Nora", "Bright", "cleaned", False),
        ),
    },
    {
        "login": "harbor",
        "dc": "us14",
        "name": "Harbor Food Bank",
        "email": "team@harborfoodbank.test",
        "street": ("22 Quay Street", "Seattle", "WA", "98101"),
        "audience": "Harbor Neighbors",
        "tag": "Pantry Volunteers",
        "people": (
            ("leo.tanaka@harbormail.test", "Leo", "Tanaka", "subscribed", True),
            ("priya.nair@harbormail.test", "Priya", "Nair", "subscribed", False),
            ("sam.whitlock@harbormail.test", "Sam", "Whitlock", "subscribed", False),
            ("greta.olsen@harbormail.test", "Greta", "Olsen", "left", False),
            ("omar.haddad@harbormail.test", "Omar", "Haddad", "cleaned", False),
        ),
    },
)


def seed(options: Options, telling: Any) -> dict[str, Account]:
    """Fresh accounts; the same ids every time."""
    return {each["login"]: _account(each, options, telling) for each in ACCOUNTS}


def _account(plan: dict[str, Any], options: Options, telling: Any) -> Account:
    street, city, state, postcode = plan["street"]
    where = {"company": plan["name"], "city": city, "state": state, "zip": postcode, "country": "US"}
    login = plan["login"]
    account = Account(
        login=login,
        password="sandbox",
        dc=plan["dc"],
        name=plan["name"],
        email=plan["email"],
        contact={**where, "addr1": street, "addr2": ""},
        api_key=f"{md5(f'{login} sandbox key')}-{plan['dc']}",
        account_id=md5(f"{login} account")[:25],
        user_id=131_000_000 + int(md5(login)[:5], 16),
    )
    wish = {
        "name": plan["audience"],
        "permission_reminder": f"You gave us your address at an event of {plan['name']}.",
        "email_type_option": False,
        "contact": {**where, "address1": street},
        "campaign_defaults": {
            "from_name": plan["name"],
            "from_email": plan["email"],
            "subject": "",
            "language": "en",
        },
    }
    audience = new_audience(account, wish, LONG_AGO)
    write = Writer(account, audience, LONG_AGO, options, telling(account), by="admin")
    for email, first, last, status, tagged in plan["people"]:
        row = {"merge_fields": {"FNAME": first, "LNAME": last}, "tags": [plan["tag"]] if tagged else []}
        member = write.create(email, row, "subscribed")
        if status == "left":
            member.unsubscribed_by, member.unsubscribe_reason = "contact", "NORMAL"
            leaving = Writer(account, audience, LONG_AGO + 86_400, options, telling(account), by="user")
            leaving.change(member, {}, "unsubscribed")
        elif status == "cleaned":
            write.change(member, {}, "cleaned")
    return account
