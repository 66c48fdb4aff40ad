"""Gifts and their givers as a vendor shows them, and interactions as we write them there. Plain values."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PersonThere:
    """What is stored of a donor (D9). An organization has its name in `last_name`. `skip` says why nothing is to be
    stored or done at all (D8)."""

    person_id: str
    first_name: str = ""
    last_name: str = ""
    is_organization: bool = False
    email: str = ""
    phone: str = ""
    skip: str = ""


@dataclass(frozen=True, slots=True)
class GiftThere:
    """A row that the vendor keeps among its gifts. `is_gift` is false for rows that are none (a pledge, the difference
    of an adjustment …): `why_not` says what they are.

    `is_new`: it came after the switch was turned on. `may_be_thanked` leaves aside that it corrects another one: the
    one called `replaces` there, which is new or not as `replaces_new` says.
    """

    gift_id: str
    person: PersonThere | None
    received_on: date | None
    amount: Decimal | None
    comment: str = ""
    is_gift: bool = True
    counts: bool = True
    is_one: bool = True
    is_new: bool = False
    may_be_thanked: bool = True
    why_not: str = ""
    replaces: str = ""
    replaces_new: bool = False
    takes_back: bool = False  # no gift, but what it `replaces` counts no more


@dataclass(frozen=True, slots=True)
class GiftPage:
    """Some rows, where the next page begins, and whether there is none."""

    gifts: list[GiftThere] = field(default_factory=list)
    cursor: str = ""
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Interaction:
    """What is written there about somebody: on which day, under which code, in which words. `uid` is its own for ever:
    by it the vendor is asked whether it was written already (D12)."""

    uid: UUID
    person_id: str
    on: date
    code: str
    text: str
