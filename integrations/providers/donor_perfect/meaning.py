"""What a row of DonorPerfect says to us: whether it counts, whether it may be thanked, who the donor is. Pure.

The dossier's table of record types (section 8.1), and what follows from it for gifts and contacts here.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from integrations.providers.donor_perfect.rows import DonorRow, GiftRow

ADDRESS = re.compile(r"[^\s@;,<>()\"']+@[^\s@;,<>()\"']+\.[^\s@;,<>()\"'.]+")

PART = "This is a part of a split gift, which is thanked as a whole."
CORRECTION = "This is the correction of an earlier gift, not a new one."
NO_AMOUNT = "It has no amount to thank for."
NO_DONOR = "DonorPerfect no longer knows the donor."
NO_MAIL = "“Do Not Send Mail” is set for this donor in DonorPerfect."
# Types whose rows are no gifts: why nobody is thanked for them.
OTHERS = {
    "P": "This is a pledge; its payments are thanked as they come in.",
    "S": "This is a soft credit: somebody else gave.",
    "A": "This gift was adjusted; another row has taken its place.",
    "H": "This is the adjustment of an earlier gift.",
    "C": "This gift was taken back.",
    "J": "This part of a split gift was taken back.",
    "N": "This is the notice of a tribute, not a gift.",
}
UNKNOWN = "DonorPerfect calls this a kind of entry that is not known here."


@dataclass(frozen=True, slots=True)
class Meaning:
    """What our gift says. `counts`: its amount is in totals. `is_one`: it is a gift in number. `replaces`: the number
    there of the gift that it corrects. `part_of`: the number of the split gift that it belongs to."""

    counts: bool
    is_one: bool
    may_be_thanked: bool
    why_not: str = ""
    replaces: int | None = None
    part_of: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What is stored of a donor (D9). For an organization `last_name` is its name. `skip` says why nothing is to be
    stored or done at all (D8)."""

    donor_id: int
    is_organization: bool
    first_name: str
    last_name: str
    email: str
    phone: str
    skip: str = ""


def meaning_of(row: GiftRow) -> Meaning:
    """What this row is for totals, numbers and thanks."""
    if row.record_type in ("G", "M"):
        return _gift(row)
    replaces = row.alink if row.record_type in ("C", "J") else None
    part_of = row.glink if row.is_part else None
    return Meaning(False, False, False, OTHERS.get(row.record_type, UNKNOWN), replaces, part_of)


def _gift(row: GiftRow) -> Meaning:
    is_whole_of_split = row.record_type == "M"
    is_part = row.is_part and not is_whole_of_split
    counts = not is_whole_of_split and row.amount is not None
    why_not = PART if is_part else CORRECTION if row.alink else NO_AMOUNT if (row.amount or Decimal(0)) <= 0 else ""
    return Meaning(counts, not is_part, not why_not, why_not, row.alink, row.glink if is_part else None)


def why_not_thanked(row: GiftRow) -> str:
    """The reason why nobody is thanked for this row, with what its donor wishes; "" when somebody may be."""
    if row.donor is not None and row.donor.no_mail:
        return NO_MAIL
    return meaning_of(row).why_not or (NO_DONOR if row.donor is None else "")


def person_of(donor: DonorRow) -> Person:
    """The contact that a donor becomes here (D7)."""
    name = " ".join(filter(None, (donor.first_name, donor.last_name)))
    return Person(
        donor_id=donor.donor_id,
        is_organization=donor.is_organization,
        first_name="" if donor.is_organization else donor.first_name,
        last_name=name if donor.is_organization else donor.last_name,
        email=first_address(donor.email),
        phone=donor.mobile_phone or donor.home_phone or donor.business_phone,
        skip=NO_MAIL if donor.no_mail else "",
    )


def first_address(text: str) -> str:
    """The first of several addresses in one field, whatever stands between them; "" when there is none."""
    found = ADDRESS.search(text)
    return found[0].removeprefix("mailto:") if found else ""
