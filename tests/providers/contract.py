"""What every provider keeps: twice is once, each answer has its outcome, secrets stay inside, claims are true.

A provider's own test file subclasses this and gives a `stand`; `test_every_provider.py` fails for one that does not.
"""

import logging
from dataclasses import replace
from typing import Any

import pytest

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection
from integrations.provider_kit.base import Can, Policy
from integrations.provider_kit.errors import Ambiguous, CallFailed, Done, Reconnect, Refused, Retry
from integrations.provider_kit.states import ListOperation, Member, Standing, Verb
from tests.providers.stand import ANA, GALA, NEWS, VERIFIER, Stand, is_on

WRITES_UNCLEAR = [
    "500",
    "502_html",
    "503_html",
    "timeout",
    "cut",
    "redirect",
    "gzip_bomb",
    "500_applied",
    "invalid_json",
]
WRITES_UNCLEAR += ["cut_body", "slow_body", "stall", "wrong_charset", "done_unanswered"]
WRITES = ["POST", "PUT", "PATCH", "DELETE"]
OUTCOMES = [("401", Reconnect), ("403_empty", Retry), ("403_html", Retry), ("429", Retry), ("429_empty", Retry)]
OUTCOMES += [(kind, Ambiguous) for kind in WRITES_UNCLEAR]


class ProviderContract:
    """Tests for one provider; the fixture `stand` has a connection with one list, NEWS, made at the vendor."""

    # --- data about itself ---
    def test_it_says_who_it_is_and_what_it_can(self, stand: Stand) -> None:
        provider = type(stand.provider)
        assert provider.key == stand.key and provider.label and provider.blurb.endswith(".")
        assert provider.can and all(isinstance(each, Can) for each in provider.can)
        assert not provider.is_set_up({})
        assert provider.is_set_up(stand.connection.settings)
        assert isinstance(provider.policy(stand.connection.settings), Policy)

    # --- twice is once ---
    @pytest.mark.parametrize("verb", [Verb.CREATE, Verb.UPDATE, Verb.OPT_OUT, Verb.DISABLE, Verb.ENABLE, Verb.ASK])
    def test_L25_twice_is_once(self, stand: Stand, verb: Verb) -> None:
        before, after = operands(stand, verb)
        first = stand.do(verb, before, after)
        once = stand.there(ANA)
        second = stand.do(verb, before, after)
        assert isinstance(first, Done) and isinstance(second, Done)
        assert stand.there(ANA) == once

    @pytest.mark.parametrize("kind", ["500_applied", "done_unanswered", "cut_body"])
    def test_L25_a_creation_whose_answer_was_lost_may_be_repeated(self, stand: Stand, kind: str) -> None:
        stand.fail(kind, limit=1)
        assert isinstance(stand.do(Verb.CREATE, None, stand.member()), Ambiguous)
        assert is_on(stand.there(ANA), NEWS)
        assert isinstance(stand.do(Verb.CREATE, None, stand.member()), Done)
        assert is_on(stand.there(ANA), NEWS)

    # --- each answer has its outcome ---
    @pytest.mark.parametrize(("kind", "expected"), OUTCOMES)
    def test_P1_each_answer_of_a_write_has_its_outcome(
        self, stand: Stand, settings: Any, kind: str, expected: type
    ) -> None:
        ana = stand.create()
        go_wrong(stand, settings, kind, methods=WRITES)
        for verb, before, after in [
            (Verb.CREATE, None, stand.member("new@rivermail.test")),
            (Verb.UPDATE, ana, ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"})),
            (Verb.OPT_OUT, ana, ana.but(standing=Standing.UNSUBSCRIBED, lists=frozenset())),
        ]:
            outcome = stand.do(verb, before, after)
            assert isinstance(outcome, expected), (verb, outcome)
            assert getattr(outcome, "sentence", "").endswith(".")

    @pytest.mark.parametrize(("kind", "expected"), OUTCOMES)
    def test_P1_each_answer_of_a_change_of_a_list_has_its_outcome(
        self, stand: Stand, settings: Any, kind: str, expected: type
    ) -> None:
        go_wrong(stand, settings, kind)
        outcome = stand.provider.carry_out_list(ListOperation(Verb.CREATE_LIST, GALA, stand.container(GALA), "Gala"))
        assert isinstance(outcome, expected)

    @pytest.mark.parametrize(("kind", "expected"), OUTCOMES)
    def test_P1_a_read_that_failed_is_repeated(self, stand: Stand, settings: Any, kind: str, expected: type) -> None:
        go_wrong(stand, settings, kind)
        with pytest.raises(CallFailed) as failure:
            stand.provider.look(stand.container(), ANA, places=stand.places)
        assert isinstance(failure.value.outcome, Reconnect if expected is Reconnect else Retry)

    def test_L28_retry_after_is_honoured(self, stand: Stand) -> None:
        stand.fail("429", retry_after=7)
        outcome = stand.do(Verb.CREATE, None, stand.member())
        assert isinstance(outcome, Retry) and outcome.after == 7 and not outcome.alone

    def test_L27_one_that_is_refused_does_not_hold_up_the_others(self, stand: Stand) -> None:
        people = [stand.member(address) for address in ("a@rivermail.test", stand.refused_address, "b@rivermail.test")]
        outcomes = stand.run(*[stand.op(Verb.CREATE, None, each) for each in people])
        assert [type(outcome) for outcome in outcomes] == [Done, Refused, Done]
        refused = outcomes[1]
        assert isinstance(refused, Refused) and refused.code and refused.sentence.endswith((".", "…"))

    def test_P4_after_a_revoked_permission_nobody_is_called_any_more(self, stand: Stand) -> None:
        ana = stand.create()
        stand.revoke()
        calls = len(stand.sandbox.calls.since())
        people = [stand.member(f"p{number}@rivermail.test") for number in range(1200)]
        outcomes = stand.run(
            stand.op(Verb.OPT_OUT, ana, ana.but(standing=Standing.UNSUBSCRIBED)),
            *[stand.op(Verb.CREATE, None, each) for each in people],
        )
        assert all(isinstance(outcome, Reconnect) for outcome in outcomes)
        assert len(stand.sandbox.calls.since()) - calls <= 3

    # --- consent ---
    @pytest.mark.parametrize("verb", [Verb.CREATE, Verb.UPDATE])
    def test_L24a_a_background_write_never_subscribes_again(self, stand: Stand, verb: Verb) -> None:
        ana = stand.create()
        stand.leaves(ANA)
        before = None if verb == Verb.CREATE else ana
        now = stand.known(verb, before, stand.member(first="Anna", remote_id=ana.remote_id))
        assert now.standing == Standing.UNSUBSCRIBED
        held = stand.there(ANA)
        assert held is not None and held.standing == Standing.UNSUBSCRIBED

    # --- whose field it is ---
    @pytest.mark.parametrize("many", [1, 8])
    def test_L22_of_somebody_who_was_there_only_what_is_empty_is_filled_in(self, stand: Stand, many: int) -> None:
        stand.was_there("theirs@rivermail.test", "Theirs")
        stand.was_there("empty@rivermail.test", "")
        new = [f"new{number}@rivermail.test" for number in range(many)]
        people = ["theirs@rivermail.test", "empty@rivermail.test", *new]
        outcomes = stand.run(*[careful(stand, Verb.CREATE, None, stand.member(each)) for each in people])
        assert [first_names(stand, each, outcome) for each, outcome in zip(people, outcomes, strict=True)] == [
            ("Theirs", "Theirs"), ("Ana", "Ana"), *[("Ana", "Ana")] * many,
        ]  # fmt: skip
        assert all(is_on(stand.there(each), NEWS) for each in people)

    @pytest.mark.parametrize("many", [1, 8])
    def test_L22_a_name_that_was_changed_there_meanwhile_is_told_and_not_written_over(
        self, stand: Stand, many: int
    ) -> None:
        known = [stand.create(f"p{number}@rivermail.test") for number in range(many + 1)]
        stand.renames(known[0].address, "Theirs")
        wanted = [each.but(fields={"first_name": "Anna", "last_name": "Ruiz"}) for each in known]
        outcomes = stand.run(
            *[careful(stand, Verb.UPDATE, *pair, "first_name") for pair in zip(known, wanted, strict=True)]
        )
        assert [first_names(stand, each.address, outcome) for each, outcome in zip(known, outcomes, strict=True)] == [
            ("Theirs", "Theirs"), *[("Anna", "Anna")] * many,
        ]  # fmt: skip

    @pytest.mark.parametrize("many", [1, 8])
    def test_L22_what_is_spared_and_stays_is_never_sent(self, stand: Stand, many: int) -> None:
        known = [stand.create(f"p{number}@rivermail.test") for number in range(many)]
        stand.renames(known[0].address, "Theirs")
        wanted = [each.but(fields={"first_name": "Ana", "last_name": "New"}) for each in known]
        outcomes = stand.run(
            *[careful(stand, Verb.UPDATE, *pair, "first_name") for pair in zip(known, wanted, strict=True)]
        )
        held = [stand.there(each.address) for each in known]
        assert [(each.fields["first_name"], each.fields["last_name"]) for each in held if each] == [
            ("Theirs", "New"), *[("Ana", "New")] * (many - 1),
        ]  # fmt: skip
        assert all(isinstance(outcome, Done) for outcome in outcomes)

    def test_L22_the_vendor_tells_when_somebody_was_changed_last(self, stand: Stand) -> None:
        stand.create()
        found = stand.provider.look(stand.container(), ANA, places=stand.places)
        assert found is not None and found.changed_at is not None and found.changed_at.tzinfo is not None

    # --- lists that are gone there ---
    def test_L18_a_list_without_a_place_is_passed_over(self, stand: Stand) -> None:
        outcome = stand.do(Verb.CREATE, None, stand.member(lists=(NEWS, GALA)))
        assert isinstance(outcome, Done)
        assert is_on(stand.there(ANA), NEWS)

    # --- stopping ---
    def test_a_closed_generator_leaves_nothing_running(self, stand: Stand) -> None:
        people = [stand.create(f"p{number}@rivermail.test") for number in range(30)]
        out = [stand.op(Verb.OPT_OUT, each, each.but(standing=Standing.UNSUBSCRIBED)) for each in people]
        outcomes = stand.provider.carry_out(out, stand.places)
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        settled = len(stand.sandbox.calls.since())
        stand.provider.close()
        assert len(stand.sandbox.calls.since()) == settled
        assert (
            sum(there.standing == Standing.UNSUBSCRIBED for each in people if (there := stand.there(each.address))) < 30
        )

    def test_nothing_to_do_calls_nobody(self, stand: Stand) -> None:
        calls = len(stand.sandbox.calls.since())
        assert stand.run() == []
        assert len(stand.sandbox.calls.since()) == calls

    # --- secrets and neighbours ---
    @pytest.mark.parametrize("kind", ["", "401", "500", "cut", "invalid_json", "done_unanswered", "redirect"])
    def test_D2_secrets_stay_out_of_logs_and_outcomes(
        self, stand: Stand, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        secret = stand.connection.credential.read()
        stand.fail(*[kind] if kind else [])
        said = [repr(stand.do(Verb.CREATE, None, stand.member())), caplog.text, repr(vars(stand.provider))]
        for value in secret.values():
            assert not any(str(value) in text for text in said) or len(str(value)) < 8

    def test_T1_another_organization_without_a_key_gets_nowhere(self, stand: Stand, neighbour: Tenant) -> None:
        from integrations.providers import provider_for

        stand.create()
        calls = len(stand.sandbox.calls.since())
        with in_tenant(neighbour):
            other = Connection.objects.create(
                tenant=neighbour, provider=stand.key, settings=stand.connection.settings, state=Connection.State.ACTIVE
            )
            with provider_for(other) as provider, pytest.raises(CallFailed) as failure:
                provider.look(stand.container(), ANA, places=stand.places)
        assert isinstance(failure.value.outcome, Reconnect)
        assert len(stand.sandbox.calls.since()) == calls

    # --- what it claims ---
    def test_claimed_PUSH_LISTS(self, stand: Stand) -> None:
        provider, place = stand.provider, stand.container(GALA)
        remote_id = stand.make_list(GALA, "Gala")
        wanted = ListOperation(Verb.CREATE_LIST, GALA, place, "Gala")
        assert provider.find_list(wanted) == remote_id
        assert isinstance(
            provider.carry_out_list(ListOperation(Verb.RENAME_LIST, GALA, place, "Spring dance", remote_id)), Done
        )
        assert provider.find_list(wanted) == ""
        gone = ListOperation(Verb.DELETE_LIST, GALA, place, "Spring dance", remote_id)
        assert isinstance(provider.carry_out_list(gone), Done)
        assert isinstance(provider.carry_out_list(gone), Done)
        assert provider.find_list(ListOperation(Verb.CREATE_LIST, GALA, place, "Spring dance")) == ""

    def test_claimed_READ_OPT_OUTS_and_look(self, stand: Stand) -> None:
        ana = stand.create()
        stand.create("ben@rivermail.test")
        assert stand.provider.look(stand.container(), ANA, places=stand.places) == ana
        stand.leaves(ANA)
        found = {each.address: each.standing for each in stand.provider.opt_outs(stand.container(), stand.places)}
        assert found[ANA] == Standing.UNSUBSCRIBED
        assert "ben@rivermail.test" not in found
        assert stand.provider.look(stand.container(), "nobody@rivermail.test", places=stand.places) is None

    def test_L31_claimed_READ_MEMBERS(self, stand: Stand) -> None:
        """Everybody of any standing, with the lists they are on, as `look` shows them; and every list, ours or not."""
        if Can.READ_MEMBERS not in stand.provider.can:
            return
        ana, ben = stand.create(), stand.create("ben@rivermail.test", lists=())
        stand.create("eva@rivermail.test")
        stand.leaves("eva@rivermail.test")
        found: dict[str, Member] = {}
        cursor, is_done = "", False
        while not is_done:
            page, cursor = stand.provider.members_page(stand.container(), cursor, stand.places)
            found |= {each.address: each for each in page}
            is_done = not cursor
        assert found[ANA] == ana
        assert found["ben@rivermail.test"].remote_id == ben.remote_id
        assert found["eva@rivermail.test"].standing == Standing.UNSUBSCRIBED
        place = stand.provider.policy(stand.connection.settings).container
        there = {each.remote_id: each.name for each in stand.provider.lists_there(place)}
        assert there[stand.places[NEWS, stand.container()]] == "Newsletter"

    def test_claimed_OAUTH(self, stand: Stand) -> None:
        provider = type(stand.provider)
        assert provider.is_available()
        redirect_uri = "http://127.0.0.1:8000/back/"
        account = provider.account_from_code(stand.consent(provider, redirect_uri), redirect_uri, VERIFIER)
        assert account.account_id and account.label and account.secret
        with pytest.raises(CallFailed):
            provider.account_from_code("a code that nobody gave", redirect_uri, VERIFIER)


def go_wrong(stand: Stand, settings: Any, kind: str, **more: Any) -> None:
    """From now on every call goes wrong (of these `methods`); those that only dawdle are not waited for long."""
    if kind in ("timeout", "slow_body", "stall"):
        settings.CALL_DEADLINE_SECONDS = 0.3
    stand.fail(kind, timeout_s=3, drip_s=0.1, **more)


def operands(stand: Stand, verb: Verb) -> tuple[Any, Any]:
    """Before and after of an ordinary operation of this kind."""
    if verb == Verb.CREATE:
        return None, stand.member()
    ana = stand.create()
    if verb == Verb.UPDATE:
        return ana, ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"})
    off = ana.but(standing=Standing.UNSUBSCRIBED, lists=frozenset())
    if verb == Verb.OPT_OUT:
        return ana, off
    if verb == Verb.DISABLE:
        return ana, ana.but(standing=Standing.ARCHIVED, lists=frozenset())
    off = stand.known(Verb.OPT_OUT, ana, off)
    return off, ana.but(standing=Standing.PENDING if verb == Verb.ASK else Standing.SUBSCRIBED)


def careful(stand: Stand, verb: Verb, before: Any, after: Any, *spares: str) -> Any:
    """An operation that spares these fields; without any, all of them."""
    return replace(stand.op(verb, before, after), spares=frozenset(spares or after.fields))


def first_names(stand: Stand, address: str, outcome: Any) -> tuple[str, str]:
    """The first name as the outcome tells it, and as the vendor holds it."""
    held = stand.there(address)
    assert isinstance(outcome, Done) and outcome.now is not None and held is not None, (address, outcome)
    return outcome.now.fields["first_name"], held.fields["first_name"]
