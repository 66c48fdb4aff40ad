"""The wall inside the database: a trigger for each link between two rows of tenants, refusing rows of different ones.

Whatever code or person writes, a membership of one tenant cannot name a contact of another, and no row is ever moved.
The triggers are derived from the models after each migration and carry a hash of their text in their name, so that
nothing is done when they are up to date; before a migration they are taken down, because both databases refuse to
change tables that triggers speak of.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps as current_apps
from django.core.checks import CheckMessage, Warning
from django.db import connections, models, transaction

PREFIX = "tenant_wall_"
MESSAGE = "That row belongs to another tenant."

# A link must stay inside the tenant. On SQLite inserting and updating take a trigger each.
LINK = {
    "sqlite": [
        """CREATE TRIGGER "NAME" BEFORE INSERT ON "TABLE" WHEN NEW."COLUMN" IS NOT NULL BEGIN
             SELECT RAISE(ABORT, 'MESSAGE') WHERE EXISTS (
               SELECT 1 FROM "TARGET" WHERE id = NEW."COLUMN" AND tenant_id <> NEW.tenant_id); END""",
        """CREATE TRIGGER "NAME_u" BEFORE UPDATE OF "COLUMN", tenant_id ON "TABLE" WHEN NEW."COLUMN" IS NOT NULL BEGIN
             SELECT RAISE(ABORT, 'MESSAGE') WHERE EXISTS (
               SELECT 1 FROM "TARGET" WHERE id = NEW."COLUMN" AND tenant_id <> NEW.tenant_id); END""",
    ],
    "postgresql": [
        """CREATE FUNCTION "NAME"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF EXISTS (SELECT 1 FROM "TARGET" WHERE id = NEW."COLUMN" AND tenant_id <> NEW.tenant_id) THEN
               RAISE EXCEPTION 'MESSAGE' USING ERRCODE = 'integrity_constraint_violation'; END IF;
             RETURN NEW; END $$""",
        """CREATE TRIGGER "NAME" BEFORE INSERT OR UPDATE OF "COLUMN", tenant_id ON "TABLE" FOR EACH ROW
             WHEN (NEW."COLUMN" IS NOT NULL) EXECUTE FUNCTION "NAME"()""",
    ],
}
# A row is never moved.
STAY = {
    "sqlite": [
        """CREATE TRIGGER "NAME" BEFORE UPDATE OF tenant_id ON "TABLE" WHEN OLD.tenant_id <> NEW.tenant_id BEGIN
             SELECT RAISE(ABORT, 'MESSAGE'); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION "NAME"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'MESSAGE' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        """CREATE TRIGGER "NAME" BEFORE UPDATE OF tenant_id ON "TABLE" FOR EACH ROW
             WHEN (OLD.tenant_id <> NEW.tenant_id) EXECUTE FUNCTION "NAME"()""",
    ],
}


def tenant_of(model: type[models.Model]) -> models.ForeignKey | None:
    """The field that says whose row it is; asked of the field, since models of past migrations have no base class."""
    for field in model._meta.local_fields:
        if field.name == "tenant" and isinstance(field, models.ForeignKey):
            return field if field.remote_field.model._meta.model_name == "tenant" else None
    return None


def links(apps: Any = current_apps) -> Iterator[tuple[str, str, str]]:
    """(table, column, table it points to) of each link between rows of tenants."""
    for model in apps.get_models():
        if tenant_of(model) is None or model._meta.proxy or not model._meta.managed:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and tenant_of(field.remote_field.model) is not None:
                yield model._meta.db_table, field.column, field.remote_field.model._meta.db_table


def owned_tables(apps: Any = current_apps) -> list[str]:
    """The tables whose rows belong to a tenant."""
    return [m._meta.db_table for m in apps.get_models() if tenant_of(m) and m._meta.managed and not m._meta.proxy]


def wanted(vendor: str, apps: Any = current_apps) -> dict[str, tuple[str, list[str]]]:
    """{name of trigger: (its table, the statements that make it)}."""
    texts = [(table, filled(LINK[vendor], table, column, target)) for table, column, target in links(apps)]
    texts += [(table, filled(STAY[vendor], table)) for table in owned_tables(apps)]
    named = {PREFIX + hashlib.sha256("".join(text).encode()).hexdigest()[:20]: (table, text) for table, text in texts}
    return {name: (table, [part.replace("NAME", name) for part in text]) for name, (table, text) in named.items()}


def filled(statements: list[str], table: str, column: str = "", target: str = "") -> list[str]:
    """The statements for one table; all three are names of our own models' tables and columns."""
    words = {"TABLE": table, "COLUMN": column, "TARGET": target, "MESSAGE": MESSAGE}
    return [re.sub("TABLE|COLUMN|TARGET|MESSAGE", lambda m: words[m.group()], text) for text in statements]


def present(connection: Any) -> dict[str, str]:
    """{name: table} of our triggers in the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
        return {name: table for name, table in cursor.fetchall() if name.startswith(PREFIX)}


def take_down(connection: Any, names: dict[str, str]) -> None:
    """Drop these triggers."""
    with connection.cursor() as cursor:
        for name, table in names.items():
            if connection.vendor == "sqlite":
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
            else:
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON {table}')
                cursor.execute(f'DROP FUNCTION IF EXISTS "{name}"()')


def build(using: str = "default", apps: Any = current_apps) -> None:
    """Bring the triggers in line with the models."""
    connection = connections[using]
    triggers, there = wanted(connection.vendor, apps), present(connection)
    # On SQLite a link takes two triggers, the second named after the first.
    stale = {name: table for name, table in there.items() if name.removesuffix("_u") not in triggers}
    with transaction.atomic(using=using), connection.cursor() as cursor:
        take_down(connection, stale)
        for name, (_, statements) in triggers.items():
            if name not in there:
                for statement in statements:
                    cursor.execute(statement)


def missing(using: str = "default") -> set[str]:
    """The triggers that should be there and are not; empty when the wall stands."""
    return wanted(connections[using].vendor).keys() - present(connections[using]).keys()


def check_wall(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Say when part of the wall is gone, as after a restore without triggers; `migrate` builds it again."""
    return [
        Warning(
            f"{len(gone)} triggers that keep organizations apart are missing in the database “{using}”.",
            hint="Run `python manage.py migrate`, which makes them.",
            id="tenancy.W001",
        )
        for using in databases or ()
        if set(owned_tables()) <= set(connections[using].introspection.table_names()) and (gone := missing(using))
    ]


def before_migrations(sender: Any, using: str, plan: Any = (), **kwargs: Any) -> None:
    """Down before tables change; nothing when there is nothing to migrate."""
    if plan:
        take_down(connections[using], present(connections[using]))


def after_migrations(sender: Any, using: str, apps: Any = current_apps, **kwargs: Any) -> None:
    """Up again, for the models as they are at that point."""
    build(using, apps)
