"""From the cells of one row to a gift and whom it is from. Pure, apart from the organization's country."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from django.core.exceptions import ValidationError

from contacts import custom
from contacts.importing import values
from contacts.importing.columns import IDENTIFIER
from contacts.importing.kinds import SHEET
from contacts.importing.reading import BY_EMAIL, Wanted
from contacts.importing.reading import Reader as OfContacts
from contacts.models import CustomField, Import
from contacts.tenancy.models import Tenant
from gifts.card_numbers import without_card_numbers
from gifts.importing.amounts import NoAmount, amount
from gifts.importing.columns import OF_DONOR
from gifts.models import Gift
from gifts.services import today

TEXTS = {
    name: int(Gift._meta.get_field(name).max_length)  # type: ignore[union-attr,arg-type]
    for name in ("campaign", "fund", "payment_method")
}
AHEAD = 366  # days
OLD, ALL, NONE = "old", "all", "none"
HISTORY = {
    OLD: "Thank for gifts of the last 30 days only. Older ones are history.",
    ALL: "Thank nobody: all of it is history.",
    NONE: "Thank for every gift in the file, however old.",
}
OLD_AFTER = 30  # days
_DAY = CustomField(kind=CustomField.Kind.DATE)


@dataclass(slots=True)
class WantedGift:
    """What one row says."""

    number: int
    donor: Wanted
    values: dict[str, Any] = field(default_factory=dict)
    identifier: str = ""
    refusal: str = ""

    @property
    def words(self) -> str:
        """Who gave, when and how much, as the file says it: the same line of the same file always gives the same."""
        by_name = " ".join(self.donor.values.get(n, "") for n in ("first_name", "last_name", "organization_name"))
        who = next((f"{system}:{value}" for system, value in self.donor.ids), "")
        who = who or self.donor.values.get("custom_user_id", "") or next(iter(self.donor.emails), "") or by_name
        who = who.strip() or self.donor.uid  # last: a report that comes back has it in addition
        said = "|".join([who.strip().casefold(), str(self.values.get("received_on")), str(self.values.get("amount"))])
        return sha256(said.encode()).hexdigest()[:36]


class Reader:
    """Reads the rows of one import, as its columns and options say."""

    def __init__(self, data_import: Import, tenant: Tenant) -> None:
        of_donor = [
            {"field": one.get("field", "") if is_of_donor(one.get("field", "")) else ""} for one in data_import.columns
        ]
        self.donors = OfContacts(SimpleNamespace(columns=of_donor, options={"match": BY_EMAIL}), tenant)  # type: ignore[arg-type]
        self.columns = {one["field"]: i for i, one in enumerate(data_import.columns) if one.get("field")}
        order = data_import.options.get("dates")
        self.day_first = order == "day" if order else custom.writes_day_first(tenant)
        self.history = data_import.options.get("history", OLD)
        self.mark, self.of_sheet = data_import.options.get("amounts", ""), data_import.format.get("kind") == SHEET
        self.today, self.currency = today(), tenant.currency

    def read(self, number: int, cells: Sequence[str]) -> WantedGift:
        """What this row says; `refusal` says what it lacks."""
        want = WantedGift(number, self.donors.read(number, cells))
        given = {key: cells[i].strip() if i < len(cells) else "" for key, i in self.columns.items()}
        try:
            want.values["received_on"] = self.day(given.get("received_on", ""))
            want.values["amount"] = self.amount(given.get("amount", ""))
        except (ValidationError, NoAmount) as why:
            want.refusal = " ".join(why.messages) if isinstance(why, ValidationError) else str(why)
        for name, most in TEXTS.items():
            if given.get(name):
                want.values[name], problem = values.cut(without_card_numbers(values.tidy(given[name])), most)
                want.donor.warn(problem)
        if given.get("comment"):
            want.values["comment"] = without_card_numbers(given["comment"])
        want.identifier = values.tidy(given.get("identifier", ""))[:100]
        return want

    def day(self, cell: str) -> date:
        """The day of a gift."""
        if not cell:
            self.lack("a date")
        found = date.fromisoformat(_day(cell, self.day_first))
        if found.year < 1900 or (found - self.today).days > AHEAD:
            raise NoAmount(f"“{cell[:40]}” cannot be the date of a gift. Correct it in the file.")
        return found

    def amount(self, cell: str) -> Decimal:
        """What was given."""
        return amount(cell, self.currency, self.mark, self.of_sheet) if cell else self.lack("an amount")

    def lack(self, what: str) -> Any:
        """Without it there is no gift."""
        raise NoAmount(f"The row has no {what.partition(' ')[2]}. A gift needs one.")

    def is_history(self, day: date) -> bool:
        """Whether nobody is thanked for a gift of this day."""
        return self.history == ALL or (self.history == OLD and (self.today - day).days > OLD_AFTER)


@cache
def _day(cell: str, day_first: bool) -> str:
    return str(custom.canonical(_DAY, cell, day_first))


def is_of_donor(key: str) -> bool:
    """Whether a column says who gave."""
    return key in OF_DONOR or key.startswith(IDENTIFIER)


def date_order(cells: Sequence[str]) -> str:
    """“day” or “month” first, as these dates show; "ask" where they could be either, "" where none needs asking."""
    found = set()
    for cell in cells:
        parts = cell.split(" ")[0].replace("-", "/").replace(".", "/").split("/")
        if len(parts) == 3 and all(part.isdecimal() for part in parts) and len(parts[0]) < 3:
            first, second = int(parts[0]), int(parts[1])
            found.add("day" if first > 12 else "month" if second > 12 else "same" if first == second else "ask")
    return next((order for order in ("day", "month", "ask") if order in found), "")
