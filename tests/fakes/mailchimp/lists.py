"""Audiences: `/lists` and `/lists/{id}`. The bulk call at the same address is in bulk.py."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import GLOSSARY, invalid
from tests.fakes.mailchimp.merge_fields import new_field
from tests.fakes.mailchimp.paging import direction, page
from tests.fakes.mailchimp.shown import show_audience
from tests.fakes.mailchimp.state import Account, Audience, address_id
from tests.fakes.values import is_address

SCHEMA = "Lists/Instance"
CONTACT = {name: s.text() for name in "company address1 address2 city state zip country phone".split()}
CAMPAIGNS = {name: s.text() for name in "from_name from_email subject language".split()}
REQUIRED = ("name", "permission_reminder", "email_type_option", "contact", "campaign_defaults")
FIELDS: dict[str, s.Rule] = {
    "name": s.text(100),
    "contact": s.shape(CONTACT, required=("company", "address1", "city", "country")),
    "permission_reminder": s.text(),
    "use_archive_bar": s.boolean,
    "campaign_defaults": s.shape(CAMPAIGNS, required=tuple(CAMPAIGNS)),
    "notify_on_subscribe": s.text(),
    "notify_on_unsubscribe": s.text(),
    "email_type_option": s.boolean,
    "double_optin": s.boolean,
    "marketing_permissions": s.boolean,
}
POST = s.shape(FIELDS, required=REQUIRED)
PATCH_WHOLE = s.shape(
    {**FIELDS, "contact": s.shape(CONTACT, required=("company", "address1", "city", "state", "zip", "country"))},
    required=REQUIRED,
)
PATCH_PARTS = s.shape({**FIELDS, "contact": s.shape(CONTACT), "campaign_defaults": s.shape(CAMPAIGNS)})
DEFAULTS: dict[str, Any] = {
    "use_archive_bar": True,
    "notify_on_subscribe": "",
    "notify_on_unsubscribe": "",
    "double_optin": False,
    "marketing_permissions": False,
}
FIRST_COLUMNS = (
    {"tag": "FNAME", "name": "First Name", "type": "text"},
    {"tag": "LNAME", "name": "Last Name", "type": "text"},
    {"tag": "ADDRESS", "name": "Address", "type": "address"},
    {"tag": "PHONE", "name": "Phone Number", "type": "phone"},
    {"tag": "BIRTHDAY", "name": "Birthday", "type": "birthday"},
)


def new_audience(account: Account, wish: dict[str, Any], now: int) -> Audience:
    """An audience with the columns every new one has."""
    settings = {**DEFAULTS, **{key: value for key, value in wish.items() if key in FIELDS}}
    blank = dict.fromkeys(CONTACT, "")
    settings["contact"] = {**blank, **tidy_country(settings["contact"])}
    list_id = account.next_id("list")
    audience = Audience(list_id, 380_000 + account.next_number(), settings, now)
    for column in FIRST_COLUMNS:
        new_field(audience, dict(column))
    account.audiences[list_id] = audience
    return audience


def tidy_country(contact: dict[str, str]) -> dict[str, str]:
    """A country that is not two letters silently becomes the United States."""
    country = contact.get("country", "")
    return {**contact, "country": country.upper() if len(country) == 2 and country.isalpha() else "US"}


def constraints(account: Account) -> dict[str, Any]:
    held, most = len(account.audiences), account.max_instances
    return {"may_create": most < 0 or held < most, "max_instances": most, "current_total_instances": held}


def index(call: Call) -> Answer:
    rows = list(call.account.audiences.values())
    if (since := call.time("since_date_created")) is not None:
        rows = [each for each in rows if each.date_created > since]
    if (before := call.time("before_date_created")) is not None:
        rows = [each for each in rows if each.date_created < before]
    if email := call.query.get("email"):
        rows = [each for each in rows if address_id(email) in each.members]
    if call.choice("sort_field", "date_created"):
        rows.sort(key=lambda each: each.date_created, reverse=direction(call))
    total_contacts = call.flag("include_total_contacts")
    shown, total = page(call, rows, lambda each: show_audience(each, total_contacts=total_contacts))
    content = {"lists": shown, "total_items": total, "constraints": constraints(call.account)}
    return Answer(content, "Lists/Collection")


def create(call: Call) -> Answer:
    wish = call.body(POST)
    check_values(wish)
    if not constraints(call.account)["may_create"]:
        raise GLOSSARY["UserActionNotPermitted"]
    return Answer(show_audience(new_audience(call.account, wish, call.now)), SCHEMA)


def read(call: Call, list_id: str) -> Answer:
    total_contacts = call.flag("include_total_contacts")
    return Answer(show_audience(call.audience(list_id), total_contacts=total_contacts), SCHEMA)


def patch(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    wish = call.body(PATCH_WHOLE if call.sandbox.options.patch_list_needs_all else PATCH_PARTS)
    check_values(wish)
    for key, value in wish.items():
        if key == "contact":
            audience.settings[key] = tidy_country({**audience.settings[key], **value})
        elif key == "campaign_defaults":
            audience.settings[key] = {**audience.settings[key], **value}
        elif key in FIELDS:
            audience.settings[key] = value
    return Answer(show_audience(audience), SCHEMA)


def delete(call: Call, list_id: str) -> Answer:
    call.audience(list_id)
    del call.account.audiences[list_id]
    return Answer()


def check_values(wish: dict[str, Any]) -> None:
    if not str(wish.get("name", "x")).strip():
        raise invalid("name", "This value should not be blank.")
    sender = wish.get("campaign_defaults", {}).get("from_email")
    if sender is not None and not is_address(sender):
        raise invalid("campaign_defaults.from_email", "Please provide a valid email address.")
    for part in ("company", "address1", "city"):
        if not str(wish.get("contact", {}).get(part, "x")).strip():
            raise invalid(f"contact.{part}", "This value should not be blank.")


ROUTES = [
    ("GET", "/lists", index),
    ("POST", "/lists", create),
    ("GET", "/lists/<list_id>", read),
    ("PATCH", "/lists/<list_id>", patch),
    ("DELETE", "/lists/<list_id>", delete),
]
