"""The databases' own indexes of letter triples on the search texts, made after each migration if they are not there.

SQLite has a full-text table beside the texts, which triggers keep in step; PostgreSQL has an index of its extension
pg_trgm. Where a database offers neither, search asks the texts themselves: just as right, only slower.
"""

import json
import logging
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connections, models, transaction
from django.db.models import Expression

log = logging.getLogger(__name__)
SHORTEST = 3  # letters in what an index of triples can find
TABLE = "contacts_searchtext"
INDEX = "contacts_searchtext_triples"

# The full-text table keeps the texts itself: one that leans on the rows of another table refuses every later change
# of a row ("malformed") once the two are out of step, and no change may be lost for the sake of search.
FTS_TABLE = f"CREATE VIRTUAL TABLE {INDEX} USING fts5(text, tokenize='trigram')"
EMPTY_IT = f"DELETE FROM {INDEX}"  # noqa: S608  (all names here are our own)
FILL_IT = f"INSERT INTO {INDEX}(rowid, text) SELECT contact_id, text FROM {TABLE}"  # noqa: S608
TAKE_OUT = f"DELETE FROM {INDEX} WHERE rowid = OLD.contact_id;"  # noqa: S608
PUT_IN = f"INSERT INTO {INDEX}(rowid, text) VALUES (NEW.contact_id, NEW.text);"  # noqa: S608
# The triggers go when a later migration makes the table anew, so each is looked for by its name.
TRIGGERS = {
    f"{INDEX}_added": f"AFTER INSERT ON {TABLE} BEGIN {TAKE_OUT.replace('OLD', 'NEW')} {PUT_IN} END",
    f"{INDEX}_changed": f"AFTER UPDATE ON {TABLE} BEGIN {TAKE_OUT} {PUT_IN} END",
    f"{INDEX}_deleted": f"AFTER DELETE ON {TABLE} BEGIN {TAKE_OUT} END",
}
POSTGRES = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX IF NOT EXISTS {INDEX} ON {TABLE} USING gin (text gin_trgm_ops)",
]


class IsOneOf(Expression):
    """Whether this contact is one of a few: they are fetched by their keys, whatever the order of the page."""

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, pk: Any, pks: list[int]) -> None:
        super().__init__()
        self.pk, self.pks = pk, pks

    def get_source_expressions(self) -> list[Any]:
        return [self.pk]

    def set_source_expressions(self, exprs: Any) -> None:
        (self.pk,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = compiler.compile(self.pk)
        if connection.vendor == "sqlite":
            return f"{sql} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(self.pks)]  # noqa: S608
        # Asked apart, as otherwise PostgreSQL may go through all contacts in the order of the page.
        return f"{sql} = ANY(ARRAY(SELECT unnest(%s::bigint[])))", [*params, self.pks]


class IsAmong(Expression):
    """SQLite: whether this contact is among those of a query that finds a large part of all.

    The sign before the key keeps SQLite from fetching the found one by one: it would do so for 90,000 of them as well.
    It goes through an index of the tenant's contacts instead, in the order of the page.
    """

    output_field = models.BooleanField()
    conditional = True

    def __init__(self, pk: Any, rows: Any) -> None:
        super().__init__()
        self.pk, self.rows = pk, models.Subquery(rows) if isinstance(rows, models.QuerySet) else rows

    def get_source_expressions(self) -> list[Any]:
        return [self.pk, self.rows]

    def set_source_expressions(self, exprs: Any) -> None:
        self.pk, self.rows = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = compiler.compile(self.pk)
        rows, rows_params = compiler.compile(self.rows)
        return f"+{sql} IN {rows}", [*params, *rows_params]


def ask(connection: Any, words: str, most: int) -> list[int]:
    """SQLite: the first contacts that the full-text table finds, whosoever they are."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT rowid FROM {INDEX} WHERE {INDEX} MATCH %s LIMIT %s", [words, most])  # noqa: S608
        return [pk for (pk,) in cursor.fetchall()]


def expression(terms: Any) -> str:
    """What the full-text table is asked: each term, as one of its parts; each part quoted, whatever is in it."""
    quoted = [" OR ".join('"' + part.replace('"', '""') + '"' for part in term) for term in terms]
    return " AND ".join(f"({term})" for term in quoted)


def is_asked_apart(connection: Any) -> bool:
    """Whether this database has a full-text table to ask; looked up once for each connection's database."""
    if connection.vendor != "sqlite":
        return False
    key = str(connection.settings_dict["NAME"])
    if not _there.get(key):
        _there[key] = not missing(connection)
    return _there[key]


_there: dict[str, bool] = {}


def missing(connection: Any) -> set[str]:
    """The parts of the index that are not in this database."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE %s", [f"{INDEX}%"])
            return {INDEX, *TRIGGERS} - {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT to_regclass(%s)", [INDEX])
        return set() if cursor.fetchone()[0] else {INDEX}


def build(using: str = "default") -> None:
    """Make what is missing of the index, after migrations; without it search goes on, and the log says why."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names() or not (gone := missing(connection)):
        return
    if connection.vendor == "sqlite":
        triggers = [f"CREATE TRIGGER {name} {text}" for name, text in TRIGGERS.items() if name in gone]
        statements = [FTS_TABLE if INDEX in gone else EMPTY_IT, *triggers, FILL_IT]
    else:
        statements = POSTGRES
    try:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError as problem:
        log.warning("There is no index for search, which therefore takes longer among many contacts: %s", problem)


def after_migrations(sender: Any, using: str, **kwargs: Any) -> None:
    """Whatever a migration did to the texts, their index is there afterwards."""
    build(using)


def check_index(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Say when search does without its index."""
    return [
        Warning(
            f"The index for search is missing in the database “{using}”; search takes longer among many contacts.",
            hint="Run `python manage.py migrate`; on PostgreSQL the extension pg_trgm has to be installed.",
            id="contacts.W001",
        )
        for using in databases or ()
        if TABLE in connections[using].introspection.table_names() and missing(connections[using])
    ]
