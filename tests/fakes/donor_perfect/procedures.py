"""The stored procedures at work: donors, gifts and interactions are saved, donors are searched, gifts are listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.donor_perfect import params, shown, signatures, tables, totals
from tests.fakes.donor_perfect.errors import no_null, sql_error
from tests.fakes.donor_perfect.options import Options
from tests.fakes.donor_perfect.state import Account, today

SEARCHED = ("donor_id", "last_name", "first_name", "opt_line", "address", "city", "state", "zip", "country")
FOUND = "donor_id first_name last_name title suffix address opt_line city state zip gifts gift_total address2".split()
LISTED = (
    "gift_date amount total sub_solicit_code campaign balance solicit_code reference record_type gift_id donor_id "
    "gift_aid_date"
).split()


@dataclass(slots=True)
class Work:
    """One call of a procedure, with its values read."""

    account: Account
    options: Options
    now: float
    values: dict[str, Any]

    def save(self, table: str, values: dict[str, Any]) -> int:
        """A new row's number, or 0 for a change: every listed column is overwritten."""
        key, user, day = tables.KEYS[table], self.values["user_id"], today(self.now)
        number = int(values.pop(key) or 0)
        missing = [name for name in tables.required(table) if name in values and values[name] is None]
        if missing:
            raise no_null(f"DPO.{table.upper()}", missing[0])
        if number:
            self.account.update(table, number, {**values, "modified_by": user, "modified_date": day})
            return 0
        number = self.account.next_id(table)
        self.account.insert(table, {key: number, **values, "created_by": user, "created_date": day})
        return number


def run(account: Account, name: str, text: str, options: Options, now: float) -> str:
    """The answer's XML."""
    if (procedure := PROCEDURES.get(name.lower())) is None:
        raise sql_error(f"Could not find stored procedure '{name[:60]}'.")
    values = signatures.read(name.lower(), params.read(text), options)
    return procedure(Work(account, options, now, values))


def save_contact(work: Work) -> str:
    """An interaction. What is left out of the list of parameters stays as it is."""
    values = dict(work.values)
    values.pop("user_id")
    for name in [each for each in values if each.startswith(("em_", "contact_e", "contact_s"))]:
        if values[name] is None:
            values.pop(name)
    if work.options.checks_donor and not work.account.count("dp", "donor_id = ?", values["donor_id"]):
        raise sql_error("The INSERT statement conflicted with the FOREIGN KEY constraint on 'donor_id'.")
    if work.options.checks_activity and not work.account.count("dpcodes", "CODE = ?", values["activity_code"]):
        raise sql_error("The INSERT statement conflicted with the FOREIGN KEY constraint on 'activity_code'.")
    return shown.saved(work.save("dpcontact", values))


def save_donor(work: Work) -> str:
    values = dict(work.values)
    values.pop("user_id")
    if values["receipt_delivery"] is None:
        values.pop("receipt_delivery")
    return shown.saved(work.save("dp", values))


def save_gift(work: Work) -> str:
    values = dict(work.values)
    values.pop("user_id")
    for name in ("receipt_delivery_g", "acknowledgepref", "first_gift"):
        if values[name] is None:
            values.pop(name)
    if not values["gift_id"]:
        values |= {"initial_payment": "N", "reminder": "N"}
    number = work.save("dpgift", values)
    totals.refresh(work.account, work.values["donor_id"], today(work.now))
    return shown.saved(number)


def search_donors(work: Work) -> str:
    """`%` stands for anything; what is null is not asked for; the empty text is found nowhere."""
    wanted = {name: work.values[name] for name in SEARCHED if work.values[name] is not None}
    where = " AND ".join(f"{name} LIKE ?" if name != "donor_id" else "donor_id = ?" for name in wanted) or "1 = 1"
    query = f"SELECT {', '.join(FOUND)} FROM dp WHERE {where} ORDER BY donor_id"
    return _table(work, "dp", FOUND, work.account.rows(query, *wanted.values()))


def list_gifts(work: Work) -> str:
    query = f"SELECT {', '.join(LISTED)} FROM dpgift WHERE donor_id = ? ORDER BY gift_date DESC, gift_id DESC"
    return _table(work, "dpgift", LISTED, work.account.rows(query, work.values["donor_id"]))


def _table(work: Work, table: str, names: list[str], found: list[dict[str, Any]]) -> str:
    kinds = tables.columns(table)
    rows = [tuple(each.values()) for each in found[: work.options.most_rows or None]]
    return shown.rows([(name, kinds[name]) for name in names], rows, work.options)


PROCEDURES: dict[str, Callable[[Work], str]] = {
    "dp_savecontact": save_contact,
    "dp_savedonor": save_donor,
    "dp_savegift": save_gift,
    "dp_donorsearch": search_donors,
    "dp_gifts": list_gifts,
}
