"""Values of custom fields: read as people write them, kept in one form, refused with a sentence."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from contacts import custom
from contacts.models import CustomField, CustomValue, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory

Kind = CustomField.Kind
CHOICES = ["Small", "Medium", "Größe L", "3/4"]


def field(kind: str) -> CustomField:
    """A field of this kind, not saved."""
    return CustomField(name="Field", kind=kind, choices=CHOICES if kind == Kind.CHOICE else [])


READ = [
    (Kind.TEXT, "  two \n words ", "two words"), (Kind.TEXT, "\x00", ""), (Kind.TEXT, "=1+1", "=1+1"),
    (Kind.NUMBER, "1,234.50", "1234.5"), (Kind.NUMBER, "1.234,5", "1234.5"), (Kind.NUMBER, "12,5", "12.5"),
    (Kind.NUMBER, "$ 5.00", "5"), (Kind.NUMBER, "−3", "-3"), (Kind.NUMBER, "+7", "7"), (Kind.NUMBER, "-0.00", "0"),
    (Kind.NUMBER, "1.000.000", "1000000"), (Kind.NUMBER, "1'000", "1000"), (Kind.NUMBER, "1e3", "1000"),
    (Kind.NUMBER, "1.50000", "1.5"), (Kind.NUMBER, "0e99999999", "0"), (Kind.NUMBER, "٣", "3"),
    (Kind.NUMBER, "5.0", "5"),
    (Kind.DATE, "2026-03-31", "2026-03-31"), (Kind.DATE, "31.3.2026", "2026-03-31"),
    (Kind.DATE, "2026-03-31 00:00:00", "2026-03-31"), (Kind.DATE, "2026/3/1", "2026-03-01"),
    (Kind.DATE, "31 March 2026", "2026-03-31"), (Kind.DATE, "Mar 31, 2026", "2026-03-31"),
    (Kind.YES_NO, "Yes", "yes"), (Kind.YES_NO, "0", "no"), (Kind.YES_NO, "✓", "yes"), (Kind.YES_NO, " ", ""),
    (Kind.CHOICE, "small", "Small"), (Kind.CHOICE, "GRÖSSE l", "Größe L"), (Kind.CHOICE, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "kept"), READ)
def test_what_people_write_is_kept_in_one_form(kind: str, text: str, kept: str) -> None:
    assert custom.canonical(field(kind), text, day_first=False) == kept


REFUSED = [
    (Kind.TEXT, "a" * 501, "at most 500 letters; these are 501"), (Kind.NUMBER, "a few", "is not a number"),
    (Kind.NUMBER, "nan", "is not a number"), (Kind.NUMBER, "1_000", "is not a number"),
    (Kind.NUMBER, "inf", "is not a number"), (Kind.NUMBER, "1.23456", "four decimals"),
    (Kind.NUMBER, "1" + "0" * 16, "too large"), (Kind.NUMBER, "1e999999999", "too large"),
    (Kind.NUMBER, "1e-999999999", "too small"), (Kind.DATE, "31.2.2026", "is not a date"),
    (Kind.DATE, "3/4/26", "is not a date"), (Kind.DATE, "soon", "is not a date"),
    (Kind.DATE, "1.1.0026", "is not a date"),
    (Kind.YES_NO, "perhaps", "neither yes nor no"), (Kind.CHOICE, "XL", "none of the choices: Small, Medium"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "sentence"), REFUSED)
def test_what_a_field_cannot_hold_is_refused_with_a_sentence(kind: str, text: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        custom.canonical(field(kind), text, day_first=False)


@pytest.mark.parametrize(
    ("text", "day_first", "kept"),
    [("3/4/2026", False, "2026-03-04"), ("3/4/2026", True, "2026-04-03"), ("31/3/2026", False, "2026-03-31"),
     ("3/31/2026", True, "2026-03-31"), ("3-4-2026", True, "2026-04-03"), ("3.4.2026", False, "2026-04-03")],
)  # fmt: skip
def test_the_first_number_of_a_date_is_the_month_or_the_day(text: str, day_first: bool, kept: str) -> None:
    assert custom.canonical(field(Kind.DATE), text, day_first) == kept


@pytest.mark.django_db
@pytest.mark.parametrize(("country", "kept"), [("US", "2026-03-04"), ("PR", "2026-03-04"), ("GB", "2026-04-03"),
                                               ("CA", "2026-04-03")])  # fmt: skip
def test_the_organizations_country_decides_how_dates_are_read(country: str, kept: str, tenant: Tenant) -> None:
    tenant.country = country
    tenant.save()
    with inside(tenant):
        assert custom.canonical(field(Kind.DATE), "3/4/2026") == kept


WRITTEN = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789.,-+/ eE'$ TZ:", max_size=14),
    st.decimals(allow_nan=False).map(str),
    st.dates(min_value=date(1, 1, 1)).map(lambda day: day.strftime("%m/%d/%Y")),
    st.sampled_from(["yes", "NO", "x", "1", *CHOICES, "größe l"]),
)


@given(kind=st.sampled_from(Kind.values), text=WRITTEN, day_first=st.booleans())
def test_a_canonical_value_is_accepted_again_and_stays_the_same(kind: str, text: str, day_first: bool) -> None:
    try:
        value = custom.canonical(field(kind), text, day_first)
    except ValidationError as refusal:
        assert refusal.messages[0].endswith((".", "letters."))
        return
    assert len(value) <= 500
    for either in (True, False):
        assert custom.canonical(field(kind), value, either) == value
    if value and kind == Kind.NUMBER:
        assert abs(Decimal(value)) < 10**16
        assert Decimal(value) == Decimal(value).quantize(Decimal("0.0001"))


# --- kept with a contact ---


@pytest.fixture
def fields(in_tenant: Tenant) -> dict[str, CustomField]:
    """One of each kind."""
    return {
        kind: CustomField.objects.create(name=f"My {kind}", kind=kind, position=n,
                                         choices=CHOICES if kind == Kind.CHOICE else [])
        for n, kind in enumerate(Kind.values)
    }  # fmt: skip


@pytest.mark.django_db
def test_values_are_set_changed_and_taken_away_with_a_trace_each(fields: dict[str, CustomField]) -> None:
    contact: Any = ContactFactory()
    bystander: Any = ContactFactory()
    text, number = fields["text"], fields["number"]
    custom.set_values(bystander, {text: "theirs"})
    custom.set_values(contact, {text: "a", number: "5"})
    custom.set_values(contact, {text: "b", number: "5"})
    custom.set_values(contact, {number: ""})
    assert custom.values_of([contact, bystander]) == {contact.pk: {text.pk: "b"}, bystander.pk: {text.pk: "theirs"}}
    verbs = HistoryEntry.objects.filter(contact_uid=contact.uid, what="custom field value").order_by("pk")
    assert [(entry.verb, entry.label) for entry in verbs] == [
        ("added", "My text: a"), ("added", "My number: 5"), ("changed", "My text: b"), ("deleted", "My number: 5"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_number_can_be_compared(fields: dict[str, CustomField]) -> None:
    for value in ("9", "10", "-2.5"):
        contact: Any = ContactFactory()
        custom.set_values(contact, {fields["number"]: value})
    found = CustomValue.objects.filter(field=fields["number"], number__gte=9)
    assert sorted(row.value for row in found) == ["10", "9"]


@pytest.mark.django_db
def test_many_values_take_no_more_queries(fields: dict[str, CustomField]) -> None:
    def queries(count: int) -> int:
        contacts: list[Any] = [ContactFactory() for _ in range(count)]
        for contact in contacts:
            custom.set_values(contact, {fields["text"]: "x"})
        with CaptureQueriesContext(connection) as captured:
            assert len(custom.values_of(contacts)) == count
        return len(captured)

    assert queries(1) == queries(7) == 1


@pytest.mark.django_db
def test_fields_that_are_going_are_not_offered_and_their_name_is_free(fields: dict[str, CustomField]) -> None:
    from django.utils import timezone

    fields["text"].going_at = timezone.now()
    fields["text"].save()
    assert [one.name for one in custom.fields()] == ["My number", "My date", "My choice", "My yes_no"]
    CustomField.objects.create(name="my TEXT")
