"""Constant Contact keeps the contract of every provider, and its own rules; the vendor is the sandbox, by HTTP."""

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from contacts.tenancy.models import Tenant
from integrations.models import Credential
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import Ambiguous, CallFailed, Done, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer
from integrations.provider_kit.states import ListOperation, Member, Operation, Standing, Verb
from integrations.providers.constant_contact import ConstantContact, account, answers, api, bulk, single
from integrations.providers.constant_contact.api import NamedRefusal
from tests.fakes.constant_contact.activity_work import finish
from tests.providers.contract import ProviderContract
from tests.providers.stand import ANA, CHALLENGE, GALA, NEWS, VERIFIER, Stand, is_on

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ACCOUNT = {"organization": "River Trust", "email": "office@rivertrust.test", "address": "1 Mill Lane, Portland"}
OFF = {"standing": Standing.UNSUBSCRIBED, "lists": frozenset()}
DISABLED = {"standing": Standing.ARCHIVED, "lists": frozenset()}
BACK = "http://127.0.0.1:8000/back/"


class ConstantContactStand(Stand):
    """The sandbox account “river”."""

    key = "constant_contact"
    refused_address = f"{'a' * 64}@{'b' * 30}.test"  # longer than the vendor takes

    def __init__(self, tenant: Tenant, sandbox: Any) -> None:
        secret = account.tokens(sandbox.grant())
        super().__init__(tenant, sandbox, {"account": ACCOUNT, "fields": "names"}, secret)

    def held(self, address: str = ANA) -> Any:
        """The contact as the sandbox holds it."""
        return self.sandbox.contact(address)

    def there(self, address: str) -> Member | None:
        held = self.held(address)
        if held is None:
            return None
        uids = {remote_id: uid for (uid, _), remote_id in self.places.items()}
        lists = frozenset(uids[each] for each in held.lists if each in uids)
        standing = Standing.SUBSCRIBED if lists else Standing.ARCHIVED
        if held.permission == "unsubscribed":
            standing = Standing.UNSUBSCRIBED
        elif held.deleted_at:
            standing = Standing.REMOVED
        elif held.permission == "pending_confirmation":
            standing = Standing.PENDING
        fields = {name: held.core.get(name, "") for name in ("first_name", "last_name")}
        return Member(held.address, standing, fields, lists, held.contact_id)

    def act(self, who: str, action: str, email: str = ANA, **more: Any) -> None:
        self.sandbox.act({"as": who, "action": action, "account": "river", "email": email, **more})

    def leaves(self, address: str) -> None:
        self.act("person", "unsubscribe", address)

    def renames(self, address: str, first_name: str) -> None:
        self.act("holder", "edit", address, first_name=first_name)

    def was_there(self, address: str, first_name: str) -> None:
        self.act("holder", "add_contact", address, **({"first_name": first_name} if first_name else {}))

    def revoke(self) -> None:
        self.act("holder", "revoke")
        self.act("holder", "expire_tokens")

    def consent(self, provider: type[Provider], redirect_uri: str) -> str:
        return consent(self.sandbox, provider.authorize_url("a state", redirect_uri, CHALLENGE), redirect_uri)

    def calls(self) -> list[str]:
        return [f"{call['method']} {call['path']}" for call in self.sandbox.calls.since()]


def consent(sandbox: Any, address: str, redirect_uri: str) -> str:
    """Sign in at the sandbox and press Allow; the code that comes back."""
    sandbox.register_redirect(redirect_uri)
    form = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
    login = address.partition("?")[0]
    page = requests.post(login, data=form | {"login": "river", "password": "sandbox"}, timeout=5)
    ticket = re.search(r'name="?ticket"? value="([^"]+)"', page.text)
    assert ticket, page.text
    back = requests.post(
        login.replace("/authorize", "/allow"), data={"ticket": ticket[1], "decision": "allow"}, allow_redirects=False,
        timeout=5,
    )  # fmt: skip
    answer = parse_qs(urlsplit(back.headers["Location"]).query)
    assert answer["state"] == [form["state"]]
    return answer["code"][0]


@pytest.fixture
def stand(in_tenant: Tenant, constant_contact: Any, quick_activities: None) -> Any:
    made = ConstantContactStand(in_tenant, constant_contact)
    made.make_list()
    yield made
    made.provider.close()
    assert not any("sign_up_form" in call for call in made.calls())  # it would opt people in again


class TestContract(ProviderContract):
    """The contract."""


# --- read before write: a PUT empties what it is not sent ---


def test_L16_a_change_of_the_name_keeps_all_that_is_not_ours(stand: ConstantContactStand) -> None:
    ana = stand.create()
    theirs: dict[str, Any] = {"job_title": "Musician", "company_name": "Acme", "birthday_month": 11, "birthday_day": 24}
    stand.act("holder", "edit", **theirs, anniversary="2006-11-15")
    stand.act("holder", "put_on_list", list="River Friends")
    stand.held().parts["phone_numbers"] = [{"phone_number": "5035550100", "kind": "home"}]
    before = stand.held()
    kept = dict(before.core), dict(before.lists), dict(before.parts)
    now = stand.known(Verb.UPDATE, ana, ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"}))
    assert now.fields["first_name"] == "Anna"
    held = stand.held()
    assert (held.core, held.lists, held.parts) == ({**kept[0], "first_name": "Anna"}, kept[1], kept[2])
    for verb, change in [(Verb.OPT_OUT, OFF), (Verb.ENABLE, {}), (Verb.DISABLE, DISABLED), (Verb.ENABLE, {})]:
        stand.do(verb, ana.but(**OFF) if verb == Verb.ENABLE else ana, ana.but(**change))
        assert {**stand.held().core, "first_name": "Anna"} == {**kept[0], "first_name": "Anna"}, verb
        assert stand.held().parts == kept[2] and len(stand.held().lists) >= 1  # the list of theirs


def test_L26_nothing_is_written_where_nothing_would_change(stand: ConstantContactStand) -> None:
    ana = stand.create()
    before = len(stand.writes())
    assert isinstance(stand.do(Verb.UPDATE, ana.but(fields={}), ana), Done)
    assert len(stand.writes()) == before


def test_L33_lists_of_theirs_stay_when_somebody_leaves_ours(stand: ConstantContactStand) -> None:
    ana = stand.create()
    stand.act("holder", "put_on_list", list="River Friends")
    assert isinstance(stand.do(Verb.DISABLE, ana, ana.but(**DISABLED)), Done)
    held = stand.held()
    assert (len(held.lists), held.permission, held.deleted_at) == (1, "implicit", 0)


@pytest.mark.parametrize("shows", [True, False])
def test_L17_somebody_leaves_a_list_even_if_the_vendor_only_adds_the_lists_of_a_PUT(
    stand: ConstantContactStand, shows: bool
) -> None:
    """Unconfirmed what it does; where its answer shows what is left, the removal that only removes is used."""
    stand.make_list(GALA, "Gala")
    ana = stand.create(lists=(NEWS, GALA))
    stand.sandbox.options.put_merges_lists, stand.sandbox.options.writes_show_everything = True, True
    stand.sandbox.options.put_merges_lists = shows
    stand.known(Verb.UPDATE, ana, ana.but(lists=frozenset({NEWS})))
    time.sleep(0.1)
    assert is_on(stand.there(ANA), NEWS)


# --- somebody is there already: 409, with the id in its text ---


def test_L12_whoever_is_there_already_is_met_by_the_id_in_the_refusal(stand: ConstantContactStand) -> None:
    stand.act("holder", "add_contact", list="River Friends", first_name="A.", job_title="Musician")
    now = stand.known(Verb.CREATE, None, stand.member())
    assert (now.standing, now.ours, now.remote_id) == (Standing.SUBSCRIBED, False, stand.held().contact_id)
    assert is_on(stand.there(ANA), NEWS) and stand.held().core["job_title"] == "Musician"
    assert len(stand.held().lists) == 2
    assert [call.partition(stand.held().contact_id)[0] for call in stand.calls()[-3:]] == [
        "POST /v3/contacts", "GET /v3/contacts/", "PUT /v3/contacts/",
    ]  # fmt: skip


def test_L12_an_id_in_the_text_that_is_somebody_else_is_not_believed(
    stand: ConstantContactStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.act("holder", "add_contact")
    other = stand.sandbox.contact("marisol.vega@rivermail.test")
    monkeypatch.setattr(NamedRefusal, "__init__", lambda self, outcome, _: name(self, outcome, other.contact_id))
    now = stand.known(Verb.CREATE, None, stand.member())
    assert now.remote_id == stand.held().contact_id != other.contact_id
    assert other.core["first_name"] == "Marisol"


def name(failure: NamedRefusal, outcome: Refused, contact_id: str) -> None:
    CallFailed.__init__(failure, outcome)
    failure.contact_id = contact_id


@pytest.mark.parametrize(("email", "standing"), [("june.park", "unsubscribed"), ("hugo.marchetti", "removed")])
def test_L24a_L35_who_left_or_was_deleted_there_is_not_brought_back_by_a_creation(
    stand: ConstantContactStand, email: str, standing: str
) -> None:
    address = f"{email}@rivermail.test"
    before = stand.there(address)
    now = stand.known(Verb.CREATE, None, stand.member(address))
    assert (now.standing, stand.there(address)) == (Standing(standing), before)


def test_L24a_an_opt_out_between_our_reading_and_our_writing_counts(
    stand: ConstantContactStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = stand.create()
    write = single.Person.put

    def late(person: single.Person, *args: Any, **more: Any) -> Any:
        monkeypatch.setattr(single.Person, "put", write)
        stand.leaves(ANA)
        return write(person, *args, **more)

    monkeypatch.setattr(single.Person, "put", late)
    assert stand.known(Verb.UPDATE, ana, stand.member(first="Anna")).standing == Standing.UNSUBSCRIBED
    assert stand.held().permission == "unsubscribed"


# --- addresses (L16) ---


def test_L16_a_new_address_stays_the_same_contact(stand: ConstantContactStand) -> None:
    ana = stand.create()
    now = stand.known(Verb.UPDATE, ana, ana.but(address="anna@rivermail.test"))
    assert (now.address, now.remote_id) == ("anna@rivermail.test", ana.remote_id)
    assert stand.there(ANA) is None and is_on(stand.there("anna@rivermail.test"), NEWS)


@pytest.mark.parametrize("of", ["somebody there", "somebody deleted there", "somebody who left"])
def test_L16_a_new_address_that_is_taken_leaves_the_old_one_on_no_list(stand: ConstantContactStand, of: str) -> None:
    ana, new = stand.create(), "anna@rivermail.test"
    stand.act("holder", "add_contact", new)
    if of != "somebody there":
        stand.act(*("holder", "delete") if of == "somebody deleted there" else ("person", "unsubscribe"), new)
    outcome = stand.do(Verb.UPDATE, ana, ana.but(address=new))
    assert isinstance(outcome, Done) and outcome.now and outcome.left
    assert outcome.left.standing == Standing.ARCHIVED
    there = stand.there(ANA)
    assert there is not None and there.standing == Standing.ARCHIVED
    if of == "somebody who left":
        assert outcome.now.standing == Standing.UNSUBSCRIBED
        assert stand.sandbox.contact(new).permission == "unsubscribed"
    else:
        assert is_on(stand.there(new), NEWS)


def test_L16_a_new_address_that_is_refused_does_not_leave_the_old_one_on_a_list(stand: ConstantContactStand) -> None:
    ana = stand.create()
    outcome = stand.do(Verb.UPDATE, ana, ana.but(address=stand.refused_address))
    assert isinstance(outcome, Refused) and outcome.code == "invalid_address"
    assert outcome.now is not None and outcome.now.standing == Standing.ARCHIVED
    there = stand.there(ANA)
    assert there is not None and there.standing == Standing.ARCHIVED


# --- permission: who may take an opt-out back ---


@pytest.mark.parametrize(("by_person", "source"), [(True, "Contact"), (False, "Account")])
def test_L14_an_opt_out_says_truly_whose_it_is(stand: ConstantContactStand, by_person: bool, source: str) -> None:
    ana = stand.create()
    operation = replace(stand.op(Verb.OPT_OUT, ana, ana.but(**OFF)), by_person=by_person)
    [outcome] = stand.run(operation)
    assert isinstance(outcome, Done)
    held = stand.held()
    assert (held.permission, held.opt_out_source, held.lists) == ("unsubscribed", source, {})


def test_L15_an_opt_out_by_the_account_is_undone_by_the_account(stand: ConstantContactStand) -> None:
    ana = stand.create()
    off = stand.known(Verb.OPT_OUT, ana, ana.but(**OFF))
    assert stand.known(Verb.ENABLE, off, ana).standing == Standing.SUBSCRIBED
    assert is_on(stand.there(ANA), NEWS) and stand.held().confirmations == 0


@pytest.mark.parametrize("shows_pending", [True, False])
def test_L15_an_opt_out_by_the_person_is_undone_by_them_and_they_are_asked_once(
    stand: ConstantContactStand, shows_pending: bool
) -> None:
    stand.sandbox.options.resubscribe_shows_pending = shows_pending
    ana = stand.create()
    stand.leaves(ANA)
    off = ana.but(**OFF)
    asked = stand.do(Verb.ENABLE, off, ana)
    assert isinstance(asked, Done) and asked.now and asked.now.standing == Standing.PENDING
    assert asked.answer == single.ASKED_INSTEAD and stand.held().confirmations == 1
    found = stand.provider.look(stand.container(), ANA, ana.remote_id, stand.places)
    assert found is not None and found.standing == Standing.PENDING
    stand.act("person", "confirm")
    assert is_on(stand.there(ANA), NEWS)
    stand.leaves(ANA)
    again = stand.do(Verb.ASK, off, ana.but(standing=Standing.PENDING))
    assert isinstance(again, Refused) and again.code == "asked_before" and "only once" in again.sentence
    assert stand.held().confirmations == 1 and stand.held().permission == "unsubscribed"


def test_L24a_who_left_after_we_disabled_them_is_not_asked_and_not_enabled(stand: ConstantContactStand) -> None:
    ana = stand.create()
    archived = stand.known(Verb.DISABLE, ana, ana.but(**DISABLED))
    stand.leaves(ANA)
    assert stand.known(Verb.ENABLE, archived, ana).standing == Standing.UNSUBSCRIBED
    assert (stand.held().permission, stand.held().confirmations) == ("unsubscribed", 0)


def test_L33_who_was_deleted_there_is_revived_when_somebody_decided_so(stand: ConstantContactStand) -> None:
    ana = stand.create()
    stand.act("holder", "delete")
    gone = stand.known(Verb.UPDATE, ana, stand.member(first="Anna", remote_id=ana.remote_id))
    assert gone.standing == Standing.REMOVED and stand.held().deleted_at
    assert stand.known(Verb.ENABLE, ana.but(**DISABLED), ana).standing == Standing.SUBSCRIBED
    assert is_on(stand.there(ANA), NEWS)


@pytest.mark.parametrize(("taken_for", "standing"), [("subscribed", "subscribed"), ("cleaned", "cleaned")])
def test_a_temporary_hold_is_taken_for_what_the_setting_says(
    stand: ConstantContactStand, settings: Any, taken_for: str, standing: str
) -> None:
    settings.CONSTANT_CONTACT_TEMP_HOLD = taken_for
    stand.create()
    stand.act("holder", "hold")
    found = stand.provider.look(stand.container(), ANA, places=stand.places)
    assert found is not None and found.standing == Standing(standing)


# --- many at once ---


def crowd(stand: ConstantContactStand, count: int, *more: str) -> list[Operation]:
    """Creations of so many people, and of these."""
    addresses = [f"p{number}@crowd.test" for number in range(count)]
    return [stand.op(Verb.CREATE, None, stand.member(address)) for address in [*addresses, *more]]


def test_L29_two_thousand_new_people_take_few_calls(stand: ConstantContactStand) -> None:
    before = len(stand.calls())
    outcomes = stand.run(*crowd(stand, 2000))
    assert all(isinstance(outcome, Done) and outcome.now and outcome.now.remote_id for outcome in outcomes)
    assert {outcome.now.ours for outcome in outcomes if isinstance(outcome, Done) and outcome.now} == {True}
    assert len(stand.calls()) - before <= 9
    assert is_on(stand.there("p1999@crowd.test"), NEWS)


def mixed(stand: ConstantContactStand, count: int = 5) -> list[Operation]:
    """Two people for each mixture of so many lists."""
    uids = [f"{number}1111111-1111-4111-8111-111111111111" for number in range(2, 2 + count)]
    for uid in uids:
        stand.make_list(uid, f"List {uid[0]}")
    mixtures = [some for size in range(1, count + 1) for some in combinations(uids, size)]
    people = [stand.member(f"p{n}@crowd.test", lists=lists) for n, lists in enumerate([*mixtures, *mixtures])]
    return [stand.op(Verb.CREATE, None, each) for each in people]


def test_L29_people_on_many_mixtures_of_lists_take_an_import_a_list_and_not_one_a_mixture(
    stand: ConstantContactStand,
) -> None:
    operations = mixed(stand)
    before = len(stand.calls())
    outcomes = stand.run(*operations)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len([call for call in stand.calls()[before:] if "contacts_json_import" in call]) == 5
    assert len(stand.calls()) - before <= 15
    assert all(is_on(stand.there(op.after.address), *op.after.lists) for op in operations)
    gone = [
        stand.op(Verb.DISABLE, outcome.now, outcome.now.but(**DISABLED))
        for outcome in outcomes if isinstance(outcome, Done) and outcome.now
    ]  # fmt: skip
    before = len(stand.calls())
    assert all(isinstance(outcome, Done) for outcome in stand.run(*gone))
    assert len(stand.calls()) - before <= 15 and not any(stand.held(op.after.address).lists for op in operations)


def test_L25_who_is_part_of_several_imports_waits_for_all_of_them(stand: ConstantContactStand) -> None:
    stand.sandbox.options.activity_step_s = 60
    operations = mixed(stand, 3)
    waiting = stand.run(*operations)
    tickets = [outcome.ticket for outcome in waiting if isinstance(outcome, Ambiguous) and outcome.is_underway]
    assert len(tickets) == len(operations) and {ticket.count("+") for ticket in tickets} == {0, 1, 2}
    held = stand.sandbox.account()
    finish(held, held.waiting[0], stand.sandbox.now(), stand.sandbox.options)
    again = [replace(op, ticket=ticket) for op, ticket in zip(operations, tickets, strict=True)]
    outcomes = stand.run(*again)
    done = [op for op, outcome in zip(again, outcomes, strict=True) if isinstance(outcome, Done)]
    assert done and all("+" not in op.ticket for op in done)
    assert sum(isinstance(outcome, Ambiguous) for outcome in outcomes) == len(operations) - len(done)
    stand.act("holder", "finish_activities")
    before = len(stand.writes())
    assert all(isinstance(outcome, Done) for outcome in stand.run(*again)) and len(stand.writes()) == before


@pytest.mark.parametrize("fails", ["429", "500"])
def test_L28_imports_that_could_not_all_be_handed_in_lose_nobody(stand: ConstantContactStand, fails: str) -> None:
    operations = mixed(stand)
    for kept in (1, 4):  # the first import leaves, the others meet trouble; then they go
        answers_left = kept
        original = stand.sandbox.answer

        def answer(request: Any, original: Any = original) -> Any:
            nonlocal answers_left
            if "contacts_json_import" in request.path:
                answers_left -= 1
                if answers_left < 0:
                    return stand.sandbox.problem(fails)
            return original(request)

        stand.sandbox.answer = answer
        outcomes = stand.run(*operations)
        stand.sandbox.answer = original
        expected = {"429": (Done, Retry), "500": (Done, Ambiguous)}[fails]
        assert all(isinstance(outcome, expected) for outcome in outcomes)
    assert all(isinstance(outcome, Done) for outcome in stand.run(*operations))
    assert all(is_on(stand.there(op.after.address), *op.after.lists) for op in operations)


def test_L27_rows_that_vanish_from_an_import_are_found_by_reading_back(stand: ConstantContactStand) -> None:
    stand.act("holder", "add_contact", "known@rivermail.test", first_name="K.")
    stand.held("known@rivermail.test").created_at -= 60
    left, bad = "june.park@rivermail.test", "nobody@-"
    operations = crowd(stand, 8, left, bad, "hugo.marchetti@rivermail.test", "known@rivermail.test")
    outcomes = dict(zip([op.after.address for op in operations], stand.run(*operations), strict=True))
    assert all(isinstance(outcomes[f"p{number}@crowd.test"], Done) for number in range(8))
    refused, unsubscribed = outcomes[bad], outcomes[left]
    assert isinstance(refused, Refused) and refused.code == "invalid_address"
    assert isinstance(unsubscribed, Done) and unsubscribed.now
    assert unsubscribed.now.standing == Standing.UNSUBSCRIBED
    known = outcomes["known@rivermail.test"]
    assert isinstance(known, Done) and known.now and not known.now.ours  # somebody else put them there
    assert len([call for call in stand.calls() if "contacts_json_import" in call]) == 1


def test_L25_an_import_that_is_repeated_reads_whole_lists_and_not_everybody_alone(stand: ConstantContactStand) -> None:
    operations = crowd(stand, 600)
    stand.run(*operations)
    for held in stand.sandbox.account().contacts:
        held.updated_at -= 3600  # as if an import that changes nothing did not count as a change
    stand.sandbox.options.activity_end = "cancelled"
    before = len(stand.calls())
    assert all(isinstance(outcome, Done) for outcome in stand.run(*operations))
    assert len(stand.calls()) - before < 12


def test_L16_a_name_that_was_emptied_is_emptied_there_though_imports_pass_over_it(stand: ConstantContactStand) -> None:
    people = [stand.create(f"p{number}@crowd.test") for number in range(7)]
    wanted = [each.but(fields={"first_name": "Ana", "last_name": ""}) for each in people]
    outcomes = stand.run(*[stand.op(Verb.UPDATE, *pair) for pair in zip(people, wanted, strict=True)])
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert {stand.held(each.address).core.get("last_name", "") for each in people} == {""}


def test_L17_many_leave_a_list_by_one_removal_and_keep_the_others(stand: ConstantContactStand) -> None:
    stand.make_list(GALA, "Gala")
    people = [stand.create(f"p{number}@crowd.test", lists=(NEWS, GALA)) for number in range(10)]
    stand.act("holder", "put_on_list", people[0].address, list="River Friends")
    before = len(stand.writes())
    outcomes = stand.run(*[stand.op(Verb.UPDATE, each, each.but(lists=frozenset({NEWS}))) for each in people])
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(stand.writes()) - before == 1
    assert all(is_on(stand.there(each.address), NEWS) for each in people)
    assert len(stand.held(people[0].address).lists) == 2
    off = stand.run(
        *[stand.op(Verb.DISABLE, each.but(lists=frozenset({NEWS})), each.but(**DISABLED)) for each in people]
    )
    assert all(isinstance(outcome, Done) for outcome in off)
    assert {each.permission for each in map(stand.held, [p.address for p in people])} == {"implicit"}
    assert len(stand.held(people[0].address).lists) == 1 and not stand.held(people[1].address).lists


def test_L17_many_who_change_lists_and_names_at_once_get_both(stand: ConstantContactStand) -> None:
    stand.make_list(GALA, "Gala")
    people = [stand.create(f"p{number}@crowd.test") for number in range(10)]
    wanted = [each.but(lists=frozenset({GALA}), fields={"first_name": "B", "last_name": "C"}) for each in people]
    before = len(stand.calls())
    outcomes = stand.run(*[stand.op(Verb.UPDATE, *pair) for pair in zip(people, wanted, strict=True)])
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(stand.calls()) - before < 10
    assert all(is_on(stand.there(each.address), GALA) for each in people)
    assert {stand.held(each.address).core["first_name"] for each in people} == {"B"}


def test_L29_many_opt_outs_leave_the_lists_at_once_and_are_unsubscribed_one_by_one(stand: ConstantContactStand) -> None:
    people = [stand.create(f"p{number}@crowd.test") for number in range(8)]
    out = [stand.op(Verb.OPT_OUT, each, each.but(**OFF)) for each in people]
    outcomes = stand.provider.carry_out(out, stand.places)
    next(iter(outcomes))
    time.sleep(0.1)
    assert not any(stand.held(each.address).lists for each in people)  # nobody is mailed through them any more
    assert all(isinstance(outcome, Done) for _, outcome in outcomes)
    assert {stand.held(each.address).permission for each in people} == {"unsubscribed"}


@pytest.mark.parametrize("end", ["failed", "cancelled", "timed_out"])
def test_L25_bulk_work_that_came_to_nothing_is_made_up_for(stand: ConstantContactStand, end: str) -> None:
    stand.sandbox.options.activity_end = end
    outcomes = stand.run(*crowd(stand, 10))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert all(is_on(stand.there(f"p{number}@crowd.test"), NEWS) for number in range(10))


def test_L25_what_is_under_way_is_asked_about_and_not_sent_again(stand: ConstantContactStand) -> None:
    stand.sandbox.options.activity_step_s = 60
    operations = crowd(stand, 10)
    waiting = stand.run(*operations)
    assert all(isinstance(outcome, Ambiguous) and outcome.is_underway and outcome.after for outcome in waiting)
    [ticket] = {outcome.ticket for outcome in waiting if isinstance(outcome, Ambiguous)}
    again = [replace(operation, ticket=ticket) for operation in operations]
    assert [outcome.ticket for outcome in stand.run(*again) if isinstance(outcome, Ambiguous)] == [ticket] * 10
    people = [(operation.after.address, "") for operation in operations]
    with pytest.raises(CallFailed) as failure:
        stand.provider.look_many(stand.container(), people, stand.places, [ticket])
    assert isinstance(failure.value.outcome, Ambiguous) and failure.value.outcome.is_underway
    stand.act("holder", "finish_activities")
    before = len(stand.writes())
    found = stand.provider.look_many(stand.container(), people, stand.places, [ticket])
    assert all(each is not None and each.lists == {NEWS} for each in found)
    assert all(isinstance(outcome, Done) for outcome in stand.run(*again))
    assert len(stand.writes()) == before


@pytest.mark.parametrize("kind", ["500", "429", "cut"])
def test_L28_an_import_that_could_not_be_read_back_is_not_sent_again(stand: ConstantContactStand, kind: str) -> None:
    stand.fail(kind, methods=["GET"])
    waiting = stand.run(*crowd(stand, 10))
    assert {type(outcome) for outcome in waiting} == {Ambiguous}
    assert all(isinstance(outcome, Ambiguous) and outcome.is_underway and outcome.ticket for outcome in waiting)


def test_L29_a_large_import_stays_far_below_the_size_from_which_on_rows_are_dropped() -> None:
    row = {"email": f"{'a' * 40}@{'b' * 9}", "first_name": "ü" * 50, "last_name": "ü" * 50}
    assert len(json.dumps({"import_data": [row] * bulk.MOST}).encode()) < 3.8 * 1024 * 1024


# --- who left (L23) ---


def test_L23_hourly_only_who_left_since_is_asked_for_and_daily_everybody(stand: ConstantContactStand) -> None:
    stand.create()
    since = datetime.now(UTC) - timedelta(minutes=5)
    stand.leaves(ANA)
    stand.act("holder", "delete", "tobias.lind@rivermail.test")
    calls = len(stand.calls())
    recent = list(stand.provider.opt_outs(stand.container(), stand.places, since))
    assert [each.address for each in recent] == [ANA] and len(stand.calls()) == calls + 1
    everybody = {each.address: each.standing for each in stand.provider.opt_outs(stand.container(), stand.places)}
    assert everybody["june.park@rivermail.test"] == Standing.UNSUBSCRIBED
    assert everybody["tobias.lind@rivermail.test"] == Standing.REMOVED
    asked = [call["query"] for call in stand.sandbox.calls.since() if call["path"] == "/v3/contacts"]
    assert not any("updated_after" in query for query in asked)


@pytest.mark.parametrize("works", [True, False])
def test_L23_without_the_opt_out_filter_each_reading_goes_through_all_of_them(
    stand: ConstantContactStand, settings: Any, works: bool
) -> None:
    settings.CONSTANT_CONTACT_OPTOUT_FILTER = works
    found = list(stand.provider.opt_outs(stand.container(), stand.places, datetime.now(UTC)))
    assert ("june.park@rivermail.test" in {each.address for each in found}) != works


@pytest.mark.parametrize(("who", "standing"), [("person", Standing.UNSUBSCRIBED), ("holder", Standing.REMOVED)])
def test_L35_who_left_before_they_were_deleted_has_opted_out(
    stand: ConstantContactStand, who: str, standing: Standing
) -> None:
    stand.create()
    stand.act(who, "unsubscribe")
    stand.act("holder", "delete")
    found = stand.provider.look(stand.container(), ANA, places=stand.places)
    assert found is not None and found.standing == standing


def test_L23_a_link_that_was_kept_for_too_long_begins_anew(stand: ConstantContactStand) -> None:
    found, following = stand.provider.opt_outs_page(
        stand.container(), "unsubscribed|/v3/contacts?cursor=gone", stand.places
    )
    assert "june.park@rivermail.test" in {each.address for each in found} and following == "deleted|"


def test_L31_everybody_is_read_in_pages_and_every_list(
    stand: ConstantContactStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PAGE", 2)
    stand.create()
    found: list[Member] = []
    cursor, pages = "", 0
    while not pages or cursor:
        members_of_page, cursor = stand.provider.members_page(stand.container(), cursor, stand.places)
        found, pages = found + members_of_page, pages + 1
    standings = {each.address: each.standing for each in found}
    assert standings[ANA] == Standing.SUBSCRIBED and standings["june.park@rivermail.test"] == Standing.UNSUBSCRIBED
    assert standings["marisol.vega@rivermail.test"] == Standing.ARCHIVED  # on none of our lists
    assert pages > 2 and "hugo.marchetti@rivermail.test" not in standings
    there = {each.name: each.members for each in stand.provider.lists_there(stand.container())}
    assert there["Newsletter"] == 1 and "River Friends" in there


# --- lists ---


def test_L11_a_rename_keeps_what_else_the_list_says(stand: ConstantContactStand) -> None:
    remote_id = stand.places[NEWS, stand.container()]
    held = stand.sandbox.account().lists[remote_id]
    held.description, held.favorite = "Monthly", True
    stand.provider.carry_out_list(ListOperation(Verb.RENAME_LIST, NEWS, stand.container(), "News", remote_id))
    assert (held.name, held.description, held.favorite) == ("News", "Monthly", True)


@pytest.mark.parametrize("verb", [Verb.CREATE_LIST, Verb.RENAME_LIST])
def test_L33_a_name_that_a_list_there_has_is_refused(stand: ConstantContactStand, verb: Verb) -> None:
    place = stand.container()
    outcome = stand.provider.carry_out_list(
        ListOperation(verb, NEWS, place, "River Friends", stand.places[NEWS, place] if verb == Verb.RENAME_LIST else "")
    )
    assert isinstance(outcome, Refused) and outcome.code == "name_taken"


def test_L18_the_last_list_of_an_account_stays_and_that_is_said(stand: ConstantContactStand) -> None:
    stand.act("holder", "delete_list", list="River Friends")
    place = stand.container()
    outcome = stand.provider.carry_out_list(
        ListOperation(Verb.DELETE_LIST, NEWS, place, "Newsletter", stand.places[NEWS, place])
    )
    assert isinstance(outcome, Refused) and "at least one list" in outcome.sentence


# --- what an answer means ---


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, '[{"error_key": "contacts.api.validation.error", "error_message": "#/email_address: no"}]', Refused),
        (400, '{"error_key": "validation", "error_message": "No."}', Refused),
        (400, "", Ambiguous),
        (404, '[{"error_key": "contacts.api.not_found", "error_message": "No."}]', Refused),
        (404, "<html>Not here</html>", Ambiguous),
        (401, '{"error_key": "unauthorized", "error_message": "Unauthorized"}', Reconnect),
        (403, "<html>Denied</html>", Retry),
        (429, '{"error_key": "throttled", "error_message": "Too Many Requests"}', Retry),
        (503, "", Ambiguous),
    ],
)
def test_L28_errors_come_as_an_array_an_object_nothing_or_a_page(status: int, body: str, expected: type) -> None:
    content = json.loads(body) if body[:1] in ("[", "{") else None
    outcome = answers.classify(Answer(status, {}, body.encode(), content), writes=True)
    assert isinstance(outcome, expected) and outcome.sentence.endswith((".", "…"))


def test_the_vendors_words_are_shown_without_ids() -> None:
    said = answers.refusal("Something about 1618ae62-4752-11e9-9c8a-fa163e6b01c1 went wrong")
    assert "1618ae62" not in said.sentence and "Something about" in said.sentence


@pytest.mark.parametrize("cause", ["privileges", "application", "scope"])
def test_L2_a_403_says_which_of_the_three_causes_it_has(stand: ConstantContactStand, cause: str) -> None:
    if cause == "privileges":
        stand.act("holder", "set_account", privileges=["contacts:read"])
    elif cause == "application":
        stand.sandbox.options.application_deactivated = True
    else:
        for grant in stand.sandbox.account().grants:
            grant.scopes = ["account_read", "offline_access"]
    outcome = stand.do(Verb.CREATE, None, stand.member())
    assert isinstance(outcome, Reconnect)
    says = {"privileges": "user who allowed access", "application": "switched off", "scope": "permission"}
    assert says[cause] in outcome.sentence


# --- the grant (L2); many workers at once: tests/integrations/test_grants.py ---


def test_L2_an_expired_token_is_renewed_by_itself_and_the_new_one_is_kept(stand: ConstantContactStand) -> None:
    stand.act("holder", "expire_tokens")
    before = stand.connection.credential.read()
    assert isinstance(stand.do(Verb.CREATE, None, stand.member()), Done)
    stored = Credential.objects.get(connection=stand.connection)
    assert stored.read()["refresh_token"] != before["refresh_token"] and stored.renewed_at
    renewals = [call for call in stand.calls() if call.endswith("/token")]
    assert len(renewals) == 1


def test_L2_a_token_near_its_end_is_renewed_before_it_is_used(stand: ConstantContactStand) -> None:
    secret = {**stand.connection.credential.read(), "expires_at": time.time() + 60}
    Credential.store(stand.connection, secret, None)
    stand.provider.look(stand.container(), ANA, places=stand.places)
    assert [call for call in stand.sandbox.calls.since() if call["status"] == 401] == []
    assert any(call.endswith("/token") for call in stand.calls())


def test_L2_a_refusal_that_a_new_token_does_not_mend_stops_after_one_repetition(stand: ConstantContactStand) -> None:
    stand.fail("401", path="/v3/")
    calls = len(stand.calls())
    assert isinstance(stand.do(Verb.CREATE, None, stand.member()), Reconnect)
    assert [call.rpartition("/")[2] for call in stand.calls()[calls:]] == ["contacts", "token", "contacts"]


@pytest.mark.parametrize("kind", ["500", "502_html", "429", "cut", "invalid_json", "timeout"])
def test_L2_trouble_at_the_token_address_is_no_lost_grant(
    stand: ConstantContactStand, settings: Any, kind: str
) -> None:
    settings.CALL_DEADLINE_SECONDS = 0.3
    stand.act("holder", "expire_tokens")
    stand.fail(kind, path="oauth2", timeout_s=2)
    assert isinstance(stand.do(Verb.CREATE, None, stand.member()), Retry)


def test_L2_a_wrong_application_key_is_the_operators_trouble(stand: ConstantContactStand, settings: Any) -> None:
    settings.CONSTANT_CONTACT_CLIENT_SECRET = "wrong"
    stand.act("holder", "expire_tokens")
    outcome = stand.do(Verb.CREATE, None, stand.member())
    assert isinstance(outcome, Retry) and "operator" in outcome.sentence


def test_L2_a_grant_that_nobody_used_is_renewed_when_asked(stand: ConstantContactStand) -> None:
    before = stand.connection.credential.read()
    stand.provider.keep_alive()
    assert Credential.objects.get(connection=stand.connection).read()["refresh_token"] != before["refresh_token"]


# --- connecting (L1) ---


@pytest.mark.parametrize("client", ["confidential", "public"])
def test_L1_the_account_comes_back_for_review_with_and_without_a_client_secret(
    stand: ConstantContactStand, settings: Any, client: str
) -> None:
    if client == "public":
        settings.CONSTANT_CONTACT_CLIENT_ID, settings.CONSTANT_CONTACT_CLIENT_SECRET = "almoner-sandbox-public", ""
    code = stand.consent(ConstantContact, BACK)
    found = ConstantContact.account_from_code(code, BACK, VERIFIER)
    assert (found.account_id, found.label) == ("p07r1v2rtrust", "River Trust")
    assert found.settings["account"]["address"] == "1 Mill Lane, Portland, OR 97201, US"
    assert {"access_token", "refresh_token", "expires_at"} == found.secret.keys()
    fresh = account.renew(found.secret)
    assert fresh["refresh_token"] != found.secret["refresh_token"]


def test_L1_a_code_is_worth_nothing_without_the_verifier(stand: ConstantContactStand) -> None:
    code = stand.consent(ConstantContact, BACK)
    with pytest.raises(CallFailed) as failure:
        ConstantContact.account_from_code(code, BACK, "another verifier")
    assert code not in str(failure.value)


def test_L1_a_user_who_may_not_change_contacts_is_told_so(stand: ConstantContactStand) -> None:
    stand.act("holder", "set_account", privileges=["contacts:read", "contacts:lists:read"])
    with pytest.raises(CallFailed) as failure:
        ConstantContact.account_from_code(stand.consent(ConstantContact, BACK), BACK, VERIFIER)
    assert "may not change contacts" in str(failure.value)


# --- settings ---


def test_only_the_address_is_sent_if_that_was_chosen(stand: ConstantContactStand) -> None:
    stand.connection.settings["fields"] = "address"
    assert stand.provider.policy(stand.connection.settings).fields == ()
    stand.act("holder", "add_contact", first_name="A.")
    stand.known(Verb.CREATE, None, stand.member())
    assert stand.held().core == {"first_name": "A."}


def test_the_settings_form_shows_the_account_and_keeps_the_choices(stand: ConstantContactStand) -> None:
    kind = ConstantContact.settings_form()
    form = kind(None, initial=stand.connection.settings, connection=stand.connection)
    assert form.initial["organization"] == "River Trust"
    given = {"sent": "address", "organization": "Somebody else"}
    form = kind(given, initial=stand.connection.settings, connection=stand.connection)
    assert form.is_valid(), form.errors
    kept = form.to_settings()
    assert kept["account"] == ACCOUNT and kept["fields"] == "address"
