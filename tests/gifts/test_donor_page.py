"""What staff see and change of one donor, and of donors by club: page, list, file, contact (A10, A11, A13, A14)."""

import csv
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts import donors
from gifts.models import Donor, DonorClub, DonorClubSpell, Gift, Giving
from gifts.services import record_gift, record_gifts, record_pledge, refund
from tests.factories import ContactFactory
from tests.gifts.donors_api import Program, giver, good, person, refused, replace
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db

LIST = "/admin/gifts/giving/"


@pytest.fixture
def clubs(tenant: Tenant) -> dict[str, DonorClub]:
    with in_tenant(tenant):
        return {name: DonorClub.objects.create(name=name, minimum=least, is_automatic=least > 0)
                for name, least in (("Silver", 100), ("Gold", 1000), ("Board", 0))}  # fmt: skip


@pytest.fixture
def ana(tenant: Tenant, clubs: dict[str, DonorClub]) -> Donor:
    return giver(tenant, 60, "40.50", first_name="Ana", last_name="Ruiz")


def text(client: Client, address: str, **asked: Any) -> str:
    page = client.get(address, asked)
    assert page.status_code == 200, page
    return " ".join(page.content.decode().split())


def page_of(row: Donor) -> str:
    return f"/admin/gifts/donor/{row.pk}/change/"


def place(client: Client, row: Donor, verb: str = "keep", club: Any = "") -> str:
    answer = client.post(f"/admin/gifts/donor/{row.pk}/club/", {"verb": verb, "club": club}, follow=True)
    return " ".join(answer.content.decode().split())


def now(row: Donor) -> Donor:
    with in_tenant(row.tenant):
        found: Donor = Donor.objects.select_related("club").get(pk=row.pk)
    return found


def save(client: Client, row: Donor, **typed: Any) -> Any:
    """What is typed, beside what the page shows of the donor now."""
    shown = {"notes": row.notes, "external_id": row.external_id}
    return client.post(page_of(row), {**shown, **{f"initial-{name}": value for name, value in shown.items()}, **typed})


# --- one donor ---


def test_A14_the_page_shows_the_totals_that_programs_are_shown(tenant: Tenant, client: Client, ana: Donor) -> None:
    with in_tenant(tenant):
        record_pledge(ana.contact, 300, date(2025, 1, 1))
        refund(record_gift(ana.contact, 25, date(2025, 3, 1)))
    said, told = text(client, page_of(ana)), good(Program(tenant).read(str(ana.uid)))
    assert (told["total_amount_of_gifts"], told["amount_of_largest_gift"], told["pledge_balance"]) == (100.5, 60, 300)
    for words in ("$100.50</strong>in 2 gifts", "$40.50</strong>last gift, Feb 1, 2025", "$60.00</strong>largest gift",
                  "$300.00</strong>still to come", f"<dd>{told['sys_version']}</dd>", told["id"]):  # fmt: skip
        assert words in said, words


def test_A13_a_donor_is_kept_in_a_club_by_hand_and_left_to_their_giving_again(
    tenant: Tenant, client: Client, clubs: dict[str, DonorClub], ana: Donor
) -> None:
    version = now(ana).version
    staff = logged_in(tenant, Role.STAFF)
    assert "Ana Ruiz is kept in “Board” now, whatever they give." in place(staff, ana, club=clubs["Board"].pk)
    assert "is kept in “Board” already" in place(staff, ana, club=clubs["Board"].pk)
    assert now(ana).version == version + 1
    with in_tenant(tenant):
        record_gift(ana.contact, 1000, date(2025, 3, 1))
    assert str(now(ana).club) == "Board"
    said = text(client, page_of(ana))
    assert "Placed by hand" in said and "Automatic again" in said
    assert said.index(">Board</a>") < said.index(">Silver</a>"), "clubs over time, the newest first"
    assert "Ana Ruiz is placed by what they give again: in “Gold”." in place(staff, ana, "automatic")
    assert "Automatic again" not in text(client, page_of(ana))
    assert "Ana Ruiz is kept in no club now" in place(staff, ana)
    assert now(ana).club_is_by_hand and now(ana).club is None
    assert "That club is not here any more" in place(staff, ana, club="999999")
    told = good(Program(tenant).read(str(ana.uid)))
    assert [one["end_date"] is None for one in told["donor_club_history"]] == [False, False, False]


def test_A13_a_donor_who_is_gone_in_the_moment_is_placed_nowhere(
    tenant: Tenant, client: Client, clubs: dict[str, DonorClub], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Program(tenant).create(person(tenant))
    with in_tenant(tenant):
        row = Donor.objects.get(uid=made["id"])
    monkeypatch.setattr(donors, "locked", lambda uids: {})
    assert "This donor is not here any more" in place(client, row, club=clubs["Gold"].pk)
    assert now(row).club is None


def test_A11_what_staff_note_raises_the_version_and_programs_read_it(
    tenant: Tenant, client: Client, ana: Donor
) -> None:
    before = now(ana)
    assert save(client, before, anonymous="on", notes="Met in May", external_id=" w-1 ").status_code == 302
    told = good(Program(tenant).read(str(ana.uid)))
    assert (told["anonymous"], told["notes"], told["sys_external_id"]) == (True, "Met in May", "w-1")
    assert told["sys_version"] == before.version + 1
    again = now(ana)
    assert save(client, again, anonymous="on", **{"initial-anonymous": "True"}).status_code == 302
    assert now(ana).version == again.version, "nothing was changed"


def test_A11_a_donor_that_staff_lock_is_refused_to_programs_and_still_open_to_staff(
    tenant: Tenant, client: Client, ana: Donor
) -> None:
    save(client, now(ana), is_locked="on")
    program = Program(tenant)
    assert good(program.read(str(ana.uid)))["sys_locked"] is True
    refused(program.patch(str(ana.uid), replace("/notes", "x")), 403, "locked")
    words = "Programs may read this donor through the donors API, and change nothing of it there."
    assert words in text(client, page_of(ana))
    save(client, now(ana), is_locked="on", notes="Written by staff", **{"initial-is_locked": "True"})
    assert now(ana).notes == "Written by staff"
    save(client, now(ana), **{"initial-is_locked": "True"})
    good(program.patch(str(ana.uid), replace("/notes", "By a program")))


def test_A10_an_identifier_that_another_donor_has_is_refused_with_words(
    tenant: Tenant, neighbour: Tenant, client: Client, ana: Donor
) -> None:
    other, theirs = giver(tenant, 5), giver(neighbour, 5)
    with in_tenant(neighbour):
        Donor.objects.filter(pk=theirs.pk).update(external_id="n-1")
    save(client, other, external_id="w-1")
    answer = save(client, ana, external_id="w-1")
    assert "Another donor has that identifier already." in answer.content.decode()
    assert save(client, ana, external_id="n-1").status_code == 302, "a neighbour's is nobody's"


def test_A10_two_people_at_one_donor_keep_what_each_has_changed(tenant: Tenant, client: Client, ana: Donor) -> None:
    stale = now(ana)
    good(Program(tenant).patch(str(ana.uid), replace("/notes", "From the website")))
    save(client, stale, anonymous="on")
    assert (now(ana).anonymous, now(ana).notes) == (True, "From the website")
    answer = save(client, stale, notes="Mine", anonymous="on", **{"initial-anonymous": "True"})
    assert "Somebody has changed this to “From the website” while the page was open" in answer.content.decode()


def test_A13_a_viewer_looks_and_changes_nothing_and_a_neighbour_finds_nobody(
    tenant: Tenant, neighbour: Tenant, clubs: dict[str, DonorClub], ana: Donor
) -> None:
    viewer, stranger = logged_in(tenant, Role.VIEWER), logged_in(neighbour)
    assert "Keep in this club" not in text(viewer, page_of(ana))
    for client, status in ((viewer, 403), (stranger, 404)):
        assert client.post(page_of(ana), {"notes": "x"}).status_code == status
        assert client.post(f"/admin/gifts/donor/{ana.pk}/club/", {"verb": "keep"}).status_code == status
    assert stranger.get(page_of(ana)).status_code == 404
    assert viewer.get(f"/admin/gifts/donor/{ana.pk}/club/").status_code == 405
    theirs = giver(neighbour, 5)
    with in_tenant(tenant):
        foreign = clubs["Gold"].pk
    assert "That club is not here any more" in place(logged_in(neighbour), theirs, club=foreign)
    assert now(theirs).club is None and not now(ana).notes


def test_A13_nobody_is_added_or_deleted_there_and_the_list_is_the_page_of_donors(
    neighbour: Tenant, client: Client, ana: Donor
) -> None:
    assert logged_in(neighbour).post(f"/admin/gifts/donor/{ana.pk}/delete/", {"post": "yes"}).status_code == 404
    assert client.get("/admin/gifts/donor/").headers["Location"] == LIST
    assert client.get("/admin/gifts/donor/add/").status_code == 403
    assert client.post(f"/admin/gifts/donor/{ana.pk}/delete/", {"post": "yes"}).status_code == 403


# --- the contact's page, the list, the file ---


def test_A13_the_contacts_page_names_the_club(tenant: Tenant, client: Client, ana: Donor) -> None:
    said = text(client, f"/admin/contacts/contact/{ana.contact_id}/change/")
    assert "In the donor club <strong>Silver</strong> since" in said
    assert f'href="{page_of(ana)}"' in said
    made = Program(tenant).create(person(tenant), anonymous=True)
    with in_tenant(tenant):
        row = Donor.objects.get(uid=made["id"])
    assert "Wants to stay anonymous" in text(client, f"/admin/contacts/contact/{row.contact_id}/change/")


def test_A13_donors_are_listed_and_found_by_club(
    tenant: Tenant, client: Client, clubs: dict[str, DonorClub], ana: Donor
) -> None:
    bo = giver(tenant, 5000, first_name="Bo", last_name="Lund")
    cy = giver(tenant, 5, first_name="Cy", last_name="Lund")
    early = Program(tenant).create(person(tenant, first_name="Di", last_name="Lund"))
    with in_tenant(tenant):
        di = Donor.objects.get(uid=early["id"])
        donors.place_by_hand(di, clubs["Gold"])
        Donor.objects.filter(pk=cy.pk).update(anonymous=True)
        Donor.objects.filter(pk=bo.pk).update(is_locked=True)
    names = {"Ana Ruiz": ana, "Bo Lund": bo, "Cy Lund": cy, "Di Lund": di}
    for asked, found in (
        ({}, "Ana Ruiz,Bo Lund,Cy Lund"), ({"club": clubs["Silver"].pk}, "Ana Ruiz"),
        ({"club": clubs["Gold"].pk}, "Bo Lund,Di Lund"), ({"club": "none"}, "Cy Lund"), ({"club": "hand"}, "Di Lund"),
        ({"club": "none", "q": "ruiz"}, ""), ({"club": "x"}, ""), ({"noted": "anonymous"}, "Cy Lund"),
        ({"noted": "locked"}, "Bo Lund"), ({"noted": "nothing"}, "Di Lund"),
    ):  # fmt: skip
        said = text(client, LIST, **asked)
        assert [name for name, row in names.items() if f'href="{page_of(row)}"' in said] == found.split(",") * bool(
            found
        )
    said = text(client, "/admin/gifts/donorclub/")
    assert f'?club={clubs["Gold"].pk}">2 donors<' in said, "as many as the link shows"
    shown = text(client, LIST)
    assert shown.index("Bo Lund") < shown.index("Gold") < shown.index("Ana Ruiz")
    assert shown.count(">Anonymous<") == 1


def test_A13_the_file_of_donors_has_their_club(
    tenant: Tenant, client: Client, clubs: dict[str, DonorClub], ana: Donor
) -> None:
    giver(tenant, 5, first_name="Cy", last_name="Lund")
    with in_tenant(tenant):
        donors.place_by_hand(ana, clubs["Gold"])
        Donor.objects.filter(pk=ana.pk).update(anonymous=True)
    form = {"what": "donors", "form": "csv", "column": ["Donor", "Donor club", "Placed by hand", "Version"]}
    for query, wanted in (("", ["Ana Ruiz", "Cy Lund"]), (f"club={clubs['Gold'].pk}", ["Ana Ruiz"])):
        file = client.post("/admin/contacts/export/new/", form | {"query": query})
        rows = list(csv.DictReader(StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
        said = {row["Donor"]: row for row in rows}
        assert list(said) == wanted
        assert (said["Ana Ruiz"]["Donor club"], said["Ana Ruiz"]["Placed by hand"]) == ("Gold", "yes")
        assert said["Ana Ruiz"]["Wants to stay anonymous"] == "yes", "whoever prints a list of donors sees it"
        assert said["Ana Ruiz"]["Version"] == str(now(ana).version)


def test_A13_as_many_queries_for_many_gifts_clubs_and_donors_as_for_few(
    tenant: Tenant, client: Client, clubs: dict[str, DonorClub], ana: Donor
) -> None:
    def queries() -> list[int]:
        found = []
        for address in (page_of(ana), LIST, f"{LIST}?club={clubs['Silver'].pk}",
                        f"/admin/contacts/contact/{ana.contact_id}/change/"):  # fmt: skip
            client.get(address)
            with CaptureQueriesContext(connection) as caught:
                client.get(address)
            found.append(len(caught))
        return found

    giver(tenant, 100)
    few = queries()
    with in_tenant(tenant):
        silver = clubs["Silver"].pk
        DonorClubSpell.objects.bulk_create(
            [DonorClubSpell(donor_uid=ana.uid, club_id=silver, start_on=date(2024, 1, 1), end_on=date(2024, 1, 2))] * 40
        )
        DonorClub.objects.bulk_create([DonorClub(name=f"Club {n}", minimum=10**6 + n) for n in range(30)])
        people = Contact.objects.bulk_create([Contact(first_name="P") for _ in range(60)])
        record_gifts(Gift(contact=one, amount=100, received_on=date(2026, 1, 1)) for one in [ana.contact, *people])
        assert Giving.objects.count() == Donor.objects.count() == 62
    assert "Next" in text(client, page_of(ana))
    assert queries() == few


def test_A13_a_donor_without_gifts_has_a_page_like_others(tenant: Tenant, client: Client) -> None:
    made = Program(tenant).create(ContactFactory(tenant=tenant), notes="Early")
    with in_tenant(tenant):
        row = Donor.objects.get(uid=made["id"])
    said = text(client, page_of(row))
    assert "They have been in no club so far." in said and "Early" in said and "Website" in said
