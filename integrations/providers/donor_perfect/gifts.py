"""Where DonorPerfect's gifts are read from, and what a row of them is in the engine's words (dossier, section 8).

Gifts have ascending numbers; what is new is decided by them, never by the date of a gift, which people type. A batch
may post a lower number later: the last of them are read again each time, and the free ones are noted at the beginning.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.provider_kit.giving import GiftPage, GiftThere, PersonThere
from integrations.providers.donor_perfect.client import PAGE, DonorPerfect
from integrations.providers.donor_perfect.meaning import CORRECTION, meaning_of, person_of, why_not_thanked
from integrations.providers.donor_perfect.rows import GiftRow

OVERLAP = 200  # numbers that are read again each time


def mark_now(client: DonorPerfect) -> dict[str, Any]:
    """Where things stand: the highest number, the numbers shortly before it that are free, and the day."""
    highest = client.max_gift_id()
    last = range(max(1, highest - OVERLAP + 1), highest + 1)
    here = client.gifts_present(last)
    gaps = [number for number in last if number not in here]
    return {"after": highest, "gaps": gaps, "on": datetime.now(UTC).date().isoformat()}


def begin(kind: str, mark: Mapping[str, Any], reached: str, since: date | None) -> str:
    """The cursor of the first page: a gift's number, after that of a day where changes are asked for."""
    if kind == "new":
        return str(max(0, int(reached or mark.get("after", 0)) - OVERLAP))
    return f"{since or datetime.now(UTC).date():%Y-%m-%d}|0" if kind == "changes" else "0"


def furthest(reached: str, cursor: str) -> str:
    """The highest number that was read."""
    return str(max(int(reached or 0), int(cursor or 0)))


def page(client: DonorPerfect, kind: str, cursor: str, mark: Mapping[str, Any]) -> GiftPage:
    """One call."""
    day, _, after = cursor.rpartition("|")
    rows = client.gifts_changed_since(date.fromisoformat(day), int(after)) if day else client.gifts_after(int(after))
    last = rows[-1].gift_id if rows else int(after)
    is_last = len(rows) < PAGE
    if kind == "history":
        is_last = is_last or last >= int(mark.get("after", 0))
        rows = [row for row in rows if not is_new(row.gift_id, row.created_on, mark)]
    return GiftPage([there(row, mark) for row in rows], f"{day}|{last}" if day else str(last), is_last)


def is_new(number: int, created_on: date | None, mark: Mapping[str, Any]) -> bool:
    """Whether it came after the switch was turned on: by its number, or because that was free, or it was made later."""
    if number > int(mark.get("after", 0)) or number in mark.get("gaps", ()):
        return True
    return created_on is not None and bool(mark.get("on")) and created_on > date.fromisoformat(mark["on"])


def there(row: GiftRow, mark: Mapping[str, Any]) -> GiftThere:
    """A row as the engine takes it in."""
    meaning, person = meaning_of(row), person_of(row.donor) if row.donor else None
    replaces = row.alink or 0
    is_correction = meaning.why_not == CORRECTION and (row.amount or Decimal(0)) > 0
    return GiftThere(
        gift_id=str(row.gift_id),
        person=PersonThere(
            str(person.donor_id), person.first_name, person.last_name, person.is_organization, person.email,
            person.phone, person.skip,
        ) if person else None,
        received_on=row.gift_date or row.created_on, amount=row.amount, comment=row.comment,
        is_gift=row.record_type in ("G", "M"), counts=meaning.counts, is_one=meaning.is_one,
        is_new=is_new(row.gift_id, row.created_on, mark), may_be_thanked=meaning.may_be_thanked or is_correction,
        why_not=why_not_thanked(row), replaces=str(replaces) if replaces else "",
        replaces_new=bool(replaces) and is_new(replaces, None, mark),
        takes_back=row.record_type in ("C", "J"),
    )  # fmt: skip
