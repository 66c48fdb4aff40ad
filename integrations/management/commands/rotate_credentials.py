"""Locks every stored secret, of all tenants, with the first of FIELD_ENCRYPTION_KEYS; the old keys may go afterwards.

It works below the tenants' walls, on columns instead of rows of models, because it must meet them all and needs to
know nothing but the cipher text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, router, transaction

from integrations.fields import EncryptedTextField
from integrations.keyring import Unreadable


@dataclass(slots=True)
class Counts:
    """What came of the values that were not locked with the first key."""

    found: int = 0
    rotated: int = 0
    changed_meanwhile: int = 0
    unreadable: int = 0


class Command(BaseCommand):
    help = "Encrypt all stored credentials again with the first key. Safe to stop, to repeat and to run under load."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count.")
        parser.add_argument("--chunk", type=int, default=100, help="Values in one transaction.")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = Counts()
        for field in encrypted_fields():
            Column(field).rotate(counts, max(1, options["chunk"]), dry_run=options["dry_run"])
        if options["dry_run"]:
            self.stdout.write(f"{counts.found} to encrypt again, {counts.unreadable} unreadable. Nothing was changed.")
            return
        self.stdout.write(
            f"{counts.rotated} encrypted again, {counts.changed_meanwhile} changed meanwhile, "
            f"{counts.unreadable} unreadable."
        )
        if counts.unreadable or counts.changed_meanwhile:
            raise CommandError("Some values are left. Keep the old keys, and run this again.")


def encrypted_fields() -> Iterator[EncryptedTextField]:
    """Every encrypted field of every model that has a table."""
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            yield from (field for field in model._meta.local_fields if isinstance(field, EncryptedTextField))


class Column:
    """One encrypted column. What is already locked with the first key is not read again, so a stopped run goes on."""

    def __init__(self, field: EncryptedTextField) -> None:
        self.field, self.ring = field, field.ring
        self.db: Any = connections[router.db_for_write(field.model)]
        quote = self.db.ops.quote_name
        self.table, self.column = quote(field.model._meta.db_table), quote(field.column)
        self.pk = quote(field.model._meta.pk.column)  # type: ignore[union-attr]

    def rotate(self, counts: Counts, chunk: int, *, dry_run: bool) -> None:
        """Chunk by chunk, in the order of the primary key."""
        last: Any = None
        while rows := self.next_rows(last, chunk):
            with transaction.atomic(using=self.db.alias):
                for key, blob in rows:
                    self.turn(key, bytes(blob), counts, dry_run=dry_run)
            last = rows[-1][0]

    def next_rows(self, last: Any, chunk: int) -> list[tuple[Any, Any]]:
        after, head = (f" AND {self.pk} > %s", [last]) if last is not None else ("", [])
        sql = (
            f"SELECT {self.pk}, {self.column} FROM {self.table} WHERE {self.column} IS NOT NULL"  # noqa: S608 - names
            f" AND substr({self.column}, 1, {len(self.ring.head)}) <> %s{after} ORDER BY {self.pk} LIMIT {chunk}"
        )
        with self.db.cursor() as cursor:
            cursor.execute(sql, [self.db.Database.Binary(self.ring.head), *head])
            return list(cursor.fetchall())

    def turn(self, key: Any, blob: bytes, counts: Counts, *, dry_run: bool) -> None:
        """One value: read with the old key, locked with the new one, written only if nobody changed it meanwhile."""
        counts.found += 1
        try:
            plain = self.ring.decrypt(blob, self.field.purpose)
        except Unreadable:
            counts.unreadable += 1
            return
        if dry_run:
            return
        binary = self.db.Database.Binary
        sql = f"UPDATE {self.table} SET {self.column} = %s WHERE {self.pk} = %s AND {self.column} = %s"  # noqa: S608
        with self.db.cursor() as cursor:
            cursor.execute(sql, [binary(self.ring.encrypt(plain, self.field.purpose)), key, binary(blob)])
            counts.rotated += cursor.rowcount
            counts.changed_meanwhile += 1 - cursor.rowcount
