"""Accounts to JSON and back. Contacts are written as plain rows, which keeps 100,000 of them small."""

from __future__ import annotations

from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any

from tests.fakes.constant_contact.state import Account, Activity, Contact, ContactList, Grant

CONTACT = [each.name for each in fields(Contact)]
_row = attrgetter(*CONTACT)
PARTS: dict[str, type] = {"lists": ContactList, "activities": Activity}
LEFT_OUT = {*PARTS, "contacts", "grants", "by_id", "by_address", "waiting", "found", "found_version", "lock"}
PLAIN = [each.name for each in fields(Account) if each.name not in LEFT_OUT]


def account_to_json(account: Account) -> dict[str, Any]:
    with account.lock:
        return {
            **{name: copied(getattr(account, name)) for name in PLAIN},
            "grants": [asdict(each) for each in account.grants],
            **{name: [asdict(each) for each in getattr(account, name).values()] for name in PARTS},
            "contact_columns": CONTACT,
            "contacts": [[copied(value) for value in _row(each)] for each in account.contacts],
        }


def copied(value: Any) -> Any:
    """Containers are copied, so that writing may go on while this is turned to text."""
    return dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


def account_from_json(data: dict[str, Any]) -> Account:
    account = Account(**{name: data[name] for name in PLAIN})
    account.grants = [Grant(**each) for each in data["grants"]]
    account.lists = {each["list_id"]: ContactList(**each) for each in data["lists"]}
    account.activities = {each["activity_id"]: Activity(**each) for each in data["activities"]}
    account.waiting = [each for each in account.activities.values() if each.state in ("initialized", "processing")]
    for row in data["contacts"]:
        account.add(Contact(**dict(zip(data["contact_columns"], row, strict=True))))
    return account
