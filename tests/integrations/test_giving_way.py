"""The engine and staff at the same rows in the same moment: on PostgreSQL they could wait for each other for ever."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.models.functions import Now

from contacts.models import ContactList, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant
from integrations.models import RemoteRecord
from integrations.provider_kit.states import Standing
from integrations.providers import provider_for
from integrations.sync import brake, giving_way, pull, slices
from integrations.sync.lease import Lease
from integrations.sync.push import Sitting
from integrations.sync.turn import Turn
from tests.integrations.engine import World

PATIENCE = 15  # seconds for a thread to come to its point; more means that something hangs


class Both:
    """Staff and the engine, each stopped at the line where they hold what the other needs."""

    def __init__(self, world: World, monkeypatch: Any) -> None:
        self.world, self.monkeypatch = world, monkeypatch
        self.staff_holds, self.engine_holds = threading.Event(), threading.Event()
        self.errors: list[str] = []
        self.threads: list[threading.Thread] = []

    def begin(self, who: str, work: Callable[[], None]) -> None:
        """Do this in a thread, inside the organization, and note what was raised."""

        def run() -> None:
            try:
                with in_tenant(self.world.tenant):
                    work()
            except OperationalError as error:
                self.errors.append(f"{who}: {error}".splitlines()[0])
            finally:
                self.staff_holds.set()
                self.engine_holds.set()
                connections.close_all()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def staff_edit(self) -> None:
        """A membership is locked, and then, by what it announces, the ledger's row."""
        with acting(By.STAFF, "Almoner"), transaction.atomic():
            place = ListMembership.objects.select_for_update().get()
            self.staff_holds.set()
            if connection.vendor == "postgresql":
                self.engine_holds.wait(PATIENCE)
            place.position = "Chair"
            place.do_not_contact = True
            place.save()

    def engine_waits_here(self, *_: Any) -> None:
        """The ledger's row is locked; go on once staff hold the membership."""
        self.engine_holds.set()
        self.staff_holds.wait(PATIENCE)

    def end(self) -> list[str]:
        """What went wrong."""
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        return self.errors


@pytest.fixture
def both(transactional_db, tenant, sandbox, monkeypatch) -> Both:
    with in_tenant(tenant):
        world = World(tenant, sandbox)
        world.person("ana@rivermail.test", world.a_list())
        world.push()
        world.act("person", "unsubscribe", email="ana@rivermail.test")
    return Both(world, monkeypatch)


def hear(both: Both) -> None:
    """The unsubscribe there is applied here: the ledger's row first, then the membership."""
    world = both.world
    with provider_for(world.connection) as provider:
        container = slices.policy_of(world.connection).container
        member = provider.look(container, "ana@rivermail.test", "", slices.places_of(world.connection))
        assert member and member.standing == Standing.UNSUBSCRIBED
        pull.apply(world.connection, container, member, ("ana@rivermail.test",))


def meet(both: Both) -> list[str]:
    """Have both come to their point, and each go on into what the other holds."""
    records_of = pull.records_of

    def records_then_wait(*args: Any) -> Any:
        found = records_of(*args)
        both.engine_waits_here()
        return found

    both.monkeypatch.setattr(pull, "records_of", records_then_wait)
    both.begin("staff", both.staff_edit)
    both.begin("engine", lambda: hear(both))
    return both.end()


def test_L21_an_unsubscribe_and_an_edit_at_the_same_moment_both_happen(both) -> None:
    assert meet(both) == []
    with in_tenant(both.world.tenant):
        place = ListMembership.objects.get()
        assert (place.position, place.do_not_contact) == ("Chair", True)
        [member] = RemoteRecord.objects.get(kind="contact").containers.values()
        assert member["standing"] == "unsubscribed"


def at_once(work: Callable[[], Any]) -> Any:
    """As it would be without giving way."""
    with transaction.atomic():
        return work()


def test_L21_control_without_giving_way_postgresql_throws_one_of_them_out(both) -> None:
    both.monkeypatch.setattr(pull, "giving_way", at_once)
    errors = meet(both)
    if connection.vendor == "postgresql":
        assert len(errors) == 1 and "deadlock detected" in errors[0]


def two_rows(both: Both) -> list[RemoteRecord]:
    """The rows of Ana and of somebody else, due."""
    with in_tenant(both.world.tenant):
        both.world.person("ben@rivermail.test", ContactList.objects.get())
        RemoteRecord.objects.filter(kind="contact").update(due_at=Now())
        return list(RemoteRecord.objects.filter(kind="contact").order_by("pk"))


MANY = {
    "claim": lambda link, rows: slices.claim(link, "contact", "token", 500),
    "brake": lambda link, rows: brake.let_pass({row.pk: row.want_version for row in rows}),
    "give back": lambda link, rows: Turn(link, Lease(link, ""), provider_for(link), 0.0).give_back(rows),
}


def meet_at_many(both: Both, what: str) -> list[str]:
    """Staff hold the second row and want the first; the engine has the first and waits for the second."""
    one, two = rows = two_rows(both)

    def edit() -> None:
        with transaction.atomic():
            RemoteRecord.objects.filter(pk=two.pk).update(cause="Staff")
            both.staff_holds.set()
            if connection.vendor == "postgresql":
                time.sleep(0.15)  # the engine runs into what is held here
            RemoteRecord.objects.filter(pk=one.pk).update(cause="Staff")

    def engine() -> None:
        both.staff_holds.wait(PATIENCE)
        MANY[what](both.world.connection, rows)

    both.begin("staff", edit)
    both.begin("engine", engine)
    return both.end()


@pytest.mark.parametrize("what", MANY)
def test_L25_many_rows_at_once_are_locked_without_throwing_staff_out(both, what) -> None:
    assert meet_at_many(both, what) == []
    with in_tenant(both.world.tenant):
        assert set(RemoteRecord.objects.filter(kind="contact").values_list("cause", flat=True)) == {"Staff"}


def test_L25_control_many_rows_at_once_without_giving_way_throw_somebody_out(both) -> None:
    both.monkeypatch.setattr(brake, "giving_way", at_once)
    errors = meet_at_many(both, "brake")
    if connection.vendor == "postgresql":
        assert len(errors) == 1 and "deadlock detected" in errors[0]


def test_L25_what_was_found_and_that_it_is_planned_anew_are_written_together(both, monkeypatch) -> None:
    """Otherwise a worker killed in between would leave a row that is not as its Sync had shown it, and is dropped."""
    with in_tenant(both.world.tenant):
        ana = RemoteRecord.objects.get(kind="contact")
        monkeypatch.setattr(pull, "clear_up", lambda *args: None)
        link = both.world.connection
        lease = Lease.take(link)
        assert lease is not None
        RemoteRecord.objects.filter(pk=ana.pk).update(token=lease.token)
        sitting = Sitting(link, lease, provider_for(link), 0.0)
        row = SimpleNamespace(record=ana, takes_back=None)
        sitting.clear_up(row, "audience:x", None, [])  # type: ignore[arg-type]
        now = RemoteRecord.objects.get(pk=ana.pk)
        assert (now.want_version, now.sent_version) == (ana.want_version + 1, ana.sent_version + 1)


def test_L25_what_was_collected_is_written_though_the_first_attempt_was_taken_back(both, monkeypatch) -> None:
    """The write of a slice fails once for a lock and is done again, with nothing missing and nothing double."""
    from integrations.sync import push

    tries: list[int] = []

    def twice(work: Callable[[], Any]) -> Any:
        if not tries:
            tries.append(1)
            with transaction.atomic():
                work()
                transaction.set_rollback(True)
        with transaction.atomic():
            return work()

    with in_tenant(both.world.tenant):
        ana = RemoteRecord.objects.get(kind="contact")
        before = both.world.connection.deliveries.count()
        ListMembership.objects.update(do_not_contact=True)
        monkeypatch.setattr(push, "giving_way", twice)
        both.world.push()
        ana.refresh_from_db()
        assert (ana.due_at, ana.token) == (None, "")
        assert both.world.connection.deliveries.count() == before + 1


def test_a_lock_is_tried_for_less_time_than_it_takes_to_throw_somebody_out() -> None:
    assert giving_way.WAIT_MS < 1000  # PostgreSQL's deadlock_timeout
