"""Saved filters on the list of contacts: one's own and everybody's, kept by what the address means."""

from typing import Any

import pytest
from django.test import Client

from contacts.admin.saved_filters import meaning
from contacts.models import SavedFilter, User
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
PAGE = "/admin/contacts/contact/"
SAVE = f"{PAGE}filters/save/"


def saved(client: Client, query: str = "q=ruiz&do_not_contact=no", name: str = "Ours", **more: Any) -> str:
    """The page that comes after saving."""
    return client.post(SAVE, {"query": query, "name": name, **more}, follow=True).content.decode()


def chips(page: str) -> str:
    """The row of saved filters."""
    return page.partition('<section class="sf-row"')[2].partition("</section>")[0]


def test_what_the_page_shows_is_saved_under_a_name_and_opened_again(client: Client) -> None:
    ContactFactory(last_name="Ruiz")
    row = chips(client.get(PAGE, {"q": "ruiz", "do_not_contact": "no", "p": "3", "e": "1"}).content.decode())
    assert "Save this filter" in row and "do_not_contact=no&amp;q=ruiz" in row
    page = saved(client, name="  No  DNC ")
    assert "“No DNC” is saved." in page and 'aria-current="true"' in chips(page)
    assert SavedFilter.objects.get().query == "do_not_contact=no&q=ruiz"
    elsewhere = chips(client.get(PAGE).content.decode())
    assert 'href="?do_not_contact=no&amp;q=ruiz"' in elsewhere and "aria-current" not in elsewhere
    again = chips(client.get(f"{PAGE}?do_not_contact=no&q=ruiz&p=2").content.decode())
    assert "Rename or delete" in again and "Save this filter" not in again


def test_the_empty_row_teaches(client: Client) -> None:
    assert "save it here under a name" in chips(client.get(PAGE).content.decode())
    assert "Save this filter" not in chips(client.get(PAGE, {"o": "1"}).content.decode()), "sorting alone is no filter"


def test_only_what_narrows_the_list_is_saved(client: Client) -> None:
    for query in ("", "p=3", "o=1", "%%%", "q=", "q=" + "x" * 2000):
        assert "Nothing was saved" in saved(client, query)
    for name in ("", "  ", "x" * 81):
        assert "Give the filter a name" in saved(client, name=name)
    assert not SavedFilter.objects.exists()


def test_a_name_is_there_once_for_each_person_and_once_for_everybody(client: Client, tenant: Tenant) -> None:
    saved(client)
    assert "You have a saved filter “Ours” already" in saved(client, "q=other")
    assert "is saved for everybody" in saved(client, for_whom="everybody")
    assert "There is a saved filter “Ours” already" in saved(client, "q=other", for_whom="everybody")
    assert "is saved" in saved(logged_in(tenant, Role.STAFF))
    assert SavedFilter.objects.count() == 3


def test_ones_own_filters_are_seen_by_nobody_else(client: Client, tenant: Tenant) -> None:
    saved(client, name="My secret")
    saved(client, name="For all of us", for_whom="everybody")
    other = logged_in(tenant, Role.STAFF)
    row = chips(other.get(PAGE).content.decode())
    assert "For all of us" in row and "My secret" not in row
    mine = SavedFilter.objects.get(name="My secret")
    for what in ("rename", "delete"):
        assert other.post(f"{PAGE}filters/{mine.pk}/{what}/", {"name": "Taken"}).status_code == 404
    assert SavedFilter.objects.get(pk=mine.pk).name == "My secret"


def test_a_filter_is_renamed_and_deleted(client: Client) -> None:
    saved(client), saved(client, "q=two", "Two")
    row = SavedFilter.objects.get(name="Ours")
    answer = client.post(f"{PAGE}filters/{row.pk}/rename/", {"name": "Better"}, follow=True).content.decode()
    assert "The filter is called “Better” now." in answer and "Better" in chips(answer)
    for wrong in ("Two", "", "x" * 81):
        answer = client.post(f"{PAGE}filters/{row.pk}/rename/", {"name": wrong}, follow=True).content.decode()
        assert "Nothing was changed." in answer
    answer = client.post(f"{PAGE}filters/{row.pk}/delete/", follow=True).content.decode()
    assert "“Better” is gone. No contact was changed." in answer
    assert [kept.name for kept in SavedFilter.objects.all()] == ["Two"]


def test_a_viewer_saves_their_own_and_changes_nobody_elses(client: Client, tenant: Tenant) -> None:
    saved(client, name="Shared", for_whom="everybody")
    shared = SavedFilter.objects.get()
    viewer = logged_in(tenant, Role.VIEWER)
    assert "is saved." in saved(viewer, name="Mine")
    assert viewer.post(SAVE, {"query": "q=x", "name": "All", "for_whom": "everybody"}).status_code == 403
    for what in ("rename", "delete"):
        assert viewer.post(f"{PAGE}filters/{shared.pk}/{what}/", {"name": "Taken"}).status_code == 403
    page = viewer.get(PAGE, {"q": "ruiz", "do_not_contact": "no"}).content.decode()
    assert "Who sees it" not in chips(page) and SavedFilter.objects.filter(name="Shared").exists()


def test_X5_nothing_is_changed_by_looking(client: Client) -> None:
    saved(client)
    pk = SavedFilter.objects.get().pk
    for url in (SAVE, f"{PAGE}filters/{pk}/rename/", f"{PAGE}filters/{pk}/delete/"):
        assert client.get(url, {"name": "x", "query": "q=x"}).status_code == 405
    assert SavedFilter.objects.get().name == "Ours"


def test_T3_a_neighbours_filters_are_not_there(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        theirs = SavedFilter.objects.create(name="Theirs", query="q=x")
        also = SavedFilter.objects.create(name="Also theirs", query="q=x", user=User.objects.get())
    assert "heirs" not in client.get(PAGE).content.decode()
    for row in (theirs, also):
        for what in ("rename", "delete"):
            assert client.post(f"{PAGE}filters/{row.pk}/{what}/", {"name": "Taken"}).status_code == 404
    assert client.post(f"{PAGE}filters/{'9' * 40}/delete/").status_code == 404
    with inside(neighbour):
        assert SavedFilter.objects.filter(name__endswith="heirs").count() == 2


@pytest.mark.parametrize(
    ("query", "meant"),
    [("b=2&a=1", "a=1&b=2"), ("p=4&q=x&e=1", "q=x"), ("a=2&a=1&a=", "a=1&a=2"), ("q=a b&o=-1", "o=-1&q=a+b"), ("", "")],
)
def test_two_addresses_that_mean_the_same_are_one_filter(query: str, meant: str) -> None:
    assert meaning(query) == meant
