"""Cells, CSV and Excel files: they open safely in a spreadsheet, and say what was written when they are read again."""

import csv
import hashlib
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st

from contacts.exporting import xlsx_file as excel
from contacts.exporting.cells import as_written, harmless
from contacts.exporting.csv_file import csv_file
from contacts.exporting.xlsx_file import xlsx_file

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u2003=1", "\u200b=1", "\ufeff=1",
    " \t=1", "\x0b=1", "a\u2028=1", "＝1", "＋1", "－1", "＠x", "a\n=1", "\x00=1",
]  # fmt: skip
PLAIN = ["Ana", "a=b", "1-2", "", "ana@river.org", "Ana – Ruiz", "O'Brien", "a\nb", "'t Hooft", "'"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_cell_that_looks_like_a_formula_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", PLAIN)
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == as_written(cell) == cell


@pytest.mark.parametrize("cell", [*FORMULAS, *PLAIN, "'=1", "''=1", "'-", "'O'Brien", "'\n=1"])
def test_the_apostrophe_before_a_formula_does_not_come_back(cell: str) -> None:
    assert as_written(harmless(cell)) == cell


@given(st.text(alphabet=st.sampled_from("'=+-@\t\n a１＝\u200b"), max_size=8) | st.text(max_size=20))
def test_whatever_was_guarded_is_read_as_it_was_written(text: str) -> None:
    assert as_written(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@"))


def pages_asked(count: int, asked: list[int]) -> Iterator[list[list[Any]]]:
    for number in range(count):
        asked.append(number)
        yield [[f"Zoë, “{number}”", None], ["=cmd", Decimal(-5)]]


def crowds(asked: list[int]) -> Iterator[list[list[Any]]]:
    """Pages that cannot be compressed to nothing."""
    for number in range(3):
        asked.append(number)
        yield [[hashlib.sha256(bytes([number, row % 256, row // 256])).hexdigest()] for row in range(3000)]


def test_a_csv_file_has_a_byte_order_mark_all_cells_quoted_and_comes_page_by_page() -> None:
    asked: list[int] = []
    pieces = csv_file(["Name", "Figure"], pages_asked(3, asked))
    assert next(pieces).decode() == '\ufeff"Name","Figure"\r\n'
    assert asked == [], "the heading goes out before a page is read"
    body = next(pieces)
    assert asked == [0]
    body += b"".join(pieces)
    rows = list(csv.reader(StringIO(body.decode())))
    assert rows[:2] == [["Zoë, “0”", ""], ["'=cmd", "-5"]], "a number is no formula"
    assert len(rows) == 6


def read_excel(content: bytes) -> dict[str, list[list[Any]]]:
    """{sheet: its rows}."""
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_an_excel_file_comes_page_by_page() -> None:
    asked: list[int] = []
    pieces = xlsx_file(["Name"], crowds(asked))
    start = next(pieces)
    assert asked == [], "the beginning goes out before a page is read"
    start += next(pieces)
    assert asked == [0]
    rest = list(pieces)
    assert all(rest), "an empty piece would end the answer early"
    assert len(read_excel(start + b"".join(rest))["Export"]) == 9001


def test_text_stays_text_in_an_excel_file_and_runs_nothing() -> None:
    hostile = [*FORMULAS[:4], "02139", " a ", "a\r\nb", "_x000D_", "<b>&\"'", "ž😀", "]]>", "last"]
    content = b"".join(xlsx_file(["H"] * len(hostile), iter([[hostile]])))
    assert read_excel(content)["Export"][1] == hostile
    assert b"<f>" not in content


def test_an_excel_cell_has_no_more_than_excel_bears_and_nothing_that_breaks_the_file() -> None:
    rows = [["a" * 40_000, "bell\x07 \ud800", Decimal("-5.25"), Decimal("1234567890123456.1234"), None]]
    content = b"".join(xlsx_file(list("abcde"), iter([rows])))
    long, bell, number, precise, nothing = read_excel(content)["Export"][1]
    assert len(long) == excel.MOST_LETTERS
    assert long.endswith(excel.CUT)
    assert (bell, number, precise, nothing) == ("bell ", -5.25, "1234567890123456.1234", "")


def test_a_sheet_that_is_full_is_followed_by_another_with_the_same_heading(monkeypatch: Any) -> None:
    monkeypatch.setattr(excel, "MOST_ROWS", 4)
    content = b"".join(xlsx_file(["A"], ([[f"{n}a"], [f"{n}b"]] for n in range(5))))
    sheets = read_excel(content)
    assert list(sheets) == ["Export", "Export 2", "Export 3"]
    assert [len(rows) for rows in sheets.values()] == [5, 5, 3]
    assert all(rows[0] == ["A"] for rows in sheets.values())


@pytest.mark.parametrize("write", [csv_file, xlsx_file])
def test_a_file_without_rows_has_its_heading(write: Any) -> None:
    content = b"".join(write(["Name"], iter([])))
    if write is xlsx_file:
        assert read_excel(content) == {"Export": [["Name"]]}
    else:
        assert content.decode() == '\ufeff"Name"\r\n'
