"""The demo's file: messy as real ones are, the same each time, and every slip in it ends in a sentence."""

from pathlib import Path

import pytest

from config.demo import sample_file
from contacts.models import Import, ImportRow
from tests.contacts.import_desk import checked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def test_it_is_the_same_each_time_and_written_once(tmp_path: Path) -> None:
    path = sample_file.write(tmp_path)
    assert path.read_bytes() == sample_file.content()
    path.write_bytes(b"changed by hand")
    assert sample_file.write(tmp_path).read_bytes() == b"changed by hand"


def test_five_thousand_messy_rows_are_understood() -> None:
    data_import = checked(sample_file.content())
    counts = data_import.counts
    assert (data_import.state, data_import.rows_total) == (Import.State.READY, sample_file.ROWS)
    assert [one["header"] for one in data_import.columns if not one["field"]] == ["Joined"]
    assert counts["refused"] == 3
    assert counts["create"] == sample_file.ROWS - 3 - 20  # twenty come twice with the same address
    assert counts["warnings"] > 60 and counts["marked"] > 50 and counts["no_email"] > 300
    rows = ImportRow.objects.filter(data_import=data_import)
    for first, second in sample_file.DOUBLES:
        one, other = (rows.get(label=f"{person[0]} {person[1]}").changes for person in (first, second))
        assert one["phone"] == other["phone"] and one["street"] == other["street"] and one["email"] != other["email"]
    assert rows.filter(label="Odile Marchetti", outcome="create").exists()  # she shares a mailbox with Bernard
    assert rows.filter(label__startswith="Zoë").exists()
