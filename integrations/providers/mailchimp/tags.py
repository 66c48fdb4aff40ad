"""Many people on or off a tag: one call for each tag and 500 people. Whoever is not in the audience is passed over."""

from collections import defaultdict
from collections.abc import Iterable

from integrations.provider_kit.errors import CallFailed, Outcome
from integrations.provider_kit.states import Operation
from integrations.providers.mailchimp.answers import refusal
from integrations.providers.mailchimp.api import Api
from integrations.providers.mailchimp.members import Container

MOST = 500
Wish = tuple[Operation, str, frozenset[str]]  # whose it is, the address, our lists
Trouble = dict[str, Outcome]  # by subject: in one container there is one operation on each


def take_off(api: Api, where: Container, leaving: Iterable[Wish]) -> Trouble:
    """Take these addresses off these lists; what went wrong, by subject."""
    return _change(api, where, leaving, "members_to_remove")


def put_on(api: Api, where: Container, joining: Iterable[Wish]) -> Trouble:
    """Put these addresses on these lists; what went wrong, by subject."""
    return _change(api, where, joining, "members_to_add")


def _change(api: Api, where: Container, wishes: Iterable[Wish], verb: str) -> Trouble:
    by_tag: dict[str, dict[str, str]] = defaultdict(dict)
    for operation, address, lists in wishes:
        for uid in where.tagged(lists):
            by_tag[where.tags[uid]][address] = operation.subject
    trouble: Trouble = {}
    for tag, people in sorted(by_tag.items()):
        addresses = list(people)
        for start in range(0, len(addresses), MOST):
            part = addresses[start : start + MOST]
            for address, outcome in _call(api, where.audience, tag, verb, part).items():
                trouble[people[address]] = outcome
    return trouble


def _call(api: Api, audience: str, tag: str, verb: str, addresses: list[str]) -> dict[str, Outcome]:
    try:
        answer = api.call("POST", "lists", audience, "segments", tag, json={verb: addresses})
    except CallFailed as failure:
        if getattr(failure.outcome, "code", "") == "not_found":
            return {}  # The tag is gone, and with it everybody is off it.
        return dict.fromkeys(addresses, failure.outcome)
    by_key = {address.lower(): address for address in addresses}
    return {
        by_key[key]: refusal(str(row.get("error", "")))
        for row in answer.get("errors") or []
        for each in row.get("email_addresses") or []
        if (key := str(each).lower()) in by_key
    }
