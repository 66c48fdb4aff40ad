"""The pages of possible duplicates, the comparison, merges and their undoing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.duplicates import find
from contacts.duplicates.merge import merge
from contacts.models import Contact, ContactList, DuplicatePair, EmailAddress, ListMembership, Merge, PhoneNumber, Tag
from contacts.tenancy.models import Role
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.forms import opened, sent, with_row
from tests.factories import ContactFactory
from tests.integrations.desk import plain
from tests.tenancy import fingerprint
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.usefixtures("in_tenant")

PAIRS = "/admin/contacts/duplicatepair/"
COMPARE = f"{PAIRS}compare/"
MERGES = "/admin/contacts/merge/"


def two(first: str = "Ana", other: str = "Anna") -> tuple[Contact, Contact]:
    """Two who share an address, and are found."""
    one, another = (Contact.objects.create(first_name=name, last_name="Ruiz") for name in (first, other))
    EmailAddress.objects.create(contact=one, address="ana@river.test", is_primary=True)
    EmailAddress.objects.create(contact=another, address="anna@river.test", is_primary=True)
    EmailAddress.objects.create(contact=another, address="ana@river.test")
    find.look_at([one.pk])
    return one, another


def words(response: Any) -> str:
    return plain(response.content.decode())


def form_of(client: Client, one: Contact, other: Contact) -> dict[str, Any]:
    """The comparison's form, as a browser would send it."""
    from tests.tenancy.walk import Fields

    page = client.get(COMPARE, {"one": one.pk, "other": other.pk})
    assert page.status_code == 200
    return {k: v for k, v in Fields(page.content.decode()).values.items() if v is not None}


# --- the list ---


def test_an_empty_list_teaches(client) -> None:
    said = words(client.get(PAIRS))
    assert "No possible duplicates" in said
    assert "share an email address or a phone number" in said


def test_pairs_show_names_reason_and_how_sure_and_the_menu_their_number(client) -> None:
    two()
    page = client.get(PAIRS)
    said = words(page)
    assert "Same email address: ana@river.test" in said
    assert "Very likely" in said
    assert re.search(r"Possible duplicates\s+1 ", words(client.get("/admin/")))


def test_two_different_people_leave_the_list_and_can_come_back(client) -> None:
    two()
    pair = DuplicatePair.objects.get()
    assert client.get(f"{PAIRS}{pair.pk}/two/").status_code == 405
    said = words(client.post(f"{PAIRS}{pair.pk}/two/", follow=True))
    assert "stay two contacts" in said
    assert "No possible duplicates" in said
    pair.refresh_from_db()
    assert pair.dismissed_by is not None
    assert "Ana Ruiz" in words(client.get(PAIRS, {"show": "two"}))
    client.post(f"{PAIRS}{pair.pk}/again/")
    assert "Ana Ruiz" in words(client.get(PAIRS))


def test_look_again_rings_once(client, monkeypatch, django_capture_on_commit_callbacks) -> None:
    from contacts import jobs

    calls: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda *args: calls.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        assert "being compared now" in words(client.post(f"{PAIRS}look/", follow=True))
        assert "being compared already" in words(client.post(f"{PAIRS}look/", follow=True))
    assert [call[0] for call in calls] == ["contacts.jobs.search_duplicates"]


def test_the_list_costs_the_same_number_of_queries_with_many_pairs(client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(PAIRS).status_code == 200
        return len(asked)

    two()
    client.get(PAIRS)
    few = cost()
    for number in range(12):
        one, other = (Contact.objects.create(first_name="Ana", last_name=f"N{number}") for _ in range(2))
        for contact in (one, other):
            PhoneNumber.objects.create(contact=contact, number=f"+141555501{number:02}")
        DuplicatePair.objects.create(first=one, second=other, reasons=[["phone", f"+141555501{number:02}"]], score=80)
    assert cost() == few


# --- comparing and merging ---


def test_the_comparison_says_what_differs_and_what_will_happen(client) -> None:
    one, other = two("A.")
    Contact.objects.filter(pk=other.pk).update(do_not_contact=True)
    news = ContactList.objects.create(name="News", synchronize=True)
    ListMembership.objects.create(contact=other, contact_list=news)
    said = words(client.get(COMPARE, {"one": one.pk, "other": other.pk}))
    assert "What is right?" in said
    assert "Primary email address" in said
    assert "Do Not Contact" in said
    assert "on News" in said
    assert "You can undo this for 30 days" in said
    assert Contact.objects.count() == 2


def test_who_has_a_whole_name_and_a_working_address_is_kept_and_all_their_values_are_proposed(client) -> None:
    one, other = two("A.", "Ana")
    one.email_addresses.update(state="bounced")
    one.contact_tags.create(tag=Tag.objects.create(name="board"))
    form = form_of(client, one, other)
    assert form["kept"] == str(other.pk), "although the other has more rows"
    assert form["first_name"] == form["email"] == str(other.uid)
    page = words(client.get(COMPARE, {"one": one.pk, "other": other.pk}))
    assert "Merge A. Ruiz into Ana Ruiz?" in page and "everything about them comes to Ana Ruiz" in page


def test_what_only_the_other_says_is_taken_from_them(client) -> None:
    one, other = two()
    form = form_of(client, one, other)
    gone = one if form["kept"] == str(other.pk) else other
    Contact.objects.filter(pk=gone.pk).update(job_title="Chair")
    client.post(COMPARE, form | {"merge": "1"})
    assert Contact.objects.get().job_title == "Chair"


def test_merging_by_hand_from_the_list_to_undo(client) -> None:
    one, other = two()
    form = form_of(client, one, other)
    form["first_name"] = str(other.uid)
    kept = Contact.objects.get(pk=form["kept"])
    answer = client.post(COMPARE, form | {"merge": "1"}, follow=True)
    assert "was merged into" in words(answer)
    kept.refresh_from_db()
    assert kept.first_name == "Anna"
    assert Contact.objects.count() == 1
    made = Merge.objects.get()
    assert made.user is not None
    assert "was merged into this contact" in words(client.get(f"/admin/contacts/contact/{kept.pk}/change/"))
    preview = words(client.get(f"{MERGES}{made.pk}/undo/"))
    assert "is here again" in preview
    assert Contact.objects.count() == 1, "a preview changes nothing"
    said = words(client.post(f"{MERGES}{made.pk}/undo/", follow=True))
    assert "are two contacts again" in said
    assert Contact.objects.count() == 2
    assert "undone already" in words(client.get(f"{MERGES}{made.pk}/undo/"))
    assert "Undone on" in words(client.get(MERGES))


def test_swapping_proposes_the_values_of_the_one_who_is_kept_then_and_changes_nothing(client) -> None:
    from tests.tenancy.walk import Fields

    one, other = two()
    form = form_of(client, one, other)
    page = client.post(COMPARE, form | {"swap": "1"})
    after = Fields(page.content.decode()).values
    assert after["kept"] != form["kept"]
    kept = Contact.objects.get(pk=after["kept"])
    assert after["first_name"] == after["email"] == str(kept.uid)
    assert f"into {kept}?" in words(page)
    assert Merge.objects.count() == 0
    client.post(COMPARE, {k: v for k, v in after.items() if v is not None} | {"merge": "1"})
    assert str(Contact.objects.get().pk) == after["kept"]


def test_pressing_merge_twice_says_that_it_is_done(client) -> None:
    one, other = two()
    form = form_of(client, one, other) | {"merge": "1"}
    client.post(COMPARE, form)
    said = words(client.post(COMPARE, form, follow=True))
    assert "was merged into" in said
    assert "This is the page of both now" in said
    assert Merge.objects.count() == 1


def test_any_two_can_be_chosen_and_one_twice_is_refused(client) -> None:
    one, other = two()
    assert "Which two contacts are one?" in words(client.get(COMPARE))
    page = client.get(COMPARE, {"one": one.pk})
    assert f'value="{one.pk}" selected' in page.content.decode()
    assert "That is the same contact" in words(client.get(COMPARE, {"one": one.pk, "other": one.pk}))
    assert client.get(COMPARE, {"one": one.pk, "other": "999999"}).status_code == 404
    assert client.get(COMPARE, {"one": "x", "other": other.pk}).status_code == 404


def test_exactly_two_ticked_contacts_are_compared(client) -> None:
    one, other = two()
    third = ContactFactory()
    page = "/admin/contacts/contact/"
    ticked = {"action": "merge_two", "index": "0", "select_across": "0"}
    answer = client.post(page, ticked | {"_selected_action": [one.pk, other.pk]})
    assert answer["Location"] == f"{COMPARE}?one={one.pk}&other={other.pk}"
    for chosen in ([one.pk], [one.pk, other.pk, third.pk]):
        answer = client.post(page, ticked | {"_selected_action": chosen}, follow=True)
        assert "Tick exactly two" in words(answer)


def test_the_page_of_a_contact_that_went_leads_to_the_one_it_is_part_of(client) -> None:
    one, other = two()
    third = Contact.objects.create(first_name="Cleo", last_name="Ruiz")
    merge(other, one)
    merge(third, other)
    for page in ("change", "history", "delete"):
        answer = client.get(f"/admin/contacts/contact/{one.pk}/{page}/", follow=True)
        assert "Ana Ruiz was merged into Cleo Ruiz" in words(answer)
    Contact.objects.get(pk=third.pk).delete()
    assert client.get(f"/admin/contacts/contact/{one.pk}/change/").status_code == 404


def test_adding_somebody_who_is_here_already_says_so(client) -> None:
    two()
    form = opened(client) | {"first_name": "A", "last_name": "R"}
    form = with_row(form, "email_addresses", address="ANA@river.test", is_primary="on", state="ok")
    said = words(sent_and_followed(client, form))
    assert "Ana Ruiz has the same email address. Is it the same person?" in said
    assert "Compare the two" in said


def sent_and_followed(client: Client, form: dict[str, Any]) -> Any:
    answer = sent(client, form)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client.get(answer["Location"], follow=True)


def test_a_contact_tells_whom_it_looks_like(client) -> None:
    one, _ = two()
    said = words(client.get(f"/admin/contacts/contact/{one.pk}/change/"))
    assert "Looks like Anna Ruiz" in said
    assert "Merge…" in said


def test_the_timeline_tells_of_both_and_of_the_merge_once(client) -> None:
    one, other = two()
    ListMembership.objects.create(contact=other, contact_list=ContactList.objects.create(name="News"))
    merge(one, other)
    said = words(client.get(f"/admin/contacts/contact/{one.pk}/change/"))
    assert said.count("Merged: Anna Ruiz into Ana Ruiz") == 1
    assert "Put on “News”" in said, "what happened to the one that went"
    assert "Contact deleted" not in said


def test_after_thirty_days_the_page_says_why_there_is_no_undo(client) -> None:
    made = merge(*two())
    Merge.objects.update(at=timezone.now() - timedelta(days=31), taken={})
    said = words(client.get(f"{MERGES}{made.pk}/undo/"))
    assert "can be undone for 30 days" in said
    assert "Make them two contacts again" not in said
    assert "More than 30 days ago" in words(client.get(MERGES))
    client.post(f"{MERGES}{made.pk}/undo/")
    assert Contact.objects.count() == 1


# --- who may ---


def test_a_viewer_looks_and_changes_nothing(tenant) -> None:
    one, other = two()
    made = merge(*two("Ben", "B."))
    viewer = logged_in(tenant, Role.VIEWER)
    pair = DuplicatePair.objects.filter(dismissed_at=None).first()
    before = fingerprint.of_tenant(tenant)
    page = viewer.get(PAIRS).content.decode()
    assert "Look again" not in page
    assert "Two different people</button>" not in page
    assert 'name="merge"' not in viewer.get(COMPARE, {"one": one.pk, "other": other.pk}).content.decode()
    for path in (f"{PAIRS}look/", f"{PAIRS}{pair.pk}/two/", f"{PAIRS}{pair.pk}/again/", f"{MERGES}{made.pk}/undo/"):
        assert viewer.post(path).status_code == 403, path
    answer = viewer.post(COMPARE, {"one": one.pk, "other": other.pk, "kept": one.pk, "merge": "1"})
    assert answer.status_code == 403
    assert fingerprint.of_tenant(tenant) == before


def test_nothing_of_a_neighbour_is_shown_or_merged(client, neighbour) -> None:
    with inside(neighbour):
        theirs = two("Zed", "Zedd")
        made = merge(*two("Quin", "Quinn"))
        pair = DuplicatePair.objects.filter(dismissed_at=None).first()
    one, _ = two()
    before = fingerprint.of_tenant(neighbour)
    assert "Zed" not in words(client.get(PAIRS))
    assert "Quin" not in words(client.get(MERGES))
    for other in theirs:
        assert client.get(COMPARE, {"one": one.pk, "other": other.pk}).status_code == 404
        data = {"one": one.pk, "other": other.pk, "kept": one.pk, "merge": "1"}
        assert client.post(COMPARE, data).status_code == 404
    assert client.get(f"/admin/contacts/contact/{made.gone_pk}/change/").status_code == 404
    for path in (f"{PAIRS}{pair.pk}/two/", f"{MERGES}{made.pk}/undo/"):
        assert client.post(path).status_code == 404
    assert fingerprint.of_tenant(neighbour) == before
