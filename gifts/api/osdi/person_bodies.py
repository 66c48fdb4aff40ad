"""A person as clients send one, read into the plain values that the services take. What is not sent is not there."""

from typing import Any

from contacts.importing.values import country as country_of
from gifts.api.osdi import values
from gifts.api.osdi.errors import Wrong
from gifts.donating.said import ASKED

SUBSCRIBED, UNSUBSCRIBED = "subscribed", "unsubscribed"
# What the API says about an address; a client that sends back what it has read changes nothing by it.
ONLY_READ = {"bouncing", "previous bounce", "spam complaint", "previous spam complaint"}
NAMES = {"given_name": 100, "family_name": 100}
NEEDED = "person needs an email address or a phone number."


def person(data: Any, is_helper: bool, may_unsubscribe: bool = False) -> dict[str, Any]:
    """What is sent of a person, in OSDI's own form, tidy. Empty values are left out, as forms send them for what nobody
    filled in; only a PUT may take a custom field away with one. Raises `Wrong`."""
    given = values.thing(data, "person")
    found: dict[str, Any] = {
        name: values.text(given.get(name), name, most, "person.") for name, most in NAMES.items()
    }  # fmt: skip
    found["languages_spoken"] = values.texts(given.get("languages_spoken"), "languages_spoken", 35)
    found["identifiers"] = values.identifiers(given.get("identifiers"))
    found["email_addresses"] = email(given.get("email_addresses"), may_unsubscribe)
    found["phone_numbers"] = phone(given.get("phone_numbers"), may_unsubscribe)
    found["postal_addresses"] = postal_addresses(given.get("postal_addresses"))
    found["custom_fields"] = custom_fields(given.get("custom_fields"), not is_helper)
    found = {name: value for name, value in found.items() if value}
    if is_helper and not has_way(found):
        raise Wrong(NEEDED)
    return found


def has_way(found: dict[str, Any]) -> bool:
    """Whether there is an address or a number."""
    return any("address" in row for row in found.get("email_addresses", ())) or any(
        "number" in row for row in found.get("phone_numbers", ())
    )


def email(data: Any, may_unsubscribe: bool) -> list[dict[str, Any]]:
    """One address counts: the primary one, or the first. A status may come without an address."""
    rows = [values.thing(row, "Each of person.email_addresses") for row in values.many(data, "person.email_addresses")]
    row = values.primary([one for one in rows if one.get("address")] or rows)
    status = wanted(row.get("status"), "person.email_addresses", may_unsubscribe)
    found: dict[str, Any] = {"address": values.email(row.get("address")), "status": status}
    found[ASKED] = values.flag(row[ASKED], f"person.email_addresses: {ASKED}") if ASKED in row else False
    return only_full(found)


def phone(data: Any, may_unsubscribe: bool) -> list[dict[str, str]]:
    """One number counts."""
    rows = [values.thing(row, "Each of person.phone_numbers") for row in values.many(data, "person.phone_numbers")]
    row = values.primary([one for one in rows if one.get("number")] or rows)
    status = wanted(row.get("status"), "person.phone_numbers", may_unsubscribe)
    return only_full({"number": values.phone(row.get("number")), "status": status})


def only_full(found: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of the one entry, without what is empty in it; an empty list for an empty entry."""
    row = {name: value for name, value in found.items() if value}
    return [row] if row else []


def wanted(data: Any, name: str, may_unsubscribe: bool) -> str:
    """The status that is sent (O5, O6)."""
    status = values.text(data, "status", 40, f"{name}: ").lower()
    if not status or status == SUBSCRIBED:
        return status
    if not may_unsubscribe:
        raise Wrong(f"{name}: the only valid status here is subscribed.")
    if status in ONLY_READ:
        return ""
    if status != UNSUBSCRIBED:
        raise Wrong(f"{name}: a status is subscribed or unsubscribed.")
    return status


def postal_addresses(data: Any) -> list[dict[str, Any]]:
    """The primary address, or the first."""
    rows = [
        values.thing(one, "Each of person.postal_addresses") for one in values.many(data, "person.postal_addresses")
    ]
    row = values.primary(rows)
    where = "person.postal_addresses: "
    code = row.get("postal_code")
    if isinstance(code, int) and not isinstance(code, bool) and 0 <= code < 10**12:
        code = f"{code:05d}"  # a client that counts with postal codes has lost the zeros before them
    found = {
        "address_lines": values.texts(row.get("address_lines"), "address_lines", 200),
        "locality": values.text(row.get("locality"), "locality", 100, where),
        "region": values.text(row.get("region"), "region", 100, where),
        "postal_code": values.text(code, "postal_code", 20, where),
        "country": country(row.get("country"), where),
    }
    if len(", ".join(found["address_lines"])) > 200:
        raise Wrong(f"{where}address_lines have 200 letters together at most.")
    found = {name: value for name, value in found.items() if value}
    return [found] if found else []


def country(data: Any, where: str) -> str:
    """Two letters, also from a name."""
    written = values.text(data, "country", 100, where)
    found = country_of(written) if written else ""
    if found is None:
        raise Wrong(f"{where}country is a code of two letters, such as US.")
    return found


def custom_fields(data: Any, may_clear: bool) -> dict[str, str]:
    """{name: value}, all of them texts; several values become one text."""
    given = values.thing(data, "custom_fields")
    if len(given) > values.MOST_IN_LIST:
        raise Wrong(f"custom_fields has {values.MOST_IN_LIST} entries at most.")
    found = {name.strip(): custom_value(value) for name, value in given.items() if name.strip()}
    return {name: value for name, value in found.items() if value or may_clear}


def custom_value(value: Any) -> str:
    """As people would write it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)[:500]
        case str():
            return values.text(value, "Each of custom_fields", 500)
        case list():
            return values.text(", ".join(custom_value(one) for one in value), "Each of custom_fields", 500)
    raise Wrong("Each of custom_fields is a text.")
