"""Take a file in: what it is, how it is read, where its headings are; then its rows, as often as they are needed."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from typing import Any

from contacts.exporting.cells import as_written
from contacts.importing import sheets, text
from contacts.importing.kinds import EMPTY, SHEET, TEXT, kind_of
from contacts.importing.pieces import Opener
from contacts.importing.trouble import Unreadable

MOST_COLUMNS = 300
LOOKED_AT = 60
EMAIL_SIGN = "@"
ONLY_A_HEADER = "There are headings in the file, but no rows below them. Choose the file that has your contacts in it."


@dataclass
class Format:
    """How one file is read; kept with the import. `header` is the number of the row of headings, 0 for none."""

    kind: str = TEXT
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    header: int = 1
    headings: list[str] = field(default_factory=list)

    @classmethod
    def kept(cls, values: dict[str, Any]) -> "Format":
        """As it was written down."""
        return cls(**{one.name: values[one.name] for one in fields(cls) if one.name in values})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(open_file: Opener, encoding: str = "", sheet: str = "", header: int | None = None) -> Format:
    """How this file is read; what is given was chosen by hand. Raises `Unreadable` with a sentence."""
    with open_file() as file:
        start = file.read(8192)
    found = Format(kind=kind_of(start))
    if found.kind == SHEET:
        found.sheets = sheets.sheet_names(sheets.workbook(open_file))
        if not found.sheets:
            raise Unreadable("The spreadsheet is empty. Choose the one that has your contacts in it.")
        found.sheet = sheet if sheet in found.sheets else found.sheets[0]
    else:
        found.encoding = encoding if encoding in text.ENCODINGS else text.encoding_of(open_file)
        found.delimiter = text.delimiter_of(open_file, found.encoding)
    first = list(islice(records(open_file, found), LOOKED_AT))
    found.header = header_row(first) if header is None or header > len(first) else header
    found.headings = headings(first, found.header)
    if len(found.headings) > MOST_COLUMNS:
        raise Unreadable(
            f"The file has {len(found.headings):,} columns; up to {MOST_COLUMNS} can be imported. Remove those you do "
            "not need, and upload it again."
        )
    if not any(any(cells) for _, cells in rows(open_file, found)):
        raise Unreadable(ONLY_A_HEADER if any(map(any, first)) else EMPTY)
    return found


def records(open_file: Opener, how: Format) -> Iterator[list[str]]:
    """Every row of the file, from the first."""
    found = (
        sheets.records(open_file, how.sheet)
        if how.kind == SHEET
        else text.records(open_file, how.encoding, how.delimiter)
    )
    for cells in found:
        yield [as_written(cell.strip()) for cell in cells]


def rows(open_file: Opener, how: Format, after: int = 0) -> Iterator[tuple[int, list[str]]]:
    """(number as a spreadsheet counts, cells) of each row below the headings that has anything in it."""
    for number, cells in enumerate(records(open_file, how), 1):
        if number > max(how.header, after) and any(cells):
            yield number, cells


def header_row(first: list[list[str]]) -> int:
    """The number of the row of headings: the fullest of the first ones, unless it holds an address already."""
    from contacts.importing.columns import is_known_heading

    widths = [sum(map(bool, cells)) for cells in first]
    filled = sorted(width for width in widths if width)
    usual = filled[len(filled) // 2] if filled else 0
    for number, (cells, width) in enumerate(zip(first, widths, strict=True), 1):
        if not width or cells[0].startswith("sep="):
            continue
        known = sum(is_known_heading(cell) for cell in cells)
        if known >= 2 or known == width:
            return number
        if any(EMAIL_SIGN in cell and "." in cell.rpartition(EMAIL_SIGN)[2] for cell in cells):
            return 0
        if width >= usual * 0.6:  # a title above the table fills a cell or two
            return number
    return 1


def headings(first: list[list[str]], header: int) -> list[str]:
    """One for each column; empty and repeated ones get a name of their own."""
    given = first[header - 1] if header else []
    below = sorted(last_filled(cells) for cells in first[header:] if any(cells))
    # A row now and then that is longer than the others makes no column; a quarter of them does.
    width = below[-1 - len(below) // 4] if below else 0
    names: list[str] = []
    for index in range(max(width, last_filled(given))):
        name = " ".join(given[index].split())[:100] if index < len(given) else ""
        name = name or f"Column {letters(index + 1)}"
        count = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({count + 1})" if name in names else name)
    return names


def last_filled(cells: list[str]) -> int:
    """How many cells up to the last that has anything."""
    return max((index for index, cell in enumerate(cells, 1) if cell), default=0)


def letters(number: int) -> str:
    """The name of a column in a spreadsheet: 28 is AB."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def samples(open_file: Opener, how: Format, count: int = LOOKED_AT) -> list[list[str]]:
    """The first rows below the headings."""
    return [cells for _, cells in islice(rows(open_file, how), count)]
