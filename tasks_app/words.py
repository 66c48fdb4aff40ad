"""Why somebody is thanked, in a sentence. Reads rows, asks nothing."""

from collections.abc import Sequence
from typing import Any

from contacts.models import Contact
from gifts.milestone_words import MONTH_NAMES, whole
from gifts.milestones import Kind
from gifts.money import money

FEW = 3  # reasons in one line


def called(contact: Contact) -> str:
    """How a sentence calls them: a person by the first name. Donors may read it, so a missing name is not spelt out."""
    is_person = contact.kind == Contact.Kind.PERSON
    return (contact.first_name if is_person else "") or (str(contact) if contact.has_name else "A friend")


def for_gift(contact: Contact, gift: Any) -> str:
    """“Ana made a $100.00 donation.” (D6)"""
    return made(contact, gift.net)


def made(contact: Contact, amount: Any) -> str:
    """The same, of an amount."""
    return f"{called(contact)} made a {money(amount)} donation."


def newest(sentences: Sequence[str]) -> str:
    """These reasons in one line, the oldest first; of many the last few, and how many there are besides."""
    left = len(sentences) - FEW
    said = " ".join(sentences[-FEW:])
    return f"{said} There {'is 1 more reason' if left == 1 else f'are {left} more reasons'}." if left > 0 else said


def for_award(award: Any) -> str:
    """“Ana's giving since July passed $1,000.”"""
    rule, name = award.rule, called(award.contact)
    whose = f"{name}’" if name.endswith("s") else f"{name}’s"
    if rule.kind == Kind.NUMBER:
        return f"{name} has made {whole(award.threshold)} {'gift' if award.threshold == 1 else 'gifts'}."
    if rule.kind == Kind.YEARS:
        return f"{name} has given {whole(award.threshold)} {'year' if award.threshold == 1 else 'years'} in a row."
    amount = money(award.threshold, short=True)
    if rule.kind == Kind.TOTAL or not award.period:
        return f"{whose} giving passed {amount}."
    year, _, month = award.period.partition("-")
    return f"{whose} giving since {MONTH_NAMES[int(month)]} {year} passed {amount}."
