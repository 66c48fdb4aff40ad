"""Milestones in plain words: what a rule means, and what somebody has reached. Reads rows, asks nothing."""

import re
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format

from contacts.tenancy.models import MONTHS
from gifts.milestones import Kind
from gifts.money import money

MONTH_NAMES = dict(MONTHS)


def whole(number: Decimal) -> str:
    """A number of gifts or years."""
    return f"{int(number):,}"


def joined(words: list[str], last: str = "or") -> str:
    """“10, 25 or 50”."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def thresholds(rule: Any) -> list[str]:
    """Each of its thresholds, as people read it."""
    if rule.kind in (Kind.NUMBER, Kind.YEARS):
        return [whole(one) for one in rule.numbers]
    return [money(one, short=True) for one in rule.numbers]


def reached(rule: Any, threshold: Decimal, period: str = "") -> str:
    """“10 gifts”, “$1,000 given in all”, “$1,000 given since July 2025”, “5 years in a row”."""
    if rule.kind == Kind.NUMBER:
        return f"{whole(threshold)} {'gift' if threshold == 1 else 'gifts'}"
    if rule.kind == Kind.YEARS:
        return f"{whole(threshold)} {'year' if threshold == 1 else 'years'} in a row"
    if rule.kind == Kind.TOTAL or not period:
        return f"{money(threshold, short=True)} given in all"
    year, _, month = period.partition("-")
    return f"{money(threshold, short=True)} given since {MONTH_NAMES[int(month)]} {year}"


def rule_sentence(rule: Any) -> str:
    """“Thank anyone whose giving since July passes $1,000, once a year.”"""
    if not rule.numbers:
        return ""
    words, only = joined(thresholds(rule)), only_gifts(rule)
    which = f" ({only})" if only else ""
    if rule.kind == Kind.NUMBER:
        noun = "gift" if rule.numbers == (Decimal(1),) else "gifts"
        when = f"Thank anyone who reaches {words} {noun}{which}, once for each number."
    elif rule.kind == Kind.TOTAL:
        when = f"Thank anyone whose giving in all{which} reaches {words}, once for each amount."
    elif rule.kind == Kind.SINCE_MONTH:
        month = MONTH_NAMES[rule.first_month]
        once = "once a year" if len(rule.numbers) == 1 else "once a year for each amount"
        when = f"Thank anyone whose giving since {month}{which} reaches {words}, {once}."
    else:
        when = f"Thank anyone who gives{which} in {words} calendar years in a row, once for each number."
    more = " One gift that reaches several is thanked for once, for the highest." if len(rule.numbers) > 1 else ""
    return f"{when}{more} {what_to_do(rule)}"


def only_gifts(rule: Any) -> str:
    """“gifts of at least $25, of the campaign “Spring””; “” for all gifts."""
    found = []
    if rule.at_least is not None:
        found.append(f"of at least {money(rule.at_least, short=True)}")
    if rule.campaign:
        found.append(f"of the campaign “{rule.campaign}”")
    if rule.fund:
        found.append(f"for the fund “{rule.fund}”")
    if rule.source:
        found.append(f"that came by “{rule.get_source_display()}”")
    return f"counting only gifts {joined(found, 'and')}" if found else ""


def what_to_do(rule: Any) -> str:
    """What happens then."""
    if rule.action == rule.Action.NOTE:
        return "They get a note by email."
    return f"{rule.assignee.user if rule.assignee else 'The team'} is asked to thank them."


def reason(award: Any) -> str:
    """“$1,000 given in all, with a gift of $100.00 on May 1, 2026”. Reads the rule and the gift of the award."""
    words = reached(award.rule, award.threshold, award.period)
    if award.gift is None:
        return words
    return f"{words}, with a gift of {money(award.gift.net)} on {date_format(award.gift.received_on, 'M j, Y')}"


TOKENS = {
    "{donor}": "the donor's name",
    "{first_name}": "their first name",
    "{milestone}": "what was reached, such as “10 gifts”",
    "{gift}": "the gift that reached it, such as “$100.00”",
    "{date}": "its date",
}
TOKEN = re.compile(r"\{\w*\}")
USUAL = "Thank {donor} for {milestone}."


def instruction(rule: Any, award: Any) -> str:
    """What to do, in the rule's words, for this award."""
    gift = award.gift
    values = {
        "{donor}": str(award.contact),
        "{first_name}": award.contact.first_name or str(award.contact),
        "{milestone}": reached(rule, award.threshold, award.period),
        "{gift}": money(gift.net) if gift else "a gift",
        "{date}": date_format(gift.received_on if gift else award.reached_on, "M j, Y"),
    }
    return TOKEN.sub(lambda found: values.get(found.group(), found.group()), rule.instruction or USUAL)
