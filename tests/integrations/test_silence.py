"""When silence is an alarm (L36): the judgement alone, from facts to words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.alarm_words import ALARMS, clock, queue
from integrations.models import Alarm, Connection
from integrations.sync.silence import Facts, alarms_of, explained

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)


def ago(**what: float) -> datetime:
    return NOON - timedelta(**what)


def facts(**known: Any) -> Facts:
    """A connection that is well, but for what is said."""
    well = {
        "service": "Mailchimp", "now": NOON, "connected_at": ago(days=30), "reads_opt_outs": True,
        "listened_at": ago(minutes=50), "last_success_at": ago(minutes=1),
    }  # fmt: skip
    return Facts(**{**well, **known})


def edit(**waits: float) -> dict[str, Any]:
    """One edit that has waited for so long."""
    since = ago(**waits)
    return {"waiting": 1, "since": since, "late_since": since, "late_edits_since": since}


def bulk(**waits: float) -> dict[str, Any]:
    return edit(**waits) | {"waiting": 900, "late_edits_since": None}


CASES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("all is well", {}, set()),
    ("an edit waits for a moment", edit(minutes=14), set()),
    ("an edit waits for too long", edit(minutes=16), {"sending"}),
    ("an edit waits since before the connection was made", edit(days=40) | {"connected_at": ago(minutes=5)}, set()),
    ("… and still waits later", edit(days=40) | {"connected_at": ago(minutes=16)}, {"sending"}),
    ("an edit waits since before the last trouble ended", edit(hours=9) | {"rested_until": ago(minutes=5)}, set()),
    ("before the first Sync nothing is to go out", edit(hours=9) | {"state": "ready"}, set()),
    ("not set up yet", edit(hours=9) | {"state": "setup", "listened_at": None}, set()),
    ("not connected", edit(hours=9) | {"state": "not_connected"}, set()),
    ("a large change is on its way", bulk(hours=2), set()),
    ("a large change stands still", bulk(hours=2) | {"last_success_at": ago(minutes=16)}, {"sending"}),
    ("a large change never got anywhere", bulk(hours=2) | {"last_success_at": None}, {"sending"}),
    ("what waits for a time that is known", edit(hours=2) | {"late_since": None, "late_edits_since": None}, set()),
    ("calls fail since just now", {"failing_since": ago(minutes=9)}, set()),
    ("calls fail for a while, though nothing waits", {"failing_since": ago(minutes=11)}, {"sending"}),
    ("calls fail before the first Sync", {"failing_since": ago(minutes=11), "state": "ready"}, {"sending"}),
    ("the grant is gone", edit(hours=2) | {"state": "reconnect", "failing_since": ago(hours=2)}, {"reconnect"}),
    ("nobody asked who left", {"listened_at": ago(hours=3, minutes=1)}, {"opt_outs"}),
    ("nobody ever asked who left", {"listened_at": None, "connected_at": ago(hours=4)}, {"opt_outs"}),
    ("connected just now", {"listened_at": None, "connected_at": ago(hours=1)}, set()),
    ("a service that does not tell", {"listened_at": None, "reads_opt_outs": False}, set()),
    ("nobody was at work until just now", {"listened_at": ago(days=2), "rested_until": ago(minutes=30)}, set()),
    ("… and no hourly reading has come", {"listened_at": ago(days=2), "rested_until": ago(minutes=76)}, {"opt_outs"}),
    ("the service cannot reach us", {"listen_error": "It could not be reached."}, {"webhooks"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "known", "expected"), CASES, ids=[case[0] for case in CASES])
def test_L36_what_is_an_alarm(what: str, known: dict[str, Any], expected: set[str]) -> None:
    assert alarms_of(facts(**known), PATIENCE).keys() == expected


def no_calls(until: datetime, stopped: bool = False) -> dict[str, Any]:
    return {
        "limited_until": until, "limit_reason": "Today’s calls are used up. The rest goes out by itself tomorrow.",
        "is_stopped": stopped,
    }  # fmt: skip


def test_L36_a_spent_quota_with_a_known_end_is_its_own_alarm_and_not_silence() -> None:
    midnight = NOON + timedelta(hours=12)
    waits = bulk(hours=9) | {"last_success_at": ago(hours=9)}
    said = alarms_of(facts(**waits, **no_calls(midnight)), PATIENCE)
    assert said == {
        "limit": "Today’s calls are used up. The rest goes out by itself tomorrow. "
        "There are calls again at November 23, 00:00."
    }
    assert alarms_of(facts(**edit(hours=9), **no_calls(midnight, stopped=True)), PATIENCE).keys() == {"limit"}
    assert alarms_of(facts(**no_calls(midnight)), PATIENCE) == {}, "nothing waits"
    assert alarms_of(facts(**waits, **no_calls(NOON + timedelta(seconds=40))), PATIENCE) == {}, "others' turn"


def test_L36_edits_that_wait_while_only_large_changes_may_not_go_are_silence() -> None:
    said = alarms_of(facts(**edit(minutes=20), **no_calls(NOON + timedelta(hours=12))), PATIENCE)
    assert said.keys() == {"limit", "sending"}


def test_L36_trouble_that_explains_other_trouble_is_told_alone() -> None:
    known = edit(hours=5) | {"failing_since": ago(hours=5), "listened_at": ago(hours=5), "last_error": "It hangs."}
    said = alarms_of(facts(**known), PATIENCE)
    assert said["sending"] == "Mailchimp has not answered as it should since 07:00. It hangs."
    assert said.keys() - explained(set(said)) == {"sending"}


def test_L36_times_are_those_of_the_organization() -> None:
    there = NOON.astimezone(ZoneInfo("America/Los_Angeles"))  # 04:00
    assert clock(ago(minutes=20), there) == "03:40"
    assert clock(ago(hours=5), there) == "November 21, 23:00"
    assert queue(0, None, there) == "Nothing waits to go out."
    assert queue(1, ago(minutes=20), there) == "1 change waits to go out, since 03:40."
    assert queue(1200, ago(hours=5), there) == "1,200 changes wait to go out, the oldest since November 21, 23:00."


def test_every_kind_of_alarm_has_its_words() -> None:
    assert ALARMS.keys() == set(Alarm.Kind.values)
    assert {"ready", "active", "reconnect"} <= set(Connection.State.values)
