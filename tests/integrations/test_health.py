"""When the vendor is in trouble (L28), when a message comes in (L21), and what the doorbell makes up for (L25)."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models import F
from django.utils import timezone

from contacts.models import Role
from integrations import jobs
from integrations.models import Connection, Credential, Delivery, RemoteRecord, WebhookEvent
from integrations.sync import serve as serving
from integrations.sync.lease import Lease, LeaseLost
from integrations.sync.serve import serve
from tests.factories import StaffMemberFactory
from tests.fakes import control
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def world(tenant, sandbox) -> World:
    return World(tenant, sandbox)


@pytest.fixture
def rung(monkeypatch) -> list[tuple]:
    """What was put into the queue."""
    calls: list[tuple] = []
    monkeypatch.setattr(jobs, "async_task", lambda *args, **kwargs: calls.append(args))
    return calls


def trouble(world: World, **wish) -> None:
    control.faults(world.sandbox, {"share": 1.0, **wish})


def calm(world: World) -> None:
    control.faults(world.sandbox, {})
    Connection.objects.update(retry_at=None)


@pytest.mark.parametrize("kind", ["429", "403_empty", "500", "502_html", "cut", "invalid_json", "done_unanswered"])
def test_L28_trouble_on_the_way_pauses_and_loses_nothing(world, settings, kind) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    one = world.a_list()
    world.push()
    ana = world.person("ana@rivermail.test", one)
    trouble(world, kinds=[kind])
    serve(world.connection.pk)
    world.connection.refresh_from_db()
    assert world.connection.state == Connection.State.ACTIVE
    assert world.connection.retry_at > timezone.now()
    assert world.connection.last_error
    assert world.record(ana).due_at is not None
    assert serve(world.connection.pk) is False  # nobody calls before the time has come
    calm(world)
    world.push()
    assert world.standing("ana@rivermail.test") == ("subscribed", ["Newsletter"])
    assert (world.record(ana).due_at, world.record(ana).state) == (None, RemoteRecord.State.OK)


def test_L28_retry_after_is_honoured(world) -> None:
    one = world.a_list()
    world.push()
    world.person("ana@rivermail.test", one)
    trouble(world, kinds=["429"], retry_after=120)
    serve(world.connection.pk)
    world.connection.refresh_from_db()
    wait = (world.connection.retry_at - timezone.now()).total_seconds()
    assert 60 < wait <= 120


def test_L28_a_revoked_grant_pauses_tells_the_admins_once_and_reconnecting_resumes(
    world, django_capture_on_commit_callbacks
) -> None:
    owner = StaffMemberFactory(tenant=world.tenant, role=Role.OWNER)
    StaffMemberFactory(tenant=world.tenant, role=Role.VIEWER)
    one = world.a_list()
    world.push()
    world.act("holder", "revoke")
    ana = world.person("ana@rivermail.test", one)
    with django_capture_on_commit_callbacks(execute=True):
        since = len(world.calls())
        world.push()
        ben = world.person("ben@rivermail.test", one)
        world.push()
    world.connection.refresh_from_db()
    assert world.connection.state == Connection.State.RECONNECT
    assert len(world.calls()) - since <= 3
    assert [m.to for m in mail.outbox] == [[owner.user.email]]
    assert {world.record(p).due_at is not None for p in (ana, ben)} == {True}
    Credential.store(world.connection, {"token": world.sandbox.grant(), "dc": world.account.dc}, None)
    Connection.objects.update(state=Connection.State.ACTIVE)
    world.push()
    assert (
        world.standing("ana@rivermail.test") == world.standing("ben@rivermail.test") == ("subscribed", ["Newsletter"])
    )


def test_an_unreadable_key_pauses_this_connection_only(world, neighbour) -> None:
    from contacts.tenancy.walls import in_tenant

    one = world.a_list()
    world.person("ana@rivermail.test", one)
    Credential.objects.filter(connection=world.connection).update(secret={"for": "somebody else", "secret": {}})
    world.push()
    world.connection.refresh_from_db()
    assert world.connection.state == Connection.State.RECONNECT
    with in_tenant(neighbour):
        other = World(neighbour, world.sandbox, login="harbor")
        other.person("ana@rivermail.test", other.a_list())
        other.push()
        assert other.standing("ana@rivermail.test") == ("subscribed", ["Newsletter"])


def message(world: World, body: str) -> WebhookEvent:
    return WebhookEvent.objects.create(connection=world.connection, fingerprint=str(hash(body)), body=body)


def test_L21_a_stored_message_is_a_hint_what_the_vendor_says_now_counts(world) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    told = f"type=unsubscribe&data[list_id]={world.audience}&data[email]=ana@rivermail.test"
    lie = message(world, told)
    world.push()
    lie.refresh_from_db()
    assert lie.handled_at is not None
    assert not world.place(ana, one).do_not_contact  # there she is still subscribed
    world.act("person", "unsubscribe", email="ana@rivermail.test")
    since = len(world.calls())
    message(world, told + "&fired_at=2026-11-22 09:15:02")
    message(world, told + "&fired_at=2026-11-22 09:15:03")  # repeated
    message(world, told.replace("unsubscribe", "subscribe"))  # and overtaken by an older one
    world.push()
    assert world.place(ana, one).do_not_contact
    assert world.writes(since) == []
    assert Delivery.objects.filter(subject_uid=ana.uid, outcome=Delivery.Outcome.HEARD).count() == 1


def test_a_message_about_a_stranger_changes_nothing(world) -> None:
    world.a_list()
    world.push()
    since = len(world.calls())
    event = message(world, f"type=subscribe&data[list_id]={world.audience}&data[email]=stranger@rivermail.test")
    world.push()
    event.refresh_from_db()
    assert event.outcome == "Nobody here has that address; left alone."
    assert len(world.calls()) == since


def test_messages_wait_while_the_vendor_cannot_be_asked(world, settings) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    world.act("person", "unsubscribe", email="ana@rivermail.test")
    event = message(world, f"type=unsubscribe&data[list_id]={world.audience}&data[email]=ana@rivermail.test")
    trouble(world, kinds=["500"])
    serve(world.connection.pk)
    event.refresh_from_db()
    assert event.handled_at is None
    calm(world)
    WebhookEvent.objects.update(received_at=F("received_at") - timedelta(hours=1))
    world.push()
    assert world.place(ana, one).do_not_contact


def test_L25_one_nudge_per_connection_is_enough_and_a_lost_one_is_made_up_for(
    world, rung, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        one = world.a_list()
        for n in range(5):
            world.person(f"p{n}@rivermail.test", one)
    assert rung == [("integrations.jobs.serve", world.connection.pk)]
    rung.clear()  # the queue was emptied; the sweep finds what is due all the same
    jobs.sweep()
    assert rung == [("integrations.jobs.serve", world.connection.pk)]
    jobs.serve(world.connection.pk)
    world.push()
    rung.clear()
    jobs.sweep()
    assert rung == []


def test_the_sweep_leaves_alone_what_may_not_be_worked_on(world) -> None:
    world.person("ana@rivermail.test", world.a_list())
    assert serving.waiting() == [world.connection.pk]
    for state in (Connection.State.RECONNECT, Connection.State.NOT_CONNECTED, Connection.State.READY):
        Connection.objects.update(state=state)
        assert serving.waiting() == []


def test_one_worker_at_a_time_and_who_lost_the_lease_stops(world) -> None:
    lease = Lease.take(world.connection)
    assert lease is not None and Lease.take(world.connection) is None
    world.person("ana@rivermail.test", world.a_list())
    assert world.push() == 0
    Connection.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    world.push()
    assert world.standing("ana@rivermail.test") is not None
    with pytest.raises(LeaseLost):
        lease.renew()


def test_L29_an_opt_out_overtakes_bulk_work(world) -> None:
    """A thousand bulk edits are due; the opt-out made last goes out with the first slice."""
    from contacts import services
    from contacts.models import Contact

    one = world.a_list()
    people = [world.person(f"p{n}@rivermail.test", one) for n in range(30)]
    world.push()
    Contact.objects.update(last_name="Bulk")
    services.set_do_not_contact(Contact.objects.filter(pk=people[-1].pk), True)
    due = RemoteRecord.objects.filter(due_at__isnull=False).order_by("priority", "due_at", "pk")
    assert due.first().subject_uid == people[-1].uid
