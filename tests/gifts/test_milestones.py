"""Milestones, as a decision: tables of cases, and random histories against a slow reference that anybody can follow."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gifts.milestones import Award, Given, Key, Kind, Rule, grouped, period, reached, reached_between, streak

TODAY = date(2026, 6, 15)
NUMBER, TOTAL, SINCE_MONTH, YEARS = Kind


def rule(kind: Kind, *thresholds: int | str, **more: Any) -> Rule:
    return Rule(kind, tuple(Decimal(one) for one in thresholds), **more)


def gifts(*days_and_amounts: tuple[str, Any]) -> list[Given]:
    return [
        Given(date.fromisoformat(day), number, Decimal(amount))
        for number, (day, amount) in enumerate(days_and_amounts, 1)
    ]


def told(awards: list[Award]) -> list[tuple[int, str, int]]:
    """(threshold, period, the gift that reached it)."""
    return [(int(one.key.threshold), one.key.period, one.gift.pk) for one in awards]


def test_M1_the_tenth_gift_reaches_ten() -> None:
    history = gifts(*((f"2026-01-{day:02}", 5) for day in range(1, 13)))
    assert told(reached(history, rule(NUMBER, 10), TODAY)) == [(10, "", 10)]
    assert reached(history[:9], rule(NUMBER, 10), TODAY) == []


def test_M2_a_total_is_reached_by_one_gift_and_also_when_it_accrues() -> None:
    assert told(reached(gifts(("2026-01-01", 1000)), rule(TOTAL, 1000), TODAY)) == [(1000, "", 1)]
    small = gifts(*((f"2025-{month:02}-01", "83.34") for month in range(1, 13)))
    found = reached(small, rule(TOTAL, 1000), TODAY)
    assert told(found) == [(1000, "", 12)]
    assert found[0].behind == tuple(range(1, 13))
    assert reached(small[:11], rule(TOTAL, 1000), TODAY) == []


def test_M3_a_total_since_a_month_is_reached_once_in_each_such_year() -> None:
    history = gifts(
        ("2024-06-30", 900), ("2024-07-01", 200), ("2025-06-30", 800), ("2025-07-01", 1000), ("2026-06-01", 5000)
    )
    assert told(reached(history, rule(SINCE_MONTH, 1000, month=7), TODAY)) == [
        (1000, "2024-07", 3),
        (1000, "2025-07", 4),
    ]
    assert told(reached(history, rule(SINCE_MONTH, 1000, month=1), TODAY)) == [
        (1000, "2024-01", 2), (1000, "2025-01", 4), (1000, "2026-01", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("years", "thresholds", "expected"),
    [
        ([2010, 2011, 2013, 2014], [2], [(2, 2011)]),
        ([2010, 2013, 2014], [2], [(2, 2014)]),
        ([2010, 2011, 2013, 2014], [3], []),
        ([2010, 2011, 2012, 2013], [2, 4], [(2, 2011), (4, 2013)]),
        ([2010, 2012, 2012, 2012], [2], []),
        ([2024, 2025, 2026], [3], [(3, 2026)]),
        ([2025, 2026, 2027], [3], []),  # a gift of a day to come waits for its day
        ([], [1], []),
    ],
)
def test_M4_years_in_a_row(years: list[int], thresholds: list[int], expected: list[tuple[int, int]]) -> None:
    history = [Given(date(year, 3, 1), number, Decimal(10)) for number, year in enumerate(years, 1)]
    assert [
        (int(a.key.threshold), a.gift.on.year) for a in reached(history, rule(YEARS, *thresholds), TODAY)
    ] == expected


def test_M4_of_2010_2011_2013_and_2014_two_years_in_a_row_are_known_at_the_end() -> None:
    assert streak([2010, 2011, 2013, 2014], 2014) == 2
    assert streak([2010, 2011, 2013, 2014], 2012) == 0


def test_M4_a_year_that_is_noted_later_joins_two_runs() -> None:
    history = [Given(date(year, 3, 1), number, Decimal(10)) for number, year in enumerate([2020, 2021, 2023, 2024], 1)]
    late = Given(date(2022, 12, 31), 9, Decimal(1))
    (award,) = reached([*history, late], rule(YEARS, 5), TODAY)
    assert (award.gift.on.year, award.behind) == (2024, (1, 2, 9, 3, 4))


def test_M6_one_gift_that_passes_several_names_the_highest_and_takes_the_lower_ones_along() -> None:
    awards = reached(gifts(("2026-01-01", 90), ("2026-02-01", 5000)), rule(TOTAL, 50, 100, 500, 1000), TODAY)
    first, second = grouped(awards)
    assert (first.highest.key, first.passed) == (Key(Decimal(50)), [])
    assert (second.highest.key, second.highest.gift.pk) == (Key(Decimal(1000)), 2)
    assert [one.key.threshold for one in second.passed] == [500, 100]


def test_M8_money_that_is_taken_back_later_unmakes_a_total_and_what_reached_it_stays_known() -> None:
    history = gifts(("2026-01-01", 1000), ("2026-02-01", -200))
    (award,) = reached(history, rule(TOTAL, 1000), TODAY)
    assert (award.gift.pk, award.stands) == (1, False)
    (again,) = reached([*history, Given(date(2026, 3, 1), 3, Decimal(200))], rule(TOTAL, 1000), TODAY)
    assert again.stands


def test_M9_cents_are_exact_and_leap_days_are_days() -> None:
    ten_cents = gifts(*((f"2024-02-{day:02}", "0.10") for day in range(20, 30)))
    (award,) = reached(ten_cents, rule(TOTAL, 1), TODAY)
    assert award.gift.on == date(2024, 2, 29)
    assert period(date(2024, 2, 29), 3) == "2023-03"
    assert period(date(2024, 3, 1), 3) == "2024-03"


def test_M2_filters_leave_out_what_the_rule_is_not_about() -> None:
    history = [
        Given(date(2026, 1, 1), 1, Decimal(500), campaign="Spring", source="csv"),
        Given(date(2026, 1, 2), 2, Decimal(5), campaign="spring", source="by_hand"),
        Given(date(2026, 1, 3), 3, Decimal(600), campaign="Gala", fund="Roof", source="csv"),
    ]
    for filters, expected in (
        ({}, [1, 2, 3]), ({"campaign": "SPRING"}, [1, 2]), ({"source": "csv"}, [1, 3]), ({"fund": "roof"}, [3]),
        ({"at_least": Decimal(500)}, [1, 3]),
    ):  # fmt: skip
        found = reached(history, rule(NUMBER, len(expected), **filters), TODAY)
        assert found[0].behind == tuple(expected)
        assert reached(history, rule(NUMBER, len(expected) + 1, **filters), TODAY) == []


def test_M1_what_is_part_of_another_gift_is_no_gift_in_number_and_what_is_no_money_no_part_of_a_total() -> None:
    history = [
        Given(date(2026, 1, 1), 1, Decimal(60), counts=True, is_one=False),
        Given(date(2026, 1, 1), 2, Decimal(100), counts=False, is_one=True),
        Given(date(2026, 1, 1), 3, Decimal(40), counts=True, is_one=False),
    ]
    assert [a.behind for a in reached(history, rule(NUMBER, 1, 2), TODAY)] == [(2,)]
    assert [a.behind for a in reached(history, rule(TOTAL, 100, 101), TODAY)] == [(1, 3)]


# --- against the reference ---

DAYS = st.one_of(
    st.dates(date(2018, 1, 1), date(2027, 12, 31)),
    st.sampled_from([date(2020, 2, 29), date(2024, 2, 29), date(2025, 6, 30), date(2025, 7, 1)]),
    st.sampled_from([TODAY, TODAY + timedelta(1)]),
)  # fmt: skip
AMOUNTS = st.one_of(st.integers(1, 60_000), st.integers(-20_000, 0)).map(lambda cents: Decimal(cents) / 100)
HISTORIES = st.lists(
    st.tuples(
        DAYS, AMOUNTS, st.booleans(), st.booleans(), st.sampled_from(["", "Gala"]), st.sampled_from(["csv", "x"])
    ),
    max_size=16,
).map(lambda rows: [Given(day, n, amount, c, o, campaign, "", source)
                    for n, (day, amount, c, o, campaign, source) in enumerate(rows)])  # fmt: skip
COUNTS = st.lists(st.integers(1, 8), min_size=1, max_size=4, unique=True)
SUMS = st.lists(st.integers(1, 1500), min_size=1, max_size=4, unique=True)


@st.composite
def rules(draw: Any) -> Rule:
    kind = draw(st.sampled_from(list(Kind)))
    thresholds = sorted(draw(COUNTS if kind in (NUMBER, YEARS) else SUMS))
    return rule(
        kind, *thresholds, month=draw(st.integers(1, 12)), campaign=draw(st.sampled_from(["", "gala"])),
        source=draw(st.sampled_from(["", "csv"])), at_least=draw(st.sampled_from([None, Decimal(0), Decimal(50)])),
    )  # fmt: skip


def holds(history: list[Given], one: Rule, today: date) -> set[Key]:
    """The reference: the definition of each milestone, read aloud, with no regard for time."""
    counted = [
        g for g in history
        if g.on <= today and (one.at_least is None or g.amount >= one.at_least)
        and (not one.campaign or g.campaign.lower() == one.campaign.lower()) and one.source in ("", g.source)
    ]  # fmt: skip
    numbers, money = [g for g in counted if g.is_one], [g for g in counted if g.counts]
    found = set()
    for threshold in one.thresholds:
        if one.kind == NUMBER and len(numbers) >= threshold:
            found.add(Key(threshold))
        if one.kind == TOTAL and money and sum(g.amount for g in money) >= threshold:
            found.add(Key(threshold))
        if one.kind == YEARS:
            years = {g.on.year for g in numbers}
            if any(all(first + more in years for more in range(int(threshold))) for first in years):
                found.add(Key(threshold))
        if one.kind == SINCE_MONTH:
            for year in range(2016, 2029):
                first, last = date(year, one.month, 1), date(year + 1, one.month, 1)
                if sum(g.amount for g in money if first <= g.on < last) >= threshold:
                    found.add(Key(threshold, f"{year}-{one.month:02}"))
    return found


def replay(history: list[Given], one: Rule, today: date) -> dict[Key, int]:
    """Gift by gift in the order of days: {what is reached: by which gift, the first time}."""
    so_far: list[Given] = []
    found: dict[Key, int] = {}
    for gift in sorted(history, key=lambda g: (g.on, g.pk)):
        so_far.append(gift)
        for key in holds(so_far, one, today):
            found.setdefault(key, gift.pk)
    return found


@settings(max_examples=100, deadline=None)
@given(HISTORIES, rules(), st.randoms(use_true_random=False))
def test_M5_a_single_pass_finds_what_a_replay_gift_by_gift_finds_in_any_order_of_arrival(
    history: list[Given], one: Rule, dice: Any
) -> None:
    shuffled = list(history)
    dice.shuffle(shuffled)
    awards = reached(shuffled, one, TODAY)
    assert {a.key: a.gift.pk for a in awards} == replay(history, one, TODAY)
    assert {a.key for a in awards if a.stands} == holds(history, one, TODAY)
    assert len({a.key for a in awards}) == len(awards)
    known = {g.pk: g for g in history}
    for award in awards:
        behind = [known[pk] for pk in award.behind]
        assert behind[-1] == award.gift
        assert award.key in holds(behind, one, TODAY), "the gifts behind an award are a proof of it"


@settings(max_examples=50, deadline=None)
@given(HISTORIES, rules())
def test_M7_a_simulation_of_a_year_is_a_replay_of_that_year(history: list[Given], one: Rule) -> None:
    after = TODAY - timedelta(days=365)
    groups = reached_between(history, one, after, TODAY)
    days = {g.pk: g.on for g in history}
    expected = {key: pk for key, pk in replay(history, one, TODAY).items() if days[pk] > after}
    named = {(g.highest.key.period, g.highest.gift.pk): g.highest.key.threshold for g in groups}
    highest: dict[tuple[str, int], Decimal] = {}
    for key, pk in expected.items():
        highest[key.period, pk] = max(key.threshold, highest.get((key.period, pk), Decimal(0)))
    assert named == highest
    assert {a.key for g in groups for a in (g.highest, *g.passed)} == set(expected)


@settings(max_examples=50, deadline=None)
@given(HISTORIES, rules(), st.lists(st.tuples(st.integers(0, 24), AMOUNTS, DAYS), max_size=6))
def test_M8_any_order_of_the_same_edits_and_refunds_leads_to_the_same_awards(
    history: list[Given], one: Rule, edits: list[tuple[int, Decimal, date]]
) -> None:
    """Edits of different gifts, forwards and backwards; one in three is a refund of the whole."""
    once = list({pk: (pk, amount, day) for pk, amount, day in edits}.values())

    def after(order: list[tuple[int, Decimal, date]]) -> list[Award]:
        rows = {g.pk: g for g in history}
        for pk, amount, day in order:
            if pk in rows:
                rows[pk] = rows[pk]._replace(amount=amount, on=day)
                if pk % 3 == 0:
                    del rows[pk]
        return reached(rows.values(), one, TODAY)

    assert after(once) == after(once[::-1])
