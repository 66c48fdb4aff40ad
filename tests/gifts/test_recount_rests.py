"""A recount of what has not changed changes nothing, in both databases: amounts are stored to the cent (A7, A14)."""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.demo.giving import Giver
from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import totals
from gifts.models import Donor, Gift, Giving, Pledge
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db
# As somebody reckons them: thirds, many places, sums that floating point cannot hold.
RECKONED = st.builds(lambda whole, parts: Decimal(whole) / parts, st.integers(1, 9_999_999), st.integers(1, 13))


def state() -> list[Any]:
    """All that a recount may change, and how much is told of it."""
    return [
        list(Giving.objects.order_by("pk").values()), list(Donor.objects.order_by("pk").values()),
        HistoryEntry.objects.count(),
    ]  # fmt: skip


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    promised=st.lists(RECKONED, max_size=3), given_=st.lists(RECKONED, min_size=1, max_size=8),
    refunded=st.integers(0, 3), written_off=st.integers(0, 4),
)  # fmt: skip
def test_A7_a_recount_of_what_has_not_changed_changes_nothing(
    tenant: Tenant, donor: Contact, promised: list[Decimal], given_: list[Decimal], refunded: int, written_off: int
) -> None:
    with in_tenant(tenant):
        Gift.objects.filter(contact=donor).delete()
        Pledge.objects.filter(contact=donor).delete()
        pledges = [
            Pledge.objects.create(
                contact=donor, amount=of, started_on=date(2025, 1, 1), written_off=of * written_off / 7
            )
            for of in promised
        ]  # fmt: skip
        Gift.objects.bulk_create([
            Gift(contact=donor, amount=of + 1, received_on=date(2025, 2, 1 + number), refunded=of * refunded / 7,
                 pledge=pledges[number % len(pledges)] if pledges else None)
            for number, of in enumerate(given_)
        ])  # fmt: skip
        before = state()
        mended = totals.recount_all()
        assert (mended.differing, mended.changed) == (0, 0)
        assert state() == before
        row, shown = Giving.objects.get(contact=donor), Gift.objects.in_totals().filter(contact=donor)
        assert row.total == sum(gift.amount - gift.refunded for gift in shown)


def test_A7_amounts_are_stored_to_the_cent_on_every_way_in(tenant: Tenant, donor: Contact) -> None:
    third = Decimal(1250) / 3
    with in_tenant(tenant):
        pledge = Pledge.objects.create(contact=donor, amount=third, started_on=date(2025, 1, 1))
        one = Gift.objects.create(contact=donor, amount=third, received_on=date(2025, 2, 1), pledge=pledge)
        (two,) = Gift.objects.bulk_create([Gift(contact=donor, amount=third, received_on=date(2025, 2, 2))])
        assert one.amount == two.amount == pledge.amount == Decimal("416.67")
        Gift.objects.filter(pk=one.pk).update(amount=Decimal(1000) / 7)
        two.amount = Decimal("0.005")
        Gift.objects.bulk_update([two], ["amount"])
        # Asked of the database: what it has stored, not what is read from it.
        for row, stored in ((one, "142.86"), (two, "0.01")):
            assert Gift.objects.filter(pk=row.pk, amount=Decimal(stored)).exists()


def test_A7_the_demos_donors_have_given_amounts_to_the_cent_and_their_recount_rests(tenant: Tenant) -> None:
    with in_tenant(tenant):
        people = [ContactFactory() for _ in range(6)]
        giver = Giver(7, date(2026, 5, 1), ["Gala"], 1.0)
        giver.random = Random(3)  # noqa: S311 - invented data
        rows = [row for contact in people for row in giver.large(contact)]
        assert len(rows) > 9 and all(row.amount == row.amount.quantize(Decimal("0.01")) for row in rows)
        for row in rows[:9]:
            if isinstance(row, Gift):
                row.pledge = row.pledge  # it has its number by now
            row.save()
        before = state()
        assert totals.recount_all().changed == 0
        assert state() == before
