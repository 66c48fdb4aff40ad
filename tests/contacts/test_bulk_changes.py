"""Bulk changes of many contacts: in turns that can be killed, once however often the button is pressed, and shown."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import bulk, jobs, services
from contacts.models import BulkChange, Contact, ContactList, ContactTag, HistoryEntry, ListMembership, Tag, User
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, ContactListFactory
from tests.tenancy.people import logged_in
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PAGE = "/admin/contacts/contact/"


@pytest.fixture(autouse=True)
def a_few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three count as many, two are a batch."""
    monkeypatch.setattr(bulk, "AT_ONCE", 3)
    monkeypatch.setattr(bulk, "BATCH", 2)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The jobs that were asked for."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(jobs, "soon", lambda *call: calls.append(call))
    return calls


def people(count: int, **values: Any) -> list[Contact]:
    return [ContactFactory(last_name=f"Person{n}", **values) for n in range(count)]


def asked(client: Client, action: str, everybody: bool = True, **more: Any) -> dict[str, Any]:
    """The fields of the page in between, for everybody who matches."""
    first = client.post(
        PAGE, {"action": action, "_selected_action": Contact.objects.first().pk, "index": 0,
               "select_across": "1" if everybody else "0", **more},
    )  # fmt: skip
    assert first.status_code == 200
    return Fields(first.content.decode()).values


def begun(verb: str = "set_do_not_contact", target: Any = None) -> BulkChange:
    """A bulk change of everybody there is."""
    return bulk.begin(verb, Contact.objects.all(), User.objects.first(), uuid.uuid4(), target)[0]


# --- from the list of contacts ---


@pytest.mark.parametrize("number", [3, 5])
def test_L35_whoever_was_marked_while_the_page_was_open_is_not_cleared_by_it(
    client: Client, rung: list[Any], number: int
) -> None:
    everybody = people(number, do_not_contact=True)
    late = everybody[0]
    services.set_do_not_contact(Contact.objects.filter(pk=late.pk), False)
    fields = asked(client, "clear_do_not_contact")
    services.set_do_not_contact(Contact.objects.filter(pk=late.pk), True)
    page = client.post(PAGE, fields, follow=True).content.decode()
    for _, pk in rung:
        assert not bulk.turn(pk)
    assert list(Contact.objects.filter(do_not_contact=True)) == [late], "the others are cleared"
    assert "while you had the page open, and left so: 1." in page


def test_many_contacts_are_changed_by_the_worker_and_shown(client: Client, rung: list[Any], neighbour: Tenant) -> None:
    people(5)
    theirs = ContactFactory(tenant=neighbour)
    target = ContactListFactory(name="Gala")
    fields = asked(client, "add_to_list")
    answer = client.post(PAGE, fields | {"contact_list": target.pk})
    change = BulkChange.objects.get()
    assert answer["Location"] == f"/admin/contacts/bulkchange/{change.pk}/change/"
    assert rung == [("carry_on_bulk_change", change.pk)]
    assert not ListMembership.objects.exists(), "the request itself changes nobody"
    page = client.get(answer["Location"]).content.decode()
    assert "Add 5 contacts to “Gala”" in page and "0 of 5" in page and "hx-get" in page
    assert bulk.turn(change.pk) is False
    page = client.get(answer["Location"]).content.decode()
    assert "5 contacts added to “Gala”." in page and "hx-get" not in page
    assert target.memberships.count() == 5
    user = User.objects.get()
    assert HistoryEntry.objects.filter(list_uid=target.uid, verb="added", user=user, source="Bulk change").count() == 5
    with inside(neighbour):
        assert not ListMembership.objects.filter(contact=theirs).exists() and not BulkChange.objects.exists()


def test_few_contacts_are_changed_at_once(client: Client, rung: list[Any]) -> None:
    people(3)
    page = client.post(PAGE, asked(client, "set_do_not_contact"), follow=True).content.decode()
    assert "3 contacts marked Do Not Contact." in page
    assert not BulkChange.objects.exists() and rung == []


def test_a_button_pressed_twice_is_carried_out_once(client: Client, rung: list[Any]) -> None:
    people(5)
    fields = asked(client, "set_do_not_contact")
    answers = {client.post(PAGE, fields)["Location"] for _ in range(2)}
    assert len(answers) == len(rung) == BulkChange.objects.count() == 1
    assert asked(client, "set_do_not_contact")["once"] != fields["once"]


def test_contacts_who_come_to_match_later_are_not_caught(client: Client, rung: list[Any]) -> None:
    people(5)
    client.post(PAGE, asked(client, "set_do_not_contact"))
    late: Any = ContactFactory()
    bulk.turn(BulkChange.objects.get().pk)
    late.refresh_from_db()
    assert not late.do_not_contact and Contact.objects.filter(do_not_contact=True).count() == 5


@pytest.mark.parametrize("number", [2, 5])
def test_tags_are_put_on_and_taken_off(number: int, client: Client, rung: list[Any]) -> None:
    contacts = people(number)
    services.set_tags(contacts[0], [], ["Volunteer"])

    def press(action: str, **more: Any) -> None:
        client.post(PAGE, asked(client, action) | more)
        for change in BulkChange.objects.filter(state="working"):
            bulk.turn(change.pk)

    press("add_tag", tag="", new_tag=" volunteer ")
    tag = Tag.objects.get()
    assert ContactTag.objects.filter(tag=tag).count() == number
    press("add_tag", tag="", new_tag="Brand  new")
    assert ContactTag.objects.filter(tag__name="Brand new").count() == number
    press("take_off_tag", tag=tag.pk)
    assert not ContactTag.objects.filter(tag=tag).exists() and Tag.objects.filter(pk=tag.pk).exists()


def test_adding_a_tag_asks_again_until_there_is_exactly_one(client: Client) -> None:
    people(1)
    tag = Tag.objects.create(name="Volunteer")
    for wrong in ({"tag": "", "new_tag": " "}, {"tag": tag.pk, "new_tag": "Other"}, {"tag": "99", "new_tag": ""}):
        page = client.post(PAGE, asked(client, "add_tag") | wrong).content.decode()
        assert "Choose a tag, or type the name" in page or "Select a valid choice" in page
    assert not ContactTag.objects.exists() and Tag.objects.count() == 1


def test_T3_a_neighbours_tag_cannot_be_chosen(client: Client, neighbour: Tenant) -> None:
    people(1)
    with inside(neighbour):
        theirs = Tag.objects.create(name="Theirs")
    for action in ("add_tag", "take_off_tag"):
        page = client.post(PAGE, asked(client, action) | {"tag": theirs.pk, "new_tag": ""}).content.decode()
        assert "Select a valid choice" in page and "Theirs" not in page


# --- turns ---


def test_a_turn_that_is_over_hands_on_and_the_next_goes_on_behind_it() -> None:
    people(5)
    change = begun()
    assert bulk.turn(change.pk, seconds=0) is True
    change.refresh_from_db()
    assert (change.rows_done, change.changed, change.state, change.token) == (2, 2, "working", "")
    while bulk.turn(change.pk, seconds=0):
        pass
    change.refresh_from_db()
    assert (change.rows_done, change.changed, change.state) == (5, 5, "done") and change.finished_at
    assert bulk.turn(change.pk) is False, "what is done is done"
    assert HistoryEntry.objects.filter(verb="changed").count() == 5


def test_a_killed_turn_loses_its_batch_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    people(5)
    change = begun()
    do, calls = bulk.VERBS["set_do_not_contact"].run, []

    def dies(self: Any, rows: Any, target: Any = None) -> int:
        calls.append(rows)
        count = do(rows)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return count

    with monkeypatch.context() as during:
        during.setattr(bulk.Verb, "run", dies)
        with pytest.raises(KeyboardInterrupt):
            bulk.turn(change.pk)
    assert Contact.objects.filter(do_not_contact=True).count() == 2, "the second batch is undone as a whole"
    change.refresh_from_db()
    assert change.rows_done == 2 and change.token
    assert bulk.turn(change.pk) is False and bulk.waiting() == [], "until it is lost, nobody else takes it"
    BulkChange.objects.filter(pk=change.pk).update(beat_at="2020-01-01T00:00Z")
    assert bulk_waiting_outside() == [change.pk]
    bulk.turn(change.pk)
    change.refresh_from_db()
    assert (change.state, change.changed) == ("done", 5)
    assert HistoryEntry.objects.filter(verb="changed").count() == 5, "each once"


def bulk_waiting_outside() -> list[int]:
    """As the sweep asks, outside of any organization."""
    from django_scopes import scope

    with scope(tenant=None):
        return bulk.waiting()


def test_whoever_lost_a_turn_writes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    people(5)
    change = begun()
    token = bulk.take(change.pk)
    BulkChange.objects.filter(pk=change.pk).update(token="somebody else")  # noqa: S106
    change.refresh_from_db()
    assert bulk.work(change, token, until=1e12) is False
    assert not Contact.objects.filter(do_not_contact=True).exists()


def test_a_change_that_fails_again_and_again_is_stopped_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    people(2)
    change = begun()

    def fails(self: Any, rows: Any, target: Any = None) -> int:
        raise RuntimeError("our mistake")

    monkeypatch.setattr(bulk.Verb, "run", fails)
    for _ in range(bulk.MOST_FAILURES):
        with pytest.raises(RuntimeError):
            bulk.turn(change.pk)
        BulkChange.objects.filter(pk=change.pk).update(beat_at=None)
    assert bulk.turn(change.pk) is False
    change.refresh_from_db()
    assert change.state == "failed" and "several times in a row" in change.error


def test_a_list_deleted_meanwhile_is_told(client: Client) -> None:
    people(4)
    target = ContactListFactory(name="Gala")
    change = begun("add_to_list", target)
    services.delete_list(target)
    bulk.turn(change.pk)
    page = client.get(f"/admin/contacts/bulkchange/{change.pk}/change/").content.decode()
    assert "The list “Gala” was deleted meanwhile" in page and "4 were not reached" in page


def test_contacts_deleted_meanwhile_do_no_harm(client: Client) -> None:
    contacts = people(4)
    change = begun("delete_contacts")
    contacts[0].delete()
    bulk.turn(change.pk)
    change.refresh_from_db()
    assert (change.state, change.changed, Contact.objects.count()) == ("done", 3, 0)


def test_the_sweep_rings_for_what_lies(monkeypatch: pytest.MonkeyPatch, tenant: Tenant) -> None:
    people(2)
    change, calls = begun(), []
    monkeypatch.setattr(jobs, "async_task", lambda *call: calls.append(call))
    from django_scopes import scope

    with scope(tenant=None):
        jobs.sweep()
        jobs.carry_on_bulk_change(change.pk)
    assert ("contacts.jobs.carry_on_bulk_change", change.pk) in calls
    assert Contact.objects.filter(do_not_contact=True).count() == 2


# --- the pages ---


def test_progress_is_asked_for_and_the_end_loads_the_page_anew(client: Client) -> None:
    people(5)
    change = begun()
    where = f"/admin/contacts/bulkchange/{change.pk}/progress/"
    bulk.turn(change.pk, seconds=0)
    part = client.get(where, {"was": "working"})
    assert "2 of 5" in part.content.decode() and "<html" not in part.content.decode()
    bulk.turn(change.pk)
    assert client.get(where, {"was": "working"})["HX-Refresh"] == "true"


def test_past_bulk_changes_are_listed_and_never_changed(client: Client, tenant: Tenant) -> None:
    assert "more than 500 contacts at once" in client.get("/admin/contacts/bulkchange/").content.decode()
    people(5)
    change = begun()
    bulk.turn(change.pk)
    page = client.get("/admin/contacts/bulkchange/").content.decode()
    assert "Mark 5 contacts Do Not Contact" in page and "Done" in page and "5 contacts" in page
    for rest in ("add/", f"{change.pk}/change/", f"{change.pk}/delete/"):
        assert client.post(f"/admin/contacts/bulkchange/{rest}", {"post": "yes"}).status_code == 403
    assert logged_in(tenant, Role.VIEWER).get(f"/admin/contacts/bulkchange/{change.pk}/change/").status_code == 200


def test_T3_a_neighbours_bulk_change_is_not_there(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        ContactFactory()
        theirs = begun()
    for rest in ("change/", "progress/"):
        assert client.get(f"/admin/contacts/bulkchange/{theirs.pk}/{rest}").status_code == 404
    assert client.get("/admin/contacts/bulkchange/x/progress/").status_code == 404
    assert client.get(f"/admin/contacts/bulkchange/{'9' * 40}/progress/").status_code == 404


def test_more_chosen_contacts_take_no_more_queries_to_ask_and_to_begin(client: Client, rung: list[Any]) -> None:
    def queries() -> list[int]:
        found = []
        with CaptureQueriesContext(connection) as captured:
            fields = asked(client, "set_do_not_contact")
        found.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            assert client.post(PAGE, fields).status_code == 302
        return [*found, len(captured)]

    people(5)
    queries()
    few = queries()
    people(60)
    assert queries() == few
    assert ContactList.objects.count() == 0


def test_L14_clearing_many_spares_whoever_was_marked_after_the_button_was_pressed() -> None:
    ana, ben = people(2, do_not_contact=True)
    later = ContactFactory(last_name="Later")
    change = begun("clear_do_not_contact")
    services.set_do_not_contact(Contact.objects.filter(pk=ben.pk), False)
    services.set_do_not_contact(Contact.objects.filter(pk__in=[ben.pk, later.pk]), True)
    while bulk.turn(change.pk):
        pass
    marked = set(Contact.objects.filter(do_not_contact=True).values_list("pk", flat=True))
    assert marked == {ben.pk, later.pk}
    change.refresh_from_db()
    assert (change.state, change.changed) == ("done", 1)


def test_a_change_that_this_version_does_not_know_is_shown_and_stopped_with_a_sentence(client: Client) -> None:
    people(1)
    change = begun()
    BulkChange.objects.filter(pk=change.pk).update(verb="sing_to")
    assert client.get(f"/admin/contacts/bulkchange/{change.pk}/change/").status_code == 200
    assert bulk.turn(change.pk) is False
    change.refresh_from_db()
    assert (change.state, change.changed) == (BulkChange.State.FAILED, 0)
    assert (
        "does not know how to do that" in client.get(f"/admin/contacts/bulkchange/{change.pk}/change/").content.decode()
    )
