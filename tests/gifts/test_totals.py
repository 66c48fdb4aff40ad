"""Totals per donor: right at once after every change, and equal to what a slow, obvious recount finds (M8, M9)."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import jobs, services, totals
from gifts.models import Gift, Giving, Source
from gifts.signals import gifts_changed
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db


def slow(contact: Contact) -> dict[str, Any]:
    """The totals, gift by gift."""
    found = sorted(Gift.objects.filter(contact=contact), key=lambda g: (g.received_on, g.pk))
    here = [g for g in found if g.gone_on is None and not (g.refunded and g.refunded == g.amount)]
    ones = [g for g in here if g.is_one]
    best = sorted(ones, key=lambda g: (-(g.amount - g.refunded), g.received_on, g.pk))
    return {
        "total": sum((g.amount - g.refunded for g in here if g.counts), Decimal(0)),
        "number": len(ones),
        "first_on": ones[0].received_on if ones else None,
        "last_on": ones[-1].received_on if ones else None,
        "last_amount": ones[-1].amount - ones[-1].refunded if ones else Decimal(0),
        "largest": best[0].amount - best[0].refunded if ones else Decimal(0),
        "largest_on": best[0].received_on if ones else None,
    }


NOTHING = dict(zip(totals.VALUES, [Decimal(0), 0, None, None, Decimal(0), Decimal(0), None], strict=True))


def kept(contact: Contact) -> dict[str, Any]:
    """The totals, as they are stored."""
    row = Giving.objects.filter(contact=contact).values(*totals.VALUES).first()
    return row or NOTHING


def right(*contacts: Contact) -> None:
    for contact in contacts:
        assert kept(contact) == slow(contact)


DAYS = st.dates(date(2019, 12, 30), date(2026, 3, 2))
AMOUNTS = st.decimals("0.01", 5000, places=2)
STEPS = st.one_of(
    st.tuples(st.just("record"), st.integers(0, 1), AMOUNTS, DAYS),
    st.tuples(st.just("sent"), st.integers(0, 1), st.decimals("-50", 500, places=2), DAYS, st.sampled_from("ab"),
              st.booleans(), st.booleans()),
    st.tuples(st.just("correct"), st.integers(0, 9), AMOUNTS, DAYS),
    st.tuples(st.just("refund"), st.integers(0, 9), st.sampled_from([None, "0", "0.01", "10"])),
    st.tuples(st.just("reassign"), st.integers(0, 9), st.integers(0, 1)),
    st.tuples(st.just("gone"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("delete many"), st.integers(0, 9)),
)  # fmt: skip


def take(step: tuple[Any, ...], people: list[Contact]) -> None:
    """One thing that somebody does; what is refused changes nothing."""
    verb, which, *rest = step
    gifts = list(Gift.objects.order_by("pk"))
    if verb == "record":
        services.record_gift(people[which], rest[0], rest[1], campaign="Spring")
        return
    if verb == "sent":
        amount, day, key, counts, is_one = rest
        gift = Gift(contact=people[which], amount=amount, received_on=day, counts=counts, is_one=is_one)
        gift.source, gift.source_id = Source.DONORS_API, key
        services.record_gifts([gift])
        return
    if not gifts:
        return
    gift = gifts[which % len(gifts)]
    does: dict[str, Any] = {
        "correct": lambda: services.correct(gift, amount=rest[0], received_on=rest[1]),
        "refund": lambda: services.refund(gift, rest[0]),
        "reassign": lambda: services.reassign(gift, people[rest[0]]),
        "gone": lambda: (services.mark_back if gift.gone_on else services.mark_gone)(gift),
        "delete": lambda: services.delete_gift(gift),
        "delete many": lambda: Gift.objects.filter(pk__gte=gift.pk).delete(),
    }
    with suppress(services.GiftRefused):
        does[verb]()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=10))
@pytest.mark.once
def test_M8_totals_are_a_recount_after_any_order_of_changes(tenant: Tenant, steps: list[Any]) -> None:
    with in_tenant(tenant):
        Gift.objects.all().delete()
        people: list[Contact] = [ContactFactory(email=""), ContactFactory(email="")]
        for step in steps:
            take(step, people)
            right(*people)
        before = [kept(one) for one in people]
        totals.recount_all()
        assert [kept(one) for one in people] == before


def test_M8_a_gift_given_back_in_full_counts_no_more_and_the_row_stays(tenant: Tenant, donor: Contact) -> None:
    with in_tenant(tenant):
        services.record_gift(donor, 50, date(2025, 5, 1))
        gift = services.record_gift(donor, "100", date(2025, 6, 1))
        services.refund(gift, "40")
        assert (kept(donor)["total"], kept(donor)["number"]) == (Decimal(110), 2)
        services.refund(gift)
        assert (kept(donor)["total"], kept(donor)["number"], kept(donor)["last_on"]) == (50, 1, date(2025, 5, 1))
        assert Gift.objects.count() == 2
        services.refund(gift, 0)
        assert kept(donor)["total"] == 150
        right(donor)


def test_M8_reassigning_moves_the_amount_and_both_histories_say_so(tenant: Tenant, donor: Contact) -> None:
    with in_tenant(tenant):
        other = ContactFactory()
        gift = services.record_gift(donor, 100, date(2025, 6, 1))
        services.reassign(gift, other)
        assert (kept(donor)["total"], kept(other)["total"]) == (0, 100)
        for one in (donor, other):
            assert HistoryEntry.objects.filter(contact_uid=one.uid, what="gift", verb="changed").count() == 1


def test_M8_what_a_source_says_twice_counts_once(tenant: Tenant, donor: Contact) -> None:
    def sent(amount: int) -> Gift:
        return Gift(contact=donor, amount=amount, received_on=date(2025, 1, 1), source=Source.DONORS_API, source_id="7")

    with in_tenant(tenant):
        first = services.record_gifts([sent(20), sent(20)])
        again = services.record_gifts([sent(20)])
        changed = services.record_gifts([sent(30)])
        assert [len(first.created), len(again.unchanged), len(changed.changed)] == [1, 1, 1]
        assert kept(donor)["total"] == 30
        assert Gift.objects.count() == 1


def test_listeners_hear_of_both_donors_and_the_totals_are_right_already(tenant: Tenant, donor: Contact) -> None:
    heard: list[tuple[Any, Any]] = []

    def listen(sender: Any, contact_uids: Any, gift_pks: Any, cause: str, **more: Any) -> None:
        heard.append((set(contact_uids), cause))
        right(*Contact.objects.filter(uid__in=contact_uids))

    gifts_changed.connect(listen)
    try:
        with in_tenant(tenant):
            other = ContactFactory()
            gift = services.record_gift(donor, 10, date(2025, 1, 1))
            services.reassign(gift, other)
            services.delete_gift(gift)
    finally:
        gifts_changed.disconnect(listen)
    assert [uids for uids, _ in heard] == [{donor.uid}, {donor.uid, other.uid}, {other.uid}]
    assert [cause for _, cause in heard] == [f"Gift {verb} by Almoner" for verb in ("added", "changed", "deleted")]


def test_the_night_mends_what_differs_and_notes_it(tenant: Tenant, neighbour: Tenant, donor: Contact) -> None:
    theirs = ContactFactory(tenant=neighbour)
    with in_tenant(neighbour):
        services.record_gift(theirs, 10, date(2025, 1, 1))
        Giving.objects.update(total=1)
    with in_tenant(tenant):
        services.record_gift(donor, 10, date(2025, 1, 1))
        assert totals.recount_all() == totals.Mended(1, 0, 0, 1)
        Giving.objects.update(total=99, number=3)
        assert totals.recount_all() == totals.Mended(1, 1, 1, 1)
        right(donor)
        entry = HistoryEntry.objects.get(what="totals of giving")
        assert entry.contact_uid == donor.uid
        assert entry.changes["total"] == ["99.00", "10.00"]
    with in_tenant(neighbour):
        assert kept(theirs)["total"] == 1, "a neighbour's totals are the neighbour's business"


def test_the_nightly_job_and_the_command_recount_every_organization(
    tenant: Tenant, neighbour: Tenant, donor: Contact, caplog: Any
) -> None:
    with in_tenant(tenant):
        services.record_gift(donor, 10, date(2025, 1, 1))
        Giving.objects.update(total=99)
    jobs.night_of(tenant.pk)
    assert "1 of 1 donors were put right" in caplog.text
    assert donor.last_name not in caplog.text, "logs hold no donor's data"
    with in_tenant(tenant):
        right(donor)
        Giving.objects.update(number=7)
    told = StringIO()
    call_command("recount_giving", stdout=told)
    assert f"{tenant}: 1 donors, 1 put right" in told.getvalue()
    assert f"{neighbour}: 0 donors, 0 put right" in told.getvalue()


def test_500_gifts_take_as_many_queries_as_5(tenant: Tenant) -> None:
    def queries(count: int) -> int:
        people = [ContactFactory(email="") for _ in range(5)]
        gifts = [
            Gift(contact=people[n % 5], amount=n + 1, received_on=date(2025, 1, 1), source=Source.CSV,
                 source_id=f"{count}-{n}")
            for n in range(count)
        ]  # fmt: skip
        with CaptureQueriesContext(connection) as caught:
            services.record_gifts(gifts)
        right(*people)
        # SQLite inserts some dozen rows at once, so those are not counted there
        is_sqlite = connection.vendor == "sqlite"
        return sum(not (is_sqlite and one["sql"].startswith("INSERT")) for one in caught.captured_queries)

    with in_tenant(tenant):
        assert queries(5) == queries(400) <= 40  # a third of them ask for thanks
