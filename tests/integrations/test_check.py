"""Check and Repair (L31): what was changed at the vendor behind our back is found, named, and put right by choice."""

from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from contacts import services
from contacts.models import ConsentEvent, Contact, ListMembership
from contacts.tenancy.acting import By
from integrations import checkup
from integrations.models import Connection, Delivery, ListCheck, RemoteRecord, RunItem, SyncRun
from integrations.providers import provider_for
from integrations.providers.mailchimp import everybody
from integrations.sync import brake, checking, inbox, outbox, roll_call, runs
from integrations.sync.serve import serve
from tests.factories import TenantFactory, UserFactory
from tests.integrations.checks import Kind, Mischief, check, classes, crowd, figure, mail, repair
from tests.integrations.engine import AUDIENCES, CONSTANT_CONTACT, World
from tests.integrations.test_list_sync import a_world

pytestmark = pytest.mark.usefixtures("in_tenant")
SIZE = 40


@pytest.fixture(params=["tags", "constant_contact"])
def world(request, tenant) -> World:
    """Each vendor, with everybody in one place."""
    return a_world(request, tenant, request.param)


@pytest.fixture(params=["tags", AUDIENCES, CONSTANT_CONTACT])
def anyhow(request, tenant) -> World:
    """Each vendor, and each way of modelling."""
    return a_world(request, tenant, request.param)


@pytest.fixture
def tags(tenant, sandbox) -> World:
    return World(tenant, sandbox)


@pytest.fixture
def user(db) -> Any:
    return UserFactory()


def left_at(world: World, emails: list[str]) -> list[Any]:
    """How the vendor has these people."""
    return [world.standing(email) for email in emails]


# --- eight ways of tampering ---


def tamper(world: World, news: Any, gala: Any, people: list[Contact]) -> dict[str, str]:
    """Eight kinds of mischief, one person each: {address as the check shows it: the class that it must have}."""
    mischief = Mischief(world)
    Contact.objects.filter(pk=people[7].pk).update(do_not_contact=True)
    world.push()
    mischief.leave(mail(0), news)
    mischief.rename(mail(1), news)
    mischief.move(mail(2), "moved@rivermail.test", news)
    mischief.take_off(mail(3), news)
    mischief.put_on(mail(4), gala)
    mischief.remove(mail(5), news)
    mischief.do("holder", "unsubscribe", news, email=mail(6))
    mischief.return_(mail(7), news)
    return {
        mail(0): Kind.CONSENT, mail(1): Kind.DIFFERS, mail(2): Kind.DIFFERS, mail(3): Kind.MISSING,
        mail(4): Kind.EXTRA, mail(5): Kind.MISSING, mail(6): Kind.CONSENT, mail(7): Kind.CONSENT,
    }  # fmt: skip


def test_L31_each_of_eight_ways_of_tampering_is_listed_with_its_class_and_repaired(world) -> None:
    news, gala = world.a_list(), world.a_list("Gala")
    people = crowd(world, SIZE, news)
    world.person("gala@rivermail.test", gala)
    world.push()
    others = [mail(n) for n in range(8, SIZE)]
    untouched = left_at(world, others)
    expected = tamper(world, news, gala, people)
    since = len(world.calls())
    run = check(world)
    assert world.writes(since) == [], "a check sends nothing"
    assert classes(run) == expected
    assert run.state == SyncRun.State.READY and run.started_by is None
    # The two who left are wanted nowhere after that. Of the others four are not as they should be on Newsletter, two of
    # them by name and address; and one is on it who must not be.
    assert figure(news) == (SIZE - 2 - 5, SIZE - 2)
    run = repair(world, run)
    assert run.state == SyncRun.State.DONE
    assert set(run.items.values_list("state", flat=True)) == {RunItem.State.DONE}
    assert [world.seen(mail(n), news) for n in range(1, 6)] == ["on"] * 5
    assert world.name_there(mail(1)) == ("P1", "Ruiz")
    assert world.seen("moved@rivermail.test", news) != "on"
    assert world.seen(mail(4), gala) == "off"
    assert [world.seen(mail(n), news) for n in (0, 6, 7)] == ["unsubscribed"] * 3
    assert left_at(world, others) == untouched
    assert figure(news) == (SIZE - 2, SIZE - 2)
    again = check(world)
    assert (again.state, again.items.count()) == (SyncRun.State.DONE, 0)
    assert figure(news) == (SIZE - 3, SIZE - 3) and figure(gala) == (1, 1)


def test_L31_where_each_list_is_a_place_of_its_own_the_same_is_found(tenant, sandbox) -> None:
    world = World(tenant, sandbox, "audiences")
    news, gala = world.a_list(), world.a_list("Gala")
    people = crowd(world, 10, news)
    services.add_to_list(gala, Contact.objects.filter(pk__in=[p.pk for p in people[:5]]))
    world.push()
    mischief = Mischief(world)
    mischief.rename(mail(1), gala)
    mischief.leave(mail(1), news)  # and something to repair in the other place
    mischief.remove(mail(2), gala)
    mischief.do("holder", "delete_permanent", news, email=mail(6))
    run = check(world)
    assert classes(run) == {mail(1): Kind.CONSENT, mail(2): Kind.MISSING, mail(6): Kind.MISSING}
    # What was heard of somebody has them planned again, so that their name in the other place is on its way.
    assert world.first_name(mail(1), gala) == "P1" and world.seen(mail(1), news) == "unsubscribed"
    assert (figure(news), figure(gala)) == ((8, 9), (3, 5))
    repair(world, run, Q(address=mail(2)))
    assert world.seen(mail(2), gala) == "on" and figure(gala) == (4, 5)


def test_L31_somebody_deleted_for_good_is_missing_and_the_refusal_is_told(tags) -> None:
    news = tags.a_list()
    crowd(tags, 3, news)
    Mischief(tags).do("holder", "delete_permanent", news, email=mail(1))
    run = check(tags)
    assert classes(run) == {mail(1): Kind.MISSING}
    run = repair(tags, run)
    assert run.items.get().reason_code == "forgotten"
    assert figure(news) == (2, 3)
    again = check(tags)
    assert again.items.get().verb == "skip", "what was refused is shown, and not offered for repair again"
    assert again.state == SyncRun.State.DONE


def test_T1_the_neighbour_at_the_same_vendor_notices_nothing(world, neighbour) -> None:
    news = world.a_list()
    crowd(world, 3, news)
    from contacts.tenancy.walls import in_tenant as inside

    with inside(neighbour):
        other = world.another(neighbour, "harbor")
        crowd(other, 3, other.a_list())
        theirs = [dict(row) for row in RemoteRecord.objects.values("known", "due_at", "want_version")]
    Mischief(world).rename(mail(1), news)
    repair(world, check(world))
    with inside(neighbour):
        assert [dict(row) for row in RemoteRecord.objects.values("known", "due_at", "want_version")] == theirs
        assert not SyncRun.objects.exists() and not ListCheck.objects.exists()


# --- consent ---


def test_L35_an_opt_out_that_a_check_finds_is_the_persons_own_word(anyhow) -> None:
    news = anyhow.a_list()
    ana, ben = crowd(anyhow, 2, news)
    Mischief(anyhow).leave(mail(0), news)
    since = len(anyhow.calls())
    run = check(anyhow)
    assert anyhow.place(ana, news).do_not_contact and not anyhow.place(ben, news).do_not_contact
    word = ConsentEvent.objects.filter(contact_uid=ana.uid, kind=ConsentEvent.Kind.OPT_OUT).get()
    assert word.by == By.PERSON and word.place
    item = run.items.get()
    assert (item.state, item.difference) == (RunItem.State.DONE, Kind.CONSENT) and "Unsubscribed there" in item.reason
    assert run.state == SyncRun.State.DONE, "nothing is left to choose"
    anyhow.sync()
    assert anyhow.writes(since) == []
    assert figure(news) == (1, 1)


def test_L35_who_unsubscribed_and_was_archived_then_is_heard_and_not_put_back(tags) -> None:
    news = tags.a_list()
    [ana, _] = crowd(tags, 2, news)
    Mischief(tags).leave(mail(0), news)
    Mischief(tags).remove(mail(0), news)
    run = check(tags)
    assert classes(run) == {mail(0): Kind.CONSENT} and run.state == SyncRun.State.DONE
    assert tags.place(ana, news).do_not_contact


def test_L35_before_a_repair_puts_anybody_back_it_looks_whether_they_had_unsubscribed(tags, monkeypatch) -> None:
    """A check asks about few of those whom it does not meet; a repair asks about each."""
    monkeypatch.setattr(roll_call, "LOOKS", 0)
    news = tags.a_list()
    [ana, *_] = crowd(tags, 4, news)
    Mischief(tags).leave(mail(0), news)
    for n in (0, 1):
        Mischief(tags).remove(mail(n), news)
    run = check(tags)
    assert classes(run) == {mail(0): Kind.MISSING, mail(1): Kind.MISSING}
    since = len(tags.calls())
    repair(tags, run)
    assert tags.seen(mail(0), news) == "archived" and tags.seen(mail(1), news) == "on"
    assert not [c for c in tags.writes(since) if mail(0) in str(c)]
    assert tags.place(ana, news).do_not_contact
    assert ConsentEvent.objects.filter(contact_uid=ana.uid, kind=ConsentEvent.Kind.OPT_OUT, by=By.PERSON).exists()


def test_L35_subscribed_again_there_is_shown_and_never_taken_for_a_word(world) -> None:
    """Nobody can tell from a reading who did it; the webhook, or staff, may."""
    news = world.a_list()
    [ana, _] = crowd(world, 2, news)
    ListMembership.objects.filter(contact=ana).update(do_not_contact=True)
    world.push()
    Mischief(world).return_(mail(0), news)
    events = ConsentEvent.objects.count()
    run = check(world)
    assert classes(run) == {mail(0): Kind.CONSENT}
    assert run.items.get().verb == "opt_out"
    assert ConsentEvent.objects.count() == events and world.place(ana, news).do_not_contact
    repair(world, run)
    assert world.seen(mail(0), news) == "unsubscribed"


def test_L14_somebody_put_there_although_do_not_contact_is_set_here_is_a_difference_of_consent(world) -> None:
    news = world.a_list()
    crowd(world, 1, news)
    world.person("no@rivermail.test", do_not_contact=True)
    world.push()
    Mischief(world).add("no@rivermail.test", news)
    run = check(world)
    assert classes(run) == {"no@rivermail.test": Kind.CONSENT}
    repair(world, run)
    assert world.seen("no@rivermail.test", news) == "unsubscribed"


# --- choosing ---


def test_L31_only_the_chosen_rows_are_repaired_and_the_others_say_so(world) -> None:
    news = world.a_list()
    crowd(world, 4, news)
    for n in range(3):
        Mischief(world).rename(mail(n), news)
    run = check(world)
    run = repair(world, run, Q(address=mail(1)))
    assert [world.name_there(mail(n))[0] for n in range(4)] == ["Somebody", "P1", "Somebody", "P3"]
    left = run.items.exclude(address=mail(1))
    assert set(left.values_list("state", "reason_code")) == {(RunItem.State.SKIPPED, "not_chosen")}
    assert not RemoteRecord.objects.filter(due_at__isnull=False).exists()
    assert figure(news) == (2, 4)


def test_L31_a_row_that_was_changed_since_goes_as_it_is_now(world) -> None:
    news = world.a_list()
    [ana, *_] = crowd(world, 2, news)
    Mischief(world).rename(mail(0), news)
    run = check(world)
    Contact.objects.filter(pk=ana.pk).update(first_name="Anna")
    repair(world, run)
    assert world.name_there(mail(0))[0] == "Anna"


def test_L31_what_is_on_its_way_is_no_difference(world) -> None:
    news = world.a_list()
    people = crowd(world, 3, news)
    provider = provider_for(world.connection)
    run = runs.start(world.connection, None, kind=SyncRun.Kind.CHECK)
    Contact.objects.filter(pk=people[0].pk).update(first_name="Anna")
    checking.go_on(run, provider, lambda: None, lambda: False)
    provider.close()
    run.refresh_from_db()
    assert (run.state, run.items.count()) == (SyncRun.State.DONE, 0)
    found = ListCheck.objects.get()
    assert (found.members, found.in_step, found.moving) == (3, 2, 1)


def test_L32_a_repair_that_would_take_many_off_says_so_stops_and_asks(world) -> None:
    news, gala = world.a_list(), world.a_list("Gala")
    crowd(world, 30, news)
    world.person("gala@rivermail.test", gala)
    world.push()
    for n in range(30):
        Mischief(world).put_on(mail(n), gala)
    run = check(world)
    assert run.removals == {str(gala.uid): ["Gala", 30, 31]}
    run = repair(world, run)
    assert run.state == SyncRun.State.ASKING
    assert world.seen(mail(0), gala) == "on"
    brake.release(world.connection, "Ana")
    world.push()
    run.refresh_from_db()
    assert run.state == SyncRun.State.DONE and world.seen(mail(0), gala) == "off"


# --- lists ---


def test_L31_a_list_renamed_there_is_shown_and_renamed_back(world) -> None:
    news = world.a_list()
    crowd(world, 2, news)
    name = {"tag": news.name} if world.provider == "mailchimp" else {"list": news.name}
    verb = "rename_tag" if world.provider == "mailchimp" else "rename_list"
    world.act("holder", verb, **name, new_name="Something else")
    run = check(world)
    assert [(i.label, i.difference, i.verb) for i in run.items.all()] == [("Newsletter", Kind.DIFFERS, "rename_list")]
    repair(world, run)
    assert world.seen(mail(0), news) == "on"


def test_L31_a_list_deleted_there_is_shown_and_made_again_with_its_members(world) -> None:
    news = world.a_list()
    crowd(world, 3, news)
    name = {"tag": news.name} if world.provider == "mailchimp" else {"list": news.name}
    world.act("holder", "delete_tag" if world.provider == "mailchimp" else "delete_list", **name)
    run = check(world)
    assert run.items.get(kind="list").difference == Kind.MISSING
    assert set(run.items.filter(kind="contact").values_list("difference", flat=True)) == {Kind.MISSING}
    assert figure(news) == (0, 3)
    repair(world, run)
    assert [world.seen(mail(n), news) for n in range(3)] == ["on"] * 3
    assert figure(news) == (3, 3)


# --- large, killed, at night ---


@pytest.fixture
def small_pages(monkeypatch) -> None:
    monkeypatch.setattr(everybody, "PAGE", 20)
    monkeypatch.setattr(everybody, "OVERLAP", 3)


class Killed(BaseException):
    """The worker is gone."""


def test_L25_a_killed_check_goes_on_with_the_page_that_it_was_at(tags, small_pages, monkeypatch) -> None:
    news = tags.a_list()
    crowd(tags, 50, news)
    for n in (3, 30):
        Mischief(tags).leave(mail(n), news)
    for n in (4, 31):
        Mischief(tags).rename(mail(n), news)
    run = runs.start(tags.connection, None, kind=SyncRun.Kind.CHECK)
    since, hear = len(tags.calls()), roll_call.meet
    met: list[str] = []

    def dying(visit: Any, record: RemoteRecord, member: Any) -> bool:
        met.append(member.address)
        if len(met) == 30:
            raise Killed
        return hear(visit, record, member)

    monkeypatch.setattr(roll_call, "meet", dying)
    with pytest.raises(Killed):
        serve(tags.connection.pk)
    Connection.objects.update(lease_until=None)  # as the supervisor does for its dead
    tags.push(turns=100)
    run.refresh_from_db()
    assert classes(run) == {
        mail(3): Kind.CONSENT,
        mail(30): Kind.CONSENT,
        mail(4): Kind.DIFFERS,
        mail(31): Kind.DIFFERS,
    }
    assert ConsentEvent.objects.filter(kind=ConsentEvent.Kind.OPT_OUT).count() == 2, "each word is said once"
    asked = [c["query"] for c in tags.calls()[since:] if c["path"].endswith("/members")]
    assert len(asked) == len(set(asked)) + 1, "one page was read twice"


def test_L31_a_check_takes_turns_and_goes_on_where_it_was(tags, small_pages, settings) -> None:
    news = tags.a_list()
    crowd(tags, 50, news)
    Mischief(tags).rename(mail(45), news)
    run = runs.start(tags.connection, None, kind=SyncRun.Kind.CHECK)
    since, turns = len(tags.calls()), 0
    settings.SLICE_SECONDS = 0  # as if other work always took up the whole turn: it goes on by a step all the same
    while serve(tags.connection.pk) and turns < 60:
        turns += 1
    run.refresh_from_db()
    assert turns > 2 and classes(run) == {mail(45): Kind.DIFFERS}
    asked = [c["query"] for c in tags.calls()[since:] if c["path"].endswith("/members")]
    assert len(asked) == len(set(asked))


@pytest.mark.once
def test_L31_a_comparison_takes_at_most_a_call_for_500_people(world) -> None:
    news = world.a_list()
    crowd(world, 1500, news)
    since = len(world.calls())
    run = check(world)
    assert (run.state, run.items.count()) == (SyncRun.State.DONE, 0) and figure(news) == (1500, 1500)
    # Besides the pages: the lists, the archived, and the empty end of what was full.
    assert len(world.calls()) - since <= 1500 // 500 + 3


def test_L31_those_who_are_not_met_are_asked_about_only_up_to_a_limit(tags, monkeypatch) -> None:
    news = tags.a_list()
    crowd(tags, 12, news)
    for n in range(10):
        Mischief(tags).do("holder", "delete_permanent", news, email=mail(n))
    monkeypatch.setattr(roll_call, "LOOKS", 4)
    since = len(tags.calls())
    run = check(tags)
    assert len(tags.calls()) - since <= 4 * 2 + 3  # the client looks by id and by address
    assert run.items.filter(difference=Kind.MISSING).count() == 10


def test_L31_who_was_sent_there_during_the_reading_is_not_taken_for_missing(tags, small_pages, monkeypatch) -> None:
    news = tags.a_list()
    crowd(tags, 25, news)
    monkeypatch.setattr(roll_call, "LOOKS", 0)
    run = runs.start(tags.connection, None, kind=SyncRun.Kind.CHECK)
    late: list[Contact] = []

    def add_somebody() -> bool:
        run.refresh_from_db()
        if run.cursor.startswith("unmet:") and not late:
            late.append(tags.person("late@rivermail.test", news))
            checking_stopped.append(True)
            return True
        return False

    checking_stopped: list[bool] = []
    provider = provider_for(tags.connection)
    checking.go_on(run, provider, lambda: None, add_somebody)
    provider.close()
    assert checking_stopped
    tags.push()
    run.refresh_from_db()
    assert tags.seen("late@rivermail.test", news) == "on"
    assert (run.state, run.items.count()) == (SyncRun.State.DONE, 0)


def test_a_check_can_be_cancelled_while_it_reads(tags) -> None:
    crowd(tags, 3, tags.a_list())
    run = runs.start(tags.connection, None, kind=SyncRun.Kind.CHECK)
    provider = provider_for(tags.connection)

    def cancel_after_a_step() -> bool:
        runs.cancel(run, "Ana") if SyncRun.objects.get(pk=run.pk).cursor.startswith("read:") else None
        return False

    checking.go_on(run, provider, lambda: None, cancel_after_a_step)
    provider.close()
    run.refresh_from_db()
    assert run.state == SyncRun.State.CANCELLED and not run.items.exists()


def test_L28_an_audience_that_is_gone_ends_the_check_with_a_sentence(tags) -> None:
    crowd(tags, 1, tags.a_list())
    tags.act("holder", "delete_audience")
    run = runs.start(tags.connection, None, kind=SyncRun.Kind.CHECK)
    serve(tags.connection.pk)
    run.refresh_from_db()
    assert run.state == SyncRun.State.FAILED and run.reason.endswith(".")


def test_L31_each_connection_has_its_hour_of_the_night_where_its_organization_is(tags) -> None:
    tags.tenant.time_zone = "Pacific/Auckland"
    tags.tenant.save()
    tags.connection.refresh_from_db()
    day = timezone.now().astimezone(tags.tenant.tz).replace(minute=30)
    hours = [hour for hour in range(24) if checking.is_time(tags.connection, day.replace(hour=hour))]
    assert len(hours) == checking.LATER + 1 and hours[0] >= 1 and hours[-1] <= 7
    other = [Connection(tenant=TenantFactory(time_zone="UTC")) for _ in range(30)]
    noon = timezone.now().replace(hour=12)
    assert not any(checking.is_time(one, noon) for one in other)
    firsts = {min(h for h in range(24) if checking.is_time(one, noon.replace(hour=h))) for one in other}
    assert len(firsts) > 2, "they are spread"


def test_L31_by_night_there_is_one_check_and_nobodys_work_is_thrown_away(tags, user) -> None:
    news = tags.a_list()
    crowd(tags, 2, news)
    Mischief(tags).rename(mail(0), news)
    now = timezone.now()
    first = checking.start_by_night(tags.connection, now)
    assert first is not None
    assert checking.start_by_night(tags.connection, now) is None, "it is under way"
    tags.push()
    assert checking.start_by_night(tags.connection, now) is None, "it was there tonight"
    SyncRun.objects.update(created_at=now - checking.ONCE)
    second = checking.start_by_night(tags.connection, now)
    assert second is not None and second.pk != first.pk
    assert not first.items.exists(), "nobody chose anything of it"
    tags.push()
    SyncRun.objects.update(created_at=now - checking.ONCE)
    preview = runs.start(tags.connection, user)
    tags.push()
    assert checking.start_by_night(tags.connection, now) is None
    preview.refresh_from_db()
    assert preview.state == SyncRun.State.READY, "somebody may be looking at it"


def test_L31_by_night_who_was_removed_there_is_listed_once_and_then_counted(world, user) -> None:
    news = world.a_list()
    [ana, *_] = crowd(world, 4, news)
    Mischief(world).remove(mail(0), news)
    assert classes(check(world)) == {mail(0): Kind.MISSING}
    assert "as the check of" in world.record(ana).reason and world.record(ana).reason_code == "removed_there"
    Mischief(world).rename(mail(1), news)
    again = check(world)
    assert classes(again) == {mail(1): Kind.DIFFERS} and again.found["removed"] == 1
    assert checkup.sentences(again)[-1] == "Still missing: 1 person whom somebody removed there before."
    assert figure(news) == (2, 4), "missing all the same"
    by_hand = check(world, user)
    assert classes(by_hand) == {mail(0): Kind.MISSING, mail(1): Kind.DIFFERS}, "whoever looks sees all"
    runs.cancel(by_hand, user)
    Contact.objects.filter(pk=ana.pk).update(first_name="Anna")
    world.push()
    assert mail(0) in classes(check(world)), "changed here since, and so told again"
    assert mail(0) not in classes(check(world))
    repair(world, check(world, user))
    assert world.seen(mail(0), news) == "on" and figure(news) == (4, 4)
    assert check(world).found.get("removed") is None


def test_L31_L32_what_is_held_is_no_news_by_night_and_shown_with_the_reason_by_hand(world, user) -> None:
    news = world.a_list()
    crowd(world, 30, news)
    services.take_off_list(news, Contact.objects.all())
    world.push()
    asked = check(world)
    assert (asked.state, asked.items.count(), asked.found["held"]) == (SyncRun.State.DONE, 0, 30)
    brake.keep(world.connection, user)
    kept = check(world)
    assert (kept.state, kept.items.count(), kept.found["held"]) == (SyncRun.State.DONE, 0, 30)
    assert checkup.sentences(kept)[-1] == "30 changes are held." and figure(news) == (0, 30)
    by_hand = check(world, user)
    assert set(by_hand.items.values_list("difference", "reason_code")) == {(Kind.EXTRA, "kept")}
    assert not by_hand.found.get("held")


def test_L31_L32_L37_what_is_held_stays_so_when_a_check_finds_the_person_removed_there(world, user) -> None:
    """Or a yes to the question would send nothing for them, and what was taken back would be undone."""
    news = world.a_list()
    people = crowd(world, 3, news)
    for person, code in zip(people, ("brake", "taken_back", ""), strict=True):
        if code:
            RemoteRecord.objects.filter(pk=world.record(person).pk).update(state="held", reason_code=code)
        Mischief(world).remove(str(person.primary_email), news)
    assert len(classes(check(world, user))) == 3
    kept = [(record.state, record.reason_code) for record in map(world.record, people)]
    assert kept == [("held", "brake"), ("held", "taken_back"), ("skipped", "removed_there")]


def test_L31_L33_somebody_elses_entry_on_no_list_of_ours_is_in_step(world) -> None:
    news = world.a_list()
    crowd(world, 1, news)
    world.stranger("vera@rivermail.test")
    vera = world.person("vera@rivermail.test", news)
    world.push()
    assert world.seen("vera@rivermail.test", news) == "on"
    ListMembership.objects.filter(contact=vera).delete()
    world.push()
    before = world.record(vera).known
    run = check(world)
    assert (run.state, run.items.count()) == (SyncRun.State.DONE, 0)
    assert world.record(vera).known == before and world.record(vera).reason_code != "removed_there"
    ListMembership.objects.create(contact=vera, contact_list=news)
    world.push()
    assert world.seen("vera@rivermail.test", news) == "on"


def test_L21_a_check_leaves_the_inbox_and_the_reading_of_opt_outs_as_they_are(tags) -> None:
    """And what they bring first is no difference any more."""
    news = tags.a_list()
    crowd(tags, 2, news)
    Mischief(tags).leave(mail(0), news)
    serve(tags.connection.pk, listen=True)
    assert inbox.waiting(inbox.WebhookEvent.objects.all()).count() == 0
    run = check(tags)
    assert run.items.count() == 0 and figure(news) == (1, 1)


def test_L30_what_a_check_found_stands_in_the_contacts_history(tags) -> None:
    news = tags.a_list()
    [ana, _] = crowd(tags, 2, news)
    Mischief(tags).rename(mail(0), news)
    check(tags)
    told = Delivery.objects.filter(subject_uid=ana.uid, verb="heard").get()
    assert told.cause == "Found by a check" and told.after["fields"]["first_name"] == "Somebody"
    check(tags)
    assert Delivery.objects.filter(subject_uid=ana.uid, verb="heard").count() == 1, "told once"


def test_L22_a_name_that_the_service_may_decide_about_is_taken_over_and_no_difference(tags) -> None:
    tags.connection.settings["owners"] = {"first_name": "theirs", "last_name": "theirs"}
    tags.connection.save()
    news = tags.a_list()
    [ana, _] = crowd(tags, 2, news)
    Mischief(tags).rename(mail(0), news)
    run = check(tags)
    ana.refresh_from_db()
    assert (ana.first_name, run.items.count()) == ("Somebody", 0)
    assert run.state == SyncRun.State.DONE


def test_L31_Retry_of_somebody_removed_there_looks_at_them_first(tags) -> None:
    news = tags.a_list()
    [ana, _] = crowd(tags, 2, news)
    Mischief(tags).remove(mail(0), news)
    check(tags)
    assert tags.record(ana).reason_code == "removed_there"
    Mischief(tags).return_(mail(0), news)
    outbox.retry(RemoteRecord.objects.filter(subject_uid=ana.uid))
    tags.push()
    assert tags.seen(mail(0), news) == "on" and tags.record(ana).state == RemoteRecord.State.OK
