"""Gifts from a file: what is read, whose they are, what the preview shows, and that twice is once."""

import csv
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.demo import sample_gifts
from contacts.importing import report, sorts, steps
from contacts.importing.turns import turn
from contacts.models import Contact, Import, ImportRow, User
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.roles import AREAS
from contacts.tenancy.walls import in_tenant
from gifts import services
from gifts.importing.amounts import NoAmount, amount
from gifts.importing.reading import date_order
from gifts.models import Gift, Source
from tests.factories import ContactFactory, UserFactory
from tests.gifts.test_totals import kept, right
from tests.tenancy.people import logged_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$1,250.00", "1250"), ("1.250,00", "1250"), ("1250", "1250"), ("1 250,5", "1250.50"), ("12.5", "12.50"),
        ("USD 50", "50"), ("1,250", "1250"), ("1.250,5", "1250.50"), ("1,234,567.89", "1234567.89"),
        ("1’250.00", "1250"),
        ("12.5000", "12.50"), ("US$ 7", "7"), ("1.234.567", "1234567"), ("3.99 usd", "3.99"),
    ],
)  # fmt: skip
def test_M9_amounts_are_read_as_people_write_them(written: str, meant: str) -> None:
    assert amount(written, "USD") == Decimal(meant)


@pytest.mark.parametrize(
    "written",
    [
        "-5",
        "(50.00)",
        "0",
        "0.00",
        "ten",
        "1,25,0",
        "1.2345",
        "12,34.56",
        "5-",
        "",
        "1e5",
        "12.345",
        "$12.345",
        "0.125",
    ],
)
def test_M9_what_is_no_amount_is_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(NoAmount, match=r"\."):
        amount(written, "USD")


@pytest.mark.parametrize(
    ("written", "currency"),
    [("1.250,00 €", "EUR"), ("€ 7", "EUR"), ("£3.99", "GBP"), ("CA$ 5", "CAD"), ("$5", "CAD"), ("$5", "MXN"),
     ("50 kr", "SEK"), ("CHF 20", "CHF")],
)  # fmt: skip
def test_M9_an_amount_is_of_the_organizations_currency(written: str, currency: str) -> None:
    assert amount(written, currency)


@pytest.mark.parametrize("written", ["€ 50", "50 EUR", "CA$50", "£50", "CHF 50", "eur50"])
def test_M9_what_is_in_another_currency_is_not_taken_for_ours(written: str) -> None:
    with pytest.raises(NoAmount, match="is not in USD"):
        amount(written, "USD")


def test_dates_that_can_be_two_days_are_asked_about() -> None:
    assert date_order(["3/4/2026", "5/6/2026"]) == "ask"
    assert date_order(["3/4/2026", "25/6/2026"]) == "day"
    assert date_order(["3/4/2026", "5/26/2026"]) == "month"
    assert date_order(["2026-03-04", "4/4/2026"]) == ""


# --- a desk ---


def uploaded(text: str, name: str = "gifts.csv") -> Import:
    user: User = UserFactory()
    return steps.start(SimpleUploadedFile(name, text.encode()), user, "gifts")


def worked(data_import: Import) -> Import:
    while turn(data_import.pk):
        pass
    data_import.refresh_from_db()
    return data_import


def checked(text: str, **options: Any) -> Import:
    data_import = uploaded(text)
    steps.match(data_import, [one["field"] for one in data_import.columns], {"history": "old", "dates": ""} | options)
    return worked(data_import)


def imported(text: str, **options: Any) -> Import:
    data_import = checked(text, **options)
    assert data_import.state == Import.State.READY, data_import.error
    steps.confirm(data_import, UserFactory())
    return worked(data_import)


def outcomes(data_import: Import) -> list[str]:
    return list(ImportRow.objects.filter(data_import=data_import).order_by("number").values_list("outcome", flat=True))


def reasons(data_import: Import) -> list[str]:
    return [row.reason for row in ImportRow.objects.filter(data_import=data_import).order_by("number")]


@pytest.fixture
def people(tenant: Tenant, donor: Contact) -> list[Contact]:
    with in_tenant(tenant):
        Contact.objects.filter(pk=donor.pk).update(custom_user_id="D7")
        donor.email_addresses.update(address="ana@rivermail.test", address_key="ana@rivermail.test")
    return [donor, ContactFactory(tenant=tenant, first_name="Bo", last_name="Lund", email="bo@rivermail.test")]


FILE = """Gift Date,Gift Amount,E-mail,Donor ID,Donor Name,Appeal,Memo
2025-06-01,"$1,250.00",ana@rivermail.test,,,Spring,Card 4111 1111 1111 1111
2025-06-01,50,,D7,,,
2025-06-02,"12,50",,,Bo Lund,Spring,
2025-06-02,"12,50",,,Bo Lund,Spring,
2025-06-03,5,nobody@rivermail.test,,,,
2025-06-04,-5,ana@rivermail.test,,,,
,5,ana@rivermail.test,,,,
"""


def test_M8_rows_find_their_donor_by_email_id_or_name_and_say_why_not(tenant: Tenant, people: list[Contact]) -> None:
    with in_tenant(tenant):
        ana, bo = people
        plan = checked(FILE)
        assert outcomes(plan) == ["create"] * 4 + ["refused"] * 3
        assert not Gift.objects.exists(), "nothing is written before somebody confirms"
        told = reasons(plan)[4:]
        assert "Nobody here has the email nobody@rivermail.test" in told[0]
        assert "less than nothing" in told[1]
        assert "has no date" in told[2]
        assert sorts.of(plan).sum_up(plan.counts)[0] == "4 gifts, $1,325.00 together, will be added."
        done = imported(FILE)
        assert (kept(ana)["total"], kept(bo)["total"], kept(bo)["number"]) == (1300, 25, 2)
        right(ana, bo)
        gift = Gift.objects.get(amount=1250)
        assert (gift.source, gift.campaign, gift.is_history) == (Source.CSV, "Spring", True)
        assert gift.comment == "Card [card number removed]"
        assert "4111" not in str(ImportRow.objects.filter(data_import=done).values_list("cells", flat=True)), "D9"


@pytest.mark.parametrize(
    ("email", "name", "goes"),
    [
        ("ana@rivermail.test", "Greta Abbott", False), ("ana@rivermail.test", "Greta Ruiz", False),
        ("ana@rivermail.test", "Ana Abbott", False), ("ana@rivermail.test", "A. Ruiz", True),
        ("ana@rivermail.test", "ANA RUIZ-LUND", True), ("ana@rivermail.test", "Carl and Ana Ruiz", True),
        ("ana@rivermail.test", "Ruiz Ana", True), ("ana@rivermail.test", "", True),
    ],
)  # fmt: skip
def test_a_gift_of_one_name_is_not_that_of_another_who_has_the_address(
    tenant: Tenant, people: list[Contact], email: str, name: str, goes: bool
) -> None:
    with in_tenant(tenant):
        plan = checked(f"Date,Amount,Email,Donor Name\n2025-06-01,19,{email},{name}\n")
        assert outcomes(plan) == ["create" if goes else "refused"]
        if not goes:
            assert f"{email} is the email of Ana Ruiz, but the row names {name}" in reasons(plan)[0]
        by_id = checked("Date,Amount,Donor ID,Email,Donor Name\n2025-06-01,19,D7,ana@rivermail.test,Greta Abbott\n")
        assert outcomes(by_id) == ["create"], "an id says who it is, whatever they are called there"
        by_id = checked("Date,Amount,Donor ID,Email,Donor Name\n2025-06-01,19,D8,ana@rivermail.test,Greta Abbott\n")
        assert outcomes(by_id) == ["refused"], "an id that nobody has says nothing"


def test_M5_the_same_file_again_changes_nothing(tenant: Tenant, people: list[Contact]) -> None:
    with in_tenant(tenant):
        imported(FILE)
        before = list(Gift.objects.order_by("pk").values())
        again = imported(FILE)
        assert outcomes(again)[:4] == ["unchanged"] * 4
        assert list(Gift.objects.order_by("pk").values()) == before
        services.correct(Gift.objects.get(amount=50), amount=55)  # corrected here: the file does not bring it back
        assert outcomes(imported(FILE))[:4] == ["unchanged"] * 4
        assert Gift.objects.filter(amount=55).count() == 1
        assert Gift.objects.count() == 4


def test_M5_the_report_that_comes_back_changes_nothing_either(tenant: Tenant, people: list[Contact]) -> None:
    with in_tenant(tenant):
        done = imported(FILE)
        table = [report.header(done)]
        for page in report.pages(tenant, done, ImportRow.objects.filter(data_import=done)):
            table += page
        text = StringIO()
        csv.writer(text).writerows(table)
        assert outcomes(imported(text.getvalue()))[:4] == ["unchanged"] * 4
        assert Gift.objects.count() == 4


def test_a_gift_that_looks_like_one_that_is_here_is_pointed_out(tenant: Tenant, people: list[Contact]) -> None:
    with in_tenant(tenant):
        services.record_gift(people[0], 50, date(2025, 6, 1))
        noted = ImportRow.objects.filter(data_import=imported(FILE), has_warnings=True)
        assert [row.number for row in noted] == [3]
        assert "There is a gift of $50.00 of Jun 1, 2025 (by hand) already" in noted[0].warnings[0]


def test_gifts_with_an_identifier_are_changed_to_what_the_file_says(tenant: Tenant, people: list[Contact]) -> None:
    head = "Date,Amount,Email,Transaction ID,Campaign\n"
    with in_tenant(tenant):
        imported(f"{head}2025-06-01,10,ana@rivermail.test,T1,Spring\n")
        again = imported(
            f"{head}2025-06-01,12,ana@rivermail.test,T1,Spring\n2025-06-02,5,ana@rivermail.test,T1,\n"
            "2025-06-02,5,bo@rivermail.test,T2,\n"
        )
        assert outcomes(again) == ["update", "refused", "create"]
        assert kept(people[0])["total"] == 12
        wrong = imported(f"{head}2025-06-02,5,ana@rivermail.test,T2,\n")
        assert "stands with a gift of Bo Lund already" in reasons(wrong)[0]


def test_M7_history_is_chosen_and_by_default_whatever_is_older_than_30_days(
    tenant: Tenant, people: list[Contact]
) -> None:
    with in_tenant(tenant):
        day = services.today()
        old, new = day - timedelta(days=31), day - timedelta(days=30)
        text = f"Date,Amount,Email\n{old},10,ana@rivermail.test\n{new},20,ana@rivermail.test\n"
        imported(text)
        assert [gift.is_history for gift in Gift.objects.order_by("amount")] == [True, False]
        Gift.objects.all().delete()
        imported(text, history="all")
        assert [gift.is_history for gift in Gift.objects.order_by("amount")] == [True, True]
        Gift.objects.all().delete()
        imported(text, history="none")
        assert [gift.is_history for gift in Gift.objects.order_by("amount")] == [False, False]


def test_an_import_is_taken_back_as_a_unit_but_for_what_was_touched_since(
    tenant: Tenant, people: list[Contact]
) -> None:
    with in_tenant(tenant):
        services.record_gift(people[0], 7, date(2025, 1, 1))
        done = imported(FILE)
        services.refund(Gift.objects.get(amount=50), 10)
        steps.look_back(done)
        worked(done)
        assert done.counts["undo_people"] == {"delete": 3, "keep": 1}
        steps.take_back(done, UserFactory())
        worked(done)
        assert done.state == Import.State.UNDONE
        assert sorted(Gift.objects.values_list("amount", flat=True)) == [7, 50]
        assert kept(people[0])["total"] == 47
        right(*people)


def test_days_are_read_in_the_order_that_was_chosen(tenant: Tenant, people: list[Contact]) -> None:
    text = "Date,Amount,Email\n3/4/2025,10,ana@rivermail.test\n"
    with in_tenant(tenant):
        imported(text, dates="day")
        imported(text, dates="month")
        assert sorted(Gift.objects.values_list("received_on", flat=True)) == [date(2025, 3, 4), date(2025, 4, 3)]


def test_as_many_queries_for_500_rows_as_for_5(tenant: Tenant, people: list[Contact]) -> None:
    def queries(count: int) -> int:
        day = date(2020, 1, 1)
        rows = [f"{day + timedelta(days=n)},{n + 1},bo@rivermail.test,{count}-{n}" for n in range(count)]
        data_import = checked("Date,Amount,Email,Gift id\n" + "\n".join(rows))
        steps.confirm(data_import, UserFactory())
        with CaptureQueriesContext(connection) as caught:
            worked(data_import)
        is_many = ("INSERT", "SAVEPOINT", "RELEASE", 'UPDATE "contacts_importrow"')
        return sum(not one["sql"].startswith(is_many) for one in caught.captured_queries)

    with in_tenant(tenant):
        queries(1)  # from then on they are a donor
        assert queries(5) == queries(400)
        right(people[1])


def test_the_pages_lead_from_the_file_to_the_gifts(tenant: Tenant, client: Client, people: list[Contact]) -> None:
    start = "/admin/contacts/import/start/"
    assert 'value="gifts" checked' in client.get(start, {"kind": "gifts"}).content.decode()
    text = "Date,Amount,Email\n3/4/2025,10,ana@rivermail.test\n"
    file = BytesIO(text.encode())
    file.name = "gifts.csv"
    page = client.post(start, {"kind": "gifts", "file": file}, follow=True)
    shown = page.content.decode()
    assert "3 of 3 columns were recognised" in shown
    assert "In this file, 3/4/2026 is" in shown
    with in_tenant(tenant):
        data_import = Import.objects.get()
    address = f"/admin/contacts/import/{data_import.uid}/"
    form = {f"column-{i}": one["field"] for i, one in enumerate(data_import.columns)} | {"history": "old"}
    assert "Say how dates are written in this file" in client.post(f"{address}check/", form).content.decode()
    client.post(f"{address}check/", form | {"dates": "month"})
    with in_tenant(tenant):
        worked(data_import)
    preview = client.get(address).content.decode()
    assert "1 gift, $10.00 together, will be added." in preview
    assert "New gift" in preview
    assert "Add 1 gift" in preview
    client.post(f"{address}confirm/")
    with in_tenant(tenant):
        worked(data_import)
    done = client.get(address).content.decode()
    assert f"/admin/gifts/gift/?import={data_import.pk}" in done
    assert "Ana Ruiz" in client.get("/admin/gifts/gift/", {"import": data_import.pk}).content.decode()
    assert client.get("/admin/contacts/import/").content.decode().count("Gifts") >= 2
    report = client.post(f"{address}report/", {"form": "csv"})
    assert b"Almoner id" in b"".join(report.streaming_content)  # type: ignore[attr-defined]


def test_importing_and_exporting_gifts_asks_for_the_rights_of_gifts(
    tenant: Tenant, people: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = logged_in(tenant, Role.STAFF)
    with in_tenant(tenant):
        address = f"/admin/contacts/import/{checked(FILE).uid}/"
    for granted, sees in (("change", True), ("see", True), ("", False)):
        monkeypatch.setitem(AREAS["gifts"], Role.STAFF, granted)
        may = granted == "change"
        chooser = staff.get("/admin/contacts/import/start/").content.decode()
        assert ('value="gifts"' in chooser, 'value="contacts"' in chooser) == (may, True)
        assert staff.get("/admin/contacts/import/start/", {"kind": "gifts"}).status_code == (200 if may else 403)
        assert staff.get(address).status_code == (200 if sees else 403)
        assert staff.post(f"{address}report/").status_code == (200 if sees else 403)
        assert ("gifts.csv" in staff.get("/admin/contacts/import/").content.decode()) == sees
        assert staff.post(f"{address}again/").status_code == (302 if may else 403)
        assert staff.get("/admin/contacts/export/new/", {"what": "gifts"}).status_code == (200 if sees else 403)


def test_a_neighbours_people_are_nobodys_donors_here(tenant: Tenant, neighbour: Tenant, people: list[Contact]) -> None:
    with in_tenant(neighbour):
        plan = checked(FILE)
        assert set(outcomes(plan)) == {"refused"}


def test_the_demos_file_is_offered_and_every_slip_in_it_ends_in_a_sentence(
    tenant: Tenant, client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.SAMPLE_IMPORT_FILE = str(tmp_path / "sample-import.csv")
    sample = "/admin/contacts/import/sample/?kind=gifts"
    assert client.get(sample).status_code == 404
    with in_tenant(tenant):
        people = [ContactFactory(last_name=f"Lund{n}", email=f"p{n}@rivermail.test") for n in range(30)]
        path = sample_gifts.write(tmp_path, people, date(2026, 5, 4))
        assert path.read_bytes() == sample_gifts.content(people, date(2026, 5, 4)), "the same each time"
        data_import = checked(path.read_text("utf-8-sig"))
        assert all(one["field"] for one in data_import.columns)
        counts = Counter(outcomes(data_import))
        assert counts == {"create": sample_gifts.ROWS - 7, "refused": 7}
        assert "4111" not in str([row.cells for row in ImportRow.objects.all()])
    assert f'{sample}"' in client.get("/admin/contacts/import/start/").content.decode()
    offered: Any = client.get(sample)
    assert b"".join(offered.streaming_content) == path.read_bytes()
