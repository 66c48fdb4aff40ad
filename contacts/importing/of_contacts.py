"""Files of contacts: which parts of this package do what for them."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from contacts import figures
from contacts.importing import columns, turns, undoing
from contacts.importing.columns import Choices
from contacts.importing.reading import Reader
from contacts.importing.sorts import Sort
from contacts.importing.words import Names
from contacts.models import Import, ImportRow
from contacts.tenancy.models import Tenant


class OfContacts(Sort):
    """People and organizations."""

    key, title = "contacts", "Contacts"
    explained = "One row for each person or organization."
    options_template = "admin/contacts/imports/options.html"
    columns_note = (
        "Notes are added below those that are here. Tags that you do not have yet are made; lists have to be here "
        "already. In a column of Do Not Contact, everything but a clear no marks the person."
    )
    undo_note = (
        "Values return to what they were wherever they are still what the import wrote. Tags and places on lists that "
        "it gave are taken away. What people have said themselves about being contacted stays. Synchronized "
        "newsletters follow."
    )
    tells_repeats = True
    new_label = "New contact"

    def choices(self) -> Choices:
        return Choices.here()

    def recognise(self, headings: Sequence[str], rows: Sequence[Sequence[str]], choices: Any) -> list[str]:
        return columns.recognise(headings, rows, choices)

    def columns_context(self, request: HttpRequest, data_import: Import, options: dict[str, Any]) -> dict[str, Any]:
        from contacts.admin import import_columns

        return import_columns.options_context(request, options)

    def sent(
        self, request: HttpRequest, data_import: Import, chosen: Sequence[str]
    ) -> tuple[dict[str, Any], list[str]]:
        from contacts.admin import import_columns

        return import_columns.options_sent(request, data_import, chosen)

    def reader(self, data_import: Import, tenant: Tenant) -> Reader:
        return Reader(data_import, tenant)

    def check_batch(self, data_import: Import, reader: Any, part: Sequence[tuple[int, list[str]]]) -> None:
        turns.check_batch(data_import, reader, part)

    def apply_rows(self, data_import: Import, reader: Any, rows: Sequence[ImportRow]) -> None:
        turns.apply_rows(data_import, reader, rows)

    def reverse(self, data_import: Import, rows: Sequence[ImportRow], lock: bool) -> list[Any]:
        return list(undoing.reverse(data_import, rows, lock=lock))

    def write_back(self, reverses: Sequence[Any]) -> None:
        undoing.write(reverses)

    def count_undone(self, data_import: Import) -> None:
        undoing.count_people(data_import)

    def undone(self, data_import: Import, tenant: Tenant) -> None:
        """How many people that were is told, and nobody counts as marked by it."""
        undoing.drop_made_tags(data_import)
        undoing.count_people(data_import)
        figures.decide_again(tenant, data_import.confirmed_at or data_import.created_at)

    def sum_up(self, counts: dict[str, Any], done: bool = False) -> list[str]:
        from contacts.admin import import_shown

        return import_shown.sum_up(counts, done)

    def meaning(self, counts: dict[str, Any]) -> list[str]:
        from contacts.admin import import_shown

        return import_shown.meaning(counts)

    def confirm_words(self, counts: dict[str, Any]) -> str:
        from contacts.admin import import_shown

        return import_shown.confirm_words(counts)

    def sum_up_undo(self, counts: dict[str, int], rows: dict[str, int], done: bool) -> list[str]:
        from contacts.admin import import_shown

        return import_shown.sum_up_undo(counts, rows, done)

    def names(self, keys: set[str]) -> Names:
        return Names(keys)

    def results(self, data_import: Import) -> tuple[str, str]:
        return "See the contacts", f"{reverse('admin:contacts_contact_changelist')}?import={data_import.pk}"
