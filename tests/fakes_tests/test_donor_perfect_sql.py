"""The sandbox DonorPerfect's SELECT: what is taken, what SQL Server would not take, and the silent 500."""

from __future__ import annotations

import pytest

from tests.fakes_tests.donor_perfect import Api

NOT_AUTHORIZED = "user not authorized for this api call."


def ids(api: Api, where: str) -> list[int]:
    return [int(row["gift_id"]) for row in api.rows(f"SELECT gift_id FROM dpgift WHERE {where} ORDER BY gift_id")]


def test_a_row_comes_in_single_quotes_with_short_dates_and_plain_money(dp: Api) -> None:
    answer = dp.call(f"SELECT gift_id, gift_date, amount, glink FROM dpgift WHERE gift_id = {dp.fixtures['adjusted']}")
    assert answer == (
        "<result><record>"
        f"<field name='gift_id' id='gift_id' value='{dp.fixtures['adjusted']}'/>"
        "<field name='gift_date' id='gift_date' value='6/4/2026'/>"
        "<field name='amount' id='amount' value='29.95'/>"
        "<field name='glink' id='glink' value=''/></record></result>"
    )
    assert dp.call("SELECT gift_id FROM dpgift WHERE gift_id = 1") == "<result/>"


def test_more_than_500_rows_are_cut_without_a_word(dp: Api) -> None:
    total = int(dp.rows("SELECT COUNT(*) AS total FROM dpgift")[0]["total"])
    assert total > 500
    assert len(dp.rows("SELECT gift_id FROM dpgift")) == len(dp.rows("SELECT TOP 1000 gift_id FROM dpgift")) == 500
    dp.control("options", {"most_rows": 0})
    assert len(dp.rows("SELECT gift_id FROM dpgift")) == total, "the control: without the cut all come"


def test_pages_by_number_reach_every_gift(dp: Api) -> None:
    seen: list[int] = []
    while page := ids(dp, f"gift_id > {seen[-1] if seen else 0}"):
        seen += page
    assert len(seen) == int(dp.rows("SELECT COUNT(*) AS n FROM dpgift")[0]["n"]) == len(set(seen))


def test_names_follow_the_list_or_the_definition(dp: Api) -> None:
    assert list(dp.rows("SELECT TOP 1 Gift_ID, amount AS given, COUNT(*) FROM dpgift GROUP BY gift_id, amount")[0]) == [
        "Gift_ID", "given", "",
    ]  # fmt: skip
    assert {"CODE", "FIELD_NAME"} <= set(dp.rows("SELECT TOP 1 * FROM dpcodes")[0])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT MAX(gift_id) AS n FROM dpgift", "{last_gift}"),
        ("SELECT SUM(amount) AS n FROM dpgift WHERE glink = {split_main} AND split_gift = 'Y'", "100"),
        ("SELECT TOP 1 d.last_name AS n FROM dpgift g JOIN dp d ON d.donor_id = g.donor_id "
         "WHERE g.gift_id = {split_main}", "O`Reilly"),
        ("SELECT d.last_name AS n FROM dpgift g, dp d WHERE d.donor_id = g.donor_id AND g.gift_id = {split_main}",
         "O`Reilly"),
        ("select last_name as n from DP where LAST_NAME = 'o''REILLY'", "O`Reilly"),
        ("SELECT donor_id AS n FROM dp WHERE last_name = N'Łukasiewicz'", "{non_ascii}"),
        ("SELECT COALESCE(email, 'none') AS n FROM dp WHERE donor_id = {no_email}", "none"),
        ("SELECT ISNULL(email, 'none') AS n FROM dp WHERE donor_id = {no_email}", "none"),
        ("SELECT COUNT(*) AS n FROM dp WHERE email IS NULL AND donor_id IN ({no_email}, {no_mail})", "1"),
        ("SELECT gift_id AS n FROM dpgift ORDER BY gift_id OFFSET 2 ROWS FETCH NEXT 1 ROWS ONLY", "10003"),
        ("SELECT COUNT(*) AS n FROM dpgift WHERE gift_id = '{split_main}'", "1"),
        ("SELECT DATA_TYPE AS n FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'DPGIFT' AND COLUMN_NAME = 'AMOUNT'",
         "money"),
        ("SELECT TOP (1) n.donor_id AS n FROM dbo.dp n WHERE n.nomail <> 'N' ORDER BY n.donor_id DESC", "{no_mail}"),
        ("SELECT COUNT(*) AS n FROM dp WHERE email LIKE '%[;,]%'", "1"),
    ],
)  # fmt: skip
def test_the_documented_parts_are_carried_out(dp: Api, query: str, expected: str) -> None:
    assert [row["n"] for row in dp.rows(query.format(**dp.fixtures))] == [expected.format(**dp.fixtures)]


@pytest.mark.parametrize("day", ["07/10/2026", "7/10/2026", "2026-07-10", "20260710", "2026-07-10 00:00:00"])
def test_dates_compare_in_every_way_of_writing_them(dp: Api, day: str) -> None:
    changed = f"COALESCE(modified_date, created_date) >= '{day}' AND modified_date IS NOT NULL"
    named = ("moved_gift", "adjusted", "refunded", "edited")
    assert ids(dp, changed) == sorted(dp.fixtures[each] for each in named)
    assert ids(dp, changed.replace("2026", "2027")) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT last_name FROM dp WHERE last_name = 'O'Reilly'", "Unclosed quotation mark"),
        ("SELECT last_name FROM dp WHERE last_name = 'O' Reilly'", "Unclosed quotation mark"),
        ("SELECT donor_id FROM dp LIMIT 5", "Incorrect syntax near 'LIMIT'"),
        ("SELECT donor_id FROM dp WHERE donor_id == 5", "Incorrect syntax"),
        ("SELECT first_name || last_name FROM dp", "Incorrect syntax"),
        ("SELECT FROM WHERE", "Incorrect syntax"),
        ("SELECT nickname FROM dp", "Invalid column name 'nickname'"),
        ("SELECT d.nickname FROM dp d", "Invalid column name 'nickname'"),
        ("SELECT x.donor_id FROM dp d", "could not be bound"),
        ("SELECT donor_id FROM donors", "Invalid object name"),
        ("SELECT donor_id FROM dp d, dpgift g WHERE d.donor_id = g.donor_id", "Ambiguous column name"),
        ("SELECT donor_id AS me FROM dp WHERE me = 5", "Invalid column name 'me'"),
        ("SELECT donor_id, COUNT(*) FROM dpgift", "is invalid in the select list"),
        ("SELECT gift_id FROM dpgift WHERE gift_date > 'last week'", "converting date"),
        ("SELECT gift_id FROM dpgift WHERE gift_date > '13/32/2026'", "converting date"),
        ("SELECT gift_id FROM dpgift WHERE donor_id = 'me'", "data type int"),
        ("SELECT donor_id FROM dp WHERE zip = 97201", "data type int"),
        ("SELECT TOP 5 gift_id FROM dpgift ORDER BY gift_id OFFSET 5 ROWS", "can not be used in the same query"),
        ("SELECT gift_id FROM dpgift OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY", "Incorrect syntax near 'OFFSET'"),
    ],
)
def test_what_sql_server_refuses_comes_with_a_reason_that_misleads(dp: Api, query: str, said: str) -> None:
    reason, error = dp.refusal(query)
    assert reason == NOT_AUTHORIZED and said in error and error.startswith("[Microsoft][ODBC SQL Server Driver]")


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE dp SET nomail = 'Y'",
        "DELETE FROM dpgift",
        "DROP TABLE dp",
        "SELECT 1; DROP TABLE dp",
        "SELECT donor_id INTO copies FROM dp",
        "SELECT donor_id FROM dp UNION SELECT gift_id FROM dpgift",
        "SELECT donor_id FROM dp WHERE donor_id IN (SELECT donor_id FROM dpgift)",
        "SELECT TOP 5 PERCENT donor_id FROM dp",
        "SELECT ROW_NUMBER() OVER (ORDER BY donor_id) FROM dp",
        "SELECT CASE WHEN nomail = 'Y' THEN 1 ELSE 0 END FROM dp",
        "WITH x AS (SELECT donor_id FROM dp) SELECT donor_id FROM x",
        "SELECT load_extension('x') FROM dp",
        "EXEC dp_gifts 1",
        "SELECT 5",
    ],
)
def test_every_other_statement_is_not_allowed(dp: Api, query: str) -> None:
    assert dp.refusal(query) == ("", "SQL statement not allowed")
    assert dp.control("state")["accounts"]["river"]["counts"]["dp"] > 10


def test_an_ampersand_can_come_unescaped_and_an_apostrophe_comes_as_a_backtick(dp: Api) -> None:
    query = f"SELECT last_name FROM dp WHERE donor_id = {dp.fixtures['organization']}"
    assert "value='Oak &amp; Pine Hardware'" in dp.call(query)
    dp.control("options", {"bare_ampersand": True})
    assert "value='Oak & Pine Hardware'" in dp.call(query)
    who = f"SELECT last_name FROM dp WHERE donor_id = {dp.fixtures['apostrophe']}"
    assert dp.rows(who) == [{"last_name": "O`Reilly"}]
    dp.control("options", {"backtick": False})
    assert dp.rows(who) == [{"last_name": "O'Reilly"}]


def test_another_account_sees_its_own_rows_only(dp: Api) -> None:
    harbor = Api(dp.sandbox, "harbor")
    assert harbor.fixtures["neighbour"] == dp.fixtures["regular"], "the same number in both"
    query = f"SELECT last_name FROM dp WHERE donor_id = {dp.fixtures['regular']}"
    assert (harbor.rows(query), dp.rows(query)) == ([{"last_name": "Brandt"}], [{"last_name": "Vega"}])
