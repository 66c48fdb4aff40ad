"""What files can bring in. Contacts are one sort of rows; apps above add others, such as gifts. Upload, columns,
preview, the work in turns, report and taking back are the same for all; what differs stands in a `Sort`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest

from contacts.models import Import, ImportRow
from contacts.tenancy.models import Tenant

Outcome = ImportRow.Outcome


class Sort(ABC):
    """One sort of rows. `key` stands in `Import.kind`."""

    key: ClassVar[str]
    title: ClassVar[str]
    sample: ClassVar[str] = ""  # beside the demo's file of contacts; see `SAMPLE_IMPORT_FILE`
    area: ClassVar[str] = "contacts"  # whoever may change it may import; see `contacts/tenancy/roles.py`
    explained: ClassVar[str]  # on the page where a file is chosen
    options_template: ClassVar[str]
    columns_note: ClassVar[str]
    undo_note: ClassVar[str]
    tells_repeats: ClassVar[bool] = False
    new_label: ClassVar[str]  # of rows that add something
    change_label: ClassVar[str] = "Change"

    # --- columns ---
    @abstractmethod
    def choices(self) -> Any:
        """What a column can be: an object with `groups`, `is_known` and `label`."""

    @abstractmethod
    def recognise(self, headings: Sequence[str], rows: Sequence[Sequence[str]], choices: Any) -> list[str]:
        """The field of each column."""

    @abstractmethod
    def columns_context(self, request: HttpRequest, data_import: Import, options: dict[str, Any]) -> dict[str, Any]:
        """What the questions below the columns need."""

    @abstractmethod
    def sent(
        self, request: HttpRequest, data_import: Import, chosen: Sequence[str]
    ) -> tuple[dict[str, Any], list[str]]:
        """(options, what is wrong with columns and options)."""

    # --- the work ---
    @abstractmethod
    def reader(self, data_import: Import, tenant: Tenant) -> Any:
        """What reads the rows of this file."""

    @abstractmethod
    def check_batch(self, data_import: Import, reader: Any, part: Sequence[tuple[int, list[str]]]) -> None:
        """Look at some rows, and write down what each would do."""

    @abstractmethod
    def apply_rows(self, data_import: Import, reader: Any, rows: Sequence[ImportRow]) -> None:
        """Decide anew and write; the state of each row is committed with what it wrote."""

    @abstractmethod
    def reverse(self, data_import: Import, rows: Sequence[ImportRow], lock: bool) -> list[Any]:
        """What taking these rows back does: objects with `row`, `undo` and `reason`."""

    @abstractmethod
    def write_back(self, reverses: Sequence[Any]) -> None:
        """Take them back."""

    @abstractmethod
    def count_undone(self, data_import: Import) -> None:
        """Into `counts["undo_people"]`: how many things are deleted, put back or left."""

    def undone(self, data_import: Import, tenant: Tenant) -> None:
        """Everything that could be taken back is."""
        self.count_undone(data_import)

    # --- words ---
    @abstractmethod
    def sum_up(self, counts: dict[str, Any], done: bool = False) -> list[str]:
        """What the import does, in sentences."""

    @abstractmethod
    def meaning(self, counts: dict[str, Any]) -> list[str]:
        """What that will mean."""

    @abstractmethod
    def confirm_words(self, counts: dict[str, Any]) -> str:
        """What the button does, or "" when there is nothing to do."""

    @abstractmethod
    def sum_up_undo(self, counts: dict[str, int], rows: dict[str, int], done: bool) -> list[str]:
        """What taking it back does, counted in what the rows are about, and in `rows` of the file."""

    @abstractmethod
    def names(self, keys: set[str]) -> Any:
        """An object whose `changes(row)` tells the changes of a row."""

    @abstractmethod
    def results(self, data_import: Import) -> tuple[str, str]:
        """(button, address) of what was imported."""


_sorts: dict[str, Sort] = {}


def add_sort(sort: Sort) -> None:
    """Called once by an app, when it is ready."""
    _sorts[sort.key] = sort


def all_sorts() -> list[Sort]:
    """Contacts first."""
    return list(_sorts.values())


def of(data_import: Import) -> Sort:
    """The sort of an import; contacts for one that this version does not know."""
    return _sorts.get(data_import.kind) or _sorts["contacts"]


def known(key: str) -> Sort:
    """The sort that a form names."""
    return _sorts.get(key) or _sorts["contacts"]
