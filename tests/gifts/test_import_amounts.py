"""How amounts in a file of gifts are read: by the file's own way of writing cents, never by a guess."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contacts.importing import steps
from contacts.models import Contact, ImportRow
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.importing.amounts import NoAmount, amount, mark_of, marks
from gifts.models import Gift
from tests.factories import UserFactory
from tests.gifts.test_import import imported, outcomes, people, reasons, uploaded, worked
from tests.gifts.test_totals import kept

pytestmark = pytest.mark.django_db
__all__ = ["people"]


def an_xlsx(rows: list[list[Any]]) -> bytes:
    """A spreadsheet of these cells."""
    book, file = openpyxl.Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("written", "mark", "meant"),
    [
        ("1.250", "comma", 1250), ("1,250", "point", 1250), ("1.250", "point", None), ("1,250", "comma", None),
        ("1.250", "", None), ("1,250", "", None), ("0.125", "comma", None), ("1.234.567", "", 1234567),
        ("12.500", "point", None),
    ],
)  # fmt: skip
def test_M9_three_digits_after_a_sign_are_read_as_the_file_writes_cents(written: str, mark: str, meant: Any) -> None:
    if meant is None:
        with pytest.raises(NoAmount):
            amount(written, "EUR", mark)
    else:
        assert amount(written, "EUR", mark) == meant


@pytest.mark.parametrize(
    ("written", "currency", "is_read"),
    [
        ("A$50", "AUD", True), ("CA$50", "CAD", True), ("US$50", "USD", True), ("$50", "MXN", True),
        ("$50", "CHF", False), ("$50", "SEK", False), ("A$50", "USD", False), ("¥50", "MXN", False),
    ],
)  # fmt: skip
def test_M9_a_sign_of_another_currency_is_refused_and_the_own_one_is_read_as_our_pages_write_it(
    written: str, currency: str, is_read: bool
) -> None:
    if is_read:
        assert amount(written, currency) == 50
    else:
        with pytest.raises(NoAmount, match=f"is not in {currency}"):
            amount(written, currency)


def test_M9_a_number_of_a_spreadsheet_is_that_number() -> None:
    assert amount("1234.5", "EUR", "comma", of_sheet=True) == Decimal("1234.50")
    assert amount("1.250", "EUR", "comma") == 1250
    with pytest.raises(NoAmount, match="more than two decimals"):
        amount("12.345", "EUR", "comma", of_sheet=True)


@pytest.mark.parametrize(
    ("cells", "currency", "mark"),
    [
        (["1.250", "12,50"], "USD", "comma"), (["1.250", "12.50"], "EUR", "point"), (["1.250", "7"], "EUR", "ask"),
        (["1.250", "7"], "USD", "point"), (["1.250", "1.234.567"], "EUR", "comma"), (["7", "8"], "EUR", ""),
        (["12,50", "12.50", "1,250"], "EUR", "ask"), (["1.250,00 €"], "EUR", "comma"),
    ],
)  # fmt: skip
def test_M9_the_rest_of_the_column_tells_how_amounts_are_written(cells: list[str], currency: str, mark: str) -> None:
    assert mark_of(marks(cells), currency) == mark
    assert marks(["12.5", "12.345"], of_sheet=True) == set(), "numbers of a spreadsheet tell nothing"


def test_M9_a_gift_is_taken_back_however_its_amount_was_written(tenant: Tenant, people: list[Contact]) -> None:
    with in_tenant(tenant):
        done = imported(
            "Date,Amount,Email\n2025-06-01,44,ana@rivermail.test\n2025-06-02,75.5,ana@rivermail.test\n"
            '2025-06-03,"1,234",ana@rivermail.test\n'
        )
        assert kept(people[0])["total"] == Decimal("1353.50")
        for row in ImportRow.objects.filter(data_import=done):  # as rows were kept that an import wrote earlier
            row.changes["amount"][1] = str(Decimal(row.changes["amount"][1]).normalize())
            row.save()
        steps.look_back(done)
        assert worked(done).counts["undo_people"] == {"delete": 3}
        steps.take_back(done, UserFactory())
        worked(done)
        assert not Gift.objects.exists()


def test_M9_amounts_of_a_spreadsheet_and_of_text_are_the_same_gift(tenant: Tenant, people: list[Contact]) -> None:
    with in_tenant(tenant):
        imported("Date,Amount,Email\n2025-06-01,44.00,ana@rivermail.test\n")
        assert outcomes(imported("Date,Amount,Email\n2025-06-01,44,ana@rivermail.test\n")) == ["unchanged"]


def test_M9_numbers_with_three_decimals_in_a_spreadsheet_are_refused(tenant: Tenant, people: list[Contact]) -> None:
    content = an_xlsx([["Date", "Amount", "Email"], ["2025-06-01", 12.345, "ana@rivermail.test"],
                       ["2025-06-02", 1234.5, "ana@rivermail.test"]])  # fmt: skip
    with in_tenant(tenant):
        data_import = steps.start(SimpleUploadedFile("gifts.xlsx", content), UserFactory(), "gifts")
        steps.match(data_import, [one["field"] for one in data_import.columns], {"history": "old", "amounts": "comma"})
        plan = worked(data_import)
        assert outcomes(plan) == ["refused", "create"]
        assert "“12.345” has more than two decimals" in reasons(plan)[0]
        assert plan.counts["amount"] == "1234.50"


def test_M9_amounts_that_can_be_much_or_little_are_asked_about_once(
    tenant: Tenant, client: Client, people: list[Contact]
) -> None:
    with in_tenant(tenant):
        tenant.currency = "EUR"
        tenant.save()
        data_import = uploaded("Date,Amount,Email\n2025-06-01,1.250,ana@rivermail.test\n")
        asked = f"/admin/contacts/import/{data_import.uid}/"
        form = {f"column-{i}": one["field"] for i, one in enumerate(data_import.columns)} | {"history": "old"}
    assert "an amount with cents is written like" in client.get(asked).content.decode()
    assert "Say how amounts are written in this file" in client.post(f"{asked}check/", form).content.decode()
    client.post(f"{asked}check/", form | {"amounts": "comma"})
    with in_tenant(tenant):
        assert worked(data_import).counts["amount"] == "1250.00"
