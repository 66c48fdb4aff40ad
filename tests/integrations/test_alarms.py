"""Silence is an alarm (L36): who should have spoken and did not is noticed, mailed once, and once when it is over."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from contacts.models import ListMembership, Role
from contacts.tenancy.walls import in_tenant
from integrations import connecting, jobs
from integrations.models import Alarm, Connection, Credential, Heartbeat, RemoteRecord
from integrations.overview import overview_of
from integrations.sync import brake, notices
from tests.factories import ConnectionFactory, StaffMemberFactory, TenantFactory
from tests.fakes import control
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.engine import World

pytestmark = [pytest.mark.usefixtures("in_tenant"), pytest.mark.once]

PASSING: list[tuple[Any, list[str]]] = [
    (Connection, ["connected_at", "last_success_at", "failing_since", "listened_at", "retry_at", "bulk_retry_at"]),
    (RemoteRecord, ["marked_at", "due_at", "troubled_at"]),
    (Alarm, ["opened_at", "mailed_at", "cleared_at", "all_clear_at"]),
    (Heartbeat, ["at"]),
]


@pytest.fixture(params=["mailchimp", "constant_contact"])
def world(request: Any, tenant: Any) -> World:
    """An organization with somebody in each role, connected to each vendor."""
    if request.param == "constant_contact":
        request.getfixturevalue("quick_activities")
        return ready(ConstantContactWorld(tenant, request.getfixturevalue("constant_contact")))
    return ready(World(tenant, request.getfixturevalue("sandbox")))


@pytest.fixture
def river(tenant: Any, sandbox: Any) -> World:
    """The same where the vendor makes no difference."""
    return ready(World(tenant, sandbox))


def ready(made: World) -> World:
    for role in (Role.OWNER, Role.MANAGER, Role.STAFF, Role.VIEWER):
        StaffMemberFactory(tenant=made.tenant, role=role, user__email=f"{role}@rivertrust.test")
    look()
    long_ago = timezone.now() - timedelta(days=9)
    Heartbeat.objects.filter(name="awake").update(at=long_ago)
    Connection.objects.update(connected_at=long_ago, listened_at=timezone.now())
    return made


def look() -> None:
    """What the clock's bell does: nobody's organization is active."""
    with scope(tenant=None):
        jobs.watch()


def later(minutes: float) -> None:
    """Time passes: everything that has happened moves into the past."""
    for model, names in PASSING:
        rows = model.objects.with_scopes_disabled() if hasattr(model.objects, "with_scopes_disabled") else model.objects
        rows.update(**{name: F(name) - timedelta(minutes=minutes) for name in names})


def passes(minutes: int) -> None:
    """So long, with the bell ringing every three minutes, and nothing else being done."""
    for _ in range(0, minutes, 3):
        later(3)
        look()


def letters() -> list[tuple[str, list[str]]]:
    """(subject, to) of everything mailed since the last call."""
    found = [(str(letter.subject), letter.to) for letter in mail.outbox]
    mail.outbox.clear()
    return found


def trouble(world: World, way: str, settings: Any) -> None:
    """One of six ways in which a vendor stops answering as it should."""
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 600
    if way == "wrong_tls":
        for name in ("MAILCHIMP_API_URL", "CONSTANT_CONTACT_API_URL"):
            if hasattr(settings, name):
                setattr(settings, name, getattr(settings, name).replace("http://", "https://"))
        return
    if way == "timeout":
        settings.CALL_DEADLINE_SECONDS = 0.3
    control.faults(world.sandbox, {"kinds": [way], "timeout_s": 2, "retry_after": 60})


WAYS = {
    "401": "{} has to be connected again (River Trust)",
    "403_empty": "Changes do not reach {} (River Trust)",
    "429": "Changes do not reach {} (River Trust)",
    "timeout": "Changes do not reach {} (River Trust)",
    "wrong_tls": "Changes do not reach {} (River Trust)",
    "200_empty": "Changes do not reach {} (River Trust)",
}
ADMINS = [["manager@rivertrust.test"], ["owner@rivertrust.test"]]


def test_L28_L34_a_service_that_fails_is_shown_so_between_the_tries_too_until_its_next_good_answer(
    world: World, settings: Any
) -> None:
    one = world.a_list()
    world.push()
    answered = Connection.objects.get().last_success_at
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 600
    control.faults(world.sandbox, {"kinds": ["500"]})
    world.person("ana@rivermail.test", one)
    for _ in range(3):
        world.push(turns=1)
        Connection.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    seen = overview_of(world.connection)
    assert (seen.state_label, seen.tone) == ("Connected, but not answering", "warn")
    assert "Almoner tries again right now. Nothing is lost." in seen.explanation
    assert Connection.objects.get().last_success_at == answered, "a 500 is no answer"
    control.faults(world.sandbox, {})
    later(30)
    world.push()
    seen = overview_of(world.connection)
    assert (seen.state_label, seen.tone) == ("Connected", "good")
    assert Connection.objects.get().last_success_at > answered


@pytest.mark.parametrize("way", WAYS)
def test_L36_a_vendor_that_answers_nonsense_is_told_within_15_minutes_once_and_all_clear_follows(
    world: World, settings: Any, way: str
) -> None:
    one = world.a_list()
    world.push()
    well = {name: getattr(settings, name) for name in ("MAILCHIMP_API_URL", "CONSTANT_CONTACT_API_URL")}
    trouble(world, way, settings)
    world.person("ana@rivermail.test", one)
    told: list[tuple[str, list[str]]] = []
    minutes = 0
    while not told and minutes < 20:
        world.push(turns=2)
        look()
        told = letters()
        later(3)
        minutes += 3
    assert minutes <= 15
    assert told == [(WAYS[way].format(world.connection), to) for to in ADMINS]
    for _ in range(4):  # two hours more
        world.push(turns=1)
        look()
        later(30)
    assert letters() == [], "said once"
    assert Alarm.objects.get().cleared_at is None
    mend(world, way, settings, well)
    world.push()
    assert world.seen("ana@rivermail.test", one) == "on"
    for _ in range(4):
        look()
        later(4)
    over = "is connected again" if way == "401" else "again"
    cleared = letters()
    assert [to for _, to in cleared] == ADMINS
    assert all(subject.startswith("All clear: ") and over in subject for subject, _ in cleared)
    assert Alarm.objects.get().all_clear_at


def mend(world: World, way: str, settings: Any, well: dict[str, str]) -> None:
    """The vendor answers as it should; somebody has reconnected."""
    control.faults(world.sandbox, {})
    for name, value in well.items():
        setattr(settings, name, value)
    settings.CALL_DEADLINE_SECONDS = 60
    if way == "401":
        Credential.store(world.connection, world.secret(), None)
        Connection.objects.update(state="active", failing_since=None)
    later(30)


# --- what else is silence, and what is not ---


def test_L36_a_change_that_nobody_sends_is_told_with_what_waits_since_when_and_names_nobody(river: World) -> None:
    one = river.a_list()
    river.push()
    river.person("ana@rivermail.test", one, first_name="Ana", last_name="Ruiz")
    passes(18)
    letter = mail.outbox[0]
    assert re.search(r"1 change waits to go out, since .*\d\d:\d\d\.", str(letter.body))
    assert "River Trust: Changes do not reach Mailchimp." in letter.body
    assert "/admin/integrations/setup/" in letter.body and "Another message follows when it is over." in letter.body
    assert not {"Ana", "Ruiz", "ana@rivermail.test", "Newsletter"} & set(letter.body.replace(",", " ").split())
    river.push()
    mail.outbox.clear()
    passes(9)
    (subject, _), *_ = letters()
    assert subject == "All clear: Changes reach Mailchimp again (River Trust)"


def test_L36_what_the_brake_holds_is_a_question_and_no_silence(river: World) -> None:
    one = river.a_list()
    people = [river.person(f"p{n}@rivermail.test", one) for n in range(30)]
    river.push()
    ListMembership.objects.filter(contact__in=people).delete()
    river.push()
    assert RemoteRecord.objects.filter(state="held").count() == 30
    passes(60)
    assert Alarm.objects.count() == 0
    later(600)
    look()
    Heartbeat.objects.filter(name="awake").update(at=timezone.now() - timedelta(days=1))
    Connection.objects.update(listened_at=timezone.now())
    brake.release(river.connection, "Ana")
    passes(3)
    assert Alarm.objects.count() == 0, "it waits since it was released, and not since it was changed"


def test_L36_who_unsubscribed_was_not_read_for_hours(river: World) -> None:
    passes(177)
    assert Alarm.objects.count() == 0
    passes(3)
    assert Alarm.objects.get().kind == "opt_outs" and len(letters()) == 2
    jobs.listen(river.connection.pk)
    passes(6)
    assert [subject for subject, _ in letters()] == [
        "All clear: Who unsubscribed at Mailchimp is read again (River Trust)"
    ] * 2


def test_L36_after_nobody_was_at_work_what_was_missed_is_no_alarm_unless_it_stays_so(river: World) -> None:
    later(60 * 24)
    look()
    passes(60)
    assert Alarm.objects.count() == 0
    passes(30)
    assert Alarm.objects.get().kind == "opt_outs"


def test_L36_a_service_that_cannot_reach_us_is_told_only_if_it_lasts(river: World) -> None:
    Connection.objects.update(listen_error="It could not reach this installation.")
    passes(12)
    assert Alarm.objects.get().kind == "webhooks" and letters() == []
    Connection.objects.update(listen_error="")
    passes(12)
    assert Alarm.objects.get().cleared_at and letters() == [], "nobody was told, so nobody hears that it is over"
    Connection.objects.update(listen_error="It could not reach this installation.")
    passes(18)
    assert len(letters()) == 2


def test_L36_used_up_calls_are_told_once_and_end_by_themselves(river: World) -> None:
    one = river.a_list()
    river.push()
    river.person("ana@rivermail.test", one)
    RemoteRecord.objects.filter(kind="contact").update(priority=5)
    until = timezone.now() + timedelta(hours=2)
    Connection.objects.update(bulk_retry_at=until, retry_at=until, bulk_reason="Today’s calls are used up.")
    passes(60)
    assert [alarm.kind for alarm in Alarm.objects.all()] == ["limit"]
    assert [subject for subject, _ in letters()] == ["Almoner has no calls to Mailchimp left for now (River Trust)"] * 2
    passes(66)
    river.push()
    passes(9)
    assert [subject for subject, _ in letters()] == ["All clear: There are calls to Mailchimp again (River Trust)"] * 2
    assert Alarm.objects.count() == 1


# --- no storm, and nothing lost ---


def test_L36_what_comes_and_goes_is_mailed_once_an_hour_at_most(river: World) -> None:
    told: list[str] = []
    for _ in range(12):  # four hours
        Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
        passes(9)
        Connection.objects.update(failing_since=None, listened_at=timezone.now())
        passes(12)
        told += [subject for subject, to in letters() if to == ["owner@rivertrust.test"]]
    begun = [subject for subject in told if not subject.startswith("All clear")]
    assert 3 <= len(begun) <= 5 and len(told) <= 2 * len(begun)


def test_L36_trouble_that_is_over_for_a_moment_only_is_one(river: World) -> None:
    Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    look()
    for _ in range(5):
        Connection.objects.update(failing_since=None)
        look()
        later(1)
        Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
        look()
    assert Alarm.objects.count() == 1 and len(letters()) == 2


def test_L36_a_mail_server_that_takes_nothing_is_tried_again(river: World, monkeypatch: Any, settings: Any) -> None:
    Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", lambda self: (_ for _ in ()).throw(OSError("down")))
        look()
        later(2)
        look()
    assert Alarm.objects.get().mailed_at is None
    look()
    assert len(letters()) == 2
    look()
    assert letters() == []


def test_L36_two_who_look_at_the_same_moment_note_and_mail_once(river: World, monkeypatch: Any) -> None:
    Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    real = notices.open_alarm

    def twice(*args: Any) -> None:
        monkeypatch.setattr(notices, "open_alarm", real)
        look()
        real(*args)

    monkeypatch.setattr(notices, "open_alarm", twice)
    look()
    assert Alarm.objects.count() == 1 and len(letters()) == 2
    (alarm,) = notices.Alarm.objects.annotate(now=notices.Now())
    assert notices.send(alarm, "mailed_at") and letters() == [], "taken already"


def test_L36_disconnecting_ends_an_alarm_without_a_word(river: World) -> None:
    Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    look()
    assert len(letters()) == 2
    connecting.disconnect(river.connection, StaffMemberFactory(tenant=river.tenant).user)
    passes(12)
    assert letters() == [] and Alarm.objects.get().cleared_at


def test_L36_a_neighbour_hears_of_its_own_services_only(river: World, neighbour: Any) -> None:
    StaffMemberFactory(tenant=neighbour, role=Role.OWNER, user__email="owner@harbor.test")
    Connection.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    look()
    assert ["owner@harbor.test"] not in [to for _, to in letters()]
    ConnectionFactory(tenant=neighbour, failing_since=timezone.now() - timedelta(minutes=11))
    look()
    assert letters() == [("Changes do not reach Mailchimp (Harbor Food Bank)", ["owner@harbor.test"])]
    with in_tenant(neighbour):
        assert Alarm.objects.count() == 1


def test_L36_many_organizations_take_no_more_questions(river: World) -> None:
    def asked() -> int:
        with CaptureQueriesContext(database) as queries:
            look()
        return len(queries)

    few = asked()
    for _ in range(5):
        ConnectionFactory(tenant=TenantFactory(), connected_at=timezone.now(), listened_at=timezone.now())
    assert asked() == few <= 12


def test_past_alarms_are_kept_for_two_years(river: World) -> None:
    for days in (700, 740):
        moment = timezone.now() - timedelta(days=days)
        Alarm.objects.create(connection=river.connection, kind="sending", opened_at=moment, cleared_at=moment)
    with scope(tenant=None):
        jobs.prune()
    assert Alarm.objects.count() == 1
