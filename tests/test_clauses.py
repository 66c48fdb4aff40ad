"""Every clause is named by a test, and the table of them names no test that is gone."""

import re

import pytest

from tests.clauses import CLAUSES, TABLE, counts, found, named, table


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_is_named_by_a_test(clause: str) -> None:
    assert found().get(clause), f"no test shows {clause}: {CLAUSES[clause]}"


def test_no_test_names_a_clause_that_does_not_exist() -> None:
    assert found().keys() - CLAUSES.keys() == set()


def test_the_list_of_clauses_is_whole() -> None:
    many = {"L": 37, "D": 13, "M": 9, "T": 9, "O": 15, "A": 14}
    assert set(CLAUSES) == {f"{kind}{n}" for kind, last in many.items() for n in range(1, last + 1)} | {"L24a"}


def test_the_table_names_tests_that_exist() -> None:
    shown = set(re.findall(r"  - `(test_\w+)`", TABLE.read_text()))
    there = {name for files in found().values() for names in files.values() for name in names}
    assert shown - there == set(), "made anew by `python -m tests.clauses`"
    assert all(f"## {clause}\n" in TABLE.read_text() for clause in CLAUSES)


def test_control_names_are_read_as_meant() -> None:
    assert named("test_L6_L13_nobody") == ["L6", "L13"]
    assert named("test_L24a_never") == ["L24a"] and named("test_all_is_well_L35") == ["L35"]
    assert named("test_M7_D4_T5_follow") == ["M7", "D4", "T5"] and named("test_D5") == ["D5"]
    assert named("test_URL2_is_no_clause") == [] and named("test_XL3") == []
    assert "| [L24a](#l24a) |" in table()


def test_control_a_clause_of_another_list_is_not_taken_for_ours() -> None:
    assert counts("T5", "tests/tasks_app/test_video_api_tasks.py") and not counts("T5", "tests/tenancy/test_walls.py")
    assert counts("D5", "tests/integrations/test_pull_gifts.py") and not counts("D5", "tests/contacts/test_search.py")
