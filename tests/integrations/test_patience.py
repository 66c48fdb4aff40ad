"""One row that the vendor always chokes on (L27, L28): the others go on, it is told of, and never given up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from contacts import services
from contacts.models import Contact
from integrations.models import Connection, RemoteRecord, SyncRun
from integrations.sync import patience, runs, slices
from tests.fakes import control
from tests.integrations.engine import World

pytestmark = [pytest.mark.usefixtures("in_tenant"), pytest.mark.once]
POISON = "poison@rivermail.test"


@pytest.fixture
def world(tenant, sandbox, settings) -> World:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 30  # over when a test says so: see `soon`
    return World(tenant, sandbox)


@pytest.fixture
def chokes(monkeypatch, sandbox) -> Callable[..., None]:
    """Have the vendor answer with an error whenever a call names this."""

    def on(text: str, kind: str = "500", method: str = "") -> None:
        answer = type(sandbox).answer

        def choking(vendor: Any, request: Any) -> Any:
            said = request.path + request.get_data(as_text=True)
            if text in said and request.method != "GET" and method in ("", request.method):
                return vendor.faults.instead(kind, vendor.problem)
            return answer(vendor, request)

        monkeypatch.setattr(type(sandbox), "answer", choking)

    return on


def crowd(world: World, size: int, *lists: Any) -> list[Contact]:
    """So many people, the one in trouble among them."""
    people = [world.person(f"p{n}@rivermail.test", *lists) for n in range(size)]
    return [*people[: size // 2], world.person(POISON, *lists), *people[size // 2 :]]


def there(world: World) -> int:
    """How many of the crowd have arrived."""
    state = world.sandbox.state({"account": world.login})["accounts"][world.login]["audiences"][0]
    return len([m for m in state["members"] if m["email_address"].startswith("p") and m["status"] == "subscribed"
                and m["email_address"].partition("@")[0][1:].isdigit()])  # fmt: skip


def days_pass(world: World, turns: int = 80) -> None:
    """Turn after turn, with a change of somebody else in between, as in life."""
    other = Contact.objects.filter(email_addresses__address="p0@rivermail.test").get()
    for turn in range(turns):
        other.first_name = f"Turn {turn}"
        other.save()
        soon(world)


def soon(world: World) -> None:
    """A pause of the connection later, what was waited for is tried; who waits for an hour goes on waiting."""
    Connection.objects.update(retry_at=None)
    for row in RemoteRecord.objects.filter(due_at__lt=Now() + timedelta(minutes=5)):
        RemoteRecord.objects.filter(pk=row.pk).update(due_at=row.due_at - timedelta(seconds=31))
    world.push(turns=4)


@pytest.mark.parametrize("kind", ["500", pytest.param("403_html", marks=pytest.mark.once)])
def test_L27_one_whom_the_vendor_chokes_on_holds_up_nobody(world, chokes, kind) -> None:
    one = world.a_list()
    world.push()
    crowd(world, 60, one)
    chokes(POISON, kind)
    for _ in range(20):
        soon(world)
    assert there(world) == 60
    assert world.there(POISON) is None
    days_pass(world)
    [row] = RemoteRecord.objects.filter(state=RemoteRecord.State.SET_ASIDE)
    assert (row.reason_code, row.due_at is not None) == ("vendor_error", True)
    assert row.reason == "Mailchimp answers with an error for this person. Almoner tries again every hour."
    assert row.due_at > timezone.now() + timedelta(minutes=50)


def test_L27_control_in_one_claim_with_them_nobody_arrives(world, chokes, monkeypatch) -> None:
    one = world.a_list()
    world.push()
    crowd(world, 60, one)
    chokes(POISON)
    monkeypatch.setattr(slices, "together", lambda found, limit: [row.pk for row in found])
    for _ in range(20):
        soon(world)
    assert there(world) == 0


def test_L27_what_was_set_aside_goes_out_by_itself_once_the_vendor_has_mended_it(world, chokes, monkeypatch) -> None:
    one = world.a_list()
    world.push()
    crowd(world, 3, one)
    with monkeypatch.context():
        chokes(POISON)
        days_pass(world)
        assert RemoteRecord.objects.filter(state=RemoteRecord.State.SET_ASIDE).count() == 1
    monkeypatch.undo()
    RemoteRecord.objects.filter(due_at__isnull=False).update(due_at=Now())
    world.push()
    assert world.standing(POISON) == ("subscribed", ["Newsletter"])
    row = RemoteRecord.objects.get(known_address=POISON)
    assert (row.state, row.due_at, row.troubles, row.reason) == (RemoteRecord.State.OK, None, 0, "")


def test_L28_an_outage_sets_nobody_aside_however_long_it_is(world) -> None:
    one = world.a_list()
    world.push()
    people = crowd(world, 12, one)
    control.faults(world.sandbox, {"kinds": ["500"]})
    for turn in range(60):
        people[0].first_name = f"Turn {turn}"
        people[0].save()
        soon(world)
    assert not RemoteRecord.objects.filter(state=RemoteRecord.State.SET_ASIDE).exists()
    control.faults(world.sandbox, {})
    for _ in range(4):
        soon(world)
    assert there(world) == 12
    assert not RemoteRecord.objects.filter(due_at__isnull=False).exists()


def test_L28_an_outage_after_a_long_time_of_trouble_sets_nobody_aside_either(world, chokes, monkeypatch) -> None:
    """One who was nearly set aside, and then nobody gets through: what follows is the vendor's, not theirs."""
    one = world.a_list()
    world.push()
    crowd(world, 3, one)
    chokes(POISON)
    days_pass(world, turns=8)
    control.faults(world.sandbox, {"kinds": ["500"]})
    days_pass(world, turns=40)
    assert not RemoteRecord.objects.filter(state=RemoteRecord.State.SET_ASIDE).exists()


def test_L14_an_opt_out_that_the_vendor_chokes_on_is_told_of_and_never_given_up(world, chokes, monkeypatch) -> None:
    one = world.a_list()
    people = crowd(world, 3, one)
    world.push()
    services.set_do_not_contact(Contact.objects.filter(pk=people[1].pk), True)
    chokes("", method="PATCH")
    days_pass(world)
    row = world.record(people[1])
    assert row.state == RemoteRecord.State.SET_ASIDE
    assert "every 15 minutes" in row.reason
    assert timezone.now() + timedelta(minutes=14) < row.due_at < timezone.now() + timedelta(minutes=16)
    days_pass(world, 3)
    assert world.record(people[1]).due_at is not None
    monkeypatch.undo()
    RemoteRecord.objects.filter(due_at__isnull=False).update(due_at=Now())
    world.push()
    assert world.standing(POISON)[0] == "unsubscribed"


def test_L28_a_single_row_in_trouble_does_not_keep_others_waiting(world, chokes, settings) -> None:
    one = world.a_list()
    ben = world.person("ben@rivermail.test", one)
    world.push()
    ana = world.person(POISON, one)
    chokes(POISON)
    for _ in range(4):
        soon(world)
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 600
    Connection.objects.update(retry_at=None)
    RemoteRecord.objects.filter(subject_uid=ana.uid).update(due_at=Now())
    world.push()
    assert world.record(ana).due_at > timezone.now() + timedelta(minutes=3)
    ben.first_name = "Benedict"
    ben.save()
    world.push()
    assert world.there("ben@rivermail.test")["merge_fields"]["FNAME"] == "Benedict"


def test_L27_a_list_that_the_vendor_chokes_on_holds_up_neither_lists_nor_people(world, chokes) -> None:
    bad, good = world.a_list("Poisoned"), world.a_list("Good")
    ana, ben = world.person("p0@rivermail.test", good), world.person("ben@rivermail.test", bad)
    chokes("Poisoned")
    for _ in range(4):
        soon(world)
    assert world.standing("p0@rivermail.test") == ("subscribed", ["Good"])
    days_pass(world)
    assert world.record(bad).reason == (
        "Mailchimp answers with an error for this list. Almoner tries again every hour."
    )
    assert world.record(ben).reason_code == "list_not_there_yet"
    assert world.record(ana).state == RemoteRecord.State.OK


def test_L5_a_sync_comes_to_its_end_without_the_one_in_trouble_and_says_so(world, chokes) -> None:
    one = world.a_list()
    crowd(world, 20, one)
    Connection.objects.update(state=Connection.State.READY)
    run = world.preview()
    chokes(POISON)
    runs.confirm(run, None)
    days_pass(world)
    run.refresh_from_db()
    assert run.state == SyncRun.State.DONE
    assert run.items.get(address=POISON).reason_code == "vendor_error"
    assert there(world) == 20


def test_claims_of_rows_in_trouble_are_halved_and_apart_from_the_others() -> None:
    def claimed(*troubles: int) -> list[int]:
        return slices.together([slices.Found(n, 0, t) for n, t in enumerate(troubles)], 500)

    assert claimed() == []
    assert claimed(0, 1, 5, 0) == [0, 1, 3]
    assert claimed(9, 0, 9, 9) == [0, 2]
    assert claimed(10, 10) == [0]
    assert len(claimed(*[2] * 500)) == 256
    assert len(claimed(*[8] * 3, *[0] * 497)) == 3
    assert patience.STRIKES > 5
