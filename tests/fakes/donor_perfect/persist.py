"""Accounts to JSON and back: every table as its columns and plain rows."""

from __future__ import annotations

import copy
from typing import Any

from tests.fakes.donor_perfect import tables
from tests.fakes.donor_perfect.state import Account

PLAIN = ("login", "name", "client_id", "key", "key_number", "is_revoked", "serials", "fixtures")
KEPT = [name for name in tables.PLANS if "." not in name]


def account_to_json(account: Account) -> dict[str, Any]:
    with account.lock:
        plain = {name: getattr(account, name) for name in PLAIN}
        plain["serials"], plain["fixtures"] = dict(account.serials), dict(account.fixtures)
        held = {name: [list(row) for row in account.database.execute(f"SELECT * FROM {name}")] for name in KEPT}
        return {**plain, "columns": {name: list(tables.columns(name)) for name in KEPT}, "tables": held}


def account_from_json(data: dict[str, Any]) -> Account:
    account = Account(**{name: copy.copy(data[name]) for name in PLAIN})
    for name in KEPT:
        columns = data["columns"][name]
        names, marks = ", ".join(f'"{each}"' for each in columns), ", ".join("?" * len(columns))
        account.database.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", data["tables"][name])
    return account
