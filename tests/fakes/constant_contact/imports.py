"""`contacts_json_import`: which rows arrive at all, and what becomes of each.

What does not fit into 4 MB is dropped without a word. A bad row is only counted, never named.
"""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.constant_contact.call import Call
from tests.fakes.constant_contact.errors import Problem, invalid
from tests.fakes.constant_contact.state import CORE, Contact, fold
from tests.fakes.constant_contact.writing import NUMBERED, Writer
from tests.fakes.values import is_address

MOST_BYTES = 4 * 1024 * 1024
LONGEST = 50  # of an address here; POST and PUT take 80
PHONES = ("phone", "home_phone", "work_phone", "mobile_phone", "other_phone")
STREET = ("street", "street2", "city", "state", "zip", "country")
PLACES = [f"{kind}{name}" for kind in ("", "home_", "work_", "other_") for name in STREET]
COLUMNS = frozenset({"email", *CORE, *PHONES, *PLACES, "sms_number", "sms_consent_date", "sms_permission_to_send"})


def kept_rows(call: Call, rows: list[Any]) -> list[dict[str, Any]]:
    """The rows that lie wholly within the first 4 MB, with columns that exist."""
    names = {f"cf:{each['name']}" for each in call.account.custom_fields.values()}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise invalid(f"#/import_data/{number}: expected type: JSONObject")
        if strange := sorted(set(row) - COLUMNS - names):
            raise invalid(f"#/import_data/{number}: extraneous key [{strange[0]}] is not permitted")
    if len(call.raw) <= MOST_BYTES:
        return rows
    return rows[: rows_within(call.raw)]


def rows_within(raw: bytes) -> int:
    """How many whole rows the first 4 MB hold."""
    text = raw[:MOST_BYTES].decode("utf-8", "ignore")
    place = text.find("[", text.find('"import_data"')) + 1
    decoder, whole = json.JSONDecoder(), 0
    while place:
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        try:
            _, place = decoder.raw_decode(text, place)
        except ValueError:
            return whole
        whole += 1
    return whole


def carry_out(write: Writer, payload: dict[str, Any], share: float) -> dict[str, int]:
    """Work through the rows; what cannot be done is counted."""
    rows: list[dict[str, Any]] = payload["rows"]
    counters = {
        "items_total_count": len(rows) + 1,  # the vendor counts a header row that JSON does not have
        "person_count": len(rows),
        "error_count": 0,
        "correctable_count": 0,
        "cannot_add_to_list_count": 0,
    }
    for row in rows[: int(len(rows) * share)]:
        if outcome := one(write, row, payload["lists"]):
            counters[outcome] += 1
    return counters


def one(write: Writer, row: dict[str, Any], lists: list[str]) -> str:
    """One row; the name of the counter of what went wrong, or nothing."""
    email = row.get("email")
    if not isinstance(email, str) or not is_address(email.strip()):
        return "correctable_count"
    if (row.get("birthday_month") is None) != (row.get("birthday_day") is None):
        return "correctable_count"
    texts = [row[name] for name in ("first_name", "last_name", "job_title", "company_name") if row.get(name)]
    if len(email) > LONGEST or any(not isinstance(each, str) or len(each) > LONGEST for each in texts):
        return "error_count"
    lists = [each for each in lists if not write.account.lists[each].deleted_at]
    contact = write.account.by_address.get(fold(email))
    if contact is None:
        fields = {name: row[name] for name in CORE if name in row}
        body = {**fields, "email_address": {"address": email.strip()}, "list_memberships": lists}
        try:
            contact = write.create(body, "Account", opted_in="Account")
        except Problem:
            return "error_count"
        put_columns(write, contact, row)
        return ""
    # Whoever unsubscribed gets the new values, and stays off the list.
    has_left = contact.permission == "unsubscribed"
    if contact.deleted_at and not has_left:
        write.revive(contact)
    if not contact.deleted_at:
        write.update(contact, row)
        put_columns(write, contact, row)
    if has_left:
        return "cannot_add_to_list_count"
    return "" if write.put_on(contact, lists) else "error_count"


def put_columns(write: Writer, contact: Contact, row: dict[str, Any]) -> None:
    """Columns that are sub-resources elsewhere: given ones replace those of their kind, others stay."""
    ids = {f"cf:{each['name']}": each["custom_field_id"] for each in write.account.custom_fields.values()}
    for name, value in row.items():
        if value in (None, ""):
            continue
        if name in ids:
            found = having(contact, "custom_fields", "custom_field_id", ids[name], write)
            found["value"] = str(value)
        elif name in PHONES:
            kind = name.removesuffix("phone").removesuffix("_") or "other"
            having(contact, "phone_numbers", "kind", kind, write)["phone_number"] = str(value)
        elif name in PLACES:
            kind, _, part = name.rpartition("_")
            key = {"zip": "postal_code", "street2": "street"}.get(part, part)
            found = having(contact, "street_addresses", "kind", kind or "home", write)
            found[key] = f"{found[key]} {value}" if part == "street2" and found.get(key) else str(value)


def having(contact: Contact, part: str, key: str, value: str, write: Writer) -> dict[str, Any]:
    """The one of this kind, or a new one."""
    held = contact.parts.setdefault(part, [])
    for each in held:
        if each[key] == value:
            return each  # type: ignore[no-any-return]
    made = {key: value} | ({NUMBERED[part]: write.account.next_id(part)} if part in NUMBERED else {})
    held.append(made)
    return made
