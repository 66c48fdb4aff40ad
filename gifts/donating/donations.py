"""A donation that a page reported: the person, their tags and the gift, in one transaction (O1, O11-O13)."""

import uuid
from collections.abc import Mapping
from typing import Any

from gifts.donating.caller import KEYED, Caller
from gifts.models import Donation, FundraisingPage

Given = Mapping[str, Any]


def record_donation(
    page: FundraisingPage, given: Given, *, source_is_blind: bool = False, caller: Caller = KEYED
) -> Donation:
    """Find or add the person, write down what was sent, tag them, and record the donation as a gift. One transaction.

    `given`, well formed: recipients [{display_name, amount as a text or Decimal}], at least one; created_date
    (datetime with its zone; now if missing); identifiers; `action_network:recurrence` {recurring, period};
    `action_network:referrer_data` {source, website, email_referrer, mobile_message_referrer}; `person` (see `sign_up`)
    or `person_id` (the uid of somebody who is here); add_tags, remove_tags.

    An identifier that a donation has already returns that donation, changed in nothing. `source_is_blind` is short for
    a caller without a key. Raises `DonatingRefused` with a sentence: a page that takes no donations (see
    `takes_donations`), nobody who is meant, a sum that cannot be kept. Then nothing was changed.
    """
    raise RuntimeError("On its way.")


def takes_donations(page: FundraisingPage, is_blind: bool = False) -> str:
    """A sentence that says why this page takes none (O10, O11), or ""."""
    raise RuntimeError("On its way.")


def update_donation(donation: Donation, given: Given) -> Donation:
    """Change what was sent of it (PUT): recipients, created_date, recurrence, referrer data; identifiers are added.
    Totals and milestones follow. Raises `DonatingRefused`. One transaction."""
    raise RuntimeError("On its way.")


def donation_by_identifier(text: str) -> Donation | None:
    """By what another system calls it, or by `action_network:<its id>`."""
    raise RuntimeError("On its way.")


def read(uid: uuid.UUID) -> Donation | None:
    """One donation with all that is shown of it: page, gift, contact, identifiers. Two queries."""
    raise RuntimeError("On its way.")
