"""Whatever programs send and in whatever order (O3): no donation is lost, and no two people who came by them have one
address or one number."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.duplicates.unmerge import undo
from contacts.models import Contact, EmailAddress, Merge, PhoneNumber
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.donations import record_donation
from gifts.donating.matching import decide
from gifts.models import Donation, DonationIdentifier, Gift, Giving
from tests.gifts.donating import body, page_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.once]
EMAILS = ["", "a@rivermail.test", "B@rivermail.test", "b@rivermail.test", "c@rivermail.test"]
PHONES = ["", "2025550123", "+12025550177", "1 202 555 0188"]
CALLS = st.lists(
    st.tuples(
        st.sampled_from(EMAILS), st.sampled_from(PHONES), st.sampled_from(["", "Ana", "Ben"]),
        st.decimals("0.01", 500, places=2), st.sampled_from(["", "crm:1", "crm:2"]), st.booleans(),
    ).filter(lambda call: call[0] or call[1]),
    min_size=1, max_size=7,
)  # fmt: skip
FEW = settings(
    max_examples=6, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def fresh(tenant: Tenant) -> Any:
    """Nobody is here, and there is a page."""
    with in_tenant(tenant):
        for model in (DonationIdentifier, Donation, Merge):
            model._base_manager.all().delete()
        Gift.objects.all().delete()
        Contact.objects.all().delete()
    return page_of(tenant)


def doubles(model: Any, field: str) -> list[Any]:
    """What two people have."""
    rows = Counter(model.objects.values_list(field, flat=True))
    return [value for value, number in rows.items() if number > 1]


@given(calls=CALLS)
@FEW
def test_O3_nothing_is_lost_and_nobody_is_there_twice(tenant: Tenant, calls: Any) -> None:
    page, wanted, seen = fresh(tenant), Decimal(0), set()
    with in_tenant(tenant):
        for email, phone, name, amount, identifier, is_blind in calls:
            is_again = bool(identifier) and not is_blind and identifier in seen
            sent = body(
                person(email, phone, given_name=name), f"{amount:.2f}", identifiers=[identifier] * bool(identifier)
            )
            donation = record_donation(page, sent, source_is_blind=is_blind)
            if is_blind and identifier:
                wanted = Decimal(sum(Gift.objects.values_list("amount", flat=True)))  # its own repeats count once
            elif not is_again:
                wanted += amount
            seen |= {identifier} if not is_blind else set()
            assert donation.gift.contact_id
            assert doubles(EmailAddress, "address_key") == []
            assert doubles(PhoneNumber, "number") == []
            assert sum(Giving.objects.values_list("total", flat=True)) == wanted
            assert Donation.objects.count() == Gift.objects.count()
        assert doubles(DonationIdentifier, "text") == []


@given(calls=CALLS)
@FEW
def test_O3_the_same_calls_again_make_nobody_new(tenant: Tenant, calls: Any) -> None:
    """Once everything has been said, saying the last of it again changes no person."""
    page = fresh(tenant)
    with in_tenant(tenant):
        for email, phone, name, amount, _, _ in calls:
            record_donation(page, body(person(email, phone, given_name=name), f"{amount:.2f}"))
        email, phone, name, amount, _, _ = calls[-1]
        before = set(Contact.objects.values_list("uid", "first_name"))
        donation = record_donation(page, body(person(email, phone, given_name=name), f"{amount:.2f}"))
        assert set(Contact.objects.values_list("uid", "first_name")) == before
        assert Donation.objects.filter(gift__contact=donation.gift.contact).count() >= 2


@given(calls=CALLS)
@FEW
def test_O3_every_merge_can_be_undone_in_the_end(tenant: Tenant, calls: Any) -> None:
    page = fresh(tenant)
    with in_tenant(tenant):
        for email, phone, name, amount, _, _ in calls:
            record_donation(page, body(person(email, phone, given_name=name), f"{amount:.2f}"))
        total = sum(Giving.objects.values_list("total", flat=True))
        for merge in Merge.objects.order_by("-at", "-pk"):
            undo(merge)
        assert sum(Giving.objects.values_list("total", flat=True)) == total == sum(row[3] for row in calls)


PEOPLE = st.lists(st.sampled_from("ABCDE"), unique=True, max_size=4)


@given(has_email=st.booleans(), has_phone=st.booleans(), by_email=PEOPLE, with_mail=PEOPLE, mobile=PEOPLE)
def test_O3_the_decision_names_nobody_twice_and_nobody_unasked(
    has_email: bool, has_phone: bool, by_email: list[str], with_mail: list[str], mobile: list[str]
) -> None:
    by_email = by_email if has_email else []
    with_mail = with_mail if has_phone else []
    mobile = [one.lower() for one in mobile] if has_phone else []
    plan = decide(has_email, has_phone, by_email, with_mail, mobile)
    concerned = [*plan.merged, *plan.losing, *([plan.person] if plan.person else [])]
    assert len(concerned) == len(set(concerned))
    assert set(plan.merged) <= set(mobile)
    assert set(plan.losing) <= set(with_mail)
    assert plan.person is None or plan.person in {*by_email, *with_mail, *mobile}
    if by_email:
        assert plan.person in by_email
