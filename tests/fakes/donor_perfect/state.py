"""What one account holds: its key, and its tables in a database of its own."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.donor_perfect import tables
from tests.fakes.donor_perfect.values import STORED

EASTERN = ZoneInfo("America/New_York")


def today(now: float) -> str:
    """The server's day, without a time: so fine are its marks of creation and change."""
    return datetime.fromtimestamp(now, UTC).astimezone(EASTERN).strftime("%Y-%m-%d 00:00:00")


def moment(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).astimezone(EASTERN).strftime(STORED)


@dataclass
class Account:
    """A customer of the vendor. Numbers are never given twice, so `serials` remembers the last ones."""

    login: str
    name: str
    client_id: str
    key: str
    key_number: int = 0
    is_revoked: bool = False
    serials: dict[str, int] = field(default_factory=dict)
    fixtures: dict[str, int] = field(default_factory=dict)  # what a row of the seed stands for -> its number
    database: sqlite3.Connection = field(default_factory=tables.new_database, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def next_id(self, table: str) -> int:
        self.serials[table] = self.serials.get(table, 0) + 1
        return self.serials[table]

    def insert(self, table: str, values: dict[str, Any]) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self.database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))

    def update(self, table: str, number: int, values: dict[str, Any]) -> bool:
        """Whether there was such a row."""
        names = ", ".join(f'"{name}" = ?' for name in values)
        query = f"UPDATE {table} SET {names} WHERE {tables.KEYS[table]} = ?"
        return self.database.execute(query, [*values.values(), number]).rowcount > 0

    def delete(self, table: str, number: int) -> None:
        self.database.execute(f"DELETE FROM {table} WHERE {tables.KEYS[table]} = ?", [number])

    def row(self, table: str, number: int) -> dict[str, Any]:
        """One row; KeyError when there is none."""
        found = self.rows(f"SELECT * FROM {table} WHERE {tables.KEYS[table]} = ?", number)
        if not found:
            raise KeyError(f"No {table} {number}.")
        return found[0]

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.database.execute(query, values)
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def count(self, table: str, where: str = "1 = 1", *values: Any) -> int:
        return int(self.database.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}", values).fetchone()[0])
