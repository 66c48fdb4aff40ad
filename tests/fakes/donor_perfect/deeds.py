"""What staff do in DonorPerfect itself: gifts, splits, pledges, adjustments, merges, with the rows that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.donor_perfect import totals
from tests.fakes.donor_perfect.options import Options
from tests.fakes.donor_perfect.state import Account, moment, today
from tests.fakes.donor_perfect.values import read_date

SPLIT = "SEE_SPLIT"
BLANK: dict[str, Any] = {
    "record_type": "G", "split_gift": "N", "pledge_payment": "N", "batch_no": 0, "nocalc": "N", "receipt": "N",
    "initial_payment": "N", "reminder": "N", "currency": "USD",
}  # fmt: skip


@dataclass(slots=True)
class Deeds:
    """One account under its lock, at one moment, by somebody."""

    account: Account
    now: float
    options: Options
    user: str = "MARIA"

    @property
    def stamp(self) -> str:
        return moment(self.now) if self.options.typed_dates_have_time else today(self.now)

    # -- donors ---------------------------------------------------------------------------------

    def add_donor(self, donor_id: int = 0, **values: Any) -> int:
        number = donor_id or self.account.next_id("dp")
        made = {"created_by": self.user, "created_date": self.stamp}
        plain = {"donor_id": number, "last_name": "", "nomail": "N", "org_rec": "N", "donor_type": "IN"}
        self.account.insert("dp", plain | made | values)
        return number

    def edit_donor(self, donor_id: int, **values: Any) -> None:
        self.account.update("dp", donor_id, {**values, "modified_by": self.user, "modified_date": self.stamp})

    def merge(self, loser: int, winner: int) -> None:
        """The loser's number disappears; its gifts and interactions go to the winner."""
        self.account.row("dp", loser)
        self.account.row("dp", winner)
        if loser == winner:
            raise ValueError("A donor cannot be merged into itself.")
        marked = {"modified_by": self.user, "modified_date": self.stamp} if self.options.merge_marks_gifts else {}
        for gift in self.account.rows("SELECT gift_id FROM dpgift WHERE donor_id = ?", loser):
            self.account.update("dpgift", gift["gift_id"], {"donor_id": winner, **marked})
        for contact in self.account.rows("SELECT contact_id FROM dpcontact WHERE donor_id = ?", loser):
            self.account.update("dpcontact", contact["contact_id"], {"donor_id": winner})
        self.account.delete("dp", loser)
        self._recount(winner)

    def delete_donor(self, donor_id: int) -> None:
        """With everything that hangs on it."""
        for table in ("dpgift", "dpcontact", "dpflags", "dpudf"):
            self.account.database.execute(f"DELETE FROM {table} WHERE donor_id = ?", [donor_id])
        self.account.delete("dp", donor_id)

    # -- gifts ----------------------------------------------------------------------------------

    def add_gift(self, donor_id: int, amount: float, day: str = "", *, gift_id: int = 0, **values: Any) -> int:
        self.account.row("dp", donor_id)
        number = gift_id or self.account.next_id("dpgift")
        given = read_date(day) if day else today(self.now)
        made = {"created_by": self.user, "created_date": self.stamp}
        row = {"gift_id": number, "donor_id": donor_id, "gift_date": given, "amount": round(amount, 2)}
        self.account.insert("dpgift", BLANK | {"gl_code": "UN", "gift_type": "CK"} | row | made | values)
        self._recount(donor_id)
        return number

    def add_many(self, donors: int, gifts: int, amount: float) -> tuple[int, int]:
        """New donors with so many gifts each, a month apart; the first and the last gift's number."""
        first, today_ = self.account.serials["dpgift"] + 1, today(self.now)
        year = int(today_[:4])
        for number in range(donors):
            donor = self.add_donor(first_name=f"N{number}", last_name="Crowd", email=f"crowd{number}@crowdmail.test")
            rows = [
                (self.account.next_id("dpgift"), donor, "G", f"{year - back // 12}-{12 - back % 12:02}-01 00:00:00",
                 amount, "N", "N", 0, "N", "N", "N", "N", self.user, today_)
                for back in reversed(range(gifts))
            ]  # fmt: skip
            self.account.database.executemany(
                "INSERT INTO dpgift (gift_id, donor_id, record_type, gift_date, amount, split_gift, pledge_payment, "
                "batch_no, nocalc, receipt, initial_payment, reminder, created_by, created_date) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows,
            )  # fmt: skip
            self._recount(donor)
        return first, self.account.serials["dpgift"]

    def add_late_gift(self, donor_id: int, amount: float, day: str = "", **values: Any) -> int:
        """Its number was taken earlier than others that are seen already, as by a batch that is posted later."""
        taken = {row[0] for row in self.account.database.execute("SELECT gift_id FROM dpgift")}
        free = next((n for n in range(self.account.serials["dpgift"] - 1, 0, -1) if n not in taken), 0)
        if not free:
            raise ValueError("No lower number is free.")
        return self.add_gift(donor_id, amount, day, gift_id=free, **values)

    def split(self, donor_id: int, parts: list[tuple[float, str]], day: str = "", **values: Any) -> list[int]:
        """A main row with the full amount, and a part for each fund; the main row's number comes first."""
        full = round(sum(amount for amount, _ in parts), 2)
        main = self.add_gift(donor_id, full, day, record_type="M", gl_code=SPLIT, solicit_code=SPLIT, **values)
        part: dict[str, Any] = {"split_gift": "Y", "glink": main}
        return [main, *(self.add_gift(donor_id, amount, day, gl_code=fund, **part, **values) for amount, fund in parts)]

    def pledge(self, donor_id: int, total: float, bill: float, day: str = "") -> int:
        plan: dict[str, Any] = {"record_type": "P", "total": total, "bill": bill, "frequency": "M", "balance": total}
        return self.add_gift(donor_id, 0, day, start_date=read_date(day) if day else today(self.now), **plan)

    def pay(self, pledge_id: int, amount: float, day: str = "") -> int:
        pledge = self.account.row("dpgift", pledge_id)
        self.account.update("dpgift", pledge_id, {"balance": round(float(pledge["balance"] or 0) - amount, 2)})
        return self.add_gift(pledge["donor_id"], amount, day, pledge_payment="Y", plink=pledge_id)

    def soft_credit(self, gift_id: int, donor_id: int) -> int:
        gift = self.account.row("dpgift", gift_id)
        return self.add_gift(donor_id, gift["amount"], gift_date=gift["gift_date"], record_type="S", glink=gift_id)

    def tribute(self, gift_id: int, recipient: int) -> int:
        """The row that asks for a letter to somebody about a gift in honour of somebody."""
        note: dict[str, Any] = {"gift_type": "SN", "ty_letter_no": "NT", "glink": gift_id, "tlink": 1}
        gift = self.account.row("dpgift", gift_id)
        return self.add_gift(recipient, 0, gift_date=gift["gift_date"], record_type="N", **note)

    def edit_gift(self, gift_id: int, **values: Any) -> None:
        gift = self.account.row("dpgift", gift_id)
        self.account.update("dpgift", gift_id, {**values, "modified_by": self.user, "modified_date": self.stamp})
        self._recount(gift["donor_id"])

    def adjust(self, gift_id: int, new_amount: float) -> list[int]:
        """The original becomes an A; the result (a G, at zero a C or J) and the difference (an H) follow it."""
        gift = self.account.row("dpgift", gift_id)
        if gift["record_type"] != "G":
            raise ValueError("Only a gift of type G can be adjusted; of a split, adjust its parts.")
        new_amount = round(new_amount, 2)
        difference = round(new_amount - float(gift["amount"]), 2)
        is_part = gift["split_gift"] == "Y"
        sentence = (
            f"This gift was adjusted by {money(difference)} from {money(gift['amount'])} to new amount "
            f"{money(new_amount)}"
        )
        narrative = f"{gift['gift_narrative'] or ''} {sentence}".strip()
        kept: dict[str, Any] = {
            name: gift[name] for name in ("gift_date", "gl_code", "campaign", "split_gift", "pledge_payment")
        }
        links = {"glink": gift["glink"] if is_part else None, "plink": gift["plink"]}
        self.edit_gift(gift_id, record_type="A")
        kind = "G" if new_amount else "J" if is_part else "C"
        result = self.add_gift(gift["donor_id"], new_amount, **kept | links, record_type=kind, alink=gift_id,
                               gift_narrative=narrative)  # fmt: skip
        change = self.add_gift(gift["donor_id"], difference, **kept, record_type="H", glink=gift_id)
        return [result, change]

    def delete_gift(self, gift_id: int) -> None:
        """For good; with a split's main row its parts go, too."""
        gift = self.account.row("dpgift", gift_id)
        self.account.delete("dpgift", gift_id)
        if gift["record_type"] == "M":
            self.account.database.execute("DELETE FROM dpgift WHERE glink = ? AND split_gift = 'Y'", [gift_id])
        self._recount(gift["donor_id"])

    # -- codes ----------------------------------------------------------------------------------

    def add_code(self, field_name: str, code: str, description: str, inactive: str = "N") -> None:
        row = {"CODE_ID": self.account.next_id("dpcodes"), "FIELD_NAME": field_name, "CODE": code}
        self.account.insert("dpcodes", {**row, "DESCRIPTION": description, "INACTIVE": inactive})

    def _recount(self, donor_id: int) -> None:
        totals.refresh(self.account, donor_id, today(self.now))


def money(amount: float) -> str:
    return f"{'-' * (amount < 0)}${abs(amount):,.2f}"
