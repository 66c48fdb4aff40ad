"""The filter: what can be read is compared, and whatever cannot is an error, never everything (O14)."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi import filters
from gifts.api.osdi.errors import Wrong
from gifts.api.osdi.filter import Clause, apply, read, read_moment
from tests.factories import ContactFactory

MAIL = "jsmith@mail.com"


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        (f"email_address eq '{MAIL}'", [("email_address", "eq", MAIL)]),
        (f"  Email_Address  EQ  '{MAIL}'  ", [("email_address", "eq", MAIL)]),
        ("family_name eq 'O''Brien'", [("family_name", "eq", "O'Brien")]),
        ("given_name eq ''", [("given_name", "eq", "")]),
        ("given_name gt 'A' and given_name lt 'C'", [("given_name", "gt", "A"), ("given_name", "lt", "C")]),
        ("given_name eq 'Ana'andfamily_name eq 'Ruiz'", [("given_name", "eq", "Ana"), ("family_name", "eq", "Ruiz")]),
        ("given_name eq 'Ana'and family_name eq 'Ruiz'", [("given_name", "eq", "Ana"), ("family_name", "eq", "Ruiz")]),
        ("given_name eq 'x and y eq ''z'''", [("given_name", "eq", "x and y eq 'z'")]),
    ],
)
def test_O14_a_filter_is_read_as_it_stands(text: str, clauses: Any) -> None:
    assert read(text) == [Clause(*one) for one in clauses]


@pytest.mark.parametrize(
    "text",
    [
        "email_address", "email_address eq", f"email_address eq {MAIL}", f'email_address eq "{MAIL}"',
        "email_address ne 'x'", "email_address ge 'x'", "email_address eq 'x' or given_name eq 'y'",
        "email_address eq 'x' and", "email_address eq 'x", "email_address eq 'x'' and given_name eq 'y",
        "eq 'x'", "'x' eq email_address", "x" * 2000, "(email_address eq 'x')", "email_address eq 'x';",
        " and ".join(["given_name eq 'x'"] * 11),
    ],
)  # fmt: skip
def test_O14_what_is_no_filter_is_an_error_that_shows_how_one_looks(text: str) -> None:
    with pytest.raises(Wrong) as problem:
        read(text)
    assert problem.value.status_code == 400 and MAIL not in problem.value.sentence.replace(f"'{MAIL}'", "")


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_O14_a_value_comes_back_as_it_was_quoted(value: str) -> None:
    (found,) = read("title eq '{}'".format(value.replace("'", "''")))
    assert found.value == value


@given(st.text(max_size=120))
@settings(max_examples=200, deadline=None)
def test_O14_no_text_breaks_the_reading_of_a_filter(text: str) -> None:
    try:
        assert all(one.op in ("eq", "gt", "lt") for one in read(text))
    except Wrong as problem:
        assert problem.status_code == 400


def test_O14_times_in_filters_are_days_or_moments_in_any_zone() -> None:
    assert read_moment("2014-03-25").isoformat() == "2014-03-25T00:00:00+00:00"
    assert read_moment("2014-03-25T10:00:00+02:00").isoformat() == "2014-03-25T08:00:00+00:00"
    assert read_moment("2014-03-25 10:00:00") == read_moment("2014-03-25T10:00:00Z")
    for text in ("", "yesterday", "2014-13-01", "2014-03-25T25:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31"):
        with pytest.raises(Wrong):
            read_moment(text)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "index"), [("family_name", "contact_by_last_name"), ("given_name", "contact_by_first_name")]
)
def test_O14_a_name_is_found_by_its_index_also_where_nobody_has_counted_the_rows(
    tenant: Tenant, neighbour: Tenant, field: str, index: str
) -> None:
    """SQLite would read all of an index that begins with the organization and has the names in it."""
    ana = ContactFactory(tenant=tenant, first_name="Ana", last_name="ANA")
    ContactFactory(tenant=neighbour, first_name="Ana", last_name="Ana")
    for name in ("An", "Anaa"):
        ContactFactory(tenant=tenant, first_name=name, last_name=name)
    with in_tenant(tenant):
        found = apply(Contact.objects.all(), f"{field} eq 'aNa'", filters.PEOPLE)
        assert list(found) == [ana]
        if connection.vendor == "sqlite":  # PostgreSQL chooses by how many rows there are
            assert f"{index} (tenant_id=? AND <expr>>? AND <expr><?)" in found.explain()
