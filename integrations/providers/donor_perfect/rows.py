"""DonorPerfect's rows, typed. Nothing about payment is among them (D9)."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from integrations.provider_kit.errors import CallFailed, Retry
from integrations.providers.donor_perfect.answers import UNCLEAR
from integrations.providers.donor_perfect.damaged import Record

DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?")


@dataclass(frozen=True, slots=True)
class DonorRow:
    """A donor as DonorPerfect shows them; texts may be empty."""

    donor_id: int
    first_name: str = ""
    last_name: str = ""
    email: str = ""  # may hold several addresses
    mobile_phone: str = ""
    home_phone: str = ""
    business_phone: str = ""
    is_organization: bool = False
    no_mail: bool = False  # "Do Not Send Mail"
    no_mail_reason: str = ""


@dataclass(frozen=True, slots=True)
class GiftRow:
    """A row of the table of gifts, of whatever type; `donor` is None when DonorPerfect has lost them."""

    gift_id: int
    donor_id: int
    record_type: str
    gift_date: date | None
    amount: Decimal | None
    is_part: bool = False  # of a split gift
    pays_pledge: bool = False
    glink: int | None = None
    plink: int | None = None
    alink: int | None = None
    comment: str = ""
    created_on: date | None = None
    changed_on: date | None = None
    donor: DonorRow | None = None
    lost: tuple[str, ...] = ()  # fields that came damaged beyond repair


@dataclass(frozen=True, slots=True)
class ActivityCode:
    """What an interaction may be called there."""

    code: str
    description: str


def gift(record: Record) -> GiftRow:
    """A row of `client.GIFTS`."""
    found = record.values
    has_donor = number(found.get("known_donor_id", "")) is not None
    return GiftRow(
        gift_id=needed(found, "gift_id"),
        donor_id=needed(found, "donor_id"),
        record_type=text(found, "record_type").upper(),
        gift_date=day(found.get("gift_date", "")),
        amount=money(found.get("amount", "")),
        is_part=is_yes(found, "split_gift"),
        pays_pledge=is_yes(found, "pledge_payment"),
        glink=number(found.get("glink", "")),
        plink=number(found.get("plink", "")),
        alink=number(found.get("alink", "")),
        comment=text(found, "gift_narrative"),
        created_on=day(found.get("created_date", "")),
        changed_on=day(found.get("modified_date", "")),
        donor=donor(record) if has_donor else None,
        lost=record.lost,
    )


def donor(record: Record) -> DonorRow:
    """A row of `client.DONORS`, or the donor's part of a gift's row."""
    found = record.values
    names = ("first_name", "last_name", "email", "mobile_phone", "home_phone", "business_phone")
    return DonorRow(
        donor_id=needed(found, "donor_id"),
        **{name: text(found, name) for name in names},
        is_organization=is_yes(found, "org_rec"),
        # A field that is lost could have said "Do Not Send Mail".
        no_mail=is_yes(found, "nomail") or "nomail" in record.lost,
        no_mail_reason=text(found, "nomail_reason"),
    )


def text(found: dict[str, str], name: str) -> str:
    """A text; the service gives apostrophes as backticks (section 4.3)."""
    return found.get(name, "").replace("`", "'").strip()


def is_yes(found: dict[str, str], name: str) -> bool:
    return found.get(name, "").strip().upper() == "Y"


def number(value: str) -> int | None:
    """A whole number, or None for nothing and for 0, which links nothing."""
    value = value.strip().partition(".")[0]
    return int(value) or None if value.isdecimal() else None


def needed(found: dict[str, str], name: str) -> int:
    """A number without which a row is none."""
    if (value := number(found.get(name, ""))) is None:
        raise CallFailed(Retry(UNCLEAR))
    return value


def money(value: str) -> Decimal | None:
    try:
        found = Decimal(value.strip())
    except InvalidOperation:
        return None
    return found.quantize(Decimal("0.01")) if found.is_finite() and abs(found) < 10**10 else None


def day(value: str) -> date | None:
    """M/D/YYYY, with or without a time (section 6)."""
    if not (found := DATE.fullmatch(value.strip())):
        return None
    try:
        return date(int(found[3]), int(found[1]), int(found[2]))
    except ValueError:
        return None
