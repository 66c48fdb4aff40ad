"""Reports open safely in a spreadsheet."""

import csv
from io import StringIO

import pytest

from integrations.exports import csv_download, harmless


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u00a0=1",
        "\u2003=1",
        "\u200b=1",
        "\ufeff=1",
        " \t=1",
        "\x0b=1",
        "a\u2028=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "a\n=1",
        "\x00=1",
    ],
)
def test_a_cell_that_looks_like_a_formula_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Ana", "a=b", "1-2", "", "ana@river.org", "Ana – Ruiz", "O'Brien", "a\nb"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


def test_the_file_has_a_byte_order_mark_all_cells_quoted_and_comes_page_by_page() -> None:
    asked: list[int] = []

    def pages() -> object:
        for number in range(3):
            asked.append(number)
            yield [[f"Zoë, “{number}”", None], ["=cmd", 5]]

    response = csv_download("report.csv", ["Name", "Figure"], pages())  # type: ignore[arg-type]
    assert asked == [], "nothing is read before the download begins"
    assert response.streaming
    body = b"".join(response.streaming_content).decode()  # type: ignore[arg-type]
    assert body.startswith('\ufeff"Name","Figure"\r\n')
    rows = list(csv.reader(StringIO(body[1:])))
    assert rows[1:3] == [["Zoë, “0”", ""], ["'=cmd", "5"]]
    assert len(rows) == 7
    assert 'filename="report.csv"' in response["Content-Disposition"]
