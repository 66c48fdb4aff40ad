"""An Excel file, made page by page. Its cells are text to Excel, so no formula runs and postal codes keep their zeros.

An xlsx file is a ZIP of XML. Libraries keep it in memory or in a temporary file until the last row is known; here each
page goes out when it is made.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from contacts.exporting.csv_file import Pages

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575  # of a sheet, below its heading
MOST_BYTES = 1_500_000_000  # of a sheet; beyond 2 GB, Excel does not open it
MOST_LETTERS = 32_767  # of a cell
CUT = " … (cut: an Excel cell holds no more)"
# What XML cannot hold, and what Excel would read as an escape of its own (_x0041_ is “A” to it).
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Three looks: 0 plain, 1 text (format 49), 2 bold text.
STYLES = (
    f"{HEAD}<styleSheet {MAIN}>"
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


class Sink:
    """What the ZIP is written to: it keeps only what has not been sent yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """One piece of the file. There is no `tell`, so the ZIP knows that nobody can go back."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """What has come since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def xlsx_file(header: list[str], pages: Pages) -> Iterator[bytes]:
    """The file in pieces; the heading goes out before the first page is asked for."""
    sink = Sink()
    remaining, sheets = iter(pages), 0
    page: list[list[Any]] | None = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("xl/styles.xml", STYLES)
        while page is not None:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w") as sheet:
                rows = size = 0
                sheet.write(_top(header).encode())
                if sheets == 1:
                    yield sink.taken()
                while page is not None and rows + len(page) <= MOST_ROWS and size < MOST_BYTES:
                    size += sheet.write(_rows(page, 1).encode())
                    rows += len(page)
                    if piece := sink.taken():  # a small page may still be with the compressor
                        yield piece
                    page = next((list(more) for more in remaining), None)
                sheet.write(b"</sheetData></worksheet>")
        for name, text in _frame(sheets):
            archive.writestr(name, text)
    yield sink.taken()


def _top(header: list[str]) -> str:
    """A sheet up to its heading, which stays in view while one scrolls."""
    widths = "".join(
        f'<col min="{n}" max="{n}" width="{max(12, min(len(title) + 4, 40))}" customWidth="1" style="1"/>'
        for n, title in enumerate(header, 1)
    )
    return (
        f'{HEAD}<worksheet {MAIN}><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData>{_rows([header], 2)}"
    )


def _rows(rows: Iterable[list[Any]], look: int) -> str:
    return "".join(f"<row>{''.join(_cell(value, look) for value in row)}</row>" for row in rows)


def _cell(value: Any, look: int) -> str:
    if value is None or value == "":
        return f'<c s="{look}"/>'
    if isinstance(value, Decimal) and len(value.as_tuple().digits) <= 15:  # more, and Excel would round it
        return f"<c><v>{value}</v></c>"
    text = NOT_XML.sub("", str(value))
    if len(text) > MOST_LETTERS:
        text = text[: MOST_LETTERS - len(CUT)] + CUT
    return f'<c t="inlineStr" s="{look}"><is><t xml:space="preserve">{_escaped(text)}</t></is></c>'


def _escaped(text: str) -> str:
    return escape(LIKE_AN_ESCAPE.sub("_x005F_", text), {"\r": "&#13;"})


def _frame(sheets: int) -> Iterator[tuple[str, str]]:
    """The small files that say what the sheets are."""
    numbers = range(1, sheets + 1)
    parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    parts += [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    overrides = "".join(f'<Override PartName="{name}" ContentType="{TYPES}.{kind}+xml"/>' for name, kind in parts)
    yield (
        "[Content_Types].xml",
        (
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
        ),
    )
    yield "_rels/.rels", _links([("officeDocument", "xl/workbook.xml")])
    names = "".join(
        f'<sheet name={quoteattr("Export" if n == 1 else f"Export {n}")} sheetId="{n}" r:id="rId{n}"/>' for n in numbers
    )
    yield "xl/workbook.xml", f'{HEAD}<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>'
    sheets_then_styles = [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers] + [("styles", "styles.xml")]
    yield "xl/_rels/workbook.xml.rels", _links(sheets_then_styles)


def _links(targets: list[tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{lines}</Relationships>'
