"""The pages of gifts and pledges: what they show, what their buttons do, and what others do not see."""

import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact, Export
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from gifts.admin.panel import spans
from gifts.fiscal import Span, fiscal_year, year_before
from gifts.models import Gift, Pledge, Source
from gifts.services import record_gift, record_gifts, record_pledge, refund, today
from tests.factories import ContactFactory
from tests.gifts.test_totals import kept
from tests.tenancy.people import logged_in
from tests.tenancy.walk import ids_twice

pytestmark = pytest.mark.django_db
LIST = "/admin/gifts/gift/"


def text(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return " ".join(
        unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)).split()
    )


def one_gift(tenant: Tenant, donor: Contact, amount: Any = 100, **values: Any) -> Gift:
    with in_tenant(tenant):
        return record_gift(donor, amount, values.pop("received_on", date(2025, 6, 1)), **values)


# --- all gifts ---


def test_the_list_says_what_all_that_is_found_comes_to(tenant: Tenant, client: Client, donor: Contact) -> None:
    one_gift(tenant, donor, 100, campaign="Spring")
    one_gift(tenant, donor, "50.50", received_on=date(2024, 12, 31))
    gone = one_gift(tenant, ContactFactory(tenant=tenant, first_name="Bo", last_name="Lund"), 1000)
    with in_tenant(tenant):
        refund(gone)
    shown = text(client, LIST)
    assert "$150.50 in 2 gifts." in shown
    assert "1 more row is listed without counting as a gift" in shown
    assert "$100.00 in 1 gift found." in text(client, LIST, q="ruiz", campaign="Spring")
    assert "$50.50 in 1 gift found." in text(client, LIST, date_from="2024-12-31", date_to="2024-12-31")
    assert "$100.00 in 1 gift found." in text(client, LIST, amount_from="$51", amount_to="999")
    assert "$0.00 in 0 gifts found." in text(client, LIST, refund="whole")
    assert "Bo Lund" not in text(client, LIST, donor=donor.pk)
    for nonsense in (
        {"date_from": "x"},
        {"amount_to": "lots"},
        {"donor": "9" * 30},
        {"refund": "?"},
        {"amount_from": "1e99"},
    ):
        assert client.get(LIST, nonsense).status_code == 200


def test_pages_take_as_many_queries_for_many_gifts_as_for_few(tenant: Tenant, client: Client, donor: Contact) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    pages = [LIST, "/admin/gifts/pledge/", reverse("admin:contacts_contact_change", args=[donor.pk]), "/admin/"]
    with in_tenant(tenant):
        record_gift(donor, 5, today())
        record_pledge(donor, 500, today())
    few = [queries(page) for page in pages]
    with in_tenant(tenant):
        others: list[Contact] = [ContactFactory() for _ in range(8)]
        record_gifts(
            Gift(contact=[donor, *others][n % 9], amount=n + 1, received_on=today() - timedelta(days=40 * n),
                 campaign=f"Campaign {n % 7}") for n in range(120)
        )  # fmt: skip
        for n in range(12):
            record_pledge([donor, *others][n % 3], 500 + n, today())
    assert [queries(page) for page in pages] == few


# --- one gift ---


def test_a_gift_is_noted_by_hand_and_the_totals_are_right_at_once(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    form = {"contact": donor.pk, "received_on": "2025-06-01", "amount": "120.5", "campaign": "Spring",
            "comment": "Card 4111 1111 1111 1111, thanks"}  # fmt: skip
    assert client.get("/admin/gifts/gift/add/", {"contact": donor.pk}).content.decode().count("Ana Ruiz") >= 1
    assert client.post("/admin/gifts/gift/add/", form).status_code == 302
    with in_tenant(tenant):
        gift = Gift.objects.get()
        assert (gift.amount, gift.source, gift.is_history) == (Decimal("120.50"), Source.BY_HAND, False)
        assert gift.comment == "Card [card number removed], thanks", "D9: no number of a card is kept"
        assert kept(donor)["total"] == Decimal("120.50")
    change = form | {"amount": "80", "comment": ""}
    assert client.post(f"/admin/gifts/gift/{gift.pk}/change/", change).status_code == 302
    with in_tenant(tenant):
        assert kept(donor)["total"] == 80


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"amount": "0"}, "Type an amount of more than nothing."),
        ({"amount": "-5"}, "Type an amount of more than nothing."),
        ({"received_on": "2095-01-01"}, "This date cannot be right."),
        ({"contact": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_a_gift_is_refused(
    tenant: Tenant, client: Client, donor: Contact, wrong: dict[str, str], why: str
) -> None:
    form = {"contact": donor.pk, "received_on": "2025-06-01", "amount": "120"} | wrong
    answer = client.post("/admin/gifts/gift/add/", form)
    assert why in unescape(answer.content.decode())
    with in_tenant(tenant):
        assert not Gift.objects.exists()


def test_a_pledge_of_somebody_else_is_not_paid_by_a_gift(tenant: Tenant, client: Client, donor: Contact) -> None:
    with in_tenant(tenant):
        theirs = record_pledge(ContactFactory(first_name="Bo", last_name="Lund"), 10, date(2025, 1, 1))
    form = {"contact": donor.pk, "received_on": "2025-06-01", "amount": "120", "pledge": theirs.pk}
    assert "a pledge of Bo Lund, not of Ana Ruiz" in client.post("/admin/gifts/gift/add/", form).content.decode()
    query = {"app_label": "gifts", "model_name": "gift", "field_name": "pledge"}
    (offered,) = client.get("/admin/autocomplete/", query).json()["results"]
    assert offered["text"] == "Bo Lund: $10.00 promised on Jan 1, 2025"


def test_M8_a_refund_has_fields_of_its_own_and_is_never_filled_in(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    with in_tenant(tenant):
        gift = record_gift(donor, 100, date(2025, 6, 1))
    page = client.get(f"/admin/gifts/gift/{gift.pk}/change/")
    assert ids_twice(page) == []
    shown = page.content.decode()
    (field,) = [tag for tag in re.findall(r"<input[^>]*>", shown) if 'id="id_refund_amount"' in tag]
    assert "value=" not in field and "required" in field
    assert 'for="id_refund_amount"' in shown
    said = client.post(f"/admin/gifts/gift/{gift.pk}/refund/", {"amount": "1.005"}, follow=True).content.decode()
    assert "Type an amount with two decimals at most" in said


def test_M8_refunds_and_another_donor_by_button(tenant: Tenant, client: Client, donor: Contact) -> None:
    gift = one_gift(tenant, donor)
    address = f"/admin/gifts/gift/{gift.pk}/"
    said = client.post(f"{address}refund/", {"amount": "40", "on": "2025-07-01"}, follow=True).content.decode()
    assert "$40.00 is noted as refunded. $60.00 of the gift still counts." in said
    assert "Between nothing and $100.00" in client.post(
        f"{address}refund/", {"amount": "140"}, follow=True).content.decode()  # fmt: skip
    other = ContactFactory(tenant=tenant, first_name="Bo", last_name="Lund")
    said = client.post(f"{address}reassign/", {"contact": other.pk}, follow=True).content.decode()
    assert "This is a gift of Bo Lund now." in said
    client.post(f"{address}refund/", {"amount": "100"})
    with in_tenant(tenant):
        gift.refresh_from_db()
        assert not gift.stands
        assert (kept(donor)["total"], kept(other)["total"]) == (0, 0)
    assert client.get(f"{address}refund/").status_code == 405
    client.post(f"{address}delete/", {"post": "yes"})
    with in_tenant(tenant):
        assert not Gift.objects.exists()


def test_what_a_service_sent_is_corrected_and_deleted_there(tenant: Tenant, client: Client, donor: Contact) -> None:
    gift = one_gift(tenant, donor, source=Source.DONORS_API, source_id="7")
    address = f"/admin/gifts/gift/{gift.pk}/"
    shown = text(client, f"{address}change/")
    assert "Donors API sent this gift ( 7 )" in shown.replace("(7)", "( 7 )")
    assert "Amount $100.00" in shown, "as on every other page"
    client.post(f"{address}change/", {"received_on": "2025-06-01", "amount": "1"})
    client.post(f"{address}delete/", {"post": "yes"})
    with in_tenant(tenant):
        assert Gift.objects.get().amount == 100


def test_viewers_look_and_change_nothing(tenant: Tenant, donor: Contact) -> None:
    gift, viewer = one_gift(tenant, donor), logged_in(tenant, Role.VIEWER)
    assert "$100.00" in text(viewer, LIST)
    assert "Note the refund" not in text(viewer, f"/admin/gifts/gift/{gift.pk}/change/")
    for act, form in (("refund", {"amount": "1"}), ("reassign", {"contact": donor.pk}), ("delete", {"post": "yes"})):
        assert viewer.post(f"/admin/gifts/gift/{gift.pk}/{act}/", form).status_code == 403
    assert viewer.get("/admin/gifts/gift/add/").status_code == 403
    with in_tenant(tenant):
        assert Gift.objects.get().refunded == 0


def test_a_neighbour_sees_nothing_and_reaches_nothing(tenant: Tenant, neighbour: Tenant, donor: Contact) -> None:
    gift, stranger = one_gift(tenant, donor, campaign="Secret spring"), logged_in(neighbour)
    with in_tenant(tenant):
        pledge = record_pledge(donor, 10, date(2025, 1, 1))
    shown = text(stranger, LIST) + text(stranger, LIST, donor=donor.pk) + text(stranger, "/admin/gifts/pledge/")
    assert "Secret" not in shown
    assert "Ruiz" not in shown
    for address in (f"gift/{gift.pk}/change/", f"pledge/{pledge.pk}/change/", f"gift/{gift.pk}/delete/"):
        assert stranger.get(f"/admin/gifts/{address}").status_code == 404
    for address in (f"gift/{gift.pk}/refund/", f"gift/{gift.pk}/reassign/", f"pledge/{pledge.pk}/write-off/"):
        assert stranger.post(f"/admin/gifts/{address}", {"amount": "1"}).status_code == 404
    form = {"contact": donor.pk, "received_on": "2025-06-01", "amount": "5"}
    assert stranger.post("/admin/gifts/gift/add/", form).status_code == 200
    assert "Ana Ruiz" not in stranger.get("/admin/gifts/gift/add/", {"contact": donor.pk}).content.decode()
    with in_tenant(neighbour):
        assert not Gift.objects.exists()


# --- pledges ---


def test_a_pledge_shows_what_is_still_to_come(tenant: Tenant, client: Client, donor: Contact) -> None:
    with in_tenant(tenant):
        pledge = record_pledge(donor, 500, date(2025, 1, 1), frequency=Pledge.Frequency.MONTHLY)
        record_gift(donor, 100, date(2025, 2, 1), pledge=pledge)
        refund(record_gift(donor, 70, date(2025, 3, 1), pledge=pledge))
    assert "$500.00 $100.00 $400.00 Every month" in text(client, "/admin/gifts/pledge/", balance="open")
    said = client.post(f"/admin/gifts/pledge/{pledge.pk}/write-off/", {"verb": "off"}, follow=True).content.decode()
    assert "$400.00 is written off" in said
    assert "Ana Ruiz" not in text(client, "/admin/gifts/pledge/", balance="open")
    assert "Ana Ruiz" in text(client, "/admin/gifts/pledge/", balance="settled")
    client.post(f"/admin/gifts/pledge/{pledge.pk}/write-off/", {"verb": "again"})
    assert "$400.00" in text(client, "/admin/gifts/pledge/", balance="open")
    assert "$100.00 in 1 gift found" in text(client, LIST, pledge=pledge.pk)


def test_a_pledge_is_not_corrected_to_less_than_was_written_off(tenant: Tenant, client: Client, donor: Contact) -> None:
    with in_tenant(tenant):
        pledge = record_pledge(donor, 500, date(2025, 1, 1))
    client.post(f"/admin/gifts/pledge/{pledge.pk}/write-off/", {"verb": "off"})
    form = {"amount": "100", "started_on": "2025-01-01", "frequency": "once"}
    page = client.post(f"/admin/gifts/pledge/{pledge.pk}/change/", form)
    assert "$500.00 of this pledge is written off" in page.content.decode()
    with in_tenant(tenant):
        pledge.refresh_from_db()
        assert pledge.amount == 500


# --- on other pages ---


def test_a_contacts_page_shows_their_giving_year_by_year(tenant: Tenant, client: Client, donor: Contact) -> None:
    one_gift(tenant, donor, 100, received_on=date(2023, 3, 1))
    one_gift(tenant, donor, 250, received_on=date(2025, 3, 1))
    page = client.get(reverse("admin:contacts_contact_change", args=[donor.pk])).content.decode()
    shown = text(client, reverse("admin:contacts_contact_change", args=[donor.pk]))
    assert "$350.00 in 2 gifts" in shown
    assert "2025 1 $250.00" in shown
    assert "2024 0 $0.00" in shown
    links = re.findall(r'href="(/admin/gifts/gift/\?donor=[^"]+date_from=2025[^"]+)"', page)
    assert "$250.00 in 1 gift found." in text(client, unescape(links[0]))
    new = ContactFactory(tenant=tenant)
    one_gift(tenant, new, received_on=today())
    assert f"All of it in {today().year}." in text(client, reverse("admin:contacts_contact_change", args=[new.pk]))
    assert "No gifts of" in text(
        client, reverse("admin:contacts_contact_change", args=[ContactFactory(tenant=tenant).pk])
    )


def test_M9_each_number_of_the_first_page_opens_the_gifts_behind_it(
    tenant: Tenant, client: Client, donor: Contact
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(fiscal_year_start=7)
    with in_tenant(tenant):
        day = today()
        for ago in (0, 20, 200, 330, 500, 700, 800):
            record_gift(donor, ago + 1, day - timedelta(days=ago))
        record_gift(donor, 9, day + timedelta(days=30))
    page = client.get("/admin/").content.decode()
    panel = page[page.index('id="giving-panel"') :].partition("</section>")[0]
    tiles = re.findall(r'href="([^"]+date_from[^"]+)"><strong>\$([\d,]+)</strong>[^<]*?([\d,]+) gifts?<', panel)
    assert len(tiles) == 4
    for link, amount, number in tiles:
        assert f"${amount}.00 in {number} gift" in text(client, unescape(link)), link


def test_M9_fiscal_years_begin_with_their_month() -> None:
    assert fiscal_year(date(2026, 6, 30), 7) == Span(date(2025, 7, 1), date(2026, 6, 30))
    assert fiscal_year(date(2026, 7, 1), 7) == Span(date(2026, 7, 1), date(2027, 6, 30))
    assert fiscal_year(date(2024, 2, 29), 3).last == date(2024, 2, 29)
    assert year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert spans(date(2026, 3, 5), 1)["before"] == Span(date(2025, 1, 1), date(2025, 12, 31))


def test_gifts_are_exported_as_the_page_shows_them(tenant: Tenant, client: Client, donor: Contact) -> None:
    one_gift(tenant, donor, "12.5", campaign="Spring")
    one_gift(tenant, donor, 99, campaign="Autumn")
    form = {"what": "gifts", "query": "campaign=Spring", "form": "csv",
            "column": ["Date", "Amount", "Donor", "Email", "Campaign"]}  # fmt: skip
    assert "Export gifts" in client.get(reverse("admin:contacts_export_new"), {"what": "gifts"}).content.decode()
    answer = client.post(reverse("admin:contacts_export_new"), form)
    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert rows[0] == '"Date","Amount","Campaign","Donor","Email","Do Not Contact","Opted out themselves"'
    assert rows[1].replace('"', "").startswith("2025-06-01,12.50,Spring,Ana Ruiz,")
    assert len(rows) == 2
    with in_tenant(tenant):
        assert Export.objects.get().get_kind_display() == "Gifts"
