"""The pages of households (L8): who is in one, who might be, and how they are greeted."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts import households
from contacts.households import Name, greet
from contacts.models import Contact, HistoryEntry, Household
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.forms import page_of
from tests.factories import ContactFactory
from tests.integrations.desk import plain
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]

LIST = "/admin/contacts/household/"
SUGGESTIONS = f"{LIST}suggestions/"


def sharing(*names: str, email: str = "home@rivermail.test", last: str = "Okoro") -> list[Contact]:
    """People with one address."""
    return [ContactFactory(first_name=name, last_name=last, email=email) for name in names]


def words(client: Client, address: str, **query: Any) -> str:
    """What a page says."""
    answer = client.get(address, query, follow=True)
    assert answer.status_code == 200
    return plain(answer.content.decode())


def press(client: Client, contact: Contact, **values: Any) -> str:
    """Press a button about the household on a contact's page; what is said then."""
    answer = client.post(f"/admin/contacts/contact/{contact.pk}/household/", values, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.mark.parametrize(
    ("names", "written", "expected"),
    [
        (["Ada"], "", "Ada"), (["Ada", "Ben"], "", "Ada and Ben"), (["Ada", "Ben", "Cy"], "", "Ada, Ben and Cy"),
        (["Ada", ""], "", "Ada"), (["", ""], "", "Home"), ([], "", "Home"),
        (["Ada", "Ben"], "Dear friends", "Dear friends"),
        (["A", "B", "C", "D", "E"], "", "A, B, C, D and E"), (["A", "B", "C", "D", "E", "F"], "", "Home"),
    ],
)  # fmt: skip
def test_L8_a_greeting_is_made_from_the_first_names(names: Sequence[str], written: str, expected: str) -> None:
    assert greet([Name(first) for first in names], "Home", written).first == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("The Okoro family", "The Okoro family"), ("The Okoros", "The Okoros"), ("the OKORO’s", "the OKORO’s"),
        ("Dear friends", "Dear friends"), ("Ada & Benny", "Ada & Benny Okoro"),
        ("Ada and Ben Okoro", "Ada and Ben Okoro"), ("Ada of Okoronia", "Ada of Okoronia Okoro"),
    ],
)  # fmt: skip
def test_L8_a_last_name_follows_first_names_and_nothing_else(written: str, expected: str) -> None:
    name = greet([Name("Ada", "Okoro"), Name("Ben", "Okoro")], "Home", written)
    assert f"{name.first} {name.last}".strip() == expected


def test_L8_people_who_share_an_address_are_said_on_both_pages_and_made_a_household(client: Client) -> None:
    ada, ben = sharing("Ada", "Ben")
    assert "Shares home@rivermail.test with Ben Okoro" in words(client, page_of(ada))
    assert "Shares home@rivermail.test with Ada Okoro" in words(client, page_of(ben))
    assert "Newsletters greet them as Ada and Ben" in press(client, ada, verb="make")
    household = Household.objects.get()
    assert (household.name, household.members.count()) == ("The Okoro household", 2)
    assert "greet them as Ada and Ben Okoro" in words(client, page_of(ben))
    history = HistoryEntry.objects.filter(contact_uid=ben.uid, verb="changed").latest("pk")
    assert history.changes["household_id"] == [None, household.pk]


def test_L8_somebody_with_the_same_address_joins_and_leaves(client: Client) -> None:
    ada, ben, cy = sharing("Ada", "Ben", "Cy")
    household = households.make_household([ada, ben])
    assert "Add to the household “The Okoro household”" in words(client, page_of(cy))
    assert "Add Cy Okoro to the household" in words(client, page_of(ada))
    press(client, cy, verb="join", household=household.pk)
    assert "Ada, Ben and Cy Okoro" in words(client, page_of(ada))
    press(client, ada, verb="leave")
    assert list(household.members.order_by("pk")) == [ben, cy]


def test_a_contact_is_in_one_household_at_most(client: Client) -> None:
    ada, ben = sharing("Ada", "Ben")
    first, second = households.make_household([ada]), households.make_household([ben])
    assert "is in the household “The Okoro household” already" in press(client, ada, verb="join", household=second.pk)
    with pytest.raises(ValidationError):
        households.make_household([ada, ben])
    ada.refresh_from_db()
    assert ada.household == first


def test_the_page_of_a_household_takes_members_in_and_out(client: Client) -> None:
    client.post(f"{LIST}add/", {"name": "Home", "greeting": ""})
    household = Household.objects.get()
    address = f"{LIST}{household.pk}/change/"
    assert "Nobody is in it yet" in words(client, address)
    ada, ben = sharing("Ada", "Ben")
    for one in (ada, ben):
        client.post(f"{LIST}{household.pk}/members/add/", {"contact": one.pk})
    page = words(client, address)
    assert "Greeted together as Ada and Ben" in page
    assert "Choose another organization" not in client.get(address).content.decode(), "who works in one only"
    assert "Newsletters to home@rivermail.test greet them as Ada and Ben Okoro" in page
    client.post(address, {"name": "Home", "greeting": "The Okoros"})
    page = words(client, address)
    assert "greet them as The Okoros" in page and "Okoros Okoro" not in page
    client.post(f"{LIST}{household.pk}/members/take-out/", {"contact": ben.pk})
    assert "Only Ada Okoro is in it" in words(client, address)
    client.post(f"{LIST}{household.pk}/delete/", {"post": "yes"})
    assert not Household.objects.exists()
    assert Contact.objects.filter(household=None).count() == 2
    assert HistoryEntry.objects.filter(contact_uid=ada.uid, changes__has_key="household_id").count() == 2, "in and out"


def test_a_household_has_a_page_with_its_history(client: Client, neighbour: Tenant) -> None:
    ada, ben = sharing("Ada", "Ben")
    household = households.make_household([ada, ben])
    address = f"{LIST}{household.pk}/"
    client.post(f"{address}change/", {"name": "The Okoro family", "greeting": "The Okoros"})
    client.post(f"{address}members/take-out/", {"contact": ben.pk})
    Contact.objects.get(pk=ada.pk).delete()
    assert f"{address}history/" in client.get(f"{address}change/").content.decode()
    page = words(client, f"{address}history/")
    assert "Name: The Okoro household → The Okoro family" in page.replace("Name : ", "Name: ")
    assert page.count("Place in a household added") == 2 and page.count("Place in a household deleted") == 2
    assert "Ada Okoro in The Okoro household" in page
    with inside(neighbour):
        theirs = households.make_household(sharing("Theirs"))
    assert client.get(f"{LIST}{theirs.pk}/history/").status_code == 404


def test_L8_who_shares_an_address_is_suggested_until_they_are_a_household(client: Client) -> None:
    sharing("Ada", "Ben")
    dee, eve = sharing("Dee", "Eve", email="both@rivermail.test", last="Reyes")
    households.make_household([dee])
    fay, gil = sharing("Fay", "Gil", email="apart@rivermail.test")
    households.make_household([fay])
    households.make_household([gil])
    ContactFactory(first_name="Alone")
    page = words(client, SUGGESTIONS)
    assert "2 shared addresses" in page
    assert "Alone" not in page
    assert "Fay" not in page
    client.post(SUGGESTIONS, {"address": "home@rivermail.test"})
    client.post(SUGGESTIONS, {"address": "both@rivermail.test"})
    eve.refresh_from_db()
    assert eve.household == Household.objects.get(members=dee)
    assert "Nobody shares an address" in words(client, SUGGESTIONS)
    client.post(SUGGESTIONS, {"address": "apart@rivermail.test"})
    client.post(SUGGESTIONS, {"address": "nobody@rivermail.test"})
    assert Household.objects.count() == 4


def test_households_are_found_by_their_members(client: Client) -> None:
    households.make_household(sharing("Ada", "Ben"))
    households.make_household(sharing("Dee", email="dee@rivermail.test", last="Reyes"))
    page = words(client, LIST, q="ben")
    assert "The Okoro household" in page
    assert "The Reyes household" not in page


def test_a_greeting_that_names_somebody_who_leaves_gives_way() -> None:
    ada, ben, cy = sharing("Ada", "Ben", "Cy")
    household = households.make_household([ada, ben, cy])
    household.greeting = "Ada, Ben and Cy"
    household.save()
    Contact.objects.get(pk=ben.pk).delete()
    household.refresh_from_db()
    assert (household.greeting, households.greeting_of(household)) == ("", "Ada and Cy")
    household.greeting = "The Okoro family"
    household.save()
    households.take_out(cy)
    household.refresh_from_db()
    assert household.greeting == "The Okoro family", "it names nobody who has left"


def test_the_pages_of_households_cost_the_same_for_many_as_for_few(client: Client) -> None:
    def grow(size: int, start: int) -> None:
        for number in range(start, start + size):
            households.make_household(sharing("Ada", "Ben", email=f"home{number}@rivermail.test"))
            sharing("Cy", "Dee", email=f"other{number}@rivermail.test")

    def counted() -> list[int]:
        figures = []
        for address in (LIST, SUGGESTIONS, f"{LIST}{household.pk}/change/"):
            with CaptureQueriesContext(database) as queries:
                assert client.get(address).status_code == 200
            figures.append(len(queries))
        return figures

    grow(2, 0)
    household = Household.objects.earliest("pk")
    counted()
    few = counted()
    grow(20, 2)
    assert counted() == few


def test_X5_a_viewer_reads_households_and_changes_none(tenant: Tenant) -> None:
    ada, ben = sharing("Ada", "Ben")
    viewer = logged_in(tenant, Role.VIEWER)
    assert "Make them a household" not in words(viewer, page_of(ada))
    assert viewer.post(f"/admin/contacts/contact/{ada.pk}/household/", {"verb": "make"}).status_code == 403
    assert viewer.post(SUGGESTIONS, {"address": "home@rivermail.test"}).status_code == 403
    assert not Household.objects.exists()


def test_T3_a_neighbours_household_and_contacts_cannot_be_taken(client: Client, neighbour: Tenant) -> None:
    with inside(neighbour):
        theirs = sharing("Theirs", "Too")
        their_home = households.make_household(theirs)
    ada, _ = sharing("Ada", "Ben")
    ours = households.make_household([ada])
    assert "Theirs" not in words(client, SUGGESTIONS) + words(client, LIST) + words(client, page_of(ada))
    assert client.get(f"{LIST}{their_home.pk}/change/").status_code == 404
    assert client.post(f"{LIST}{their_home.pk}/members/add/", {"contact": ada.pk}).status_code == 404
    client.post(f"{LIST}{ours.pk}/members/add/", {"contact": theirs[0].pk})
    press_at = f"/admin/contacts/contact/{ada.pk}/household/"
    assert client.post(press_at, {"verb": "join", "household": their_home.pk}).status_code == 404
    assert client.post(press_at, {"verb": "bring", "household": ours.pk, "contact": theirs[0].pk}).status_code == 404
    assert list(ours.members.all()) == [ada]
    with inside(neighbour):
        assert their_home.members.count() == 2
