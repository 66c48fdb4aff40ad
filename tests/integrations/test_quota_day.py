"""The engine where calls are counted (L29): a whole day of the quota, made by setting all clocks, over the sandbox."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts import services
from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from contacts.tenancy.walls import in_tenant as in_a_tenant
from integrations import allowance, jobs
from integrations.models import Connection, Quota, QuotaShare, RemoteRecord, SyncRun
from integrations.models.remote import Priority
from integrations.sync import broker, runs
from integrations.sync.serve import serve, waiting
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.desk import desk

pytestmark = [pytest.mark.usefixtures("in_tenant"), pytest.mark.django_db]
State = SyncRun.State
PER_DAY, FOR_BULK = 60, 36
SETUP = "/admin/integrations/setup/"


class Days:
    """All clocks: the broker's, the vendor's and the pages'. The engine's own pauses are ended by hand."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        self.ahead = timedelta(0)
        self.set(datetime.now(UTC).replace(hour=12, minute=0) + timedelta(days=1))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def set(self, to: datetime) -> None:
        self.ahead = to - datetime.now(UTC)
        self.sandbox.clock_ahead_s = self.ahead.total_seconds()

    def pass_to_tomorrow(self) -> None:
        """The vendor counts anew, and who waited for that may go on."""
        self.set(broker.next_day(self.now()) + timedelta(seconds=1))
        past = timezone.now() - timedelta(seconds=1)
        every = Connection.objects.with_scopes_disabled()
        every.filter(bulk_retry_at__isnull=False).update(bulk_retry_at=past)
        every.filter(retry_at__isnull=False).update(retry_at=past)
        RemoteRecord.objects.with_scopes_disabled().filter(due_at__gt=past).update(due_at=past)


@pytest.fixture
def days(constant_contact: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Days:
    settings.CONSTANT_CONTACT_PER_SECOND, settings.CONSTANT_CONTACT_PER_DAY = 100, PER_DAY
    settings.QUOTA_RESERVE_PERCENT = 40
    constant_contact.options.per_day = PER_DAY
    made = Days(constant_contact)
    monkeypatch.setattr(broker, "read_clock", lambda quota: broker.Clock(made.now(), time.monotonic()))
    monkeypatch.setattr(allowance, "timezone", SimpleNamespace(now=made.now, localtime=timezone.localtime))
    return made


@pytest.fixture
def world(tenant: Any, days: Days, quick_activities: None) -> ConstantContactWorld:
    return ConstantContactWorld(tenant, days.sandbox)


def alone(count: int, one: ContactList) -> None:
    """People brought by an import here, whose addresses are too long for one there: each takes a call of its own."""
    people = Contact.objects.bulk_create([Contact(first_name=f"P{n}", last_name="Ruiz") for n in range(count)])
    addresses = [(person, f"{'x' * 46}{n}@crowd.test") for n, person in enumerate(people)]
    EmailAddress.objects.bulk_create(
        [EmailAddress(contact=p, address=a, address_key=a, is_primary=True) for p, a in addresses]
    )
    ListMembership.objects.bulk_create([ListMembership(contact=p, contact_list=one) for p in people])


def api_calls(world: ConstantContactWorld) -> list[dict[str, Any]]:
    return [call for call in world.calls() if call["path"].startswith("/v3/")]


def due(world: ConstantContactWorld) -> int:
    return RemoteRecord.objects.filter(connection=world.connection, due_at__isnull=False).count()


def sync_of(world: ConstantContactWorld, count: int) -> SyncRun:
    """A confirmed first Sync of so many, each of whom takes a call."""
    Connection.objects.filter(pk=world.connection.pk).update(state=Connection.State.READY)
    alone(count, world.a_list())
    run = world.preview()
    runs.confirm(run, None)
    return run


def test_L29_the_day_runs_out_in_the_middle_of_a_Sync_and_the_next_day_finishes_it(world, days) -> None:
    run = sync_of(world, 60)
    world.push()
    first = len(api_calls(world))
    run.refresh_from_db()
    assert run.state == State.RUNNING and 20 <= due(world) < 60
    assert first == FOR_BULK, "the rest is kept for opt-outs and single edits"
    world.connection.refresh_from_db()
    assert world.connection.retry_at is None and world.connection.failures == 0
    assert world.connection.bulk_retry_at and "large changes are used up" in world.connection.bulk_reason
    assert waiting() == [] and world.push() == 0, "nobody asks in vain until then"

    days.pass_to_tomorrow()
    assert waiting() == [world.connection.pk]
    world.push()
    run.refresh_from_db()
    assert (run.state, run.outcomes) == (State.DONE, {"done": {"create_list": 1, "create": 60}})
    assert not [call for call in api_calls(world) if call["status"] == 429], "the vendor never had to refuse"
    assert due(world) == 0


def test_L29_while_large_changes_wait_for_tomorrow_a_single_edit_and_an_opt_out_go_out(world, days) -> None:
    sync_of(world, 60)
    world.push()
    left = due(world)
    sent = RemoteRecord.objects.filter(kind="contact", effect="done").values_list("subject_uid", flat=True)[:2]
    ana, ben = ListMembership.objects.filter(contact__uid__in=list(sent)).select_related("contact").order_by("pk")
    ana.contact.first_name = "Anna"
    ana.contact.save()
    services.set_do_not_contact(Contact.objects.filter(pk=ben.contact.pk), True)
    assert waiting() == [world.connection.pk]
    world.push()
    assert world.there(str(ana.contact.primary_email))["first_name"] == "Anna"
    assert world.standing(str(ben.contact.primary_email))[0] == "unsubscribed"
    assert due(world) == left, "the others wait on"
    assert len(api_calls(world)) <= PER_DAY


def test_L29_a_preview_can_be_made_while_large_changes_wait_for_tomorrow(world, days) -> None:
    sync_of(world, 60)
    world.push()
    runs.cancel(SyncRun.objects.get(state=State.RUNNING), None)
    Connection.objects.update(state=Connection.State.ACTIVE)
    world.a_list("Gala")
    run = runs.start(world.connection, None)
    assert world.push() <= 6 and waiting() == []
    run.refresh_from_db()
    assert run.state == State.READY


def test_L29_when_nothing_is_left_everything_waits_and_nothing_is_lost(world, days) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    Quota.objects.update(used=PER_DAY)
    ana.first_name = "Anna"
    ana.save()
    before = len(api_calls(world))
    world.push()
    world.connection.refresh_from_db()
    assert len(api_calls(world)) == before and world.connection.retry_at and world.connection.failures == 0
    assert waiting() == []
    days.pass_to_tomorrow()
    world.push()
    assert world.there("ana@rivermail.test")["first_name"] == "Anna"


def test_L29_a_neighbours_flood_does_not_hold_up_a_single_edit(world, days, neighbour) -> None:
    with in_a_tenant(neighbour):
        other = world.another(neighbour, "harbor")
        theirs = other.a_list()
        bo = other.person("bo@harbor.test", theirs)
        other.push()
    sync_of(world, 60)
    serve(world.connection.pk)
    with in_a_tenant(neighbour):
        bo.first_name = "Beau"
        bo.save()
        other.push()
        assert other.there("bo@harbor.test")["first_name"] == "Beau"
    world.push()
    with in_a_tenant(neighbour):
        bo.first_name = "Bob"
        bo.save()
        other.push()
        assert other.there("bo@harbor.test")["first_name"] == "Bob", "also when the flood has had all of its calls"
    assert not [call for call in api_calls(world) if call["status"] == 429]


def test_L29_what_the_vendor_refuses_to_one_organization_pauses_the_others(world, days, neighbour) -> None:
    with in_a_tenant(neighbour):
        other = world.another(neighbour, "harbor")
        theirs = other.a_list()
        other.push()
    days.sandbox.act({"as": "holder", "action": "spend_calls", "account": "river", "calls": PER_DAY})
    world.a_list()
    world.push()
    world.connection.refresh_from_db()
    assert world.connection.retry_at is not None and Quota.objects.get().day_is_over
    before = len(api_calls(world))
    with in_a_tenant(neighbour):
        other.person("bo@harbor.test", theirs)
        other.push()
        assert len(api_calls(world)) == before and due(other) == 1
    days.pass_to_tomorrow()
    with in_a_tenant(neighbour):
        other.push()
        assert other.standing("bo@harbor.test") is not None


def test_L29_the_hourly_reading_goes_from_one_organization_to_the_next_and_never_fills_the_queue(
    world, days, neighbour, monkeypatch
) -> None:
    with in_a_tenant(neighbour):
        other = world.another(neighbour, "harbor")
    queue: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *job: queue.append(job))
    jobs.listen_all()
    while queue:
        assert len(queue) == 1
        name, argument = queue.pop()
        getattr(jobs, name.rpartition(".")[2])(argument)
    read = Connection.objects.with_scopes_disabled().filter(listened_at__isnull=False)
    assert set(read) == {world.connection, other.connection}


@pytest.mark.once
def test_L29_the_vendor_meets_no_more_than_four_calls_in_any_second(world, days, settings) -> None:
    settings.CONSTANT_CONTACT_PER_SECOND = days.sandbox.options.per_second = 4
    run = sync_of(world, 10)
    world.push()
    run.refresh_from_db()
    calls = api_calls(world)
    assert run.state == State.DONE and len(calls) > 10
    assert not [call for call in calls if call["status"] == 429]


# --- pages ---


def test_L29_the_page_says_what_is_left_today_and_when_the_rest_will_go(world, days, tenant) -> None:
    tenant.time_zone = "America/New_York"
    tenant.save()
    run = sync_of(world, 60)
    world.push()
    anew = broker.next_day(days.now())
    Connection.objects.update(bulk_retry_at=anew)
    at = f"today at {anew.astimezone(ZoneInfo(tenant.time_zone)):%H:%M}"
    mine, ana = QuotaShare.objects.get().used, desk(tenant)
    said = ana.text(SETUP)
    assert f"{mine} of {PER_DAY} calls used today by all organizations; yours: {mine}." in said
    assert f"Constant Contact counts anew {at}." in said
    rest = f"The rest goes on by itself {at}."
    assert f"large changes are used up; opt-outs and single changes still go out. {rest}" in said
    assert f"{due(world)} changes wait; at this pace they are out today at about" in said
    waiting = RemoteRecord.objects.filter(kind="contact", due_at__isnull=False, priority__gt=Priority.EDIT)
    waits = Contact.objects.get(uid=waiting.values_list("subject_uid", flat=True)[0])
    card = ana.text(f"/admin/contacts/contact/{waits.pk}/change/")
    assert "single changes still go out. It goes out by itself" in card
    assert f" {at.removeprefix('today ')}. Nothing" in card
    first = waiting.exclude(subject_uid=waits.uid)[:1].values("pk")
    RemoteRecord.objects.filter(pk__in=list(first.values_list("pk", flat=True))).update(priority=Priority.EDIT)
    card = ana.text(SETUP)
    assert f"1 of them goes first; at this pace the other {due(world) - 1} are out today at about" in card
    said = ana.text(f"/admin/integrations/syncs/{run.uid}/")
    assert "Waiting to go on …" in said and "Sending to" not in said
    assert "at this pace it is done today at about" in said and rest in said


def test_T4_the_page_of_a_neighbour_shows_the_sum_alone(world, days, tenant, neighbour) -> None:
    sync_of(world, 60)
    world.push()
    with in_a_tenant(neighbour):
        world.another(neighbour, "harbor")
    said = desk(neighbour).text(SETUP)
    assert "calls used today by all organizations; yours, connecting apart: 0." in said
    assert "large changes" not in said
