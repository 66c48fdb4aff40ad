"""Files as people really have them: each is read as it was meant, or refused with a sentence that says what to do."""

import csv
import datetime
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.importing import intake, pieces, sheets, text
from contacts.importing.trouble import Unreadable
from contacts.models import Import

HEADER = "First name,Last name,Email\r\n"


def read(content: bytes, **wishes: Any) -> tuple[intake.Format, list[tuple[int, list[str]]]]:
    """How the file is read, and its rows."""

    def open_file() -> Any:
        return io.BytesIO(content)

    how = intake.examine(open_file, **wishes)
    return how, list(intake.rows(open_file, how))


def cells(content: bytes) -> list[list[str]]:
    return [row for _, row in read(content)[1]]


def workbook(fill: Callable[[Any], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# --- encodings ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_accents_survive_in_every_usual_encoding(encoding: str) -> None:
    content = (HEADER + "Zoë,Müller,zoe@rivermail.test\r\nJosé,Ibáñez,jose@rivermail.test\r\n").encode(encoding)
    assert [row[:2] for row in cells(content)] == [["Zoë", "Müller"], ["José", "Ibáñez"]]
    assert read(content)[0].headings == ["First name", "Last name", "Email"]


def test_a_file_put_together_from_two_programs_is_right_in_both_parts() -> None:
    content = (HEADER + "Zoë,Müller,\r\n").encode() + "José,Ibáñez,\r\nŠárka,Dvořák,\r\n".encode("cp1252", "replace")
    assert [row[0] for row in cells(content)][:2] == ["Zoë", "José"]


def test_cyrillic_is_told_apart_from_western_letters() -> None:
    content = (HEADER + "Дарья,Ковалёва,\r\nИван,Соколов,\r\nОльга,Никитина,\r\n" * 5).encode("cp1251")
    assert cells(content)[0][:2] == ["Дарья", "Ковалёва"]


def test_an_encoding_chosen_by_hand_is_used() -> None:
    content = (HEADER + "Łukasz,Wójcik,\r\n").encode("cp1250")
    assert read(content, encoding="cp1250")[1][0][1][:2] == ["Łukasz", "Wójcik"]


@pytest.mark.parametrize("encoding", sorted(text.ENCODINGS))
def test_no_choice_of_encoding_fails_whatever_the_bytes(encoding: str) -> None:
    content = HEADER.encode() + bytes(range(32, 256)) + b",x,\r\nAna,Ruiz,\r\n"
    try:
        read(content, encoding=encoding)
    except Unreadable as why:
        assert len(str(why)) > 20


# --- the shape ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_whatever_divides_the_cells(delimiter: str) -> None:
    lines = [["First name", "Last name", "Notes"], ["Ana", "Ruiz", "one, two; three"], ["Ben", "Okoro", ""]]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(lines)
    assert cells(file.getvalue().encode()) == lines[1:]


def test_the_word_of_excel_about_the_divider_counts() -> None:
    how, rows = read(b"sep=;\r\nFirst name;Notes\r\nAna;a,b,c,d\r\n")
    assert (how.delimiter, how.header, rows) == (";", 2, [(3, ["Ana", "a,b,c,d"])])


def test_line_breaks_quotes_and_nuls_in_cells() -> None:
    content = b'First name,Notes\r\nAna,"one\ntwo ""three"""\r\nB\x00en,x\r\n'
    assert cells(content) == [["Ana", 'one\ntwo "three"'], ["Ben", "x"]]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_whatever_ends_the_lines(end: str) -> None:
    assert cells(end.join(["First name,Last name", "Ana,Ruiz", "Ben,Okoro"]).encode()) == [
        ["Ana", "Ruiz"],
        ["Ben", "Okoro"],
    ]


def test_blank_lines_and_a_title_above_the_headings_keep_the_numbers_of_a_spreadsheet() -> None:
    title, header = b"River Trust members 2026,,\r\n\r\n,,\r\n", b"First name,Last name,Email\r\n"
    content = title + header + b"Ana,Ruiz,a@rivermail.test\r\n\r\nBen,Okoro,\r\n"
    how, rows = read(content)
    assert how.header == 4
    assert [number for number, _ in rows] == [5, 7]


def test_headings_that_repeat_or_are_missing_get_names_of_their_own() -> None:
    how, _ = read(b"Name,Phone,Phone,,Phone\r\nAna,1,2,3,4\r\n")
    assert how.headings == ["Name", "Phone", "Phone (2)", "Column D", "Phone (3)"]


def test_a_file_without_headings_is_seen_by_its_first_address() -> None:
    how, rows = read(b"ana@rivermail.test,Ana\r\nben@rivermail.test,Ben\r\n")
    assert (how.header, how.headings, len(rows)) == (0, ["Column A", "Column B"], 2)


def test_rows_shorter_and_longer_than_the_headings() -> None:
    rows = cells(
        b"First name,Last name,Email\r\nAna\r\nBen,Okoro,b@rivermail.test,extra,more\r\n" + b"Cy,Day,\r\n" * 10
    )
    assert (rows[0], rows[1]) == (["Ana"], ["Ben", "Okoro", "b@rivermail.test", "extra", "more"])


def test_a_longer_row_now_and_then_makes_no_column() -> None:
    how, _ = read(b"First name,Last name\r\n" + b"Ana,Ruiz\r\n" * 20 + b"Ben,Okoro,oops\r\n")
    assert how.headings == ["First name", "Last name"]


def test_fifty_columns() -> None:
    names = [f"Field {number}" for number in range(49)]
    content = ",".join(["Email", *names]) + "\r\n" + ",".join(["ana@rivermail.test", *["x"] * 49]) + "\r\n"
    assert len(read(content.encode())[0].headings) == 50


# --- files that cannot be used ---


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"  \r\n \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"First name,Last name\r\n", "no rows below"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
        (b"<html><table><tr><td>Ana</td></tr></table>", "web page"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "business cards"),
        (b"PK\x03\x04 but no spreadsheet", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "neither a spreadsheet nor"),
        (b"\x1f\x8b\x08\x00" + b"\0" * 50, "compressed"),
        (bytes(range(1, 32)) * 40, "not a table"),
        (b'First name,Notes\r\nAna,"never closed\r\n' + b"x" * 200_000, "quotation mark"),
        ((",".join(f"c{n}" for n in range(400)) + "\n" + "1," * 399 + "1\n").encode(), "400 columns"),
    ],
)  # fmt: skip
def test_each_unusable_file_gets_a_sentence_that_says_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as why:
        read(content)
    assert said in str(why.value)
    assert str(why.value).endswith(".")


# --- spreadsheets ---


def test_spreadsheets_show_what_people_see() -> None:
    moment = datetime.datetime(2020, 1, 2, 14, 30)  # noqa: DTZ001 - a cell has no time zone

    def fill(book: Any) -> None:
        sheet = book.active
        sheet.append([None])
        sheet.append(["First name", "Zip", "Born", "Member since", "Share", "Active", "Total"])
        sheet.append(["Ana", 94110.0, datetime.date(1980, 3, 31), moment, 0.1 + 0.2, True, "=1+1"])
        sheet.append(["Ben", "02134", None, None, 1e6, False, None])

    how, rows = read(workbook(fill))
    assert how.header == 2
    assert rows[0] == (3, ["Ana", "94110", "1980-03-31", "2020-01-02 14:30", "0.3", "TRUE", ""])  # no cached value
    assert rows[1][1][:5] == ["Ben", "02134", "", "", "1000000"]


def test_formulas_give_the_value_that_was_last_seen(base_dir: Any) -> None:
    book = workbook(
        lambda book: book.active.append(["Email", "Name"]) or book.active.append(["x@rivermail.test", "=A2"])
    )
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name.endswith("sheet1.xml"):
                body = body.replace(b'<c r="B2"><f>A2</f><v />', b'<c r="B2" t="str"><f>A2</f><v>Ana Ruiz</v>')
                body = body.replace(b'<c r="B2"><f>A2</f><v></v>', b'<c r="B2" t="str"><f>A2</f><v>Ana Ruiz</v>')
            new.writestr(name, body)
    assert cells(changed.getvalue()) == [["x@rivermail.test", "Ana Ruiz"]]


def test_the_first_sheet_with_anything_is_taken_and_another_can_be_chosen() -> None:
    def fill(book: Any) -> None:
        book.create_sheet("People").append(["First name"])
        book["People"].append(["Ana"])
        book.create_sheet("Shops").append(["Organization"])
        book["Shops"].append(["Bakery"])

    content = workbook(fill)
    assert read(content)[0].sheet == "People"
    assert read(content, sheet="Shops")[1] == [(2, ["Bakery"])]


def test_an_empty_spreadsheet_is_refused() -> None:
    with pytest.raises(Unreadable, match="empty"):
        read(workbook(lambda book: None))


def test_a_bomb_is_refused_before_it_goes_off(settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * (sheets.UNPACKED * 2**20 + 1))
    assert len(file.getvalue()) < 100_000
    with pytest.raises(Unreadable, match="unpacks to far more"):
        read(file.getvalue())


def test_a_bomb_that_lies_about_its_size_is_refused_too(settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * 40 * 2**20)
    lie = file.getvalue().replace((40 * 2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(Unreadable):
        read(lie)


def test_a_cell_far_out_does_not_claim_the_memory_of_millions() -> None:
    def fill(book: Any) -> None:
        book.active["A1"] = "Email"
        book.active["XFD1048576"] = "x"

    with pytest.raises(Unreadable, match="very far out"):
        read(workbook(fill))


FAR = [
    '<row r="900000"><c s="0" r="XFD900000"><v>1</v></c></row>',
    "<row r='900000'><c r='XFD900000'><v>1</v></c></row>",
    f'<row r="900000"><c {" " * 3_000_000} r = "XFD900000"><v>1</v></c></row>',
    '<row r="900000"><x:c r="xfd900000"><v>1</v></x:c></row>',
    '<row r="900000"><c t=">" r="XFD900000"><v>1</v></c></row>',
    '<row r="900000">' + "<c><v>1</v></c>" * 16_000 + "</row>",
    '<row r="900000">' + f"<c><v>{'1' * 200}</v></c>" * 16_000 + "</row>",
]


@pytest.mark.parametrize("row", FAR, ids=range(len(FAR)))
def test_a_cell_far_out_is_seen_however_it_is_written(row: str) -> None:
    file = io.BytesIO(workbook(lambda book: book.active.append(["Email"])))
    written = io.BytesIO()
    with zipfile.ZipFile(file) as book, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in book.namelist():
            content = book.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"</sheetData>", row.encode() + b"</sheetData>")
                assert row.encode() in content
            changed.writestr(name, content)
    with pytest.raises(Unreadable, match="very far out"):
        sheets.refuse_bombs(written)


def test_cells_without_places_of_their_own_are_no_bomb() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", "<row>" + "<c><v>1</v></c>" * 60 + "</row>" + "<row r='20000'/>")
    sheets.refuse_bombs(file)


# --- round trips ---

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(words, min_size=3, max_size=3), min_size=1, max_size=8), delimiter=st.sampled_from(",;\t|")
)
def test_what_csv_writes_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(
        [["First name", "Last name", "Notes"], *rows]
    )
    content = file.getvalue().encode()
    found = list(text.records(lambda: io.BytesIO(content), "utf-8", delimiter))
    assert found[1:] == rows


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=400))
def test_no_bytes_whatever_make_more_than_a_sentence(content: bytes) -> None:
    try:
        read(content)
    except Unreadable as why:
        assert str(why)


@pytest.mark.django_db
@pytest.mark.usefixtures("in_tenant")
def test_the_file_comes_out_of_its_pieces_as_it_went_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SIZE", 7)
    body = bytes(range(256)) * 3
    data_import = Import.objects.create(file_name="x.csv")
    pieces.store(data_import, [body[:100], body[100:101], body[101:]])
    assert pieces.opener(data_import)().read() == body
