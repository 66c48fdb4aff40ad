"""The questions we ask DonorPerfect, and the one thing that we write there. Every method raises `CallFailed`.

Pages go by gift_id, 500 at a time: a full page means that there may be more (dossier, sections 7 and 8).
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Self

from django.conf import settings

from integrations.provider_kit.errors import Ambiguous, CallFailed, Retry
from integrations.providers.donor_perfect import interactions, rows, wire
from integrations.providers.donor_perfect.answers import UNCLEAR
from integrations.providers.donor_perfect.api import Api
from integrations.providers.donor_perfect.rows import ActivityCode, DonorRow, GiftRow

PAGE = 500  # what the vendor gives at most, and silently
DONOR = (
    "d.first_name, d.last_name, d.email, d.org_rec, d.nomail, d.nomail_reason, d.mobile_phone, d.home_phone, "
    "d.business_phone"
)
# With the donor where there is one: a gift whose donor is missing must not be missed itself.
GIFTS = (
    "g.gift_id, g.donor_id, g.record_type, g.gift_date, g.amount, g.split_gift, g.pledge_payment, g.glink, g.plink, "
    f"g.alink, g.gift_narrative, g.created_date, g.modified_date, d.donor_id AS known_donor_id, {DONOR} "
    "FROM dpgift g LEFT JOIN dp d ON d.donor_id = g.donor_id"
)


class DonorPerfect:
    """One account, by its key; use it in a `with`."""

    def __init__(self, key: str) -> None:
        self.api = Api(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.api.close()

    # -- gifts ----------------------------------------------------------------------------------

    def try_key(self) -> None:
        """Whether the key is accepted; changes nothing. `Reconnect` when it is not."""
        self.api.try_key()

    def max_gift_id(self) -> int:
        """The highest number of a gift so far, 0 when there is none."""
        found = self.api.select("SELECT MAX(gift_id) AS highest FROM dpgift")
        highest = rows.number(found[0].values.get("highest", "")) if found else None
        if highest is None and self.gifts_after(0, limit=1):  # 0 would make each of them a new one
            raise CallFailed(Retry(UNCLEAR))
        return highest or 0

    def gifts_after(self, gift_id: int, limit: int = PAGE) -> list[GiftRow]:
        """The next gifts by number. As many as `limit` means that there may be more."""
        limit = min(int(limit), PAGE)
        return self._gifts(f"SELECT TOP {limit} {GIFTS} WHERE g.gift_id > {int(gift_id)} ORDER BY g.gift_id")

    def gifts_changed_since(self, since: date, after: int = 0) -> list[GiftRow]:
        """A page of those that were made or changed on that day or later, by number from `after` on.

        DonorPerfect marks days only, so that the day itself is always among them.
        """
        return self._gifts(
            f"SELECT TOP {PAGE} {GIFTS} WHERE COALESCE(g.modified_date, g.created_date) >= {wire.day(since)} "
            f"AND g.gift_id > {int(after)} ORDER BY g.gift_id"
        )

    def gifts_by_id(self, gift_ids: Collection[int]) -> list[GiftRow]:
        """These gifts, as far as they are still there."""
        found: list[GiftRow] = []
        for some in pieces(gift_ids):
            found += self._gifts(f"SELECT TOP {PAGE} {GIFTS} WHERE g.gift_id IN ({some}) ORDER BY g.gift_id")
        return found

    def gifts_present(self, gift_ids: Collection[int]) -> set[int]:
        """Which of these are still there: the vendor does not tell what was deleted."""
        found: set[int] = set()
        for some in pieces(gift_ids):
            query = f"SELECT TOP {PAGE} gift_id FROM dpgift WHERE gift_id IN ({some}) ORDER BY gift_id"  # noqa: S608
            found |= {rows.needed(record.values, "gift_id") for record in self.api.select(query)}
        return found

    def _gifts(self, query: str) -> list[GiftRow]:
        return [rows.gift(record) for record in self.api.select(query)]

    # -- donors and codes -----------------------------------------------------------------------

    def donor(self, donor_id: int) -> DonorRow | None:
        """A donor, or None: deleted, or merged into another one."""
        found = self.api.select(f"SELECT TOP 1 d.donor_id, {DONOR} FROM dp d WHERE d.donor_id = {int(donor_id)}")  # noqa: S608
        return rows.donor(found[0]) if found else None

    def is_donor(self, donor_id: int) -> bool:
        """Whether somebody has this number; reads nothing else of them (D13)."""
        return bool(self.api.select(f"SELECT TOP 1 donor_id FROM dp WHERE donor_id = {int(donor_id)}"))  # noqa: S608

    def activity_codes(self) -> list[ActivityCode]:
        """What an interaction may be called there, without the codes that are switched off."""
        field = wire.quoted(settings.DONOR_PERFECT_ACTIVITY_FIELD)
        found: list[ActivityCode] = []
        last, is_done = "", False
        while not is_done:
            page = self.api.select(
                f"SELECT TOP {PAGE} code, description, inactive FROM dpcodes WHERE field_name = {field} "  # noqa: S608
                f"AND code > {wire.quoted(last)} ORDER BY code"
            )
            found += [
                ActivityCode(rows.text(record.values, "code"), rows.text(record.values, "description"))
                for record in page
                if record.values.get("inactive", "").strip().lower() not in ("y", "1", "true")
            ]
            following = rows.text(page[-1].values, "code") if page else ""
            is_done = len(page) < PAGE or following.casefold() <= last.casefold()
            last = following
        return found

    # -- interactions ---------------------------------------------------------------------------

    def save_interaction(
        self, *, donor_id: int, on: date, activity_code: str, comment: str, marker: str, by_whom: str | None = None
    ) -> int:  # fmt: skip
        """Write an interaction, done on that day, and return its number.

        `marker` (`interactions.marker_for`) is put behind the comment; after an `Ambiguous` outcome ask
        `find_interaction` for it before trying again: the vendor has no other way to tell whether it was saved.
        """
        values = interactions.parameters(donor_id, on, activity_code, comment, marker, by_whom)
        if not (number := self.api.save("dp_savecontact", values)):
            # 0 is the answer to a change; to something new it is none.
            raise CallFailed(Ambiguous("DonorPerfect did not say whether the interaction was saved."))
        return number

    def find_interaction(self, donor_id: int, marker: str) -> int | None:
        """The number of the interaction with this marker on this donor, or None. Reads nothing else of it (D13)."""
        wanted = wire.quoted(f"%{interactions.checked(marker)}%")
        found = self.api.select(
            f"SELECT TOP 1 contact_id FROM dpcontact WHERE donor_id = {int(donor_id)} "  # noqa: S608
            f"AND comment LIKE {wanted} ORDER BY contact_id"
        )
        return rows.needed(found[0].values, "contact_id") if found else None


def pieces(numbers: Collection[int]) -> Iterator[str]:
    """Lists for IN (…), each no longer than an answer."""
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), PAGE):
        yield wire.whole_numbers(wanted[start : start + PAGE])
