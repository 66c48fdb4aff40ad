"""A CSV file that opens safely in a spreadsheet, made page by page so that its size does not matter."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

from contacts.exporting.cells import harmless

BYTE_ORDER_MARK = "\ufeff"  # Excel takes the file for UTF-8 because of it
CONTENT_TYPE = "text/csv; charset=utf-8"

Pages = Iterable[Iterable[list[Any]]]


def csv_file(header: list[str], pages: Pages) -> Iterator[bytes]:
    """The file in pieces; the heading goes out before the first page is asked for."""
    yield (BYTE_ORDER_MARK + _written([header])).encode()
    for page in pages:
        yield _written(page).encode()


def _written(rows: Iterable[list[Any]]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    # A plain number is nobody's formula, not even a negative one.
    writer.writerows([str(cell) if isinstance(cell, Decimal) else harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()
