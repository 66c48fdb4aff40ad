"""When silence is an alarm (L36). Pure: what is known of one connection makes the alarms that are due now, in words.

The stop before is alarms, which reads the facts and keeps the rows; the stop after is notices, which mails.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.alarm_words import clock
from integrations.models import Alarm, Connection

Kind, State = Alarm.Kind, Connection.State
FAILING_FOR = timedelta(minutes=10)  # without one call that succeeds, until people are told
UNREAD_FOR = timedelta(hours=3)  # who unsubscribed is read every hour
UNLOOKED_FOR = timedelta(hours=2)  # new gifts are looked for every few minutes
LONG = timedelta(minutes=30)  # a wait for calls that is worth telling
WARM_UP = timedelta(minutes=75)  # after a rest: until the hourly reading has come round again

# Trouble that explains other trouble, which is not told on top of it.
EXPLAINS: dict[str, set[str]] = {Kind.SENDING: {Kind.LIMIT, Kind.OPT_OUTS, Kind.WEBHOOKS, Kind.GIFTS}}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one connection at one moment of the database's clock; `now` is in the organization's zone.

    `waiting` changes are on their way, the oldest `since`. `late_since` leaves out what waits for a time that is known,
    and `late_edits_since` all but opt-outs, lists and single edits. Nothing could be expected before `rested_until`: an
    earlier trouble, or nobody at work.
    """

    service: str
    now: datetime
    state: str = State.ACTIVE
    reason: str = ""
    connected_at: datetime | None = None
    rested_until: datetime | None = None
    waiting: int = 0
    since: datetime | None = None
    late_since: datetime | None = None
    late_edits_since: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str = ""
    failing_since: datetime | None = None
    limited_until: datetime | None = None
    limit_reason: str = ""
    is_stopped: bool = False  # not even opt-outs and single edits may call
    reads_opt_outs: bool = False
    listened_at: datetime | None = None
    listen_error: str = ""
    gifts_looked_at: datetime | None = None  # when new gifts were last looked for, while that is switched on

    def lasts(self, since: datetime | None, at_least: timedelta) -> bool:
        """Whether this has been so for long enough, counted from when anything could be expected."""
        starts = [moment for moment in (since, self.connected_at, self.rested_until) if moment is not None]
        return since is not None and self.now - max(starts) >= at_least


def alarms_of(facts: Facts, patience: timedelta) -> dict[str, str]:
    """{kind: sentence} of everything that is wrong now. `patience`: how long a change may wait to go out."""
    if facts.state == State.RECONNECT:
        return {Kind.RECONNECT: facts.reason or f"{facts.service} does not let Almoner in any more."}
    if facts.state not in (State.READY, State.ACTIVE):
        return {}
    said = {
        Kind.SENDING: failing(facts) or late(facts, patience),
        Kind.LIMIT: limited(facts),
        Kind.OPT_OUTS: unread(facts),
        Kind.WEBHOOKS: facts.listen_error,
        Kind.GIFTS: unlooked(facts),
    }
    return {kind: sentence.strip() for kind, sentence in said.items() if sentence}


def explained(kinds: Set[str]) -> set[str]:
    """Those of several troubles that others among them explain."""
    return {other for kind in kinds for other in EXPLAINS.get(kind, set())} & kinds


def failing(facts: Facts) -> str:
    """What is said when no call has succeeded for a while, or ""."""
    if facts.failing_since is None or not facts.lasts(facts.failing_since, FAILING_FOR):
        return ""
    since = clock(facts.failing_since, facts.now)
    return f"{facts.service} has not answered as it should since {since}. {facts.last_error or facts.limit_reason}"


def late(facts: Facts, patience: timedelta) -> str:
    """What is said when something is due for too long although nothing holds it up that we know of, or ""."""
    if facts.state != State.ACTIVE or facts.is_stopped:
        return ""
    # A large change takes its time: it is silent only if nothing at all gets through.
    stands_still = facts.last_success_at is None or facts.lasts(facts.last_success_at, patience)
    may_go = facts.limited_until is None or facts.limited_until <= facts.now
    is_late = may_go and stands_still and facts.lasts(facts.late_since, patience)
    if not is_late and not facts.lasts(facts.late_edits_since, patience):
        return ""
    return facts.last_error or f"Changes do not get to {facts.service}, and it is not known what holds them up."


def limited(facts: Facts) -> str:
    """What is said when the calls of the day are used up while something waits, or ""."""
    until = facts.limited_until
    if not facts.waiting or until is None or until - facts.now < LONG:
        return ""
    return f"{facts.limit_reason} There are calls again at {clock(until, facts.now)}."


def unread(facts: Facts) -> str:
    """What is said when nobody could ask for hours who unsubscribed there, or ""."""
    read = facts.listened_at or facts.connected_at
    is_warm = facts.rested_until is None or facts.now - facts.rested_until >= WARM_UP
    if not facts.reads_opt_outs or read is None or facts.now - read < UNREAD_FOR or not is_warm:
        return ""
    return f"Who unsubscribed at {facts.service} was last read at {clock(read, facts.now)}. {facts.last_error}"


def unlooked(facts: Facts) -> str:
    """What is said when new gifts could not be looked for, although that is done every few minutes, or ""."""
    looked = facts.gifts_looked_at
    is_warm = facts.rested_until is None or facts.now - facts.rested_until >= WARM_UP
    if looked is None or facts.now - looked < UNLOOKED_FOR or not is_warm:
        return ""
    return f"New gifts at {facts.service} were last looked for at {clock(looked, facts.now)}. {facts.last_error}"
