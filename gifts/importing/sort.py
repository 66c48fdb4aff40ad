"""Files of gifts, as the import of files wants to know them: columns, work and words."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format

from contacts.importing import intake, pieces
from contacts.importing.intake import Format
from contacts.importing.kinds import SHEET
from contacts.importing.sorts import Sort
from contacts.models import Import, ImportRow
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import current_tenant
from gifts.importing import columns, work
from gifts.importing.amounts import ASK, SIGN, mark_of, marks
from gifts.importing.columns import FIELDS, Choices
from gifts.importing.reading import HISTORY, OLD, Reader, date_order
from gifts.money import money

Outcome, Undo = ImportRow.Outcome, ImportRow.Undo


class OfGifts(Sort):
    """One row for each gift; its donor has to be here."""

    key, title, area = "gifts", "Gifts", "gifts"
    sample = "sample-gifts.csv"
    explained = "One row for each gift: date, amount, and the email, id or name of a donor who is here already."
    options_template = "admin/gifts/import_options.html"
    columns_note = (
        "A gift needs a date, an amount and its donor. With an identifier of its own it is known again in every file; "
        "without one, the same row of the same file is. Numbers of payment cards are never kept."
    )
    undo_note = "Gifts that the import added are deleted, and totals are right at once. Contacts stay."
    new_label = "New gift"

    # --- columns ---
    def choices(self) -> Choices:
        return Choices.here()

    def recognise(self, headings: Sequence[str], rows: Sequence[Sequence[str]], choices: Any) -> list[str]:
        return columns.recognise(headings, rows, choices)

    def columns_context(self, request: HttpRequest, data_import: Import, options: dict[str, Any]) -> dict[str, Any]:
        chosen = [one.get("field", "") for one in data_import.columns]
        order, found = dates_of(data_import, chosen), marks_of(data_import, chosen)
        mark = mark_of(found, currency())
        return {
            "history": HISTORY.items(), "chosen_history": options.get("history") or OLD, "asks_dates": bool(order),
            "dates": options.get("dates") or ("" if order == "ask" else order), "asks_amounts": ASK in found,
            "amounts": options.get("amounts") or ("" if mark == ASK else mark),
        }  # fmt: skip

    def sent(
        self, request: HttpRequest, data_import: Import, chosen: Sequence[str]
    ) -> tuple[dict[str, Any], list[str]]:
        headings = [one.get("header", "") for one in data_import.columns]
        problems = columns.clashes(chosen, headings, self.choices())
        options = {"history": request.POST.get("history", ""), "dates": request.POST.get("dates", "")}
        if options["history"] not in HISTORY:
            options["history"] = OLD
        if options["dates"] not in ("day", "month"):
            options["dates"] = ""
            if dates_of(data_import, chosen) == "ask":
                problems.append("Say how dates are written in this file: 3/4/2026 can be March 4 or 3 April.")
        options["amounts"] = request.POST.get("amounts", "")
        if options["amounts"] not in SIGN:
            options["amounts"] = mark_of(marks_of(data_import, chosen), currency())
        if options["amounts"] == ASK:
            options["amounts"] = ""
            problems.append(
                "Say how amounts are written in this file: 1.250 is over a thousand or hardly more than one."
            )
        return options, problems

    # --- the work ---
    def reader(self, data_import: Import, tenant: Tenant) -> Reader:
        return Reader(data_import, tenant)

    def check_batch(self, data_import: Import, reader: Any, part: Sequence[tuple[int, list[str]]]) -> None:
        work.check_batch(data_import, reader, part)

    def apply_rows(self, data_import: Import, reader: Any, rows: Sequence[ImportRow]) -> None:
        work.apply_rows(data_import, reader, rows)

    def reverse(self, data_import: Import, rows: Sequence[ImportRow], lock: bool) -> list[Any]:
        return list(work.reverse(data_import, rows, lock))

    def write_back(self, reverses: Sequence[Any]) -> None:
        work.write_back(reverses)

    def count_undone(self, data_import: Import) -> None:
        work.count_undone(data_import)

    # --- words ---
    def sum_up(self, counts: dict[str, Any], done: bool = False) -> list[str]:
        found = []
        if number := counts.get(Outcome.CREATE, 0):
            verb = ("was" if number == 1 else "were") if done else "will be"
            found.append(f"{gifts(number)}, {money(Decimal(counts.get('amount', '0')))} together, {verb} added.")
        if number := counts.get(Outcome.UPDATE, 0):
            verb = ("was" if number == 1 else "were") if done else "will be"
            found.append(f"{gifts(number)} {verb} changed.")
        if number := counts.get(Outcome.UNCHANGED, 0):
            found.append(f"{rows(number)} {'says' if number == 1 else 'say'} what is here already.")
        if number := counts.get(Outcome.REFUSED, 0):
            verb = ("was" if number == 1 else "were") if done else "cannot be"
            found.append(f"{rows(number)} {verb} {'refused' if done else 'used'}; below is why.")
        return found or ["There was nothing to import." if done else "There is nothing to import."]

    def meaning(self, counts: dict[str, Any]) -> list[str]:
        found = ["The import itself writes to nobody. Totals of donors are right as soon as it is done."]
        if number := counts.get("history", 0):
            verb = "is" if number == 1 else "are"
            found.append(f"{gifts(number)} {verb} history: counted in totals and milestones, and nobody is thanked.")
        if number := counts.get("thanked", 0):
            verb = "counts" if number == 1 else "count"
            found.append(f"{gifts(number)} {verb} as new: whoever is to be thanked by your rules will be.")
        return found

    def confirm_words(self, counts: dict[str, Any]) -> str:
        added, changed = counts.get(Outcome.CREATE, 0), counts.get(Outcome.UPDATE, 0)
        parts = [f"add {gifts(added)}"] if added else []
        if changed:
            parts.append(f"change {changed:,}" if added else f"change {gifts(changed)}")
        return " and ".join(parts).capitalize()

    def sum_up_undo(self, counts: dict[str, int], rows: dict[str, int], done: bool) -> list[str]:
        told = [
            (Undo.DELETE, "that the import added will be deleted", "that the import had added {} deleted"),
            (Undo.RESTORE, "will be put back as before", "{} put back as before"),
            (Undo.PART, "will be put back in part", "{} put back in part"),
            (Undo.KEEP, "will be left alone; the rows below say why", "{} left alone; the rows below say why"),
        ]
        found = []
        for key, before, after in told:
            if number := counts.get(key, 0):
                words = after.format("was" if number == 1 else "were") if done else before
                found.append(f"{gifts(number)} {words}.")
        return found or ["There is nothing to take back."]

    def names(self, keys: set[str]) -> "Names":
        return Names()

    def results(self, data_import: Import) -> tuple[str, str]:
        return "See the gifts", f"{reverse('admin:gifts_gift_changelist')}?import={data_import.pk}"


class Names:
    """What changes in a row, for a person."""

    def changes(self, row: ImportRow) -> list[dict[str, str]]:
        """In the order of the columns; identifiers that were made are nobody's business."""
        found = [
            {"label": FIELDS[name][0], "before": shown(name, row.changes[name][0]),
             "after": shown(name, row.changes[name][1])}
            for name in work.FIELDS if name in row.changes
        ]  # fmt: skip
        if "is_history" in row.changes:
            found.append({"label": "History", "before": "", "after": "nobody is thanked"})
        return found


def shown(name: str, value: Any) -> str:
    """A value, for a person."""
    if name == "received_on" and value:
        return date_format(date.fromisoformat(value), "M j, Y")
    return money(Decimal(value)) if name == "amount" and value else str(value or "")


def gifts(number: int) -> str:
    """“1 gift”, “2,500 gifts”."""
    return f"{number:,} {'gift' if number == 1 else 'gifts'}"


def rows(number: int) -> str:
    """“1 row”, “2,500 rows”."""
    return f"{number:,} {'row' if number == 1 else 'rows'}"


def dates_of(data_import: Import, chosen: Sequence[str]) -> str:
    """How the dates in the first rows of the file are written; see `date_order`."""
    return date_order(first_cells(data_import, chosen, "received_on"))


def marks_of(data_import: Import, chosen: Sequence[str]) -> set[str]:
    """How the amounts in the first rows of the file are written; see `marks`."""
    return marks(first_cells(data_import, chosen, "amount"), data_import.format.get("kind") == SHEET)


def first_cells(data_import: Import, chosen: Sequence[str], field: str) -> list[str]:
    """What stands in the first rows of a column."""
    if field not in chosen:
        return []
    index = list(chosen).index(field)
    first = intake.samples(pieces.opener(data_import), Format.kept(data_import.format))
    return [row[index] for row in first if index < len(row) and row[index]]


def currency() -> str:
    """The organization's."""
    tenant = current_tenant()
    return tenant.currency if tenant else ""
