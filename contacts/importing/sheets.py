"""Spreadsheets (xlsx, xls, ods): the values that people see in the cells, and a guard against files made to hurt."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from contacts.importing.pieces import Opener
from contacts.importing.trouble import Unreadable

UNPACKED = 16  # times the largest upload: tables are packed to a tenth or so
MOST_CELLS = 20_000_000
# However it is written: with other attributes before it, in single quotes, with spaces or in small letters.
PLACE = re.compile(rb"""[\s"']r ?= ?["'] ?([A-Za-z]{1,3})(\d{1,7}) ?["']""")
ROW = re.compile(rb"""<(?:\w+:)?row\b""")
ROW_NUMBER = re.compile(rb"""[\s"']r ?= ?["'] ?(\d{1,7}) ?["']""")
NO_PLACE = re.compile(rb"""<(?:\w+:)?c(?=[\s/>])(?![^>]*\sr ?=)""")  # such a cell comes next to the one before it
SPACES = re.compile(rb"\s{2,}")
REPEATED = re.compile(rb'number-(?:columns|rows)-repeated="(\d{4,})"[^>]*office:value')
DAMAGED = (
    "The spreadsheet is damaged. Open it in a spreadsheet program, save it again under another name, and use that."
)
BINARY = "This is a binary Excel file (.xlsb). Save it as Excel workbook (.xlsx), and use that."
NO_SHEET = "This is neither a spreadsheet nor a table of text. Save your contacts as CSV or Excel (.xlsx) and use that."


def workbook(open_file: Opener) -> CalamineWorkbook:
    """The opened workbook; raises `Unreadable` with what to do."""
    with open_file() as stored:
        file = io.BytesIO(stored.read())
    if file.read(2) == b"PK":
        refuse_bombs(file)
    file.seek(0)
    try:
        return CalamineWorkbook.from_filelike(file)
    except PasswordError:
        raise Unreadable("The spreadsheet is locked with a password. Save a copy without one, and use that.") from None
    except CalamineError:
        raise Unreadable(NO_SHEET) from None


def refuse_bombs(file: io.BytesIO) -> None:
    """Nothing is opened that unpacks to far more than it looks, or claims cells without end."""
    most = settings.IMPORT_MAX_MB * UNPACKED * 2**20
    too_large = Unreadable(
        "The spreadsheet unpacks to far more than it looks. Copy the rows you need into a new one, and use that."
    )
    try:
        with zipfile.ZipFile(file) as packed:
            if len(packed.infolist()) > 5000 or sum(entry.file_size for entry in packed.infolist()) > most:
                raise too_large
            left = most
            for entry in packed.infolist():
                left -= _look_through(packed, entry, left, too_large)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError):
        raise Unreadable(DAMAGED) from None


def _look_through(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, too_large: Unreadable) -> int:
    """The true size of one part, read in pieces; what the file says about itself is not believed."""
    size, tail = 0, b""
    widest = lowest = 1
    in_row = 0  # cells without a place, so far
    if entry.filename.lower().endswith("workbook.bin"):
        raise Unreadable(BINARY)
    with packed.open(entry) as part:
        while chunk := part.read(1 << 20):
            size += len(chunk)
            if size > left:
                raise too_large
            text = SPACES.sub(b" ", tail + chunk)
            tail = text[-200:]
            for letters, digits in PLACE.findall(text):
                widest, lowest = max(widest, column_number(letters.upper())), max(lowest, int(digits))
            lowest = max([lowest, *map(int, ROW_NUMBER.findall(text))])
            if NO_PLACE.search(text):
                counts = [len(NO_PLACE.findall(row)) for row in ROW.split(text)]
                counts[0] += in_row
                widest, in_row = max(widest, *counts), counts[-1]
            if widest * lowest > MOST_CELLS or any(int(times) > 5000 for times in REPEATED.findall(text)):
                raise Unreadable(
                    "The spreadsheet has something in a cell very far out, so it claims millions of cells. Copy the "
                    "rows you need into a new one, and use that."
                )
    return size


def column_number(letters: bytes) -> int:
    """AB is 28."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def sheet_names(book: CalamineWorkbook) -> list[str]:
    """The sheets of cells that have any, visible or not."""
    names = [meta.name for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    return [name for name in names if _sheet(book, name).height]


def _sheet(book: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return book.get_sheet_by_name(name)
    except CalamineError:
        raise Unreadable(DAMAGED) from None


def records(open_file: Opener, name: str) -> Iterator[list[str]]:
    """Every row of one sheet from the first on, as text."""
    book = workbook(open_file)
    sheet = _sheet(book, name)
    if sheet.height:
        for row in sheet.iter_rows():  # begins with the first row, and with the first column that has anything
            yield [shown(value) for value in row]


def shown(value: Any) -> str:
    """A cell as people see it: 94110.0 is 94110, a day has no hour."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)
