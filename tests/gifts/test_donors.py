"""The page of donors, and files with donors in them: who gave how much, and who wants no mail."""

import csv
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ConsentEvent, Contact
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift, Giving
from gifts.services import record_gift, record_gifts, record_pledge, refund
from tests.factories import ContactFactory
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db

LIST = "/admin/gifts/giving/"


@pytest.fixture
def donors(tenant: Tenant, donor: Contact) -> dict[str, Contact]:
    """Ana gave twice, Bo much and long ago, Cy's gift was given back, Di gave nothing."""
    people = {name: ContactFactory(tenant=tenant, first_name=name, last_name="Lund") for name in ("Bo", "Cy", "Di")}
    with in_tenant(tenant):
        record_gift(donor, 100, date(2026, 3, 1))
        record_gift(donor, "50.50", date(2025, 3, 1))
        record_gift(people["Bo"], 1000, date(2019, 5, 1))
        refund(record_gift(people["Cy"], 7, date(2026, 1, 1)))
        Contact.objects.filter(pk=people["Bo"].pk).update(do_not_contact=True)
    return people | {"Ana": donor}


def text(client: Client, address: str, **asked: Any) -> str:
    page = client.get(address, asked)
    assert page.status_code == 200
    return " ".join(page.content.decode().split())


def test_M8_donors_are_listed_with_what_they_gave_and_who_wants_no_mail(
    client: Client, donors: dict[str, Contact]
) -> None:
    shown = text(client, LIST)
    assert "$1,150.50</strong> from 2 donors." in shown
    assert shown.index("Bo Lund") < shown.index("Ana Ruiz"), "who gave most comes first"
    assert "Cy Lund" not in shown
    assert "Di Lund" not in shown
    assert shown.count('al-bad">Do Not Contact') == 1
    assert "May 1, 2019" in shown


def test_M8_donors_are_found_by_what_they_gave_and_when(client: Client, donors: dict[str, Contact]) -> None:
    for asked, found in (
        ({"q": "ruiz"}, "Ana"), ({"total_from": "$1,000"}, "Bo"), ({"total_to": "999"}, "Ana"),
        ({"number_from": "2"}, "Ana"), ({"last_to": "2020-12-31"}, "Bo"), ({"last_from": "2026-01-01"}, "Ana"),
    ):  # fmt: skip
        shown = text(client, LIST, **asked)
        assert "from 1 donor found." in shown, asked
        assert str(donors[found]) in shown, asked
    for nonsense in ({"total_from": "much"}, {"number_to": "1e99"}, {"last_from": "x"}):
        assert "donor found" not in text(client, LIST, **nonsense)


def test_a_donor_leads_to_their_page_and_a_neighbours_to_none(
    tenant: Tenant, neighbour: Tenant, client: Client, donors: dict[str, Contact]
) -> None:
    with in_tenant(tenant):
        row = Giving.objects.get(contact=donors["Ana"])
    page = client.get(f"{LIST}{row.pk}/change/")
    assert page.headers["Location"] == reverse("admin:contacts_contact_change", args=[donors["Ana"].pk])
    stranger = logged_in(neighbour)
    assert "Ana Ruiz" not in text(stranger, LIST)
    assert stranger.get(f"{LIST}{row.pk}/change/").status_code == 404
    assert logged_in(tenant, Role.VIEWER).get(LIST).status_code == 200
    assert client.post(f"{LIST}{row.pk}/change/", {"total": 1}).status_code == 403


def test_as_many_queries_for_40_donors_as_for_2(tenant: Tenant, client: Client, donors: dict[str, Contact]) -> None:
    def queries() -> int:
        client.get(LIST)
        with CaptureQueriesContext(connection) as caught:
            client.get(LIST)
        return len(caught)

    few = queries()
    with in_tenant(tenant):
        more = [ContactFactory() for _ in range(38)]
        record_gifts(Gift(contact=one, amount=5, received_on=date(2026, 1, 1)) for one in more)
    assert queries() == few


@pytest.mark.parametrize("what", ["donors", "gifts", "pledges"])
def test_L35_files_with_donors_always_say_who_wants_no_mail(
    what: str, tenant: Tenant, client: Client, donors: dict[str, Contact]
) -> None:
    with in_tenant(tenant):
        with acting(By.PERSON, "Mailchimp"):
            ConsentEvent.by_actor("opt_out", donors["Ana"].uid, address="").save()
        for name in ("Ana", "Bo"):
            record_pledge(donors[name], 10, date(2026, 1, 1))
    form = {"what": what, "query": "", "form": "csv", "column": ["Donor", "Email"]}
    file = client.post("/admin/contacts/export/new/", form)
    rows = list(csv.DictReader(StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    said = {row["Donor"]: (row["Do Not Contact"], row["Opted out themselves"]) for row in rows}
    assert said["Bo Lund"] == ("yes", "")
    assert said["Ana Ruiz"] == ("", "everything")
    assert all("@" in row["Email"] for row in rows)
