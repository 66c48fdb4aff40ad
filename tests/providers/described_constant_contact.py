"""Everything our Constant Contact client asks, for the check against the vendor's own description."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from django.conf import settings

from integrations.provider_kit.states import ListOperation, Member, Operation, Places, Standing, Verb
from integrations.providers.constant_contact import ConstantContact, account, activities
from integrations.providers.constant_contact.members import ACCOUNT
from tests.conftest import constant_contact_settings
from tests.fakes import ConstantContactSandbox

NEWS, GALA = "news", "gala"
OFF = {"standing": Standing.UNSUBSCRIBED, "lists": frozenset[str]()}


def point_at(address: str, login: str) -> None:
    """The settings: the API through Prism, the log-in at the sandbox itself, and no quota, as there is no database."""
    for name, value in constant_contact_settings(address).items():
        setattr(settings, name, value)
    settings.CONSTANT_CONTACT_LOGIN_URL, settings.CONSTANT_CONTACT_PER_SECOND = login, 0
    activities.POLLS = (0.1,) * 20  # type: ignore[assignment]


def client(sandbox: ConstantContactSandbox) -> ConstantContact:
    """A provider without a database behind it."""
    secret = {**account.tokens(sandbox.grant()), "expires_at": time.time() + 86_400}
    kept = {"account": {"organization": "River Trust"}, "fields": "names"}
    credential = SimpleNamespace(read=lambda: secret)
    return ConstantContact(SimpleNamespace(settings=kept, credential=credential, tenant_id=1))


def lists(provider: ConstantContact) -> Places:
    """Two lists, made, renamed and found."""
    places = Places()
    for uid, name in ((NEWS, "Newsletter"), (GALA, "Gala")):
        made: Any = provider.carry_out_list(ListOperation(Verb.CREATE_LIST, uid, ACCOUNT, name))
        places[uid, ACCOUNT], places.names[uid, ACCOUNT] = made.remote_id, name
        provider.carry_out_list(ListOperation(Verb.RENAME_LIST, uid, ACCOUNT, f"{name} 2", made.remote_id))
        provider.find_list(ListOperation(Verb.CREATE_LIST, uid, ACCOUNT, f"{name} 2"))
    provider.carry_out_list(ListOperation(Verb.CREATE_LIST, "taken", ACCOUNT, "Gala 2"))
    provider.lists_there(ACCOUNT)
    return places


def person(number: int | str = "", **more: Any) -> Member:
    fields = {"first_name": "Ana", "last_name": "Ruiz"}
    return Member(f"ana{number}@rivermail.test", **{"fields": fields, "lists": frozenset({NEWS, GALA}), **more})


def life(provider: ConstantContact, places: Places) -> Iterator[tuple[Operation, Any]]:
    """One person's life there, through every verb; each step starts from what the one before brought."""
    steps: list[tuple[Verb, dict[str, Any]]] = [
        (Verb.CREATE, {}),
        (Verb.CREATE, {}),
        (Verb.UPDATE, {"fields": {"first_name": "Anna", "last_name": ""}}),
        (Verb.UPDATE, {"address": "ana.ruiz@rivermail.test", "lists": frozenset({NEWS})}),
        (Verb.OPT_OUT, OFF),
        (Verb.ENABLE, {"standing": Standing.SUBSCRIBED, "lists": frozenset({NEWS})}),
        (Verb.DISABLE, {"standing": Standing.ARCHIVED, "lists": frozenset()}),
        (Verb.ENABLE, {"standing": Standing.SUBSCRIBED, "lists": frozenset({NEWS})}),
    ]
    now: Member | None = None
    for number, (verb, change) in enumerate(steps):
        after = (now or person()).but(**change)
        before = None if verb == Verb.CREATE else now
        for operation, outcome in provider.carry_out([Operation(verb, str(number), ACCOUNT, before, after)], places):
            now = getattr(outcome, "now", None) or after
            yield operation, outcome


def after_leaving(
    provider: ConstantContact, sandbox: ConstantContactSandbox, places: Places
) -> Iterator[tuple[Operation, Any]]:
    """What may be asked of somebody who left by themselves."""
    address = "ana.ruiz@rivermail.test"
    sandbox.act({"as": "person", "action": "unsubscribe", "account": "river", "email": address})
    left = provider.look(ACCOUNT, address, places=places)
    assert left is not None and left.standing == Standing.UNSUBSCRIBED
    wanted = left.but(standing=Standing.SUBSCRIBED, lists=frozenset({NEWS}))
    for verb in (Verb.ENABLE, Verb.ASK):
        yield from provider.carry_out([Operation(verb, f"{verb} again", ACCOUNT, left, wanted)], places)


def crowd(provider: ConstantContact, places: Places) -> Iterator[tuple[Operation, Any]]:
    """Enough people for bulk work: taken in, changed, taken off, opted out."""
    people = [person(number) for number in range(24)]
    made = [Operation(Verb.CREATE, each.address, ACCOUNT, None, each) for each in people]
    outcomes = list(provider.carry_out(made, places))
    yield from outcomes
    known = [found for _, outcome in outcomes if (found := getattr(outcome, "now", None))]
    assert len(known) == len(people)
    off = {"standing": Standing.ARCHIVED, "lists": frozenset()}
    for verb, change, some in (
        (Verb.UPDATE, {"fields": {"first_name": "Anna", "last_name": "R"}}, known[:8]),
        (Verb.DISABLE, off, known[8:16]),
        (Verb.OPT_OUT, OFF, known[16:]),
    ):
        operations = [Operation(verb, each.address, ACCOUNT, each, each.but(**change)) for each in some]
        yield from provider.carry_out(operations, places)
    provider.look_many(ACCOUNT, [(each.address, each.remote_id) for each in known], places)


def drive(provider: ConstantContact, sandbox: ConstantContactSandbox) -> Iterator[tuple[Operation, Any]]:
    """Everything the provider can do."""
    places = lists(provider)
    yield from life(provider, places)
    yield from after_leaving(provider, sandbox, places)
    yield from crowd(provider, places)
    cursor, is_done = "", False
    while not is_done:
        _, cursor = provider.opt_outs_page(ACCOUNT, cursor, places)
        is_done = not cursor
    provider.members_page(ACCOUNT, "", places)
    for (uid, place), remote_id in places.items():
        provider.carry_out_list(ListOperation(Verb.DELETE_LIST, uid, place, "", remote_id))
