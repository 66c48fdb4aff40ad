"""Mailchimp's own rules, against the sandbox over real HTTP, in both ways of modelling lists (L24)."""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from contacts.tenancy.models import Tenant
from integrations.models import Credential
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import Ambiguous, CallFailed, Done, Reconnect, Refused, Retry
from integrations.provider_kit.states import ListOperation, Member, Operation, Places, Standing, Verb
from integrations.providers.mailchimp import Mailchimp, everybody, people
from integrations.providers.mailchimp.answers import classify, refusal
from integrations.providers.mailchimp.api import hash_of
from tests.providers.contract import ProviderContract
from tests.providers.stand import ANA, CHALLENGE, GALA, NEWS, VERIFIER, Stand, is_on

pytestmark = [pytest.mark.django_db, pytest.mark.once]

CONTACT = {
    "company": "River Trust", "address1": "1 Mill Lane", "city": "Portland", "state": "OR", "zip": "97201",
    "country": "US",
}  # fmt: skip
OTHER = {
    "contact": CONTACT, "from_name": "River Trust", "from_email": "news@rivertrust.test", "language": "en",
    "permission_reminder": "You signed up on our website.",
}  # fmt: skip
OFF = {"standing": Standing.UNSUBSCRIBED, "lists": frozenset()}
ARCHIVED = {"standing": Standing.ARCHIVED, "lists": frozenset()}


class MailchimpStand(Stand):
    """The sandbox account “river”."""

    key = "mailchimp"
    refused_address = "somebody@example.com"

    def __init__(self, tenant: Tenant, sandbox: Any, mode: str) -> None:
        self.account = sandbox.account()
        self.audience_id = next(iter(self.account.audiences))
        settings = {"mode": mode, "audience": self.audience_id if mode == "tags" else "", **OTHER}
        super().__init__(tenant, sandbox, settings, {"token": sandbox.grant(), "dc": self.account.dc})

    def audience(self, uid: str = NEWS) -> Any:
        kind, _, name = self.container(uid).partition(":")
        return self.account.audiences[name if kind == "audience" else self.places[uid, self.container(uid)]]

    def there(self, address: str) -> Member | None:
        held = self.audience().members.get(hash_of(address))
        if held is None:
            return None
        tags = {tag: uid for (uid, _), tag in self.places.items()}
        lists = {tags[str(each)] for each in held.tags if str(each) in tags}
        if self.container().startswith("list:"):
            lists = {NEWS} if held.status in ("subscribed", "pending") else set()
        fields = {"first_name": held.merge_fields.get("FNAME", ""), "last_name": held.merge_fields.get("LNAME", "")}
        return Member(held.email_address, Standing(held.status), fields, frozenset(lists), held.contact_id)

    def act(self, who: str, action: str, email: str = ANA, **more: Any) -> None:
        wish = {"as": who, "action": action, "account": "river", "email": email, "audience": self.audience().id}
        self.sandbox.act(wish | more)

    def leaves(self, address: str) -> None:
        self.act("person", "unsubscribe", address)

    def renames(self, address: str, first_name: str) -> None:
        self.act("person", "update_profile", address, merge_fields={"FNAME": first_name})

    def was_there(self, address: str, first_name: str) -> None:
        self.act("holder", "add_member", address, merge_fields={"FNAME": first_name})

    def revoke(self) -> None:
        self.act("holder", "revoke")

    def consent(self, provider: type[Provider], redirect_uri: str) -> str:
        self.sandbox.register_redirect(redirect_uri)
        asked = parse_qs(urlsplit(provider.authorize_url("a state", redirect_uri, CHALLENGE)).query)
        form = {key: value[0] for key, value in asked.items()}
        page = requests.post(
            f"{self.sandbox.url}/oauth2/authorize", data=form | {"login": "river", "password": "sandbox"}, timeout=5
        )
        ticket = re.search(r'name="?ticket"? value="([^"]+)"', page.text)
        assert ticket, page.text
        back = requests.post(
            f"{self.sandbox.url}/oauth2/allow", data={"ticket": ticket[1], "decision": "allow"},
            allow_redirects=False, timeout=5,
        )  # fmt: skip
        answer = parse_qs(urlsplit(back.headers["Location"]).query)
        assert answer["state"] == ["a state"]
        return answer["code"][0]


@pytest.fixture(params=["tags", "audiences"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stand(in_tenant: Tenant, sandbox: Any, mode: str) -> Any:
    made = MailchimpStand(in_tenant, sandbox, mode)
    made.make_list()
    yield made
    made.provider.close()


@pytest.fixture
def tags(in_tenant: Tenant, sandbox: Any) -> Any:
    """Two lists as tags of one audience."""
    made = MailchimpStand(in_tenant, sandbox, "tags")
    made.make_list()
    made.make_list(GALA, "Gala")
    yield made
    made.provider.close()


class TestContract(ProviderContract):
    """In both ways of modelling lists."""


# --- reading everybody (L31) ---


def everybody_there(stand: MailchimpStand) -> dict[str, Member]:
    found: dict[str, Member] = {}
    cursor, is_done = "", False
    while not is_done:
        page, cursor = stand.provider.members_page(stand.container(), cursor, stand.places)
        found |= {each.address: each for each in page}
        is_done = not cursor
    return found


def test_L31_everybody_is_read_in_pages_that_overlap_and_who_is_archived_as_well(
    tags: MailchimpStand, monkeypatch: Any
) -> None:
    monkeypatch.setattr(everybody, "PAGE", 20)
    monkeypatch.setattr(everybody, "OVERLAP", 3)
    for number in range(50):
        tags.create(f"p{number}@rivermail.test")
    tags.act("holder", "archive", "p7@rivermail.test")
    since = len(tags.sandbox.calls.since())
    found = everybody_there(tags)
    assert len([address for address in found if address.startswith("p")]) == 50
    assert found["p7@rivermail.test"].standing == Standing.ARCHIVED
    asked = [call["query"] for call in tags.sandbox.calls.since()[since:]]
    assert any("offset=17" in query for query in asked) and "status=archived" in asked[-1]


def test_L31_the_lists_of_somebody_with_more_tags_than_are_shown_are_all_read(tags: MailchimpStand) -> None:
    """Mailchimp shows the first fifty (vendors/mailchimp.md, section 3)."""
    tags.create(lists=())
    for number in range(60):
        tags.act("holder", "add_tag", tag=f"Older tag {number}")
    tags.act("holder", "add_tag", tag="Gala")
    assert everybody_there(tags)[ANA].lists == frozenset({GALA})


def test_L33_lists_there_tell_their_names_and_how_many_are_on_them(tags: MailchimpStand) -> None:
    tags.create()
    tags.act("holder", "add_tag", tag="Made there")
    there = {each.name: each.members for each in tags.provider.lists_there(tags.container())}
    assert (there["Newsletter"], there["Gala"], there["Made there"]) == (1, 0, 1)


# --- bulk writes (L12, L29) ---


def test_L12_somebody_new_is_created_subscribed_named_and_on_their_list(stand: MailchimpStand) -> None:
    now = stand.create()
    assert is_on(stand.there(ANA), NEWS)
    assert now == stand.there(ANA)
    assert now.ours and now.remote_id


def test_L29_ten_thousand_people_on_one_list_are_twenty_calls(tags: MailchimpStand, settings: Any) -> None:
    everybody = [tags.op(Verb.CREATE, None, tags.member(f"p{number}@rivermail.test")) for number in range(10_000)]
    before = len(tags.writes())
    outcomes = tags.run(*everybody)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(tags.writes()) - before == 20


def test_L29_a_hundred_changed_people_are_one_call_and_one_for_a_tag(tags: MailchimpStand) -> None:
    people_there = [tags.create(f"p{number}@rivermail.test") for number in range(100)]
    before = len(tags.writes())
    tags.run(*[
        tags.op(Verb.UPDATE, each, each.but(fields={"first_name": "New", "last_name": "Name"}, lists=frozenset({GALA})))
        for each in people_there
    ])  # fmt: skip
    assert len(tags.writes()) - before == 2
    assert tags.there("p7@rivermail.test") == people_there[7].but(
        fields={"first_name": "New", "last_name": "Name"}, lists=frozenset({GALA})
    )


def test_L24a_no_row_of_a_bulk_write_ever_carries_a_status(tags: MailchimpStand, monkeypatch: Any) -> None:
    bodies = spied(tags, monkeypatch)
    ana = tags.create()
    tags.do(Verb.UPDATE, ana, ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"}))
    rows = [row for body in bodies for row in body.get("members", [])]
    assert len(rows) == 2
    assert all("status" not in row and row["status_if_new"] in ("subscribed", "unsubscribed") for row in rows)
    assert all(body["update_existing"] is True and body["sync_tags"] is False for body in bodies if "members" in body)


def test_L33_somebody_who_was_there_before_us_is_told_apart(tags: MailchimpStand) -> None:
    there = "marisol.vega@rivermail.test"
    now = tags.create(there, first="Marisol")
    assert not now.ours
    assert "Spring Gala" in {
        tags.audience().segments[each].name for each in tags.audience().members[hash_of(there)].tags
    }


def test_L24a_somebody_who_left_before_us_stays_unsubscribed(tags: MailchimpStand) -> None:
    now = tags.create("hugo.marchetti@rivermail.test", first="Hugo")
    assert (now.standing, now.ours) == (Standing.UNSUBSCRIBED, False)


def test_L22_a_bounced_address_comes_back_as_cleaned(tags: MailchimpStand) -> None:
    assert tags.create("nora.bright@rivermail.test").standing == Standing.CLEANED


def test_somebody_archived_there_by_others_stays_archived(tags: MailchimpStand) -> None:
    ana = tags.create()
    tags.act("holder", "archive")
    now = tags.known(Verb.UPDATE, ana, ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"}))
    assert now.standing == Standing.REMOVED
    assert tags.audience().members[hash_of(ANA)].status == "archived"


def test_two_people_with_one_address_go_in_separate_calls(tags: MailchimpStand) -> None:
    couple = [tags.op(Verb.CREATE, None, tags.member(first=name), subject=name) for name in ("Ana", "Luis")]
    before = len(tags.writes())
    assert [type(outcome) for outcome in tags.run(*couple)] == [Done, Done]
    assert len(tags.writes()) - before == 2


def test_a_row_that_mailchimp_does_not_mention_is_unclear(tags: MailchimpStand, monkeypatch: Any) -> None:
    api = tags.provider.api  # type: ignore[attr-defined]
    monkeypatch.setattr(api, "call", lambda *path, **more: {"new_members": [], "updated_members": [], "errors": []})
    assert isinstance(tags.do(Verb.CREATE, None, tags.member()), Ambiguous)


class TestWithoutStatusIfNew:
    """MAILCHIMP_BULK_STATUS_IF_NEW switched off, at a vendor that refuses it."""

    @pytest.fixture(autouse=True)
    def off(self, settings: Any, sandbox: Any) -> Any:
        settings.MAILCHIMP_BULK_STATUS_IF_NEW = False
        sandbox.options.refuse_bulk_status_if_new = True
        yield
        sandbox.options.refuse_bulk_status_if_new = False

    def test_somebody_new_is_created(self, tags: MailchimpStand) -> None:
        now = tags.create()
        assert is_on(tags.there(ANA), NEWS) and now.ours

    def test_L24a_somebody_there_is_updated_and_never_subscribed(self, tags: MailchimpStand) -> None:
        now = tags.create("hugo.marchetti@rivermail.test", first="Hugh")
        assert (now.standing, now.ours) == (Standing.UNSUBSCRIBED, False)
        held = tags.there("hugo.marchetti@rivermail.test")
        assert held is not None and held.fields["first_name"] == "Hugh"

    def test_an_update_changes_and_a_vanished_person_is_reported(self, tags: MailchimpStand) -> None:
        ana = tags.create()
        renamed = ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"})
        assert tags.known(Verb.UPDATE, ana, renamed).standing == Standing.SUBSCRIBED
        nobody = tags.member("nobody@rivermail.test")
        assert tags.do(Verb.UPDATE, nobody, nobody.but(fields={"first_name": "N", "last_name": ""})) == Done(
            now=nobody.but(standing=Standing.REMOVED, fields={"first_name": "N", "last_name": ""}, lists=frozenset())
        )

    def test_with_the_switch_on_this_vendor_would_refuse_everything(self, tags: MailchimpStand, settings: Any) -> None:
        settings.MAILCHIMP_BULK_STATUS_IF_NEW = True
        assert isinstance(tags.do(Verb.CREATE, None, tags.member()), Refused)


# --- tags ---


def test_L17_leaving_one_list_takes_one_tag_off_and_nothing_else(tags: MailchimpStand) -> None:
    ana = tags.create(lists=(NEWS, GALA))
    before = len(tags.writes())
    now = tags.known(Verb.UPDATE, ana, ana.but(lists=frozenset({GALA})))
    assert is_on(tags.there(ANA), GALA)
    assert now.lists == {GALA}
    assert len(tags.writes()) - before == 1


def test_L17_the_list_is_left_even_if_the_new_name_is_refused(tags: MailchimpStand) -> None:
    ana = tags.create(lists=(NEWS, GALA))
    renamed = ana.but(lists=frozenset({GALA}), fields={"first_name": "x" * 300, "last_name": "Ruiz"})
    tags.do(Verb.UPDATE, ana, renamed)
    held = tags.there(ANA)
    assert held is not None and held.lists == {GALA}


def test_tags_that_people_put_on_at_mailchimp_stay(tags: MailchimpStand) -> None:
    ana = tags.create()
    tags.act("holder", "add_tag", tag="Spring Gala")
    tags.do(Verb.UPDATE, ana, ana.but(fields={"first_name": "Anna", "last_name": "Ruiz"}))
    held = tags.audience().members[hash_of(ANA)]
    assert {tags.audience().segments[each].name for each in held.tags} == {"Newsletter", "Spring Gala"}


def test_L11_a_tag_renamed_at_mailchimp_is_still_our_list(tags: MailchimpStand) -> None:
    """The row names the tag as we know it; who is missed by it is put on by its id."""
    tags.act("holder", "rename_tag", tag="Newsletter", new_name="Monthly News")
    tags.create()
    assert is_on(tags.there(ANA), NEWS)


def test_L18_a_tag_deleted_at_mailchimp_does_not_hold_up_the_rest(tags: MailchimpStand) -> None:
    ana = tags.create(lists=(NEWS, GALA))
    tags.act("holder", "delete_tag", tag="Gala")
    assert isinstance(tags.do(Verb.UPDATE, ana, ana.but(lists=frozenset({NEWS}))), Done)


def test_L24_an_audience_per_list_keeps_people_apart(in_tenant: Tenant, sandbox: Any) -> None:
    stand = MailchimpStand(in_tenant, sandbox, "audiences")
    stand.make_list()
    stand.make_list(GALA, "Gala")
    stand.create()
    assert ANA.lower() in {each.email_address for each in stand.audience(NEWS).members.values()}
    assert not stand.audience(GALA).members


def test_L18_an_audience_that_is_gone_takes_everybody_with_it_without_a_call(stand: MailchimpStand, mode: str) -> None:
    if mode == "tags":
        container = "list:gone"
    else:
        container = stand.container()
        stand.places.clear()
    calls = len(stand.sandbox.calls.since())
    everybody = [Operation(verb, str(verb), container, stand.member(), stand.member()) for verb in people.LEAVING]
    assert stand.run(*everybody) == [Done(), Done()]
    assert len(stand.sandbox.calls.since()) == calls


# --- a changed address (L16) ---


def test_L16_a_changed_address_keeps_the_member_and_leaves_no_old_one(stand: MailchimpStand) -> None:
    ana = stand.create()
    now = stand.known(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test"))
    assert stand.there(ANA) is None
    assert now.remote_id == ana.remote_id
    assert is_on(stand.there("ana@rivermail.test"), NEWS)


def test_L16_lists_change_along_with_the_address(tags: MailchimpStand) -> None:
    ana = tags.create()
    tags.do(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test", lists=frozenset({GALA})))
    assert is_on(tags.there("ana@rivermail.test"), GALA)


def test_L16_an_address_that_is_there_already_takes_over_and_the_old_one_is_archived(stand: MailchimpStand) -> None:
    ana, _ = stand.create(), stand.create("ana@rivermail.test", first="Other")
    outcome = stand.do(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test"))
    assert isinstance(outcome, Done) and "archived" in outcome.answer
    assert outcome.now and not outcome.now.ours
    assert stand.audience().members[hash_of(ANA)].status == "archived"
    assert is_on(stand.there("ana@rivermail.test"), NEWS)
    assert isinstance(stand.do(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test")), Done)


def test_L16_a_take_over_that_was_cut_off_half_way_is_finished(stand: MailchimpStand) -> None:
    ana, _ = stand.create(), stand.create("ana@rivermail.test", first="Other")
    stand.fail("cut", methods=["PATCH"])
    assert isinstance(stand.do(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test")), Ambiguous)
    stand.fail()
    now = stand.known(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test"))
    assert now.standing == Standing.SUBSCRIBED
    assert is_on(stand.there("ana@rivermail.test"), NEWS)


def test_L24a_somebody_archived_there_by_others_does_not_come_back_by_a_new_address(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.act("holder", "archive")
    now = stand.known(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test"))
    assert now.standing == Standing.REMOVED
    assert stand.there("ana@rivermail.test") is None


def test_L24a_an_address_that_is_there_unsubscribed_stays_so(stand: MailchimpStand) -> None:
    ana, _ = stand.create(), stand.create("ana@rivermail.test")
    stand.leaves("ana@rivermail.test")
    now = stand.known(Verb.UPDATE, ana, ana.but(address="ana@rivermail.test"))
    assert now.standing == Standing.UNSUBSCRIBED
    assert stand.audience().members[hash_of(ANA)].status == "archived"


def test_L24a_the_address_of_an_unsubscribed_member_does_not_change(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.leaves(ANA)
    for before in (ana, ana.but(**OFF)):  # whether we knew it or not
        outcome = stand.do(Verb.UPDATE, before, before.but(address="ana@rivermail.test"))
        assert isinstance(outcome, Refused) and outcome.code == "cannot_change_address"
    assert stand.there("ana@rivermail.test") is None
    held = stand.there(ANA)
    assert held is not None and held.standing == Standing.UNSUBSCRIBED


def test_a_change_of_upper_and_lower_case_is_no_new_address(stand: MailchimpStand) -> None:
    ana = stand.create()
    now = stand.known(Verb.UPDATE, ana, ana.but(address="Ana.Ruiz@RiverMail.test", fields={"first_name": "A"}))
    assert now.address == "Ana.Ruiz@RiverMail.test"
    assert len([each for each in stand.audience().members.values() if "ana" in each.email_address.lower()]) == 1


# --- opting out, being disabled (L14, L17, L19) ---


def test_L14_do_not_contact_unsubscribes_there_and_takes_the_tags_off(stand: MailchimpStand) -> None:
    ana = stand.create()
    now = stand.known(Verb.OPT_OUT, ana, ana.but(**OFF))
    held = stand.there(ANA)
    assert held is not None
    assert (held.standing, held.lists) == (Standing.UNSUBSCRIBED, frozenset())
    assert (now.standing, now.lists) == (Standing.UNSUBSCRIBED, frozenset())


def test_L14_hundreds_opt_out_with_few_calls_at_once(tags: MailchimpStand, settings: Any) -> None:
    there = [tags.op(Verb.CREATE, None, tags.member(f"p{number}@rivermail.test")) for number in range(300)]
    known = [outcome.now for outcome in tags.run(*there) if isinstance(outcome, Done) and outcome.now]
    tags.sandbox.gate.limit = settings.MAILCHIMP_CONNECTIONS  # one more at once would be answered 429
    try:
        outcomes = tags.run(*[tags.op(Verb.OPT_OUT, each, each.but(**OFF)) for each in known])
    finally:
        tags.sandbox.gate.limit = 10
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert {each.status for each in tags.audience().members.values() if each.email_address.startswith("p")} >= {
        "unsubscribed"
    }


def test_L14_opting_out_somebody_who_is_not_there_creates_nobody(stand: MailchimpStand) -> None:
    nobody = stand.member("nobody@rivermail.test")
    outcome = stand.do(Verb.OPT_OUT, nobody, nobody.but(**OFF))
    assert isinstance(outcome, Done) and outcome.now is None
    assert stand.there("nobody@rivermail.test") is None


def test_L14_an_opt_out_goes_out_before_everything_else(tags: MailchimpStand) -> None:
    ana = tags.create()
    first = next(tags.provider.carry_out(
        [tags.op(Verb.CREATE, None, tags.member("new@rivermail.test")), tags.op(Verb.OPT_OUT, ana, ana.but(**OFF))],
        tags.places,
    ))  # fmt: skip
    assert first[0].verb == Verb.OPT_OUT


def test_L14_an_opt_out_is_done_even_when_the_tag_cannot_be_taken_off(tags: MailchimpStand) -> None:
    ana = tags.create()
    tags.fail("500", path="segments")
    outcome = tags.do(Verb.OPT_OUT, ana, ana.but(**OFF))
    assert isinstance(outcome, Ambiguous)  # it is repeated for the tag's sake
    held = tags.there(ANA)
    assert held is not None and held.standing == Standing.UNSUBSCRIBED


def test_L17_disabled_means_archived_and_never_unsubscribed(stand: MailchimpStand) -> None:
    ana = stand.create()
    now = stand.known(Verb.DISABLE, ana, ana.but(**ARCHIVED))
    member = stand.audience().members[hash_of(ANA)]
    assert (member.status, member.tags, member.unsubscribed_by) == ("archived", {}, "")
    assert (now.standing, now.lists) == (Standing.ARCHIVED, frozenset())


@pytest.mark.parametrize(("status", "standing"), [("archived", "archived"), ("cleaned", "cleaned"), ("gone", None)])
def test_L19_who_cannot_be_archived_is_gone_already(stand: MailchimpStand, status: str, standing: str | None) -> None:
    ana = stand.create()
    stand.act("holder", {"archived": "archive", "cleaned": "clean", "gone": "delete_permanent"}[status])
    outcome = stand.do(Verb.DISABLE, ana, ana.but(**ARCHIVED))
    assert isinstance(outcome, Done)
    assert (outcome.now.standing if outcome.now else None) == standing


# --- coming back (L15) ---


def test_L15_an_opt_out_by_staff_is_undone_at_once(stand: MailchimpStand) -> None:
    ana = stand.create()
    off = stand.known(Verb.OPT_OUT, ana, ana.but(**OFF))
    now = stand.known(Verb.ENABLE, off, ana)
    assert now.standing == Standing.SUBSCRIBED
    assert is_on(stand.there(ANA), NEWS)


def test_L15_somebody_archived_comes_back_with_their_history(stand: MailchimpStand) -> None:
    ana = stand.create()
    off = stand.known(Verb.DISABLE, ana, ana.but(**ARCHIVED))
    now = stand.known(Verb.ENABLE, off, ana)
    assert now.remote_id == ana.remote_id
    assert is_on(stand.there(ANA), NEWS)


def test_L15_where_only_the_person_may_return_they_are_asked(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.leaves(ANA)
    off = ana.but(**OFF)
    outcome = stand.do(Verb.ENABLE, off, ana)
    assert isinstance(outcome, Done) and "confirm" in outcome.answer
    assert outcome.now and outcome.now.standing == Standing.PENDING
    assert stand.audience().members[hash_of(ANA)].status == "pending"


def test_L15_asking_twice_sends_one_request(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.leaves(ANA)
    asked = ana.but(standing=Standing.PENDING)
    for _ in range(2):
        assert stand.known(Verb.ASK, ana.but(**OFF), asked).standing == Standing.PENDING
    assert stand.audience().members[hash_of(ANA)].confirmations == 1


def test_L15_asking_somebody_who_came_back_meanwhile_does_not_put_them_on_hold(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.leaves(ANA)
    stand.act("person", "resubscribe")
    assert stand.known(Verb.ASK, ana.but(**OFF), ana.but(standing=Standing.PENDING)).standing == Standing.SUBSCRIBED


def test_L16_asking_under_another_address_gives_up_the_one_that_was_asked_before(stand: MailchimpStand) -> None:
    asked = stand.known(Verb.ASK, None, stand.member(standing=Standing.PENDING))
    stand.do(Verb.ASK, asked, asked.but(address="ana@rivermail.test", remote_id=""))
    assert stand.audience().members[hash_of(ANA)].status == "unsubscribed"
    assert stand.audience().members[hash_of("ana@rivermail.test")].status == "pending"


def test_L27_somebody_permanently_deleted_is_refused_for_good(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.act("holder", "delete_permanent")
    for verb in (Verb.CREATE, Verb.ENABLE, Verb.ASK):
        outcome = stand.do(verb, None if verb == Verb.CREATE else ana.but(**ARCHIVED), ana)
        assert isinstance(outcome, Refused) and outcome.code == "forgotten", verb


# --- lists (L9, L11, L18) ---


def test_L9_a_list_is_created_empty(tags: MailchimpStand) -> None:
    tag = tags.audience().segments[int(tags.places[NEWS, tags.container()])]
    assert (tag.name, tag.type, tag.contacts) == ("Newsletter", "static", {})


def test_L33_a_tag_of_that_name_is_neither_taken_over_nor_made_twice(tags: MailchimpStand) -> None:
    creation = ListOperation(Verb.CREATE_LIST, "uid", tags.container(), "spring gala")
    outcome = tags.provider.carry_out_list(creation)
    assert isinstance(outcome, Refused) and outcome.code == "name_taken"
    assert tags.provider.find_list(creation)  # whoever says so may use it
    assert len([each for each in tags.audience().segments.values() if each.name.lower() == "spring gala"]) == 1


def test_L11_renaming_keeps_everybody_on_the_list(stand: MailchimpStand, mode: str) -> None:
    stand.create()
    remote_id = stand.places[NEWS, stand.container()]
    renamed = ListOperation(Verb.RENAME_LIST, NEWS, stand.container(), "Monthly News", remote_id)
    assert isinstance(stand.provider.carry_out_list(renamed), Done)
    assert is_on(stand.there(ANA), NEWS)
    if mode == "audiences":
        assert stand.audience().settings["permission_reminder"] == OTHER["permission_reminder"]


def test_L11_a_tag_cannot_take_the_name_of_another(tags: MailchimpStand) -> None:
    remote_id = tags.places[NEWS, tags.container()]
    outcome = tags.provider.carry_out_list(ListOperation(Verb.RENAME_LIST, NEWS, tags.container(), "Gala", remote_id))
    assert isinstance(outcome, Refused) and outcome.code == "name_taken"


def test_L3_a_new_audience_is_made_with_what_was_reviewed(in_tenant: Tenant, sandbox: Any) -> None:
    stand = MailchimpStand(in_tenant, sandbox, "audiences")
    stand.make_list()
    made = stand.audience().settings
    assert made["contact"]["company"] == "River Trust" and made["contact"]["city"] == "Portland"
    assert made["campaign_defaults"]["from_email"] == "news@rivertrust.test"
    assert made["permission_reminder"] == "You signed up on our website."


def test_L24_an_audience_beyond_the_plan_is_refused_with_what_to_do(in_tenant: Tenant, sandbox: Any) -> None:
    stand = MailchimpStand(in_tenant, sandbox, "audiences")
    stand.account.max_instances = 1
    outcome = stand.provider.carry_out_list(ListOperation(Verb.CREATE_LIST, NEWS, stand.container(), "Newsletter"))
    assert isinstance(outcome, Refused) and outcome.code == "plan_limit" and "tags" in outcome.sentence


def test_finding_a_list_looks_beyond_the_first_page(tags: MailchimpStand, monkeypatch: Any) -> None:
    from integrations.providers.mailchimp import api

    monkeypatch.setattr(api, "PAGE", 2)
    for number in range(7):
        tags.make_list(f"uid {number}", f"List {number}")
    wanted = ListOperation(Verb.CREATE_LIST, "uid 6", tags.container(), "List 6")
    assert tags.provider.find_list(wanted) == tags.places["uid 6", tags.container()]


# --- hearing (L21, L22) ---


def test_L21_everybody_who_opted_out_is_read_page_by_page(tags: MailchimpStand, monkeypatch: Any) -> None:
    from integrations.providers.mailchimp import api

    monkeypatch.setattr(api, "PAGE", 3)
    for number in range(7):
        tags.create(f"p{number}@rivermail.test")
        tags.leaves(f"p{number}@rivermail.test")
    found = {each.address: each.standing for each in tags.provider.opt_outs(tags.container())}
    assert found["nora.bright@rivermail.test"] == Standing.CLEANED
    assert {f"p{number}@rivermail.test" for number in range(7)} < found.keys()


def test_L22_somebody_is_found_under_a_changed_address_by_their_id(stand: MailchimpStand) -> None:
    ana = stand.create()
    stand.act("person", "change_address", new_email="ana@rivermail.test")
    found = stand.provider.look(stand.container(), ANA, ana.remote_id, stand.places)
    assert found is not None and found.address == "ana@rivermail.test"
    assert stand.provider.look(stand.container(), ANA, places=stand.places) is None


def test_a_message_is_read_as_a_hint() -> None:
    body = urlencode({"type": "unsubscribe", "data[list_id]": "ab12", "data[email]": ANA, "data[action]": "delete"})
    heard = Mailchimp.hear(body)
    assert (heard.kind, heard.container, heard.addresses) == ("look", "audience:ab12", (ANA,))


def test_a_changed_address_names_the_new_one_first() -> None:
    form = {
        "type": "upemail",
        "data[list_id]": "ab12",
        "data[new_email]": "new@x.test",
        "data[old_email]": "old@x.test",
    }
    assert Mailchimp.hear(urlencode(form)).addresses == ("new@x.test", "old@x.test")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"type": "campaign", "data[id]": "1", "data[list_id]": "ab12"},
        {"type": "something new", "data[email]": ANA},
        {"type": "profile", "data[list_id]": "ab12"},
        {"type": "profile", "data[list_id]": "ab12", "data[email]": "1a2b@forgotten.mailchimp.com"},
    ],
)
def test_messages_about_nobody_are_ignored(form: dict[str, str]) -> None:
    heard = Mailchimp.hear(urlencode(form))
    assert heard.kind == "ignore" and heard.sentence


def test_garbage_is_ignored() -> None:
    for body in ("", "&&&===", "\x00\x01", "type", '{"type": "unsubscribe"}', "type=%ff%fe&data%5Bemail%5D=%00"):
        assert Mailchimp.hear(body).kind == "ignore"


class TestListening:
    """Webhooks at the vendor, with a receiver of ours that keeps what it was sent."""

    def listen(self, stand: MailchimpStand, url: str) -> dict[str, Any]:
        new = dict(stand.provider.listen(url, stand.places))
        if new:
            Credential.store(stand.connection, {**stand.connection.credential.read(), **new}, None)
        return new

    def hooks(self, stand: MailchimpStand) -> list[Any]:
        return list(stand.audience().webhooks.values())

    def test_L21_one_webhook_hears_people_and_staff_but_not_us(self, stand: MailchimpStand, receiver: Any) -> None:
        self.listen(stand, receiver.url)
        (hook,) = self.hooks(stand)
        assert hook.sources == {"user": True, "admin": True, "api": False}
        assert {event for event, on in hook.events.items() if on} == {
            "subscribe", "unsubscribe", "profile", "cleaned", "upemail",
        }  # fmt: skip

    def test_listening_again_changes_nothing(self, stand: MailchimpStand, receiver: Any) -> None:
        assert self.listen(stand, receiver.url)["webhooks"]
        before = len(stand.writes())
        assert self.listen(stand, receiver.url) == {}
        assert len(stand.writes()) == before

    def test_a_webhook_that_was_changed_there_is_mended(self, stand: MailchimpStand, receiver: Any) -> None:
        self.listen(stand, receiver.url)
        (hook,) = self.hooks(stand)
        hook.events["unsubscribe"], hook.sources["api"] = False, True
        assert self.listen(stand, receiver.url) == {}
        (hook,) = self.hooks(stand)
        assert hook.events["unsubscribe"] and not hook.sources["api"]

    def test_a_webhook_whose_secret_is_lost_is_made_anew(self, stand: MailchimpStand, receiver: Any) -> None:
        stand.provider.listen(receiver.url, stand.places)  # the answer is lost, as in a crash
        (lost,) = self.hooks(stand)
        self.listen(stand, receiver.url)
        (kept,) = self.hooks(stand)
        assert kept.id != lost.id
        assert kept.signing_secret in str(stand.connection.credential.read())

    def test_a_new_public_address_moves_the_webhook(self, stand: MailchimpStand, receiver: Any) -> None:
        self.listen(stand, receiver.url)
        self.listen(stand, receiver.url + "moved/")
        (hook,) = self.hooks(stand)
        assert hook.url == receiver.url + "moved/"

    def test_an_address_that_does_not_answer_is_told_in_plain_words(self, stand: MailchimpStand) -> None:
        with pytest.raises(CallFailed) as failure:
            stand.provider.listen("http://127.0.0.1:9/hooks/a-long-secret/", stand.places)
        assert isinstance(failure.value.outcome, Refused) and failure.value.outcome.code == "not_reachable"
        assert "a-long-secret" not in str(failure.value)

    def test_L21_a_signed_message_is_genuine_and_a_changed_one_is_not(
        self, stand: MailchimpStand, receiver: Any
    ) -> None:
        self.listen(stand, receiver.url)
        stand.create()
        stand.leaves(ANA)
        assert stand.sandbox.courier.settle()
        headers, body = receiver.heard[-1]
        assert b"unsubscribe" in body
        assert stand.provider.verify(headers, body)
        assert not stand.provider.verify(headers, body.replace(b"unsubscribe", b"subscribe"))
        assert not stand.provider.verify({}, body)
        assert not stand.provider.verify({"X-Mailchimp-Signature": "t=1,v1=00"}, body)
        assert not stand.provider.verify({"X-Mailchimp-Signature": "t=é,v1=ü"}, body)

    def test_a_replay_after_five_minutes_is_refused(self, stand: MailchimpStand, receiver: Any) -> None:
        import time_machine

        self.listen(stand, receiver.url)
        stand.create()
        stand.leaves(ANA)
        assert stand.sandbox.courier.settle()
        headers, body = receiver.heard[-1]
        signed_at = int(headers["X-Mailchimp-Signature"].split(",")[0].removeprefix("t="))
        with time_machine.travel(signed_at + 290, tick=False):
            assert stand.provider.verify(headers, body)
        with time_machine.travel(signed_at + 310, tick=False):
            assert not stand.provider.verify(headers, body)

    def test_an_account_without_signatures_is_known_by_the_address_alone(
        self, stand: MailchimpStand, receiver: Any
    ) -> None:
        stand.account.signed_webhooks = False
        self.listen(stand, receiver.url)
        stand.create()
        stand.leaves(ANA)
        assert stand.sandbox.courier.settle()
        headers, body = receiver.heard[-1]
        assert "X-Mailchimp-Signature" not in headers
        assert stand.provider.verify(headers, body)
        assert self.listen(stand, receiver.url) == {}


# --- connecting (L1) and settings (L3, L24) ---


def test_L1_the_account_and_a_proposal_come_back(tags: MailchimpStand) -> None:
    code = tags.consent(Mailchimp, "http://127.0.0.1:8000/back/")
    account = Mailchimp.account_from_code(code, "http://127.0.0.1:8000/back/", VERIFIER)
    assert (account.account_id, account.label) == (tags.account.account_id, "River Trust")
    assert account.secret["dc"] == "us21"
    assert account.settings["contact"] == {**CONTACT, "address2": "", "phone": ""}
    assert account.settings["from_email"] == "office@rivertrust.test"


def test_L1_a_code_works_once(tags: MailchimpStand) -> None:
    uri = "http://127.0.0.1:8000/back/"
    code = tags.consent(Mailchimp, uri)
    Mailchimp.account_from_code(code, uri, VERIFIER)
    with pytest.raises(CallFailed) as failure:
        Mailchimp.account_from_code(code, uri, VERIFIER)
    assert code not in str(failure.value)


def test_L1_a_bad_token_is_noticed_though_the_answer_says_200(sandbox: Any) -> None:
    from integrations.provider_kit.http import Http
    from integrations.providers.mailchimp.account import _data_centre

    line = Http("Mailchimp", sandbox.url)
    assert line.call("GET", "/oauth2/metadata", headers={"Authorization": "OAuth wrong"}).status == 200
    with pytest.raises(CallFailed):
        _data_centre(line, "wrong")


@pytest.mark.parametrize("dc", ["", "us21.evil.test/", "us21@evil", "../us1", "US1", "u1", "us123", "us1\n"])
def test_a_strange_data_centre_is_never_called(tags: MailchimpStand, dc: str) -> None:
    Credential.store(tags.connection, {"token": "x", "dc": dc}, None)
    tags.provider.close()
    with pytest.raises(CallFailed) as failure:
        tags.provider.look(tags.container(), ANA)
    assert isinstance(failure.value.outcome, Reconnect)


def test_L1_without_an_application_key_it_is_not_offered(settings: Any) -> None:
    settings.MAILCHIMP_CLIENT_ID = ""
    assert not Mailchimp.is_available()


class TestSettingsForm:
    """The page where the account's information is reviewed."""

    good = {
        "mode": "tags", "from_name": "River Trust", "from_email": "news@rivertrust.test", "language": "en",
        "permission_reminder": "You signed up.", **CONTACT,
    }  # fmt: skip

    def form(self, stand: MailchimpStand, **data: str) -> Any:
        given = {**self.good, "audience": stand.audience_id, **data}
        return Mailchimp.settings_form()(given, initial=stand.connection.settings, connection=stand.connection)

    def test_L3_the_review_shows_what_the_account_says(self, tags: MailchimpStand) -> None:
        form = Mailchimp.settings_form()(None, initial=tags.connection.settings, connection=tags.connection)
        page = form.as_p()
        assert "River Trust" in page and "1 Mill Lane" in page and "River Friends" in page

    def test_L24_the_page_says_how_many_audiences_the_plan_still_allows(self, tags: MailchimpStand) -> None:
        for most, says in [(5, "allows 4 more audiences"), (2, "1 more audience."), (1, "all of them are in use")]:
            tags.account.max_instances = most
            assert says in self.form(tags).fields["mode"].help_text
        tags.account.max_instances = -1
        assert "does not limit" in self.form(tags).fields["mode"].help_text

    def test_L24_tags_need_an_audience_that_exists(self, tags: MailchimpStand) -> None:
        assert "audience" in self.form(tags, audience="").errors
        assert "audience" in self.form(tags, audience="nowhere").errors

    @pytest.mark.parametrize("field", ["company", "address1", "city", "country", "from_name", "from_email"])
    def test_L24_audiences_need_the_contact_information(self, tags: MailchimpStand, field: str) -> None:
        assert field in self.form(tags, mode="audiences", **{field: ""}).errors
        assert self.form(tags, mode="tags", **{field: ""}).is_valid()

    @pytest.mark.parametrize("country", ["USA", "U", "1A", "United States"])
    def test_L3_a_country_is_two_letters(self, tags: MailchimpStand, country: str) -> None:
        assert "country" in self.form(tags, country=country).errors

    def test_L3_saved_settings_are_complete(self, tags: MailchimpStand) -> None:
        form = self.form(tags, country="us")
        assert form.is_valid(), form.errors
        kept = form.to_settings()
        assert Mailchimp.is_set_up(kept)
        assert kept["audience_name"] == "River Friends"
        assert kept["contact"] == {**CONTACT, "address2": "", "phone": ""}
        again = Mailchimp.settings_form()(None, initial=kept, connection=tags.connection)
        assert again.initial["city"] == "Portland"

    def test_L24_both_ways_have_their_policy(self, tags: MailchimpStand) -> None:
        form = self.form(tags, mode="audiences")
        assert form.is_valid(), form.errors
        assert Mailchimp.policy(form.to_settings()).container_of("uid") == "list:uid"
        assert Mailchimp.policy(tags.connection.settings).container_of("uid") == f"audience:{tags.audience_id}"

    def test_it_says_so_when_mailchimp_does_not_answer(self, tags: MailchimpStand) -> None:
        tags.fail("500")
        with pytest.raises(CallFailed):
            self.form(tags)


# --- the table of answers ---


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ("x@y is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be …", "compliance"),
        ("x@y is already a list member in compliance state due to unsubscribe or bounce", "compliance"),
        ("x@y was permanently deleted and cannot be re-imported. The contact must re-subscribe.", "forgotten"),
        ("x@y looks fake or invalid, please enter a real email address.", "fake_address"),
        ("Please provide a valid email address.", "invalid_address"),
        ("x@y is already a list member. Use PUT to insert or update list members.", "address_taken"),
        ('This member\'s status is "cleaned." You can only update email addresses for …', "cannot_change_address"),
        ("Your merge fields were invalid.", "merge_fields"),
        ("Something that nobody has seen before", "refused"),
        ("", "refused"),
    ],
)  # fmt: skip
def test_L27_each_refusal_has_a_code_and_a_plain_sentence(detail: str, code: str) -> None:
    outcome = refusal(detail, "LNAME: Please enter a value" if code == "merge_fields" else "")
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert len(outcome.sentence) < 260 and outcome.sentence[0].isupper()
    assert code != "merge_fields" or "LNAME" in outcome.sentence


def test_L28_a_busy_address_waits_a_day_alone(tags: MailchimpStand) -> None:
    outcome = tags.do(Verb.CREATE, None, tags.member("ana+busy@rivermail.test"))
    assert isinstance(outcome, Retry) and outcome.alone and outcome.after == 86_400


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("APIKeyInvalid", Reconnect), ("APIKeyMissing", Reconnect), ("Forbidden", Reconnect),
        ("UserDisabled", Reconnect), ("WrongDatacenter", Reconnect),
        ("UserActionNotPermitted", Refused), ("ResourceNotFound", Refused),
        ("MethodNotAllowed", Refused), ("BadRequest", Refused), ("InvalidAction", Refused),
        ("JSONParseException", Refused),
        ("ResourceNestingTooDeep", Refused), ("InvalidMethodOverride", Refused), ("TooManyRequests", Retry),
        ("InternalServerError", Ambiguous), ("ComplianceRelated", Ambiguous),
    ],
)  # fmt: skip
def test_P1_every_error_of_the_vendors_glossary_has_its_class(
    tags: MailchimpStand, trigger: str, expected: type
) -> None:
    answer = tags.provider.api.http.call("POST", "/lists", json={}, headers={"X-Trigger-Error": trigger})  # type: ignore[attr-defined]
    assert isinstance(classify(answer, writes=True), expected)


def test_a_foreign_text_in_a_refusal_is_cut_and_scrubbed() -> None:
    outcome = refusal("token=canary-99 " + "long " * 200)
    assert isinstance(outcome, Refused)
    assert "canary" not in outcome.sentence and len(outcome.sentence) < 200


def test_P7_a_person_in_step_costs_no_call(tags: MailchimpStand) -> None:
    """An update that only repeats what is known writes nothing."""
    ana = tags.create()
    before = len(tags.writes())
    assert isinstance(tags.do(Verb.UPDATE, ana, ana), Done)
    assert len(tags.writes()) == before


def test_the_places_of_a_neighbour_are_of_no_use(tags: MailchimpStand) -> None:
    """T1: an id of another account's audience is nobody's there."""
    other = next(iter(tags.sandbox.account("harbor").audiences))
    places = Places()
    operation = Operation(Verb.CREATE, "x", f"audience:{other}", None, tags.member(lists=()))
    ((_, outcome),) = tags.provider.carry_out([operation], places)
    assert isinstance(outcome, Refused) and outcome.code == "not_found"
    assert hash_of(ANA) not in tags.sandbox.account("harbor").audiences[other].members


def spied(stand: MailchimpStand, monkeypatch: Any) -> list[dict[str, Any]]:
    """Every JSON body that leaves from now on."""
    bodies: list[dict[str, Any]] = []
    http = stand.provider.api.http  # type: ignore[attr-defined]
    call = http.call

    def noting(*path: Any, **more: Any) -> Any:
        bodies.append(more.get("json") or {})
        return call(*path, **more)

    monkeypatch.setattr(http, "call", noting)
    return bodies
