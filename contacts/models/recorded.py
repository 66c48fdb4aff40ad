"""Rows whose every change, single or in bulk, is written to the history and announced in the same transaction.

Django's own signals are silent for `update()` and `bulk_create()`; so saving, deleting and each bulk method of these
rows pass through here, and nothing can be changed without a trace.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar, Self

from django.core.exceptions import FieldError
from django.db import models, transaction
from django.utils.encoding import force_str
from django_scopes import ScopedManager

from contacts import telling
from contacts.models.history import HistoryEntry
from contacts.tenancy.acting import By, actor
from contacts.tenancy.models import TenantOwned
from contacts.tenancy.walls import TenantQuerySet

CHUNK = 500
NOT_RECORDED = {"id", "uid", "tenant", "created_at", "updated_at", "address_key"}

# (row as it is, its values before or None when added, verb)
Change = tuple["Recorded", dict[str, Any] | None, str]


def chunks(rows: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """The rows in lists of at most `size`."""
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield part


class RecordedQuerySet(TenantQuerySet):
    """Bulk methods that leave the same trace as saving each row."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("ignore_conflicts") or kwargs.get("update_conflicts"):
            raise FieldError(
                "Rows that are recorded are created one by one or all together, without conflicts ignored."
            )
        with transaction.atomic(using=self.db, savepoint=not telling.waiting_of()):
            rows = super().bulk_create(objs, *args, **kwargs)
            for part in chunks(rows):
                self.model.record([(row, None, HistoryEntry.Verb.ADDED) for row in part])
        return rows

    def update(self, **values: Any) -> int:
        changed = 0
        plain = self.model._base_manager.using(self.db)
        with transaction.atomic(using=self.db, savepoint=not telling.waiting_of()):
            for pks in chunks(list(self.order_by().values_list("pk", flat=True))):
                before = {row.pk: row.recorded_values() for row in plain.filter(pk__in=pks)}
                changed += TenantQuerySet.update(plain.filter(pk__in=pks).order_by(), **values)
                after = self.model.with_subjects(plain.filter(pk__in=pks))
                self.model.record([(row, before[row.pk], HistoryEntry.Verb.CHANGED) for row in after])
        return changed

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        with transaction.atomic(using=self.db, savepoint=not telling.waiting_of()):
            return super().bulk_update(objs, fields, batch_size or CHUNK)  # it calls update() above

    def delete(self) -> tuple[int, dict[str, int]]:
        counts: Counter[str] = Counter()
        with transaction.atomic(using=self.db, savepoint=not telling.waiting_of()):
            plain = self.model._base_manager.using(self.db)
            for pks in chunks(list(self.order_by().values_list("pk", flat=True))):
                rows = list(self.model.with_subjects(plain.filter(pk__in=pks)))
                self.model.record([(row, row.recorded_values(), HistoryEntry.Verb.DELETED) for row in rows])
                counts.update(TenantQuerySet.delete(plain.filter(pk__in=pks))[1])
                self.model.tell_deleted([row.contact_uid_concerned() for row in rows])
        return counts.total(), dict(counts)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Recorded(TenantOwned):
    """A row with history. Subclasses say whose pages and pushes a change concerns, by `contact_uids`/`list_uids`."""

    subject_relations: ClassVar[tuple[str, ...]] = ()  # what the two methods below read, for bulk loading
    _loaded: dict[str, Any] | None = None

    objects: ClassVar[Any] = ScopedManager(
        _manager_class=models.Manager.from_queryset(RecordedQuerySet), tenant="tenant"
    )

    class Meta(TenantOwned.Meta):
        abstract = True

    def contact_uid_concerned(self) -> uuid.UUID | None:
        """The contact on whose page this change shows, and who may have to be pushed."""
        return None

    def list_uid_concerned(self) -> uuid.UUID | None:
        """The list on whose page this change shows."""
        return None

    @classmethod
    def announce(cls, changes: list[tuple["Recorded", dict[str, list[Any]], str]]) -> None:
        """Tell the other apps; by default, that the contacts concerned have changed."""
        announce_contacts(changes)

    @classmethod
    def tell_deleted(cls, uids: Iterable[uuid.UUID | None]) -> None:
        """Once rows are gone: for those who read what is left. `announce` came before, while they could be read."""
        if known := [uid for uid in uids if uid]:
            telling.parts_gone(cls, known)

    @classmethod
    def with_subjects(cls, rows: "models.QuerySet[Self]") -> "models.QuerySet[Self]":
        """The rows with what the subject methods need, in one query."""
        return rows.select_related(*cls.subject_relations) if cls.subject_relations else rows

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any) -> Self:  # type: ignore[override]
        row = super().from_db(db, field_names, values)
        row._loaded = row.recorded_values()
        return row

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        """What was read anew is what later changes are measured against; otherwise one could go unnoticed."""
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        named = {f.attname for f in self._meta.concrete_fields if fields is None or {f.name, f.attname} & set(fields)}
        fresh = {name: value for name, value in self.recorded_values().items() if name in named}
        self._loaded = {**(self._loaded or {}), **fresh}

    def recorded_values(self) -> dict[str, Any]:
        """The present values of the fields whose changes count; deferred fields are left out."""
        deferred = self.get_deferred_fields()
        return {
            f.attname: getattr(self, f.attname)
            for f in self._meta.concrete_fields
            if f.name not in NOT_RECORDED and f.attname not in deferred
        }

    def save(self, *args: Any, **kwargs: Any) -> None:
        adding = self._state.adding
        before = None if adding else (self._loaded or {})
        if before and not args and not kwargs.keys() & {"update_fields", "force_insert"}:
            kwargs["update_fields"] = self.fields_to_write(before)
        with transaction.atomic(savepoint=not telling.waiting_of()):
            super().save(*args, **kwargs)
            verb = HistoryEntry.Verb.ADDED if adding else HistoryEntry.Verb.CHANGED
            type(self).record([(self, before, verb)])
        self._loaded = self.recorded_values()

    def fields_to_write(self, before: dict[str, Any]) -> list[str]:
        """What differs from the row as it was read. Everything else may be newer in the database by now, such as an
        opt-out, and is not written over."""
        now, kept = self.recorded_values(), NOT_RECORDED - {"updated_at", "address_key"}
        changed = {name for name, value in now.items() if name not in before or before[name] != value}
        return [
            f.name
            for f in self._meta.concrete_fields
            if f.attname in changed or (f.attname not in now and f.name not in kept and f.attname in self.__dict__)
        ]

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic(savepoint=not telling.waiting_of()):
            type(self).record([(self, self.recorded_values(), HistoryEntry.Verb.DELETED)])
            uid = self.contact_uid_concerned()
            counts = super().delete(*args, **kwargs)
            type(self).tell_deleted([uid])
        return counts

    @classmethod
    def record(cls, changes: list[Change]) -> None:
        """Write the history of these changes and announce those that changed anything."""
        told, entries = [], []
        for row, before, verb in changes:
            diff = row.difference(before, verb)
            if verb == HistoryEntry.Verb.CHANGED and not diff:
                continue
            told.append((row, diff, verb))
            entries.append(
                HistoryEntry.by_actor(
                    tenant_id=row.tenant_id, verb=verb, what=str(cls._meta.verbose_name), label=str(row)[:250],
                    contact_uid=row.contact_uid_concerned(), list_uid=row.list_uid_concerned(), changes=diff,
                )
            )  # fmt: skip
        if entries:
            telling.write_down(entries)
            cls.announce(told)

    def difference(self, before: dict[str, Any] | None, verb: str) -> dict[str, list[Any]]:
        """{field: [before, after]} of what this change touched, ready for JSON."""
        after = {} if verb == HistoryEntry.Verb.DELETED else self.recorded_values()
        old = before or {}
        names = after.keys() | old.keys() if verb != HistoryEntry.Verb.CHANGED else after.keys() & old.keys()
        return {n: [plain(old.get(n)), plain(after.get(n))] for n in sorted(names) if old.get(n) != after.get(n)}


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return value if value is None or isinstance(value, bool | int | float | str) else force_str(value)


def told_by(verb_of: Callable[[Any, dict[str, list[Any]], str], str], change: Any) -> str:
    """The cause of a push as a sentence, with who did it."""
    who = actor()
    label = "the person themselves" if who.by == By.PERSON and not who.user else who.label
    return f"{verb_of(*change)} by {label}"[:200]


def describe(row: Recorded, diff: dict[str, list[Any]], verb: str) -> str:
    """What happened to this row, for a person: “email address changed”, “Do Not Contact set”."""
    before, after = diff.get("do_not_contact", (None, None))
    if after or (before and verb == HistoryEntry.Verb.CHANGED):  # taking somebody off a list clears nothing
        return "Do Not Contact set" if after else "Do Not Contact cleared"
    return f"{str(row._meta.verbose_name).capitalize()} {verb}"


def announce_contacts(changes: list[tuple[Recorded, dict[str, list[Any]], str]]) -> None:
    """Send `contacts_changed` once per cause."""
    by_cause: dict[tuple[int, str, bool], list[uuid.UUID]] = {}
    for row, diff, verb in changes:
        if uid := row.contact_uid_concerned():
            is_opt_out = bool(diff.get("do_not_contact", [None, None])[1])
            by_cause.setdefault((row.tenant_id, told_by(describe, (row, diff, verb)), is_opt_out), []).append(uid)
    sender = type(changes[0][0]) if changes else Recorded  # all of one kind
    for (tenant_id, cause, is_opt_out), uids in by_cause.items():
        telling.changed(sender, tenant_id, uids, cause, is_opt_out)
