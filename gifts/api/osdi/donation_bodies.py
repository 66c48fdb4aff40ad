"""Donations, pages, tags and taggings as clients send them, read into the plain values that the services take."""

import re
from decimal import Decimal
from typing import Any

from gifts.api.osdi import person_bodies, values
from gifts.api.osdi.errors import Wrong
from gifts.models import Period

MOST = Decimal("9999999999.99")
REFERRERS = {"source": 255, "website": 500, "email_referrer": 255, "mobile_message_referrer": 255}
PAGE_TEXTS = {
    "title": 255, "name": 255, "summary": 5_000, "description": 20_000, "origin_system": 255, "browser_url": 500,
    "featured_image_url": 500,
}  # fmt: skip
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_PERSON = "You must specify a valid person id"


def donation(given: dict[str, Any], is_new: bool) -> dict[str, Any]:
    """What is sent of a donation, but for its person. `payment`, `amount`, `triggers` and what else only we can know
    is passed over. Raises `Wrong`."""
    found: dict[str, Any] = {}
    if is_new or given.get("recipients") is not None:
        found["recipients"] = recipients(given.get("recipients"))
    if (at := values.moment(given.get("created_date"), "created_date")) is not None:
        found["created_date"] = at
    if identifiers := values.identifiers(given.get("identifiers")):
        found["identifiers"] = identifiers
    if (data := given.get("action_network:recurrence")) is not None:
        found["action_network:recurrence"] = recurrence(data)
    if (data := given.get("action_network:referrer_data")) is not None:
        found["action_network:referrer_data"] = referrer_data(data)
    return found


def refuse_other_currency(given: dict[str, Any], ours: str) -> None:
    """Amounts are in the currency of the organization: one that is sent along must be that one, or a sum in another
    would be taken for as much in ours. Raises `Wrong`."""
    sent = values.text(given.get("currency"), "currency", 20).upper()
    if sent and sent != ours.upper():
        raise Wrong(f"Amounts here are in {ours}: a donation in {sent} cannot be taken. Nothing was done.")


def recipients(data: Any) -> list[dict[str, str]]:
    """At least one; amounts stay texts, with two decimals."""
    rows = [values.thing(row, "Each of recipients") for row in values.many(data, "recipients")]
    if not rows:
        raise Wrong("recipients are required: at least one with display_name and amount.")
    found = []
    for row in rows:
        name = values.text(row.get("display_name"), "display_name", 255, "recipients: ")
        if not name:
            raise Wrong("Each of recipients needs a display_name.")
        found.append({"display_name": name, "amount": f"{values.amount(row.get('amount')):.2f}"})
    if sum(Decimal(row["amount"]) for row in found) > MOST:
        raise Wrong("The amounts in recipients are more than can be kept.")
    return found


def recurrence(data: Any) -> dict[str, Any]:
    """Whether it is given again and again, and how often (O13)."""
    given = values.thing(data, "action_network:recurrence")
    period = values.text(given.get("period"), "period", 20, "action_network:recurrence: ")
    if period and period not in Period.values:
        raise Wrong(f"action_network:recurrence: period is one of {', '.join(Period.values)}.")
    is_recurring = values.flag(given.get("recurring"), "action_network:recurrence: recurring")
    return {"recurring": is_recurring, "period": period if is_recurring else ""}


def referrer_data(data: Any) -> dict[str, str]:
    """What led there (O13). The referrer’s code is read only: it is passed over."""
    given = values.thing(data, "action_network:referrer_data")
    where = "action_network:referrer_data: "
    return {name: values.text(given[name], name, most, where) for name, most in REFERRERS.items() if name in given}


def tags(given: dict[str, Any]) -> dict[str, list[str]]:
    """Names of tags to put on and to take off (O8)."""
    return {name: values.texts(given.get(name), name, 200) for name in ("add_tags", "remove_tags")}


def donation_with_person(given: dict[str, Any]) -> dict[str, Any]:
    """The whole body of the helper: a donation with `person`, or with a link to one."""
    found = donation(given, is_new=True) | tags(given)
    if given.get("person") is not None:
        return found | {"person": person_bodies.person(given["person"], is_helper=True)}
    if (uid := linked(given, "osdi:person")) is None:
        raise Wrong(f"person is required. {person_bodies.NEEDED}")
    return found | {"person_id": uid}


def linked(given: dict[str, Any], rel: str) -> str | None:
    """The id at the end of a link, whatever host it names; "" for what is none, None where there is no link."""
    row = values.thing(values.thing(given.get("_links"), "_links").get(rel), f"_links: {rel}")
    if row.get("href") is None:
        return None
    last = values.text(row["href"], "href", 500, "_links: ").rstrip("/").rpartition("/")[2].lower()
    return last if UID.fullmatch(last) else ""


def page(given: dict[str, Any], is_new: bool) -> dict[str, Any]:
    """What is sent of a fundraising page."""
    found: dict[str, Any] = {
        name: values.text(given[name], name, most) for name, most in PAGE_TEXTS.items() if name in given
    }
    if (is_new and not found.get("title")) or found.get("title") == "":
        raise Wrong("title is required.")
    if "action_network:hidden" in given:
        found["action_network:hidden"] = values.flag(given["action_network:hidden"], "action_network:hidden")
    for name in ("browser_url", "featured_image_url"):
        if found.get(name) and not found[name].lower().startswith(("https://", "http://")):
            raise Wrong(f"{name} is an address on the web, such as https://example.org/give.")
    if identifiers := values.identifiers(given.get("identifiers")):
        found["identifiers"] = identifiers
    return found


def tag_name(given: dict[str, Any]) -> str:
    """The name of a new tag."""
    name = " ".join(values.text(given.get("name"), "name", 80).split())
    if not name:
        raise Wrong("name is required.")
    return name
