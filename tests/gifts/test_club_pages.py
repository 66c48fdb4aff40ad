"""The pages of donor clubs: what staff see of them, change in them, and may not delete (A13)."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts import donors, jobs, placing, running
from gifts.models import Donor, DonorClub, DonorClubSpell, Gift, RuleRun
from gifts.services import record_gift, record_gifts, refund
from tests.factories import ContactFactory
from tests.gifts.donors_api import giver
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db

LIST = "/admin/gifts/donorclub/"
TYPED = {"name": "Gold", "minimum": "1000", "basis": "lifetime", "is_automatic": "on"}


def text(client: Client, address: str, **asked: Any) -> str:
    page = client.get(address, asked)
    assert page.status_code == 200, page
    return " ".join(page.content.decode().split())


def save(client: Client, club: DonorClub | None = None, **values: Any) -> str:
    """What the page says after it."""
    typed = {name: value for name, value in (TYPED | values).items() if value is not None}
    address = f"{LIST}{club.pk}/change/" if club else f"{LIST}add/"
    answer = client.post(address, typed, follow=True)
    assert answer.redirect_chain, answer.context["adminform"].form.errors
    return " ".join(answer.content.decode().split())


@pytest.fixture
def silver(tenant: Tenant) -> DonorClub:
    with in_tenant(tenant):
        found: DonorClub = DonorClub.objects.create(name="Silver", minimum=100)
    return found


def die(*_: Any) -> None:
    raise RuntimeError("killed")


def club_of(row: Donor) -> str:
    with in_tenant(row.tenant):
        now = Donor.objects.select_related("club").get(pk=row.pk)
        return str(now.club or "")


def test_A13_a_club_is_added_by_staff_and_donors_join_it_at_once(tenant: Tenant, client: Client) -> None:
    assert "A club is a level of giving with a name" in text(client, LIST)
    row, small = giver(tenant, 1000), giver(tenant, 999)
    said = save(logged_in(tenant, Role.STAFF))
    assert "1 donor changed clubs." in said
    assert "$1,000.00" in said and "Everything given" in said
    assert (club_of(row), club_of(small)) == ("Gold", "")
    with in_tenant(tenant):
        club = DonorClub.objects.get()
        assert HistoryEntry.objects.filter(what="place in a donor club", label="Gold").count() == 1
    assert f'/admin/gifts/giving/?club={club.pk}">1 donor<' in text(client, LIST)
    assert "Donors join it from $1,000 given in all" in text(client, f"{LIST}{club.pk}/change/")


@pytest.mark.parametrize(("values", "joined"), [
    ({"minimum": "50"}, True), ({"minimum": "100.01"}, False), ({"basis": "largest", "minimum": "60"}, True),
    ({"basis": "largest", "minimum": "61"}, False), ({"basis": "fiscal_year", "minimum": "1"}, False),
    ({"is_automatic": None}, False),
])  # fmt: skip
def test_A13_donors_follow_a_club_that_changes_and_versions_rise_with_it(
    tenant: Tenant, client: Client, silver: DonorClub, values: dict[str, Any], joined: bool
) -> None:
    row = giver(tenant, 60, 40)
    with in_tenant(tenant):
        DonorClub.objects.create(name="Bronze", minimum=1)
        version = Donor.objects.get().version
    save(client, silver, **{"name": "Silver", "minimum": "100"} | values)
    assert club_of(row) == ("Silver" if joined else "Bronze")
    with in_tenant(tenant):
        assert Donor.objects.get().version == version + (not joined)
        assert DonorClubSpell.objects.count() == 2 - joined
        assert DonorClubSpell.objects.filter(end_on=None).count() == 1


def test_A13_another_name_moves_nobody_and_begins_nothing(tenant: Tenant, client: Client, silver: DonorClub) -> None:
    row = giver(tenant, 100)
    save(client, silver, name="Silver birch", minimum="100")
    with in_tenant(tenant):
        assert not RuleRun.objects.exists()
        assert Donor.objects.get().version == row.version
    assert club_of(row) == "Silver birch"


def test_A13_whoever_is_placed_by_hand_stays_when_their_club_changes(
    tenant: Tenant, client: Client, silver: DonorClub
) -> None:
    row = giver(tenant, 5)
    with in_tenant(tenant):
        donors.place_by_hand(row, silver)
    save(client, silver, name="Silver", minimum="500")
    assert club_of(row) == "Silver"
    assert "1 was placed by hand and stays whatever that donor gives" in text(client, f"{LIST}{silver.pk}/change/")


def test_A13_many_donors_are_placed_in_turns_that_may_be_killed_and_the_page_shows_how_far_it_is(
    tenant: Tenant, neighbour: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [giver(tenant, 100) for _ in range(5)]
    theirs = giver(neighbour, 100)
    monkeypatch.setattr(running, "BATCH", 2)
    monkeypatch.setattr(placing, "AT_ONCE_SECONDS", 0)
    said = save(client, minimum="100")
    assert "It goes on if you leave this page." in said
    assert "2 of 5</strong> donors are placed" in said
    assert 'hx-get="/admin/gifts/donorclub/progress/"' in said
    with in_tenant(tenant):
        run = RuleRun.objects.get()
        assert Donor.objects.exclude(club=None).count() == 2
        with pytest.raises(RuntimeError), monkeypatch.context() as killed:
            killed.setattr("gifts.follow.note_spells", die)
            jobs.carry_on_run(run.pk)
        assert Donor.objects.exclude(club=None).count() == 2, "the turn is lost as a whole"
        RuleRun.objects.update(token="")
    assert run.pk in running.waiting(), "the sweep rings again"
    jobs.carry_on_run(run.pk)
    assert [club_of(row) for row in rows] == ["Gold"] * 5
    assert club_of(theirs) == ""
    assert client.get(f"{LIST}progress/").headers["HX-Refresh"] == "true"
    assert 'hx-get="/admin/gifts/donorclub/progress/"' not in text(client, LIST)


def test_A13_a_second_change_begins_anew_so_that_nobody_is_placed_by_the_first(
    tenant: Tenant, client: Client, silver: DonorClub, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [giver(tenant, 50) for _ in range(5)]
    monkeypatch.setattr(running, "BATCH", 2)
    monkeypatch.setattr(placing, "AT_ONCE_SECONDS", 0)
    save(client, silver, name="Silver", minimum="10")
    with in_tenant(tenant):
        first = RuleRun.objects.get()
    save(client, silver, name="Silver", minimum="60")
    jobs.carry_on_run(first.pk)
    with in_tenant(tenant):
        jobs.carry_on_run(RuleRun.objects.get().pk)
    assert [club_of(row) for row in rows] == [""] * 5


def test_A13_placing_that_stopped_says_so_and_is_begun_again(tenant: Tenant, client: Client, silver: DonorClub) -> None:
    row = giver(tenant, 50)
    save(client, silver, name="Silver", minimum="100.5")
    with in_tenant(tenant):
        RuleRun.objects.update(state="failed", error=running.STUCK)
        DonorClub.objects.update(minimum=50)
    assert "Not everybody is in the right club yet" in text(client, LIST)
    assert client.get(f"{LIST}again/").status_code == 405
    assert logged_in(tenant, Role.VIEWER).post(f"{LIST}again/").status_code == 403
    assert "1 donor changed clubs." in client.post(f"{LIST}again/", follow=True).content.decode()
    assert club_of(row) == "Silver"


def test_A13_a_club_that_was_used_stays_with_the_reason_and_one_that_nobody_was_in_goes(
    tenant: Tenant, client: Client, silver: DonorClub
) -> None:
    with in_tenant(tenant):
        contact = ContactFactory()
        gift = record_gift(contact, 100, date(2025, 1, 1))
        unused = DonorClub.objects.create(name="Nobody’s", minimum=10**6)
    delete = f"{LIST}{silver.pk}/delete/"
    said = text(client, delete)
    assert "1 donor is in “Silver”, so it cannot be deleted." in said
    assert "Switch off “Fills by itself”, and whoever is in it by what they give leaves it." in said
    assert "Delete donor club" not in said
    client.post(delete, {"post": "yes"})
    with in_tenant(tenant):
        refund(gift)
    assert "Nobody is in “Silver” now, but donors were, and that stays in their history." in text(client, delete)
    client.post(delete, {"post": "yes"})
    with in_tenant(tenant), pytest.raises(placing.ClubRefused):
        placing.delete(silver)
    assert "Nobody is in it, and nobody ever was." in text(client, f"{LIST}{unused.pk}/delete/")
    client.post(f"{LIST}{unused.pk}/delete/", {"post": "yes"})
    with in_tenant(tenant):
        assert [club.name for club in DonorClub.objects.all()] == ["Silver"]


def test_A13_what_is_typed_wrong_is_said_in_words(tenant: Tenant, client: Client, silver: DonorClub) -> None:
    for values, words in (
        ({"name": " Silver "}, "There is a club of that name."), ({"minimum": "-1"}, "greater than or equal to 0"),
        ({"minimum": "NaN"}, "Enter a number."), ({"name": ""}, "This field is required."),
        ({"minimum": ""}, "This field is required."),
        ({"minimum": "100"}, "“Silver” fills by itself from the same amount already, so nobody would join this one."),
    ):  # fmt: skip
        answer = client.post(f"{LIST}add/", TYPED | values)
        assert answer.status_code == 200
        assert words in answer.content.decode(), values
    with in_tenant(tenant):
        assert DonorClub.objects.count() == 1
    assert 'value="0' not in text(client, f"{LIST}add/"), "nobody lets everybody in by overlooking it"


def test_A13_a_viewer_looks_and_a_neighbour_sees_nothing(tenant: Tenant, neighbour: Tenant, silver: DonorClub) -> None:
    giver(tenant, 100)
    viewer, stranger = logged_in(tenant, Role.VIEWER), logged_in(neighbour)
    assert "Silver" in text(viewer, LIST)
    assert viewer.get(f"{LIST}{silver.pk}/change/").status_code == 200
    assert viewer.post(f"{LIST}{silver.pk}/change/", TYPED).status_code == 403
    assert viewer.get(f"{LIST}add/").status_code == 403
    assert "Silver" not in text(stranger, LIST)
    for address in (f"{LIST}{silver.pk}/change/", f"{LIST}{silver.pk}/delete/"):
        assert stranger.get(address).status_code == 404
        assert stranger.post(address, TYPED | {"post": "yes"}).status_code == 404
    with in_tenant(tenant):
        assert DonorClub.objects.get().name == "Silver"


def test_A13_as_many_queries_for_40_clubs_and_200_donors_as_for_1(
    tenant: Tenant, client: Client, silver: DonorClub
) -> None:
    def queries() -> list[int]:
        client.get(LIST)
        found = []
        for address in (LIST, f"{LIST}{silver.pk}/change/", f"{LIST}{silver.pk}/delete/"):
            with CaptureQueriesContext(connection) as caught:
                client.get(address)
            found.append(len(caught))
        return found

    giver(tenant, 100)
    few = queries()
    with in_tenant(tenant):
        DonorClub.objects.bulk_create([DonorClub(name=f"Club {n}", minimum=n) for n in range(39)])
        people = Contact.objects.bulk_create([Contact(first_name="P") for _ in range(200)])
        record_gifts(Gift(contact=one, amount=n, received_on=date(2026, 1, 1)) for n, one in enumerate(people, 1))
    assert queries() == few


def test_A13_placing_500_donors_anew_takes_as_many_queries_as_5(tenant: Tenant, silver: DonorClub) -> None:
    from gifts import follow

    def queries(count: int) -> int:
        people = Contact.objects.bulk_create([Contact(first_name="P") for _ in range(count)])
        record_gifts(Gift(contact=one, amount=[10, 200][n % 2], received_on=date(2025, 1, 1))
                     for n, one in enumerate(people))  # fmt: skip
        DonorClub.objects.filter(pk=silver.pk).update(minimum=300)
        with CaptureQueriesContext(connection) as caught:
            assert follow.place_anew([one.pk for one in people]) == count // 2
        DonorClub.objects.filter(pk=silver.pk).update(minimum=100)
        return sum(not one["sql"].startswith("INSERT") for one in caught.captured_queries)

    with in_tenant(tenant):
        assert queries(5) == queries(500)
