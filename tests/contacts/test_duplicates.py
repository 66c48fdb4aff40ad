"""Possible duplicates: what makes two contacts look like one, and how they are found among many."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.demo import sample_file
from contacts import jobs
from contacts.duplicates import find, search
from contacts.duplicates.alike import Look, compare, names_alike, place_key
from contacts.models import (
    Contact,
    ContactList,
    DuplicatePair,
    DuplicateSearch,
    EmailAddress,
    Household,
    ListMembership,
    PhoneNumber,
    PlaceKey,
    PostalAddress,
)  # fmt: skip
from contacts.tenancy.walls import in_tenant as inside
from tests.tenancy import fingerprint

pytestmark = pytest.mark.usefixtures("in_tenant")


def person(first: str, last: str, email: str = "", phone: str = "", street: str = "", **values: Any) -> Contact:
    contact = Contact.objects.create(first_name=first, last_name=last, **values)
    for number, address in enumerate(email.split()):
        EmailAddress.objects.create(contact=contact, address=address, is_primary=not number)
    if phone:
        PhoneNumber.objects.create(contact=contact, number=phone)
    if street:
        PostalAddress.objects.create(contact=contact, street=street, postal_code="97201")
    return contact


def look_everywhere() -> None:
    search.start()
    while search.turn():
        pass


def found() -> dict[tuple[str, str], list[str]]:
    """{two names: the reasons} of every open pair."""
    pairs = DuplicatePair.objects.filter(dismissed_at=None).select_related("first", "second")
    return {(str(p.first), str(p.second)): [reason for reason, _ in p.reasons] for p in pairs}


# --- what is alike ---


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("Ana", "Ruiz"), ("ANA", "RUIZ"), True),
        (("Ana", "Ruiz"), ("A.", "Ruiz"), True),
        (("Ana", "Ruiz"), ("Ruiz", "Ana"), True),
        (("Dr. Ana", "Ruiz"), ("Ana", "Ruiz"), True),
        (("José", "Núñez"), ("Jose", "Nunez"), True),
        (("Søren", "O’Neill"), ("Søren", "ONeill"), True),
        (("Katherine", "Smith"), ("Kathryn", "Smyth"), False),
        (("Katherine", "Smith"), ("Kathryn", "Smith"), True),
        (("Chris", "Lindqvist"), ("Christopher", "Lindqvist"), True),
        (("Bob", "Ruiz"), ("Robert", "Ruiz"), True),
        (("Kate", "Ruiz"), ("Kathy", "Ruiz"), True),
        (("Bob", "Ruiz"), ("Bill", "Ruiz"), False),
        (("Jo", "Ruiz"), ("Joyce", "Ruiz"), False),
        (("Chris", "Lindqvist"), ("Christopher", "Weber"), False),
        (("Ana", "Ruiz"), ("Ben", "Ruiz"), False),
        (("Ana", "Ruiz"), ("Ana", "Weber"), False),
        (("A.", "Ruiz"), ("B.", "Ruiz"), False),
        (("", ""), ("", ""), False),
        (("李", "王"), ("李", "王"), True),
        (("李", "王"), ("张", "王"), False),
    ],
)
def test_names_that_could_be_one(one, other, expected) -> None:
    left, right = Look(1, False, *one), Look(2, False, *other)
    assert names_alike(left, right) == names_alike(right, left) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("12 Main Street", "97201"), ("12, main st.", "97201-1234")),
        (("Hauptstraße 12", "10115"), ("Hauptstr. 12", "10115")),
        (("4 North Oak Avenue", "SW1A 1AA"), ("4 N. Oak Ave", "sw1a1aa")),
    ],
)
def test_two_spellings_of_one_place(one, other) -> None:
    assert place_key(*one) == place_key(*other) != ""


def test_a_place_needs_street_and_postal_code() -> None:
    assert place_key("12 Main Street", "") == place_key("", "97201") == ""
    assert place_key("12 Main Street", "97201") != place_key("14 Main Street", "97201")


def test_a_couple_with_one_address_is_no_pair_when_they_are_a_household() -> None:
    mail = {"ruiz@river.test": "ruiz@river.test"}
    ana, ben = Look(1, False, "Ana", "Ruiz", emails=mail), Look(2, False, "Ben", "Ruiz", emails=mail)
    assert 0 < compare(ana, ben)[0] < 55
    home = [Look(1, False, n, "Ruiz", household=7, emails=mail) for n in ("Ana", "Ben", "A.")]
    assert compare(home[0], home[1]) == (0, [])
    assert compare(home[0], home[2])[0] > 80, "the same person twice in one household"


def test_a_number_alone_makes_nobody_a_double_of_somebody_with_another_name() -> None:
    phone = {"+14155550100": "+14155550100"}
    ana = Look(1, False, "Ana", "Ruiz", phones=phone)
    assert compare(ana, Look(2, False, "Ben", "Ruiz", phones=phone)) == (0, [])
    assert compare(ana, Look(2, False, "Ana", "Weber", phones=phone))[0] >= 55, "as after a marriage"
    assert compare(ana, Look(2, True, organization="River Trust", phones=phone)) == (0, [])


# --- the search through all ---


def test_each_reason_is_found_and_several_make_it_surer() -> None:
    person("Ana", "Ruiz", "ana@river.test x@river.test", "+14155550100", "12 Main Street")
    person("Anna", "Ruiz", "anna@river.test ANA@river.test", "+14155550100", "12 Main St.")
    person("Ben", "Okoro", phone="+14155550111")
    person("B.", "Okoro", phone="+14155550111")
    person("Cleo", "Park", street="4 Oak Avenue")
    person("Cleo", "Park", street="4 Oak Ave")
    person("Cleo", "Park", street="6 Oak Ave")
    look_everywhere()
    assert found() == {
        ("Ana Ruiz", "Anna Ruiz"): ["email", "phone", "name"], ("Ben Okoro", "B. Okoro"): ["phone"],
        ("Cleo Park", "Cleo Park"): ["name"],
    }  # fmt: skip
    scores = list(DuplicatePair.objects.order_by("pk").values_list("score", flat=True))
    assert scores[0] == max(scores)


def test_the_doubles_of_the_demos_file_are_found_the_nickname_among_them() -> None:
    """Three people who are in it under two addresses: same phone and same place, and a name that could be one."""
    for index, pair in enumerate(sample_file.DOUBLES):
        for first, last, email in pair:
            person(first, last, email, f"+1503555019{index}", f"900{index} Mill Lane")
    person("Odile", "Lindqvist", phone="+15035550192", street="9002 Mill Lane")  # lives with Chris, and is not Chris
    look_everywhere()
    assert set(found()) == {tuple(f"{first} {last}" for first, last, _ in pair) for pair in sample_file.DOUBLES}
    assert found()["Christopher Lindqvist", "Chris Lindqvist"] == ["phone", "name"]


def test_looking_again_changes_nothing_and_takes_back_what_no_longer_holds() -> None:
    one, two = person("Ana", "Ruiz", "ana@river.test"), person("Ana", "Ruiz", "ana@river.test")
    look_everywhere()
    before = list(DuplicatePair.objects.values())
    look_everywhere()
    assert list(DuplicatePair.objects.values()) == before
    two.email_addresses.update(address="other@river.test", address_key="other@river.test")
    look_everywhere()
    assert found() == {}
    assert one.pk < two.pk


def test_what_too_many_share_makes_no_pairs_and_is_said() -> None:
    for number in range(find.MOST + 5):
        person(f"Clerk{number}", f"Name{number}", "info@office.test")
    person("Ana", "Ruiz", "info@office.test ana@river.test")
    person("Ana", "Ruiz", "info@office.test ana@river.test")
    look_everywhere()
    assert found() == {("Ana Ruiz", "Ana Ruiz"): ["email"]}
    assert DuplicatePair.objects.get().reasons == [["email", "ana@river.test"]]
    told = search.state()
    assert (told.too_many, told.too_many_count) == ([["email", "info@office.test", find.MOST + 7]], 1)
    one = Contact.objects.get(first_name="Clerk3")
    assert find.look_at([one.pk]) == 0


def test_two_different_people_stay_so_until_something_else_becomes_the_same() -> None:
    one, two = person("Ana", "Ruiz", "ana@river.test"), person("Anna", "Ruiz", "ana@river.test")
    look_everywhere()
    DuplicatePair.objects.update(dismissed_at=timezone.now())
    one.first_name = "Anne"
    one.save()
    look_everywhere()
    find.look_at([one.pk])
    assert found() == {}
    for contact in (one, two):
        PhoneNumber.objects.create(contact=contact, number="+14155550100")
    find.look_at([one.pk])
    assert found() == {("Anne Ruiz", "Anna Ruiz"): ["email", "phone"]}


def test_a_household_that_is_made_takes_the_couple_off_the_list() -> None:
    one, two = person("Ana", "Ruiz", "ruiz@river.test"), person("Ben", "Ruiz", "ruiz@river.test")
    look_everywhere()
    assert len(found()) == 1
    home = Household.objects.create(name="Ruiz")
    Contact.objects.update(household=home)
    find.look_at([one.pk, two.pk])
    assert found() == {}


def test_the_search_goes_on_where_a_turn_ended_and_only_one_is_at_work() -> None:
    for number in range(30):
        for _ in range(2):
            person("Ana", f"Name{number}", f"n{number}@river.test")
    assert search.start()
    assert not search.start(), "pressed twice, it runs once"
    ticks = iter(range(1000))
    assert search.turn(seconds=0.5, clock=lambda: next(ticks))
    state = search.state()
    assert state.phase
    DuplicateSearch.objects.update(token="somebody else", beat_at=timezone.now())
    assert not search.turn()
    assert search.state().phase == state.phase, "somebody else is at it"
    assert search.lost() == []
    DuplicateSearch.objects.update(
        beat_at=timezone.now() - 2 * search.SILENT, started_at=timezone.now() - 3 * search.SILENT
    )
    assert search.lost() == [search.state().tenant_id], "a turn that fell silent is rung for again"
    while search.turn():
        pass
    assert len(found()) == 30
    assert search.state().finished_at is not None


def test_one_batch_costs_the_same_number_of_queries_however_many_are_in_it() -> None:
    def cost() -> int:
        search.start()
        with CaptureQueriesContext(connection) as asked:
            search.turn()
        return len(asked)

    def fill(start: int, end: int) -> None:
        for number in range(start, end):
            for _ in range(2):
                person("Ana", f"Name{number}", f"n{number}@river.test", f"+1415555{number:04}", f"{number} Main St")

    fill(100, 105)
    cost()
    first = cost()
    fill(105, 125)
    cost()
    assert cost() == first


# --- after single edits ---


def rung(monkeypatch) -> list[Any]:
    """The jobs that are rung for contacts that were changed."""
    calls: list[Any] = []
    monkeypatch.setattr(jobs, "async_task", lambda name, *args: calls.append((name, *args)))
    connection.run_on_commit.clear()  # a test's own transaction never ends
    return calls


def test_an_edit_is_looked_at_once_and_only_if_it_can_matter(
    monkeypatch, tenant, django_capture_on_commit_callbacks
) -> None:
    one = person("Ana", "Ruiz", "ana@river.test")
    news = ContactList.objects.create(name="News")
    calls = rung(monkeypatch)
    with django_capture_on_commit_callbacks(execute=True):
        one.do_not_contact = True
        one.save()
        ListMembership.objects.create(contact=one, contact_list=news)
    assert [c for c in calls if c[0].endswith("look_at_changed")] == []
    connection.run_on_commit.clear()
    with django_capture_on_commit_callbacks(execute=True):
        one.first_name = "Anna"
        one.save()
        EmailAddress.objects.create(contact=one, address="anna@river.test")
    assert [c for c in calls if c[0].endswith("look_at_changed")] == [
        ("contacts.jobs.look_at_changed", tenant.pk, [str(one.uid)])
    ]
    two = person("Ana", "Ruiz", "ANNA@river.test")
    jobs.look_at_changed(tenant.pk, [str(two.uid)])
    assert found() == {("Anna Ruiz", "Ana Ruiz"): ["email"]}


def test_an_import_is_looked_at_in_pieces(monkeypatch, tenant, django_capture_on_commit_callbacks) -> None:
    calls = rung(monkeypatch)
    with django_capture_on_commit_callbacks(execute=True):
        Contact.objects.bulk_create([Contact(first_name="Ana", last_name=f"N{n}") for n in range(1200)])
    sizes = [len(call[2]) for call in calls if call[0].endswith("look_at_changed")]
    assert sorted(sizes) == [200, 500, 500]


def test_every_night_all_are_compared_and_old_merges_forgotten(monkeypatch, tenant) -> None:
    calls = rung(monkeypatch)
    person("Ana", "Ruiz", "ana@river.test")
    person("Ana", "Ruiz", "ana@river.test")
    jobs.night_of(tenant.pk)
    assert ("contacts.jobs.search_duplicates", tenant.pk) in calls
    jobs.search_duplicates(tenant.pk)
    assert len(found()) == 1


def test_a_place_that_is_given_up_is_no_place_any_more() -> None:
    one = person("Cleo", "Park", street="4 Oak Avenue")
    find.look_at([one.pk])
    assert PlaceKey.objects.get().key == "4 oak ave|97201"
    one.postal_addresses.all().delete()
    find.look_at([one.pk])
    assert not PlaceKey.objects.exists()


def test_the_neighbour_is_neither_compared_nor_changed(neighbour) -> None:
    with inside(neighbour):
        for _ in range(2):
            person("Ana", "Ruiz", "ana@river.test", "+14155550100", "12 Main Street")
    before = fingerprint.of_tenant(neighbour)
    one = person("Ana", "Ruiz", "ana@river.test", "+14155550100", "12 Main Street")
    look_everywhere()
    find.look_at([one.pk])
    assert found() == {}
    assert fingerprint.of_tenant(neighbour) == before


def test_not_everybody_is_compared_with_everybody(monkeypatch) -> None:
    """1,000 contacts have 499,500 pairs; those who share something are compared, and nobody else."""
    contacts = Contact.objects.bulk_create([Contact(first_name="Ana", last_name=f"N{n}") for n in range(1000)])
    keys = [f"n{n % 970}@river.test" for n in range(1000)]
    EmailAddress.objects.bulk_create(
        EmailAddress(contact=c, address=key, address_key=key) for c, key in zip(contacts, keys, strict=True)
    )
    compared: list[Any] = []

    def counted(one: Look, other: Look) -> Any:
        compared.append(one)
        return compare(one, other)

    monkeypatch.setattr(find, "compare", counted)
    look_everywhere()
    assert DuplicatePair.objects.count() == len(compared) == 30
