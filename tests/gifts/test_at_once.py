"""Several workers and people at the same moment: no gift is missed in the totals, and none is taken in twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from decimal import Decimal
from threading import Barrier, BrokenBarrierError, Event, local
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction

from contacts.importing import steps
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import services, totals
from gifts.models import Gift, Giving, Source
from tests.factories import ContactFactory, TenantFactory, UserFactory
from tests.gifts.test_import import checked, imported, outcomes, worked
from tests.gifts.test_totals import kept, right

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(tenant: Tenant, acts: list[Callable[[], Any]]) -> None:
    """Do these in threads that start together; the first failure is raised."""
    start = Barrier(len(acts))

    def one(act: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=20)
            with in_tenant(tenant):
                act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        list(threads.map(one, acts))


def test_M8_gifts_of_one_donor_that_come_in_at_once_are_all_in_the_totals() -> None:
    tenant: Tenant = TenantFactory(name="River Trust at once")
    donor = ContactFactory(tenant=tenant)

    def give() -> None:
        for n in range(5):
            with transaction.atomic():
                services.record_gift(donor, 10, date(2025, 1, 1 + n))

    at_once(tenant, [give] * 4)
    with in_tenant(tenant):
        assert (kept(donor)["total"], kept(donor)["number"]) == (200, 20)
        assert Giving.objects.count() == 1


def test_M5_a_gift_that_two_read_at_once_is_taken_in_once() -> None:
    tenant: Tenant = TenantFactory(name="River Trust twice")
    donors = [ContactFactory(tenant=tenant) for _ in range(3)]

    def read() -> None:
        services.record_gifts(
            Gift(contact=donors[n % 3], amount=Decimal(n + 1), received_on=date(2025, 1, 1), source=Source.DONORS_API,
                 source_id=str(n)) for n in range(12)
        )  # fmt: skip

    at_once(tenant, [read] * 3)
    with in_tenant(tenant):
        assert Gift.objects.count() == 12
        assert sum(kept(donor)["total"] for donor in donors) == 78
        right(*donors)


def test_M8_a_gift_that_comes_in_during_the_nightly_comparison_is_nothing_amiss(monkeypatch: Any) -> None:
    tenant: Tenant = TenantFactory(name="River Trust at night")
    donor = ContactFactory(tenant=tenant)
    with in_tenant(tenant):
        services.record_gift(donor, 10, date(2025, 1, 1))
    compared, locked, found = Event(), totals.locked, []

    def slowly(pks: Any) -> Any:
        before = locked(pks)
        if not compared.is_set():
            compared.set()
            sleep(0.5)  # somebody else's gift would be committed meanwhile
        return before

    def give() -> None:
        assert compared.wait(20)
        services.record_gift(donor, 5, date(2025, 1, 2))

    monkeypatch.setattr(totals, "locked", slowly)
    at_once(tenant, [lambda: found.append(totals.recount_all()), give])
    assert [(mended.donors, mended.differing) for mended in found] == [(1, 0)]
    with in_tenant(tenant):
        right(donor)


def test_M8_a_refund_waits_for_the_gift_to_change_hands_and_is_noted_then() -> None:
    tenant: Tenant = TenantFactory(name="River Trust hands")
    one, other = (ContactFactory(tenant=tenant) for _ in range(2))
    with in_tenant(tenant):
        gift = services.record_gift(one, 100, date(2025, 1, 1))
    moved = Event()

    def reassign() -> None:
        with transaction.atomic():
            services.reassign(gift, other)
            moved.set()
            sleep(0.5)  # the other one waits for this row meanwhile

    def refund() -> None:
        assert moved.wait(20)
        services.refund(gift, 40)

    at_once(tenant, [reassign, refund])
    with in_tenant(tenant):
        assert (kept(one)["total"], kept(other)["total"]) == (0, 60)
        right(one, other)


def test_M8_a_file_changes_what_it_says_and_keeps_what_somebody_corrects_in_the_same_moment() -> None:
    tenant: Tenant = TenantFactory(name="River Trust file")
    donor = ContactFactory(tenant=tenant, email="ana@rivermail.test")
    with in_tenant(tenant):
        gift = services.record_gift(donor, 100, date(2025, 1, 1), source=Source.CSV, source_id="T1", campaign="Spring")
        file = checked("Date,Amount,Email,Transaction ID,Comment\n2025-01-01,100,ana@rivermail.test,T1,thanked\n")
        user = UserFactory()
    corrected = Event()

    def correct() -> None:
        with transaction.atomic():
            services.correct(gift, campaign="Autumn", amount=90)
            corrected.set()
            sleep(0.5)

    def bring_in() -> None:
        assert corrected.wait(20)
        steps.confirm(file, user)
        worked(file)

    at_once(tenant, [correct, bring_in])
    with in_tenant(tenant):
        gift.refresh_from_db()
        assert (gift.campaign, gift.comment, gift.amount) == ("Autumn", "thanked", Decimal(100))
        right(donor)


def test_M8_a_file_and_a_poll_with_gifts_of_the_same_donors_in_crosswise_order_both_come_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each adds a gift of one donor and changes one of the other: the donors are locked in one order."""
    tenant: Tenant = TenantFactory(name="River Trust crosswise")
    ana, bea = (ContactFactory(tenant=tenant, email=f"{name}@rivermail.test") for name in ("ana", "bea"))
    told = {"received_on": date(2025, 1, 1), "source": Source.DONORS_API}
    text = "Gift id,Date,Amount,Email\nG-1,2025-06-01,{},ana@rivermail.test\n"
    with in_tenant(tenant):
        services.record_gifts([Gift(contact=bea, amount=10, source_id="1", **told)])
        imported(text.format(10))
        data_import = checked(text.format(30) + "G-2,2025-06-02,5,bea@rivermail.test\n")
        assert outcomes(data_import) == ["update", "create"], "the control: it writes both"
    user = UserFactory()
    recount, met, here = totals.recount, Barrier(2), local()

    def slowly(pks: Any) -> Any:
        found = recount(pks)
        if not hasattr(here, "been"):  # the first donors of each are written; now the other's
            here.been = True
            with suppress(BrokenBarrierError):
                met.wait(timeout=1)
        return found

    def file() -> None:
        steps.confirm(data_import, user)
        worked(data_import)

    def poll() -> None:
        rows = [Gift(contact=ana, amount=7, source_id="2", **told), Gift(contact=bea, amount=20, source_id="1", **told)]
        services.record_gifts(rows)

    monkeypatch.setattr(totals, "recount", slowly)
    at_once(tenant, [file, poll])
    with in_tenant(tenant):
        assert (kept(ana)["total"], kept(bea)["total"]) == (37, 25)
        right(ana, bea)
