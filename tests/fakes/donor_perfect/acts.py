"""What staff of an account do in the vendor's own pages, by name; for scripts and for the pages' buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes import acts
from tests.fakes.donor_perfect import tables
from tests.fakes.donor_perfect.deeds import Deeds
from tests.fakes.donor_perfect.keys import issued, new_key
from tests.fakes.donor_perfect.state import Account
from tests.fakes.donor_perfect.values import read_date

if TYPE_CHECKING:
    from tests.fakes.donor_perfect.app import DonorPerfectSandbox

NO_AMOUNT = "An amount is a number, such as 25 or 19.95."


class Act:
    """One act on its way; a wrong name or number in it is a ValueError."""

    def __init__(self, sandbox: DonorPerfectSandbox, account: Account, wish: dict[str, Any]) -> None:
        self.sandbox, self.account, self.wish = sandbox, account, wish
        self.do = Deeds(account, sandbox.now(), sandbox.options, str(wish.get("user") or "MARIA")[:20])

    def number(self, name: str) -> int:
        try:
            return int(self.wish[name])
        except (ValueError, TypeError):
            raise ValueError(f"{name} is a number.") from None

    def amount(self, name: str = "amount") -> float:
        try:
            return round(float(str(self.wish[name]).replace(",", "").lstrip("$")), 2)
        except ValueError:
            raise ValueError(NO_AMOUNT) from None

    @property
    def donor(self) -> int:
        return self._there("dp", self.number("donor"))

    @property
    def gift(self) -> int:
        return self._there("dpgift", self.number("gift"))

    def _there(self, table: str, number: int) -> int:
        try:
            self.account.row(table, number)
        except KeyError:
            raise ValueError(f"{number} is not in this account.") from None
        return number

    @property
    def day(self) -> str:
        """ "" is today. Pages send 2026-11-22."""
        day = str(self.wish.get("day") or "")
        read_date(day)
        return day

    def columns(self, table: str, *never: str) -> dict[str, Any]:
        """Columns of the table that are named in the wish; what is left empty is NULL."""
        known = tables.columns(table)
        found = {name: self.wish[name] for name in known if name in self.wish and name not in never}
        return {name: value if value != "" else None for name, value in found.items()}


def add_donor(act: Act) -> dict[str, Any]:
    values = act.columns("dp", "donor_id")
    if not str(values.get("last_name") or "").strip():
        raise ValueError("A donor needs a last name, or the organization's name in its place.")
    return {"donor_id": act.do.add_donor(**values)}


def edit_donor(act: Act) -> None:
    act.do.edit_donor(act.donor, **act.columns("dp", "donor_id"))


def merge_donors(act: Act) -> None:
    act.do.merge(act.donor, act._there("dp", act.number("into")))


def delete_donor(act: Act) -> None:
    act.do.delete_donor(act.donor)


def add_gift(act: Act) -> dict[str, Any]:
    values = act.columns("dpgift", "gift_id", "donor_id", "amount", "gift_date")
    add = act.do.add_late_gift if act.wish.get("late") in (True, "1", "yes") else act.do.add_gift
    return {"gift_id": add(act.donor, act.amount(), act.day, **values)}


def add_crowd(act: Act) -> dict[str, Any]:
    """So many new donors with so many gifts each."""
    first, last = act.do.add_many(act.number("donors"), act.number("gifts"), act.amount())
    return {"first": first, "last": last}


def split_gift(act: Act) -> dict[str, Any]:
    """`amount` and `amount_2` go to two funds."""
    funds = str(act.wish.get("gl_code") or "UN"), str(act.wish.get("gl_code_2") or "SC")
    parts = [(act.amount(), funds[0]), (act.amount("amount_2"), funds[1])]
    return {"gift_ids": act.do.split(act.donor, parts, act.day)}


def add_pledge(act: Act) -> dict[str, Any]:
    total = act.amount()
    return {"gift_id": act.do.pledge(act.donor, total, round(total / 12, 2), act.day)}


def pay_pledge(act: Act) -> dict[str, Any]:
    return {"gift_id": act.do.pay(act.gift, act.amount(), act.day)}


def soft_credit(act: Act) -> dict[str, Any]:
    return {"gift_id": act.do.soft_credit(act.gift, act.donor)}


def tribute(act: Act) -> dict[str, Any]:
    return {"gift_id": act.do.tribute(act.gift, act.donor)}


def edit_gift(act: Act) -> None:
    values = act.columns("dpgift", "gift_id", "amount", "gift_date")
    if "amount" in act.wish:
        values["amount"] = act.amount()
    if act.day:
        values["gift_date"] = read_date(act.day)
    act.do.edit_gift(act.gift, **values)


def adjust_gift(act: Act) -> dict[str, Any]:
    """To another amount; the original, the difference and the result stay as three rows."""
    return dict(zip(("result", "adjustment"), act.do.adjust(act.gift, act.amount()), strict=True))


def refund_gift(act: Act) -> dict[str, Any]:
    """The whole of it, or `amount`."""
    gift = act.account.row("dpgift", act.gift)
    back = act.amount() if act.wish.get("amount") not in (None, "") else float(gift["amount"])
    if not 0 < back <= float(gift["amount"]):
        raise ValueError("A refund is more than nothing and not more than the gift.")
    return dict(zip(("result", "adjustment"), act.do.adjust(act.gift, float(gift["amount"]) - back), strict=True))


def delete_gift(act: Act) -> None:
    act.do.delete_gift(act.gift)


def revoke_key(act: Act) -> None:
    act.account.is_revoked = True


def new_key_issued(act: Act) -> dict[str, Any]:
    """The old key is unknown from now on."""
    act.account.key_number += 1
    act.account.key = new_key(act.account.login, act.account.key_number)
    act.account.is_revoked = False
    return {"api_key": issued(act.account.key)}


HOLDER: tuple[Callable[[Act], dict[str, Any] | None], ...] = (
    add_donor, edit_donor, merge_donors, delete_donor, add_gift, add_crowd, split_gift, add_pledge, pay_pledge,
    soft_credit, tribute, edit_gift, adjust_gift, refund_gift, delete_gift, revoke_key,
)  # fmt: skip
ACTS = {("holder", each.__name__): each for each in HOLDER} | {("holder", "issue_key"): new_key_issued}


def perform(sandbox: DonorPerfectSandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """Do one act; ValueError tells a script what it got wrong."""
    return acts.perform(sandbox, ACTS, Act, wish)
