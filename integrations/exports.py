"""Reports as CSV files that open safely in a spreadsheet, streamed so that size does not matter."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from django.http import StreamingHttpResponse

# A cell that starts with one of these is a formula to a spreadsheet; the full-width forms count as well.
FORMULA = tuple("=+-@\t\r\n\x00＝＋－＠")
BYTE_ORDER_MARK = "\ufeff"


def harmless(value: Any) -> str:
    """The value as text that no spreadsheet runs: an apostrophe goes before anything that looks like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) or any(map(_starts_formula, text.splitlines())) else text


def _starts_formula(line: str) -> bool:
    """Judged by its first visible character: the program that opens the file may drop what comes before."""
    visible = (character for character in line if character.isprintable() and not character.isspace())
    return next(visible, "").startswith(FORMULA)


def csv_download(filename: str, header: list[str], pages: Iterable[Iterable[list[Any]]]) -> StreamingHttpResponse:
    """A download whose rows come page by page. The pages are read after the view has returned: they open their own
    tenant and time zone."""
    response = StreamingHttpResponse(_lines(header, pages), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _lines(header: list[str], pages: Iterable[Iterable[list[Any]]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _written([header])
    for page in pages:
        yield _written(page)


def _written(rows: Iterable[list[Any]]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()
