"""What becomes of a thank-you video is saved in DonorPerfect: each event once, under its code, never for what was sent
before the switch, and what cannot be saved says why (D10–D13)."""

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils import timezone

from contacts.models import Contact, OutsideIdentifier
from contacts.tenancy.walls import in_tenant
from integrations import jobs, switching
from integrations.models import Connection, Delivery, RemoteRecord
from integrations.providers.donor_perfect.interactions import marker_for
from integrations.sync import interactions, saving
from integrations.sync.serve import serve
from tasks_app import services
from tasks_app.models import ThankYou, VideoEvent
from tests.integrations.giving import ALL, DonorPerfectWorld

WRITING = ALL[1:]


@pytest.fixture
def world(tenant: Any, donor_perfect: Any) -> DonorPerfectWorld:
    return DonorPerfectWorld(tenant, donor_perfect, on=WRITING)


def thank_you(world: DonorPerfectWorld, number: int | str = "", **values: Any) -> ThankYou:
    """A thank-you for a donor, with this number as custom user id."""
    with in_tenant(world.tenant):
        given = {"first_name": "Ana", "last_name": "Ruiz", "custom_user_id": str(number)} | values
        return services.ask_by_hand(Contact.objects.create(**given), "She painted the fence.")


def sent(world: DonorPerfectWorld, one: ThankYou, **values: Any) -> None:
    with in_tenant(world.tenant):
        services.mark_sent(one, "v1", "https://videos.test/v1", **values)


def watched(world: DonorPerfectWorld, one: ThankYou, event: str = "w1", **values: Any) -> None:
    with in_tenant(world.tenant):
        services.record_watched(one, event_id=event, **values)


def replied(world: DonorPerfectWorld, one: ThankYou, text: str = "Thank you all!", event: str = "r1") -> None:
    with in_tenant(world.tenant):
        services.record_replied(one, event_id=event, text=text)


def said(world: DonorPerfectWorld) -> list[str]:
    """The comments there, without their marks."""
    return [row["comment"].rpartition(" ref te-")[0] for row in world.interactions]


def reasons(world: DonorPerfectWorld) -> list[tuple[str, str]]:
    return [(record.state, record.reason_code) for record in world.records()]


# -- what is saved ------------------------------------------------------------------------------


def test_D10_sent_watched_and_replied_are_saved_on_the_donor(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    with in_tenant(world.tenant):
        switching.choose_codes(world.connection, {"sent": "TYV", "replies": "TVR", "watches": "TVW"})
    one = thank_you(world, donor)
    before = len(world.interactions)
    sent(world, one)
    watched(world, one, percent=80)
    replied(world, one, "It's “lovely” — thank you!")
    world.work()
    new = world.interactions[before:]
    assert {row["donor_id"] for row in new} == {donor}
    assert [row["activity_code"] for row in new] == ["TYV", "TVW", "TVR"]
    assert said(world)[before:] == [
        "Thank-you video sent: https://videos.test/v1", "Thank-you video watched (80 percent).",
        "Reply to the thank-you video: It's 'lovely' - thank you!",
    ]  # fmt: skip
    today = timezone.localtime(timezone.now(), world.tenant.tz).strftime("%Y-%m-%d")
    assert all(row["contact_date"].startswith(today) and row["completed_date"] for row in new)
    assert all(record.due_at is None and record.effect == "done" for record in world.records())
    assert all(world.switch(kind).last_success_at for kind in WRITING)
    with in_tenant(world.tenant):
        rows = Delivery.objects.filter(kind="interaction", subject_uid=one.contact.uid)
        assert [row.outcome for row in rows] == ["done"] * 3


def test_D10_nothing_is_saved_while_a_switch_is_off(world: DonorPerfectWorld) -> None:
    one = thank_you(world, world.donor())
    with in_tenant(world.tenant):
        switching.turn_off(world.connection, "replies")
    before = len(world.interactions)
    sent(world, one)
    replied(world, one)
    world.work()
    assert said(world)[before:] == ["Thank-you video sent: https://videos.test/v1"] and len(world.records()) == 1


def test_D10_what_is_switched_off_before_it_was_saved_is_left(world: DonorPerfectWorld) -> None:
    sent(world, thank_you(world, world.donor()))
    with in_tenant(world.tenant):
        switching.turn_off(world.connection, "sent")
    before = len(world.interactions)
    world.work()
    assert len(world.interactions) == before and reasons(world) == [("skipped", "switched_off")]


# -- for whom -----------------------------------------------------------------------------------


def test_D11_what_belongs_to_a_video_sent_before_the_switch_was_on_is_not_saved(world: DonorPerfectWorld) -> None:
    one, before = thank_you(world, world.donor()), len(world.interactions)
    sent(world, one, at=timezone.now() - timedelta(hours=1))
    watched(world, one)
    replied(world, one)
    world.work()
    assert reasons(world) == [("skipped", "sent_before")] * 3 and len(world.interactions) == before
    with in_tenant(world.tenant):
        assert interactions.try_again(world.connection) == 0


def test_D11_a_watch_told_before_its_sending_waits_for_it(world: DonorPerfectWorld) -> None:
    one = thank_you(world, world.donor())
    before = len(world.interactions)
    watched(world, one)
    world.work()
    assert len(world.interactions) == before, "it is not known yet whether it was sent before"
    sent(world, one, at=timezone.now() - timedelta(hours=1))
    with in_tenant(world.tenant):
        RemoteRecord.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    world.work()
    assert len(world.interactions) == before and set(reasons(world)) == {("skipped", "sent_before")}


def test_D11_without_a_donors_number_it_is_listed_as_not_saved_and_saved_once_there_is_one(
    world: DonorPerfectWorld,
) -> None:
    one = thank_you(world)
    before = len(world.interactions)
    sent(world, one)
    world.work()
    assert reasons(world) == [("skipped", "no_donor_id")] and len(world.interactions) == before
    jobs.mend_interactions()
    assert reasons(world) == [("skipped", "no_donor_id")]
    with in_tenant(world.tenant):
        Contact.objects.filter(pk=one.contact.pk).update(custom_user_id=str(world.donor()))
    jobs.mend_interactions()
    world.work()
    assert len(world.interactions) == before + 1 and reasons(world) == [("ok", "")]


@pytest.mark.parametrize("number", ["M-17", "0", "12 or 1=1", "9" * 30])
def test_D11_an_id_of_another_system_is_no_donors_number(world: DonorPerfectWorld, number: str) -> None:
    sent(world, thank_you(world, number))
    world.work()
    assert reasons(world) == [("skipped", "no_donor_id")]


def test_D11_what_somebody_typed_as_donors_number_stops_nobody_elses(world: DonorPerfectWorld) -> None:
    one = thank_you(world)
    with in_tenant(world.tenant):
        OutsideIdentifier.objects.create(contact=one.contact, system="DonorPerfect", value="D-17")
    sent(world, one)
    sent(world, thank_you(world, world.donor()))
    world.work()
    assert reasons(world) == [("skipped", "no_donor_id"), ("ok", "")]


def test_D11_a_donor_who_is_gone_is_told_and_another_number_of_theirs_is_used(world: DonorPerfectWorld) -> None:
    lost, kept = world.donor(), world.donor(email="ana2@donors.test")
    one = thank_you(world, lost)
    world.act("merge_donors", donor=lost, into=kept)
    sent(world, one)
    world.work()
    assert reasons(world) == [("set_aside", "person_gone")]
    with in_tenant(world.tenant):
        OutsideIdentifier.objects.create(contact=one.contact, system="DonorPerfect", value=str(kept))
        assert interactions.try_again(world.connection) == 1
    world.work()
    assert reasons(world) == [("ok", "")] and world.interactions[-1]["donor_id"] == kept


def test_D13_nothing_of_a_donor_is_read_for_it(world: DonorPerfectWorld) -> None:
    donor = world.donor()
    world.sandbox.calls.clear()
    sent(world, thank_you(world, donor))
    world.work()
    calls = [call for call in world.sandbox.calls.since() if call["path"].startswith("/prod")]
    assert [call["method"] for call in calls] == ["GET", "POST"], "is there such a donor; save it"
    assert unquote(calls[0]["query"]).endswith(f"action=SELECT TOP 1 donor_id FROM dp WHERE donor_id = {donor}")
    assert all(set(record.known) == {"event", "kind", "id", "person"} for record in world.records())


def test_the_neighbour_writes_nothing(world: DonorPerfectWorld, neighbour: Any) -> None:
    other = DonorPerfectWorld(neighbour, world.sandbox, "harbor", on=WRITING)
    before = len(other.interactions)
    sent(world, thank_you(world, world.donor()))
    world.work()
    other.work()
    assert len(other.interactions) == before and other.records() == [] and len(world.records()) == 1


def test_D10_what_may_have_been_saved_is_only_looked_for_once_the_switch_is_off(
    world: DonorPerfectWorld, settings: Any
) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    for number, kind in enumerate(("500", "empty_applied")):
        with in_tenant(world.tenant):
            switching.turn_on(world.connection, "sent", world.user)
            RemoteRecord.objects.all().delete()
        before = len(world.interactions)
        sent(world, thank_you(world, world.donor(email=f"n{number}@donors.test")))
        world.faults(kind, methods=["POST"])
        serve(world.connection.pk)
        world.faults()
        with in_tenant(world.tenant):
            switching.turn_off(world.connection, "sent")
            RemoteRecord.objects.update(due_at=timezone.now() - timedelta(minutes=1))
        world.work()
        assert len(world.interactions) == before + number
        assert reasons(world) == [[("skipped", "switched_off")], [("ok", "")]][number]


# -- once ---------------------------------------------------------------------------------------


def test_D12_what_an_event_is_called_is_the_same_nowhere_else() -> None:
    here, there = (ThankYou(pk=7) for _ in range(2))
    for kind in ("watched", "replied"):
        names = {
            interactions.uid_of(VideoEvent(pk=9, thank_you=one, kind=kind, event_id=event), every)
            for one in (here, there) for event in ("e1", "e2") for every in (True, False)
        }  # fmt: skip
        assert len(names) == (6 if kind == "watched" else 4), "for each watch, and for all of a video"


def test_D12_a_second_watch_is_saved_only_if_each_is_wanted(world: DonorPerfectWorld) -> None:
    one = thank_you(world, world.donor())
    before = len(world.interactions)
    for event in ("w1", "w2", "w3"):
        watched(world, one, event)
        watched(world, one, event)  # told twice by the video app
    sent(world, one)
    with in_tenant(world.tenant):
        RemoteRecord.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    world.work()
    assert len(world.interactions) == before + 2
    with in_tenant(world.tenant):
        world.connection.settings |= {interactions.EVERY_WATCH: True}
        world.connection.save(update_fields=["settings"])
    for event in ("w4", "w5", "w5"):
        watched(world, one, event)
    world.work()
    assert len(world.interactions) == before + 4


@pytest.mark.parametrize("kind", ["empty_applied", "500_applied", "done_unanswered", "cut_body"])
def test_D12_an_answer_that_is_lost_after_it_was_saved_does_not_save_it_twice(
    world: DonorPerfectWorld, kind: str, settings: Any
) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    sent(world, thank_you(world, world.donor()))
    before = len(world.interactions)
    world.faults(kind, methods=["POST"])
    serve(world.connection.pk)
    world.faults()
    assert len(world.interactions) == before + 1, "it was saved there"
    assert [(record.effect, record.due_at is not None) for record in world.records()] == [("maybe", True)]
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 0.01
    with in_tenant(world.tenant):
        RemoteRecord.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    world.work()
    assert len(world.interactions) == before + 1 and reasons(world) == [("ok", "")]
    assert world.records()[0].known["id"] == str(world.interactions[-1]["contact_id"])


@pytest.mark.parametrize("kind", ["500", "200_empty", "timeout", "cut", "429"])
def test_D12_a_call_that_fails_on_the_way_is_made_again(world: DonorPerfectWorld, kind: str, settings: Any) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    settings.HTTP_READ_TIMEOUT = 0.2
    sent(world, thank_you(world, world.donor()))
    before = len(world.interactions)
    world.faults(kind, methods=["POST"])
    serve(world.connection.pk)
    world.faults()
    assert len(world.interactions) == before
    with in_tenant(world.tenant):
        RemoteRecord.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    world.work()
    assert len(world.interactions) == before + 1 and reasons(world) == [("ok", "")]


def unclear(world: DonorPerfectWorld, settings: Any) -> int:
    """A video was sent; it was saved, and the answer was lost. How many interactions there were before."""
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 60
    before = len(world.interactions)
    world.faults("empty_applied", methods=["POST"])
    serve(world.connection.pk)
    world.faults()
    assert len(world.interactions) == before + 1
    return before


def later(world: DonorPerfectWorld) -> None:
    """Its time has come again."""
    with in_tenant(world.tenant):
        RemoteRecord.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    world.work()


def test_D12_what_may_be_saved_under_one_number_is_not_saved_under_another(
    world: DonorPerfectWorld, settings: Any
) -> None:
    donor, other = world.donor(), world.donor(email="other@donors.test")
    one = thank_you(world, donor)
    sent(world, one)
    before = unclear(world, settings)
    with in_tenant(world.tenant):
        OutsideIdentifier.objects.create(contact=one.contact, system="DonorPerfect", value=str(other))
    later(world)
    assert len(world.interactions) == before + 1 and reasons(world) == [("ok", "")]


def test_D12_what_may_be_saved_on_a_donor_who_was_merged_away_is_found_under_the_new_number(
    world: DonorPerfectWorld, settings: Any
) -> None:
    donor, other = world.donor(), world.donor(email="other@donors.test")
    one = thank_you(world, donor)
    sent(world, one)
    before = unclear(world, settings)
    world.act("merge_donors", donor=donor, into=other)
    later(world)
    assert reasons(world) == [("set_aside", "person_gone")]
    with in_tenant(world.tenant):
        Contact.objects.filter(pk=one.contact.pk).update(custom_user_id=str(other))
        assert interactions.try_again(world.connection) == 1
    world.work()
    assert len(world.interactions) == before + 1 and reasons(world) == [("ok", "")]


def test_D12_after_an_unclear_answer_a_slow_service_gets_time_to_finish(
    world: DonorPerfectWorld, settings: Any
) -> None:
    sent(world, thank_you(world, world.donor()))
    unclear(world, settings)
    soon = timezone.now() + timedelta(seconds=100)
    assert [record.due_at is not None and record.due_at > soon for record in world.records()] == [True]


class Killed(BaseException):
    """What a kill looks like from the inside."""


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("name", ["save", "write", "done", "deliver", "settle"])
def test_D12_a_worker_killed_at_any_step_saves_it_once(
    world: DonorPerfectWorld, monkeypatch: pytest.MonkeyPatch, name: str, before: bool
) -> None:
    sent(world, thank_you(world, world.donor()))
    there = len(world.interactions)
    real = getattr(saving.Saving, name)
    killed: list[bool] = []

    def dies(*args: Any, **kwargs: Any) -> Any:
        if killed:
            return real(*args, **kwargs)
        killed.append(True)
        if not before:
            real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(saving.Saving, name, dies)
    with pytest.raises(Killed):
        serve(world.connection.pk)
    world.work()
    assert len(world.interactions) == there + 1 and reasons(world) == [("ok", "")]
    uid = world.records()[0].subject_uid
    assert sum(marker_for(uid) in row["comment"] for row in world.interactions) == 1


@pytest.mark.django_db(transaction=True)
def test_D12_two_workers_at_once_save_it_once(tenant: Any, donor_perfect: Any) -> None:
    world = DonorPerfectWorld(tenant, donor_perfect, on=WRITING)
    sent(world, thank_you(world, world.donor()))
    before = len(world.interactions)

    def at_work() -> None:
        from django.db import connections

        serve(world.connection.pk)
        connections.close_all()

    workers = [threading.Thread(target=at_work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    world.work()
    assert len(world.interactions) == before + 1


def test_D12_the_event_and_what_is_owed_are_one_transaction(
    world: DonorPerfectWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise RuntimeError

    one = thank_you(world, world.donor())
    monkeypatch.setattr(interactions, "add", fails)
    with pytest.raises(RuntimeError):
        sent(world, one)
    with in_tenant(world.tenant):
        assert one.events.count() == 0 and not RemoteRecord.objects.exists()


def test_D2_a_revoked_key_keeps_what_is_owed(world: DonorPerfectWorld) -> None:
    sent(world, thank_you(world, world.donor()))
    world.act("revoke_key")
    serve(world.connection.pk)
    with in_tenant(world.tenant):
        assert Connection.objects.get().state == "reconnect"
        assert RemoteRecord.objects.filter(due_at__isnull=False).count() == 1
