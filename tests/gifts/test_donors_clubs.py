"""Donor clubs and totals: assigned by what was given, kept in a history, equal to a recount from nothing (A13, A14)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.duplicates.merge import merge
from contacts.duplicates.unmerge import undo
from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import donors, jobs, services, totals
from gifts.clubs import club_for
from gifts.models import Donor, DonorClub, DonorClubSpell, Gift, Giving, Pledge
from gifts.services import record_gift, record_pledge, refund, write_off
from tests.factories import ContactFactory
from tests.gifts.donors_api import Program, giver, good, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def clubs(tenant: Tenant) -> dict[str, DonorClub]:
    with in_tenant(tenant):
        return {
            name: DonorClub.objects.create(name=name, minimum=minimum, **more)
            for name, minimum, more in (
                ("Silver", 100, {}), ("Gold", 1000, {}), ("Staff’s choice", 0, {"is_automatic": False}),
            )
        }  # fmt: skip


@pytest.fixture
def _today() -> Iterator[None]:
    with time_machine.travel("2026-05-01 12:00", tick=False):
        yield


class Club:
    def __init__(self, pk: int, minimum: int, basis: str = "lifetime", is_automatic: bool = True) -> None:
        self.pk, self.minimum, self.basis, self.is_automatic = pk, Decimal(minimum), basis, is_automatic


@pytest.mark.parametrize(("lifetime", "year", "largest", "wanted"), [
    (0, 0, 0, None), ("99.99", 0, 0, None), (100, 0, 0, 1), (999, 0, 0, 1), (1000, 0, 0, 2), (0, 50, 0, 3),
    (1000, 50, 0, 2), (0, 0, 500, 4), (100, 0, 500, 4), (0, 0, 100_000, 4),
])  # fmt: skip
def test_A13_the_highest_minimum_that_is_reached_wins(
    lifetime: Any, year: Any, largest: Any, wanted: int | None
) -> None:
    every = [
        Club(1, 100), Club(2, 1000), Club(3, 50, "fiscal_year"), Club(4, 500, "largest"), Club(5, 0, "lifetime", False),
        Club(6, 100),
    ]  # fmt: skip
    given = {"lifetime": Decimal(lifetime), "fiscal_year": Decimal(year), "largest": Decimal(largest)}
    found = club_for(every, given)
    assert (found.pk if found else None) == wanted


def shown(tenant: Tenant, row: Donor) -> dict[str, Any]:
    found: dict[str, Any] = good(Program(tenant, "donors:read").read(str(row.uid)))
    return found


def test_A13_a_club_is_reached_and_left_and_each_change_stands_in_the_history(
    tenant: Tenant, clubs: dict[str, DonorClub]
) -> None:
    with time_machine.travel("2026-05-01 12:00"):
        row = giver(tenant, 60)
        assert shown(tenant, row)["donor_club_history"] == [] and "donor_club_id" not in shown(tenant, row)
    with time_machine.travel("2026-05-02 12:00"), in_tenant(tenant):
        gift = record_gift(row.contact, 40, date(2026, 5, 2))
    with time_machine.travel("2026-05-03 12:00"), in_tenant(tenant):
        big = record_gift(row.contact, 900, date(2026, 5, 3))
    with time_machine.travel("2026-05-04 12:00"), in_tenant(tenant):
        refund(big)
    with time_machine.travel("2026-05-05 12:00"), in_tenant(tenant):
        services.delete_gift(gift)
    silver, gold = str(clubs["Silver"].uid), str(clubs["Gold"].uid)
    said = shown(tenant, row)
    assert "donor_club_id" not in said and said["sys_version"] == 5
    assert [(h["donor_club_id"], h["start_date"][-2:], h["end_date"][-2:]) for h in said["donor_club_history"]] == [
        (silver, "02", "03"), (gold, "03", "04"), (silver, "04", "05"),
    ]  # fmt: skip
    with in_tenant(tenant):
        told = HistoryEntry.objects.filter(what="place in a donor club").order_by("pk").values_list("verb", "label")
        assert list(told) == [
            ("added", "Silver"), ("deleted", "Silver"), ("added", "Gold"), ("deleted", "Gold"), ("added", "Silver"),
            ("deleted", "Silver"),
        ]  # fmt: skip


def test_A11_A13_a_club_by_hand_is_one_version_more_and_keeping_the_same_club_is_none(
    tenant: Tenant, clubs: dict[str, DonorClub]
) -> None:
    row = giver(tenant, 100)
    versions = []
    with in_tenant(tenant):
        for club, is_by_hand in (("Silver", True), ("Gold", True), ("", False), ("Silver", True), ("", False)):
            donors.place_by_hand(row, clubs[club] if club else None, is_by_hand)
            versions.append(Donor.objects.get().version - row.version)
    assert versions == [0, 1, 2, 2, 2]


def test_A13_who_is_placed_by_hand_stays_until_it_is_left_to_their_giving(
    tenant: Tenant, clubs: dict[str, DonorClub]
) -> None:
    row = giver(tenant, 100)
    with in_tenant(tenant):
        donors.place_by_hand(row, clubs["Staff’s choice"])
        record_gift(row.contact, 1000, date(2026, 1, 1))
        totals.recount_all()
        assert Donor.objects.get().club == clubs["Staff’s choice"]
        donors.place_by_hand(row, None)
        record_gift(row.contact, 1000, date(2026, 1, 2))
        assert Donor.objects.get().club is None
        donors.place_by_hand(row, None, is_by_hand=False)
        assert Donor.objects.get().club == clubs["Gold"]
        spells = list(DonorClubSpell.objects.order_by("pk").values_list("club__name", "end_on"))
    assert [(name, end is None) for name, end in spells] == [
        ("Silver", False), ("Staff’s choice", False), ("Gold", True),
    ]  # fmt: skip


def test_A13_at_the_turn_of_the_fiscal_year_the_night_moves_those_whose_year_is_over(
    tenant: Tenant, neighbour: Tenant
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(fiscal_year_start=7)
    tenant.refresh_from_db()
    with in_tenant(tenant):
        DonorClub.objects.create(name="This year", minimum=50, basis="fiscal_year")
    with time_machine.travel("2026-06-30 16:00"):
        row, other = person(tenant), person(tenant)
        with in_tenant(tenant):
            record_gift(row, 50, date(2025, 7, 1))
            record_gift(other, 50, date(2025, 6, 30))
            assert [d.club_id is not None for d in Donor.objects.order_by("pk")] == [True, False]
        jobs.night_of(tenant.pk)
        with in_tenant(tenant):
            assert Donor.objects.get(contact=row).club_id
    with time_machine.travel("2026-07-01 16:00"):
        jobs.night_of(tenant.pk)
        jobs.night_of(neighbour.pk)
    with in_tenant(tenant):
        assert Donor.objects.get(contact=row).club_id is None
        assert DonorClubSpell.objects.get().end_on == date(2026, 7, 1)
        assert not HistoryEntry.objects.filter(what="totals of giving").exists(), "nothing was wrong"


def test_A13_a_neighbours_clubs_say_nothing(tenant: Tenant, neighbour: Tenant) -> None:
    with in_tenant(neighbour):
        DonorClub.objects.create(name="Silver", minimum=1)
    assert "donor_club_id" not in shown(tenant, giver(tenant, 100))
    theirs = giver(neighbour, 100)
    assert shown(neighbour, theirs)["donor_club_id"]


def test_A13_500_donors_take_as_many_queries_as_5(tenant: Tenant, clubs: dict[str, DonorClub]) -> None:
    def queries(count: int) -> int:
        people = Contact.objects.bulk_create([Contact(first_name="P") for _ in range(count)])
        gifts = [Gift(contact=each, amount=[10, 100, 1000][n % 3], received_on=date(2025, 1, 1))
                 for n, each in enumerate(people)]  # fmt: skip
        with CaptureQueriesContext(connection) as caught:
            services.record_gifts(gifts)
        return sum(not one["sql"].startswith("INSERT") for one in caught.captured_queries)

    with in_tenant(tenant):
        assert queries(5) == queries(500)
        assert Donor.objects.filter(club=clubs["Gold"]).count() == 1 + 166
        assert DonorClubSpell.objects.count() == Donor.objects.exclude(club=None).count()


def test_A14_totals_and_balance_are_right_at_once_after_everything_that_happens(tenant: Tenant) -> None:
    row = giver(tenant, "100.10")
    with in_tenant(tenant):
        pledge = record_pledge(row.contact, 300, date(2025, 1, 1))
        other = record_pledge(row.contact, 50, date(2025, 1, 1))
        assert balance(tenant, row) == 350
        gift = record_gift(row.contact, 120, date(2025, 2, 1), pledge=pledge)
        assert balance(tenant, row) == 230
        services.correct(gift, amount=400)
        assert balance(tenant, row) == 50, "what was paid in excess makes up for no other pledge"
        refund(gift, 150)
        assert balance(tenant, row) == 100
        write_off(other, 20)
        assert balance(tenant, row) == 80
        stranger = ContactFactory()
        paid = record_gift(stranger, 10, date(2025, 3, 1), pledge=pledge)
        assert balance(tenant, row) == 70, "somebody else may pay"
        services.correct(paid, amount=20)
        assert balance(tenant, row) == 60
        services.delete_gift(gift)
        assert shown(tenant, row)["total_amount_of_gifts"] == 100.1
        pledge.delete()
        assert balance(tenant, row) == 30
        Pledge.objects.all().delete()
        assert balance(tenant, row) == 0
        before = list(Giving.objects.order_by("pk").values())
        assert totals.recount_all().differing == 0
        assert list(Giving.objects.order_by("pk").values()) == before


def balance(tenant: Tenant, row: Donor) -> Any:
    return shown(tenant, row)["pledge_balance"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["give", "give", "pledge", "pay", "refund", "correct", "delete", "write off", "merge"]),
        st.integers(0, 9), st.decimals("0.01", 900, places=2),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@pytest.mark.once
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_A14_totals_clubs_and_versions_are_what_a_recount_from_nothing_finds(
    tenant: Tenant, steps: list[tuple[str, int, Decimal]]
) -> None:
    with in_tenant(tenant):
        Gift.objects.all().delete()
        Pledge.objects.all().delete()
        Donor.objects.all().delete()
        DonorClub.objects.get_or_create(name="Silver", minimum=100)
        DonorClub.objects.get_or_create(name="Large", minimum=300, basis="largest")
        people: list[Contact] = [ContactFactory(email="") for _ in range(3)]
        for verb, which, amount in steps:
            take(verb, which, amount, people)
        found = states()
        versions = list(Donor.objects.order_by("pk").values_list("uid", "version"))
        assert totals.recount_all().changed == 0
        assert list(Donor.objects.order_by("pk").values_list("uid", "version")) == versions
        Giving.objects.all().delete()
        totals.recount_all()
        assert states() == found
        opened = set(DonorClubSpell.objects.filter(end_on=None).values_list("donor_uid", "club_id"))
        assert {(row.uid, row.club_id) for row in Donor.objects.exclude(club=None)} <= opened


def take(verb: str, which: int, amount: Decimal, people: list[Contact]) -> None:
    here = [one for one in people if Contact.objects.filter(pk=one.pk).exists()]
    one, gifts, pledges = (
        here[which % len(here)],
        list(Gift.objects.order_by("pk")),
        list(Pledge.objects.order_by("pk")),
    )
    if verb == "give":
        record_gift(one, amount, date(2025, 1, 1 + which))
    elif verb == "pledge":
        record_pledge(one, amount, date(2025, 1, 1))
    elif verb == "pay" and pledges:
        record_gift(one, amount, date(2025, 1, 1), pledge=pledges[which % len(pledges)])
    elif verb == "merge" and len(here) > 1:
        merge(here[0], here[-1])
    elif verb == "write off" and pledges:
        write_off(pledges[which % len(pledges)])
    elif gifts and verb in ("refund", "correct", "delete"):
        gift = gifts[which % len(gifts)]
        if verb == "refund":
            refund(gift)
        elif verb == "delete":
            services.delete_gift(gift)
        elif not gift.refunded:
            services.correct(gift, amount=amount)


def states() -> list[Any]:
    rows = Donor.objects.order_by("contact_id").select_related("contact__giving")
    names = [name for name in totals.COMPARED if name != "last_amount"]
    return [(row.contact_id, row.club_id, *(getattr(row.contact.giving, name) for name in names)) for row in rows]


# --- merging ---


def test_A14_merging_keeps_a_donors_id_that_programs_know_and_undoing_gives_it_back(
    tenant: Tenant, clubs: dict[str, DonorClub]
) -> None:
    row = giver(tenant, 100)
    kept = person(tenant)
    before = shown(tenant, row)
    with in_tenant(tenant):
        done = merge(kept, row.contact)
        only = Donor.objects.get()
        assert (only.contact_id, only.uid) == (kept.pk, row.uid)
    said = shown(tenant, row)
    assert said["total_amount_of_gifts"] == 100 and said["donor_club_history"] == before["donor_club_history"]
    assert said["sys_version"] > before["sys_version"]
    with in_tenant(tenant):
        back = undo(done)
        assert Donor.objects.get(uid=row.uid).contact_id == back.pk
        assert not Donor.objects.filter(contact=kept, uid=row.uid).exists()
        assert totals.recount_all().differing == 0
    assert shown(tenant, row)["total_amount_of_gifts"] == 100


def test_A14_merging_two_donors_keeps_the_stricter_of_what_both_say(tenant: Tenant) -> None:
    one, other = giver(tenant, 10), giver(tenant, 20)
    with in_tenant(tenant):
        Donor.objects.filter(pk=one.pk).update(notes="Likes birds.")
        Donor.objects.filter(pk=other.pk).update(anonymous=True, notes="Met in May.", external_id="w-1", is_locked=True)
        done = merge(one.contact, other.contact)
        kept = Donor.objects.get()
        assert (kept.uid, kept.anonymous, kept.is_locked, kept.external_id) == (one.uid, True, True, "w-1")
        assert kept.notes == "Likes birds.\n\nMet in May."
        version = kept.version
        undo(done)
        first, second = Donor.objects.get(uid=one.uid), Donor.objects.get(uid=other.uid)
        assert (first.anonymous, first.external_id, first.notes) == (False, "", "Likes birds.")
        assert (second.anonymous, second.external_id, second.notes) == (True, "w-1", "Met in May.")
        assert first.version > version, "a version never goes back"


def test_A14_a_donor_without_gifts_moves_with_its_contact_and_back(tenant: Tenant) -> None:
    gone, kept = person(tenant), person(tenant)
    made = Program(tenant).create(gone, notes="Early")
    with in_tenant(tenant):
        done = merge(kept, gone)
        assert str(Donor.objects.get(contact=kept).uid) == made["id"]
        record_gift(kept, 10, date(2025, 1, 1))
        back = undo(done)
        assert str(Donor.objects.get(contact=back).uid) == made["id"]
        assert Donor.objects.get(contact=kept), "whoever has a gift is a donor"
