"""Undo (L37): a run is taken back through a preview of its own, and the present state is not sent again at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import services
from contacts.models import ConsentEvent, Contact, ContactList, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.providers import all_providers
from integrations.sync import brake, pull, runs, slices, taking_back, undo_preview, undoing
from integrations.sync import serve as serving
from tests.factories import StaffMemberFactory
from tests.integrations.checks import Mischief, repair
from tests.integrations.checks import check as checked
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.engine import AUDIENCES, CONSTANT_CONTACT, World

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture(params=["tags", AUDIENCES, CONSTANT_CONTACT])
def world(request: Any, tenant: Any) -> World:
    """Each vendor, and each way of modelling."""
    if request.param == "constant_contact":
        request.getfixturevalue("quick_activities")
        return ConstantContactWorld(tenant, request.getfixturevalue("constant_contact"))
    return World(tenant, request.getfixturevalue("sandbox"), request.param)


@pytest.fixture
def tags(tenant: Any, sandbox: Any) -> World:
    return World(tenant, sandbox)


@pytest.fixture
def ana(tenant: Any) -> Any:
    """Somebody who presses buttons."""
    return StaffMemberFactory(tenant=tenant, user__first_name="Ana", user__last_name="Ruiz").user


def sync(world: World, release: bool = False) -> SyncRun:
    """A Sync, with the brake's question answered if it asks."""
    run = world.preview()
    runs.confirm(run, None)
    world.push()
    run.refresh_from_db()
    if release and run.state == SyncRun.State.ASKING:
        brake.release(world.connection, "Ana")
        world.push()
        run.refresh_from_db()
    assert run.state == SyncRun.State.DONE
    return run


def preview(world: World, run: SyncRun, user: Any = None) -> SyncRun:
    """Press “Take back…” and wait for the preview."""
    undo = undoing.start(run, user)
    world.push()
    undo.refresh_from_db()
    return undo


def take_back(world: World, run: SyncRun, user: Any = None) -> SyncRun:
    """The same, confirmed, and waited for."""
    undo = preview(world, run, user)
    runs.confirm(undo, user)
    world.push()
    undo.refresh_from_db()
    return undo


def all_there(world: World, people: list[Contact], one: ContactList) -> dict[str, Any]:
    """{address: (status, lists or tags, first name)} there."""
    home = world.home(one)
    found = {}
    for person in people:
        email = str(person.primary_email)
        found[email] = (world.standing(email, home), world.first_name(email, one))
    return found


def crowd(world: World, one: ContactList, count: int = 60, prefix: str = "p") -> list[Contact]:
    """Many people on one list, and all of them there."""
    people = [world.person(f"{prefix}{n}@crowd.test", one, first_name=f"P{n}") for n in range(count)]
    world.push()
    return people


def test_L37_a_list_of_sixty_that_was_emptied_is_as_before_but_for_who_opted_out(world: World, ana: Any) -> None:
    one, two = world.a_list(), world.a_list("Volunteers")
    people = crowd(world, one)
    both = world.person("both@crowd.test", one, two, first_name="Both")
    named = world.person("named@crowd.test", two, first_name="Nora")
    world.push()
    everybody = [*people, both, named]
    before = all_there(world, [*people, both], one) | all_there(world, [named], two)
    assert {status for (status, _), _ in before.values()} == {"subscribed"}
    ListMembership.objects.filter(contact_list=one).delete()
    Contact.objects.filter(pk=named.pk).update(first_name="Wrong")
    RemoteRecord.objects.filter(subject_uid=named.uid).update(due_at=None)  # or it would go out for its own sake
    run = sync(world, release=True)
    assert world.seen(people[0], one) in ("archived", "absent")
    assert world.first_name("named@crowd.test", two) == "Wrong"
    opts_out(world, people[7])
    undo = take_back(world, run, ana)
    assert undo.state == SyncRun.State.DONE
    after = all_there(world, [*people, both], one) | all_there(world, [named], two)
    left = before.pop("p7@crowd.test")
    now = after.pop("p7@crowd.test")
    assert now[0][0] in ("unsubscribed", "archived") and left[0][0] == "subscribed"
    assert undo.items.get(label="P7 Ruiz").reason_code == "opted_out"
    assert after == before
    assert not ListMembership.objects.filter(contact_list=one).exists(), "nothing changes here"
    held = RemoteRecord.objects.filter(state="held", reason_code="taken_back")
    assert held.count() == len(everybody) - 1
    assert "Taken back by Ana Ruiz on " in held[0].reason


def opts_out(world: World, person: Contact) -> None:
    """The person's own word: at the vendor, where somebody who is on no list can still say it, else by telephone."""
    email = str(person.primary_email)
    if world.connection.provider == "constant_contact":
        world.act("person", "unsubscribe", email=email)
        return
    with acting(By.PERSON, "telephone"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_OUT, person.uid, tenant_id=world.tenant.pk, contact_name=str(person), address=email,
            place="", list_uid=None, list_name="", detail="",
        ).save()  # fmt: skip


# --- the present state is not sent again at once ---


def emptied(world: World, count: int = 3, prefix: str = "p") -> tuple[ContactList, list[Contact], SyncRun]:
    """A list whose people a Sync took off."""
    one = world.a_list(f"Newsletter {prefix}")
    people = crowd(world, one, count, prefix)
    assert {world.seen(person, one) for person in people} == {"on"}
    ListMembership.objects.filter(contact_list=one).delete()
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(world)
    assert {world.seen(person, one) for person in people} <= {"archived", "absent"}
    return one, people, run


def test_L37_nothing_sends_the_present_state_again_until_something_changes_here(world: World, ana: Any) -> None:
    one, people, run = emptied(world)
    take_back(world, run, ana)
    since = len(world.calls())
    world.push()
    serving.serve(world.connection.pk, listen=True)
    assert not world.writes(since)
    assert {world.seen(person, one) for person in people} == {"on"}
    Contact.objects.filter(pk=people[0].pk).update(first_name="Changed")
    world.push()
    assert [world.seen(person, one) for person in people[1:]] == ["on", "on"]
    assert world.seen(people[0], one) == "archived", "off the list, as they are here"


def test_L37_a_sync_sends_the_present_state_again_and_says_so(world: World, ana: Any) -> None:
    one, people, run = emptied(world)
    take_back(world, run, ana)
    assert taking_back.held_by_undo(world.connection).count() == 3
    again = sync(world)
    assert again.counts == {"disable": 3}
    assert {world.seen(person, one) for person in people} == {"archived"}
    assert taking_back.held_by_undo(world.connection).count() == 0


def test_L37_taking_back_twice_does_nothing(world: World, ana: Any) -> None:
    one, people, run = emptied(world)
    take_back(world, run, ana)
    since = len(world.calls())
    second = preview(world, run, ana)
    assert (second.state, second.counts, second.unchanged) == (SyncRun.State.DONE, {}, 3)
    assert not world.writes(since)
    assert {world.seen(person, one) for person in people} == {"on"}


def test_L37_news_of_somebody_who_was_taken_back_does_not_send_the_present_state(tags: World, ana: Any) -> None:
    one, people, run = emptied(tags)
    take_back(tags, run, ana)
    tags.act("person", "update_profile", email="p0@crowd.test", fields={"FNAME": "Theirs"})
    record = tags.record(people[0])
    member = slices.members_known(record)[f"audience:{tags.audience}"]
    pull.apply(
        tags.connection, f"audience:{tags.audience}", member.but(fields={"first_name": "Theirs"}), ("p0@crowd.test",)
    )
    since = len(tags.calls())
    tags.push()
    assert not tags.writes(since)
    assert tags.record(people[0]).reason_code == "taken_back"


def test_L37_L32_what_was_let_go_outside_of_a_run_is_one_that_can_be_taken_back(world: World, ana: Any) -> None:
    one = world.a_list()
    people = crowd(world, one, 30)
    services.take_off_list(one, Contact.objects.all())
    world.push()
    assert not SyncRun.objects.exists() and brake.held_rows(world.connection).count() == 30
    brake.release(world.connection, ana)
    world.push()
    run = SyncRun.objects.get()
    assert (run.state, run.started_by, run.count_outcomes()) == ("done", ana, {"done": {"disable": 30}})
    assert {world.seen(person, one) for person in people} == {"archived"}
    take_back(world, run, ana)
    world.push()
    assert {world.seen(person, one) for person in people} == {"on"}


# --- what is taken back, and how ---


def test_L37_who_was_added_is_switched_off_and_lists_stay(world: World, ana: Any) -> None:
    one = world.a_list()
    people = [world.person(f"p{n}@crowd.test", one) for n in range(3)]
    RemoteRecord.objects.update(due_at=None)
    run = sync(world)
    assert {world.seen(person, one) for person in people} == {"on"}
    since = len(world.calls())
    undo = take_back(world, run, ana)
    assert undo.counts == {"disable": 3, "skip": 1}
    assert undo.items.get(kind="list").reason_code == "list_stays"
    assert {world.seen(person, one) for person in people} == {"archived"}, "there still, and reversible"
    assert not [c for c in world.writes(since) if c["method"] == "DELETE" and "/members/" not in c["path"]]
    assert world.record(one).known["names"]


def test_L37_a_list_gets_its_name_back(world: World, ana: Any) -> None:
    one = world.a_list()
    crowd(world, one, 1)
    ContactList.objects.filter(pk=one.pk).update(name="Wrong")
    RemoteRecord.objects.filter(kind="list").update(due_at=None)
    run = sync(world)
    assert set(world.record(one).known["names"].values()) == {"Wrong"}
    undo = take_back(world, run, ana)
    assert undo.counts == {"rename_list": 1} and undo.items.get().state == "done"
    world.push()
    assert set(world.record(one).known["names"].values()) == {"Newsletter"}
    assert world.record(one).reason_code == "taken_back"


def test_L37_a_deleted_list_is_made_again_with_its_people_where_all_live_together(world: World, ana: Any) -> None:
    one, two = world.a_list(), world.a_list("Volunteers")
    people = crowd(world, one, 2)
    for person in people:
        ListMembership.objects.create(contact=person, contact_list=two)
    world.push()
    one.delete()
    RemoteRecord.objects.update(due_at=None)
    run = sync(world)
    undo = take_back(world, run, ana)
    if world.connection.settings.get("mode") == "audiences":
        assert set(undo.items.values_list("reason_code", flat=True)) >= {"place_is_gone"}
        return
    assert undo.counts == {"create_list": 1, "update": 2}
    assert [world.standing(str(p.primary_email))[1] for p in people] == [["Newsletter", "Volunteers"]] * 2
    since = len(world.calls())
    world.push()
    assert not world.writes(since)


def test_L37_a_repair_is_taken_back_too(world: World, ana: Any) -> None:
    one = world.a_list()
    people = crowd(world, one, 2)
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    Contact.objects.filter(pk=people[0].pk).update(first_name="Mended")
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    check = runs.start(world.connection, ana, kind=SyncRun.Kind.CHECK)
    world.push()
    check.refresh_from_db()
    runs.confirm(check, ana)
    world.push()
    check.refresh_from_db()
    assert world.first_name("p0@crowd.test", one) == "Mended" and check.state == SyncRun.State.DONE
    take_back(world, check, ana)
    assert world.first_name("p0@crowd.test", one) == "P0"


@pytest.mark.parametrize("world", ["tags", "constant_contact"], indirect=True)
def test_L37_L31_who_was_subscribed_on_no_list_of_ours_is_so_again_and_who_was_adopted_is_told_of(
    world: World, ana: Any
) -> None:
    """Somebody whom Almoner had added lost their list there: a repair puts them on it, and taken back they are as they
    were then. Where that means to hear nothing at all, they are switched off."""
    board = world.a_list("Board")
    sofia = crowd(world, board, 1)[0]
    world.stranger("by@oldtown.test", "Board")
    Mischief(world).take_off("p0@crowd.test", board)
    was = world.standing("p0@crowd.test")
    assert was == (("subscribed" if world.provider == "mailchimp" else "archived"), [])
    check = repair(world, checked(world, ana))
    assert world.seen(sofia, board) == "on"
    undo = take_back(world, check, ana)
    assert world.standing("p0@crowd.test") == was
    assert undo.items.get(reason_code="adoption_stays").label == "by@oldtown.test"
    assert (undo.state, undo.counts["skip"]) == (SyncRun.State.DONE, 1)
    assert world.seen("by@oldtown.test", board) == "on"


# --- what is left alone ---


def test_L37_what_was_changed_since_is_left_alone(world: World, ana: Any) -> None:
    one, people, run = emptied(world)
    ListMembership.objects.create(contact=people[0], contact_list=one)
    Contact.objects.filter(pk=people[0].pk).update(first_name="Later")
    world.push()
    undo = preview(world, run, ana)
    codes = dict(undo.items.values_list("subject_uid", "reason_code"))
    assert codes[people[0].uid] == "changed_since"
    Contact.objects.filter(pk=people[1].pk).update(first_name="Later")  # between the preview and the confirmation
    runs.confirm(undo, ana)
    world.push()
    assert world.first_name("p0@crowd.test", one) == "Later"
    assert undo.items.get(subject_uid=people[1].uid).state == RunItem.State.CHANGED
    assert world.seen(people[1], one) == "archived"
    assert world.seen(people[2], one) == "on"


@pytest.mark.parametrize("why", ["dnc_contact", "email_bounced", "deleted", "opted_out"])
def test_L37_whoever_may_not_be_written_to_is_not_put_back(tags: World, ana: Any, why: str) -> None:
    one, people, run = emptied(tags)
    who = people[0]
    if why == "dnc_contact":
        services.set_do_not_contact(Contact.objects.filter(pk=who.pk), True)
    elif why == "email_bounced":
        who.email_addresses.update(state="bounced")
    elif why == "deleted":
        who.delete()
    else:
        opts_out(tags, who)
    tags.push()
    undo = take_back(tags, run, ana)
    assert undo.items.get(subject_uid=who.uid).reason_code == why
    assert tags.seen("p0@crowd.test", one) == "archived"
    assert tags.seen(people[1], one) == "on"


def test_L37_who_opts_out_after_the_preview_is_not_put_back(tags: World, ana: Any) -> None:
    one, people, run = emptied(tags)
    undo = preview(tags, run, ana)
    opts_out(tags, people[0])
    RemoteRecord.objects.filter(subject_uid=people[0].uid).update(due_at=None, want_version=F("sent_version"))
    runs.confirm(undo, ana)
    tags.push()
    assert tags.seen(people[0], one) == "archived"
    assert tags.seen(people[1], one) == "on"


def test_L37_control_without_the_consent_check_they_would_be_put_back(tags: World, ana: Any, monkeypatch: Any) -> None:
    one, people, run = emptied(tags)
    opts_out(tags, people[0])
    monkeypatch.setattr(taking_back.consent, "allows", lambda *_: "free")
    take_back(tags, run, ana)
    assert tags.seen(people[0], one) == "on"


def test_L37_L8_a_couple_with_one_address_is_taken_back_together(world: World, ana: Any) -> None:
    one = world.a_list()
    world.person("home@crowd.test", one, first_name="Ada")
    world.person("home@crowd.test", one, first_name="Ben")
    world.push()
    name = world.first_name("home@crowd.test", one)
    ListMembership.objects.filter(contact_list=one).delete()
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(world)
    assert world.seen("home@crowd.test", one) == "archived"
    take_back(world, run, ana)
    since = len(world.calls())
    world.push()
    assert not world.writes(since)
    assert (world.seen("home@crowd.test", one), world.first_name("home@crowd.test", one)) == ("on", name)


def test_L37_L8_nothing_is_taken_from_an_address_that_somebody_else_uses(tags: World, ana: Any) -> None:
    one = tags.a_list()
    tags.push()
    tags.person("home@crowd.test", one, first_name="Ada")
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(tags)
    tags.person("home@crowd.test", one, first_name="Ben")
    tags.push()
    undo = take_back(tags, run, ana)
    assert undo.items.get(kind="contact").reason_code in ("shares_address", "changed_since")
    assert tags.seen("home@crowd.test", one) == "on"


# --- on its way ---


def test_L37_L32_taking_back_many_who_were_added_asks_first(tags: World, ana: Any) -> None:
    one = tags.a_list()
    tags.push()
    people = [tags.person(f"p{n}@crowd.test", one) for n in range(30)]
    RemoteRecord.objects.filter(kind="contact").update(due_at=None)
    run = sync(tags)
    undo = take_back(tags, run, ana)
    assert undo.state == SyncRun.State.ASKING and undo.removals
    assert {tags.seen(person, one) for person in people} == {"on"}
    brake.release(tags.connection, ana)
    tags.push()
    undo.refresh_from_db()
    assert undo.state == SyncRun.State.DONE
    assert {tags.seen(person, one) for person in people} == {"archived"}


@pytest.mark.parametrize("after", [0, 1])
def test_L37_killed_in_the_middle_it_goes_on_and_repeats_nothing_visible(
    world: World, ana: Any, monkeypatch: Any, after: int
) -> None:
    one, people, run = emptied(world, 6)
    undo = preview(world, run, ana)
    runs.confirm(undo, ana)
    kind = all_providers()[world.connection.provider]
    real = kind.carry_out

    def dies(self: Any, operations: Any, places: Any) -> Any:
        for count, outcome in enumerate(real(self, operations, places)):
            if count == after:
                raise SystemExit  # done there, and never told
            yield outcome

    with monkeypatch.context() as deadly:
        deadly.setattr(kind, "carry_out", dies)
        with pytest.raises(SystemExit):
            serving.serve(world.connection.pk)
    Connection.objects.update(lease_until=None, lease_token="")
    world.push()
    undo.refresh_from_db()
    assert undo.state == SyncRun.State.DONE
    assert {world.seen(person, one) for person in people} == {"on"}
    assert taking_back.held_by_undo(world.connection).count() == 6


def test_L37_stopped_in_the_middle_the_rest_stays(tags: World, ana: Any, settings: Any) -> None:
    one, people, run = emptied(tags)
    undo = preview(tags, run, ana)
    runs.confirm(undo, ana)
    runs.cancel(undo, ana)
    tags.push()
    assert {tags.seen(person, one) for person in people} == {"archived"}


def test_L37_a_neighbour_with_the_same_people_notices_nothing(tags: World, neighbour: Any, ana: Any) -> None:
    with in_tenant(neighbour):
        other = World(neighbour, tags.sandbox, login="harbor")
        theirs = other.a_list()
        people = crowd(other, theirs, 3)
        before, version = all_there(other, people, theirs), list(RemoteRecord.objects.values_list("want_version"))
    _, _, run = emptied(tags)
    take_back(tags, run, ana)
    with in_tenant(neighbour):
        assert all_there(other, people, theirs) == before
        assert list(RemoteRecord.objects.values_list("want_version")) == version
        assert not SyncRun.objects.exists()


def test_L37_a_page_of_the_preview_takes_the_same_queries_whoever_is_on_it(tags: World, ana: Any) -> None:
    def asked(count: int) -> int:
        _, _, run = emptied(tags, count, f"q{count}-")
        undo = undoing.start(run, ana)
        with CaptureQueriesContext(database) as queries:
            undo_preview.go_on(undo, lambda: False)
        undo.refresh_from_db()
        assert undo.counts["enable"] == count
        runs.cancel(undo, ana)
        return len(queries)

    assert asked(2) == asked(12)


# --- whether it can be ---


def test_L37_what_can_be_taken_back(tags: World, ana: Any) -> None:
    one, _, run = emptied(tags)
    assert undoing.why_not(run) == ""
    undo = take_back(tags, run, ana)
    assert "sent again by a Sync" in undoing.why_not(undo)
    assert undoing.undo_of(run) == undo
    empty = sync(tags)
    SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=31))
    run.refresh_from_db()
    assert "more than 30 days" in undoing.why_not(run)
    shown = tags.preview()
    assert "not over" in undoing.why_not(shown)
    runs.cancel(shown, ana)
    Connection.objects.update(state="reconnect")
    empty = SyncRun.objects.select_related("connection").get(pk=empty.pk)
    assert "has to be connected" in undoing.why_not(empty)
    assert one
