"""Staff see what came in from DonorPerfect, what was skipped or not saved and why, and press Look now (D5–D12)."""

from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from contacts.tenancy.walls import in_tenant
from integrations.gift_sums import sum_up
from integrations.models import Connection, GiftRun
from tests.integrations.desk import SETUP, Desk, desk
from tests.integrations.giving import ALL, DonorPerfectWorld
from tests.integrations.test_interactions import sent, thank_you

HERE = SETUP + "donor_perfect/"


@pytest.fixture
def world(tenant: Any, donor_perfect: Any) -> DonorPerfectWorld:
    return DonorPerfectWorld(tenant, donor_perfect, on=ALL)


@pytest.fixture
def owner(world: DonorPerfectWorld) -> Desk:
    return desk(world.tenant)


def press(client: Desk, path: str, **values: Any) -> str:
    answer = client.post(HERE + path, values, follow=True)
    assert answer.status_code == 200
    from tests.integrations.desk import plain

    return plain(answer.content.decode())


def test_D5_look_now_begins_a_look_and_its_report_names_each_gift(world: DonorPerfectWorld, owner: Desk) -> None:
    number = world.gift(world.donor(), 100)
    skipped = world.gift(world.donor(nomail="Y", email="no@donors.test", last_name="Secret"), 7)
    begun = press(owner, "gifts/look/", kind="new")
    assert "Almoner is looking for new gifts now" in begun and "Nothing new" not in begun
    world.work()
    with in_tenant(world.tenant):
        run = GiftRun.objects.get()
    text = owner.text(f"{HERE}gifts/{run.uid}/")
    for words in ("1 new gift, 1 to be thanked for; 1 skipped.", str(number), str(skipped), "$100.00", "Ana Ruiz",
                  "“Do Not Send Mail” is set for this donor"):  # fmt: skip
        assert words in text
    assert "Secret" not in text and str(number) not in owner.text(f"{HERE}gifts/{run.uid}/?outcome=skipped")
    listed = owner.text(HERE + "gifts/")
    assert "1 new gift, 1 to be thanked for; 1 skipped." in listed and run.started_by is not None
    switches = owner.text(HERE + "switches/")
    assert (
        "Next look" in switches
        and "Last look" in switches
        and "Last done Not yet" not in switches.split("Save task")[0]
    )


def test_D5_quiet_looks_are_listed_only_if_asked_for(world: DonorPerfectWorld, owner: Desk) -> None:
    world.look()
    assert "No gift came in so far" in owner.text(HERE + "gifts/")
    assert "Nothing new." in owner.text(HERE + "gifts/?all=1")


def test_D5_a_stopped_look_asks_whether_they_were_deleted_and_goes_on_by_button(
    world: DonorPerfectWorld, owner: Desk
) -> None:
    world.act("add_crowd", donors=10, gifts=5, amount=1)
    world.look()
    world.sandbox.account().database.execute("DELETE FROM dpgift")
    run = world.look("changes")
    page = f"gifts/{run.uid}/"
    assert "50 gifts are missing there: were they deleted?" in owner.text(HERE + "gifts/")
    assert "50 of 50 gifts" in owner.text(HERE + "switches/")
    assert "gifts are missing at DonorPerfect: were they deleted there?" in owner.text("/admin/")
    assert "They were deleted there, go on" in owner.text(HERE + page)
    viewer = desk(world.tenant, "viewer")
    assert "They were deleted there" not in viewer.text(HERE + page)
    assert (
        viewer.post(HERE + page + "confirm/").status_code == 403
        and owner.get(HERE + page + "confirm/").status_code == 405
    )
    assert "counts no more here" in press(owner, page + "confirm/")
    world.work()
    assert "were they deleted" not in owner.text("/admin/")
    text = owner.text(HERE + page)
    assert "50 gifts deleted there" in text and "Deletion confirmed" in text and "go on" not in text
    assert "nothing to confirm here any more" in press(owner, page + "confirm/")


def test_D5_words_of_lists_are_not_said_of_a_service_that_takes_none(world: DonorPerfectWorld, owner: Desk) -> None:
    home = owner.text("/admin/")
    assert "DonorPerfect" in home and "Not checked yet" not in home
    asked = owner.text(HERE + "disconnect/")
    assert "switches are turned off" in asked and "the next Sync" not in asked
    assert "These were not saved" not in owner.text(HERE + "not-saved/")


def test_M7_earlier_gifts_come_in_by_button_and_are_told_in_numbers(world: DonorPerfectWorld, owner: Desk) -> None:
    assert "nobody is asked to thank for them" in press(owner, "gifts/look/", kind="history")
    world.work()
    assert "new gifts" in owner.text(HERE + "gifts/")


def test_D11_what_was_not_saved_is_listed_with_the_reason_and_a_button_that_mends_it(
    world: DonorPerfectWorld, owner: Desk
) -> None:
    one = thank_you(world)
    sent(world, one)
    assert "Everything that was to be saved" not in owner.text(HERE + "not-saved/")
    text = owner.text(HERE + "not-saved/")
    assert "Ana Ruiz" in text and "No donor number." in text and "Save now" in text
    assert "1, see why" in owner.text(HERE + "switches/")
    card = owner.text(f"/admin/contacts/contact/{one.contact.pk}/change/")
    assert "Video sent, not saved: no donor number." in card
    assert "Nothing could be saved" in press(owner, "not-saved/save/")
    with in_tenant(world.tenant):
        type(one.contact).objects.filter(pk=one.contact.pk).update(custom_user_id=str(world.donor()))
    record = world.records()[0].pk
    assert "1 is being saved" in press(owner, "not-saved/save/", record=record)
    world.work()
    assert "Everything that was to be saved at DonorPerfect has been saved" in owner.text(HERE + "not-saved/")
    card = owner.text(f"/admin/contacts/contact/{one.contact.pk}/change/")
    assert "1 about thank-you videos" in card and "Save interaction at DonorPerfect" in card
    assert "Interaction" in owner.text("/admin/integrations/delivery/")


def test_D6_D12_choices_are_kept_with_who_made_them(world: DonorPerfectWorld, owner: Desk) -> None:
    press(owner, "switches/choices/", thank_with="note")
    press(owner, "switches/choices/", watches="every")
    with in_tenant(world.tenant):
        kept = Connection.objects.get().settings
        assert kept["thank_with"] == "note" and kept["every_watch"] is True and kept["codes"]
    assert owner.post(HERE + "switches/choices/", {"thank_with": "fireworks"}).status_code == 404


def test_state_never_changes_by_GET_and_only_for_whoever_may(world: DonorPerfectWorld, owner: Desk) -> None:
    viewer = desk(world.tenant, "viewer")
    for path in ("gifts/look/", "not-saved/save/", "switches/choices/"):
        assert owner.get(HERE + path).status_code == 405
        assert viewer.post(HERE + path, {"kind": "new"}).status_code == 403
    assert "Look now" not in viewer.text(HERE + "gifts/")
    assert owner.post(HERE + "gifts/look/", {"kind": "everything"}).status_code == 404
    assert owner.get(SETUP + "mailchimp/gifts/").status_code == 404


def test_the_neighbour_finds_none_of_these_pages(world: DonorPerfectWorld, neighbour: Any) -> None:
    world.gift(world.donor(), 100)
    run = world.look()
    sent(world, thank_you(world))
    other = desk(neighbour)
    for path in ("gifts/", f"gifts/{run.uid}/", "not-saved/", "switches/"):
        assert other.get(HERE + path).status_code == 404
    DonorPerfectWorld(neighbour, world.sandbox, "harbor")
    assert other.get(f"{HERE}gifts/{run.uid}/").status_code == 404
    assert other.post(HERE + "not-saved/save/", {"record": world.records()[0].pk}).status_code == 404


@pytest.mark.once
def test_pages_take_as_many_queries_for_many_rows_as_for_few(world: DonorPerfectWorld, owner: Desk) -> None:
    def queries(path: str) -> int:
        owner.get(HERE + path)
        with CaptureQueriesContext(database) as caught:
            owner.get(HERE + path)
        return len(caught)

    world.gift(world.donor(), 100)
    run = world.look()
    for _ in range(2):
        sent(world, thank_you(world))
    paths = ("gifts/", f"gifts/{run.uid}/", "not-saved/", "switches/")
    few = [queries(path) for path in paths]
    for number in range(12):
        world.gift(world.donor(first_name=f"N{number}", email=f"n{number}@donors.test"), 10)
        world.look()
        sent(world, thank_you(world))
    world.act("add_crowd", donors=10, gifts=4, amount=10)
    run = world.look()
    paths = ("gifts/", f"gifts/{run.uid}/", "not-saved/", "switches/")
    assert [queries(path) for path in paths] == few


def test_D5_a_look_that_stopped_does_not_say_that_there_is_nothing_new() -> None:
    said = [sum_up(GiftRun(state=state)) for state in ("running", "stopped", "done")]
    assert said == ["Looking …", "It stopped before anything was taken in.", "Nothing new."]
