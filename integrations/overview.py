"""How each integration is doing now, in words: read once, in a fixed number of queries, for the setup page, the first
page and the cards."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from integrations.allowance import Allowance, allowance_of
from integrations.checkup import Checkup, of_connections
from integrations.connecting import redirect_uri
from integrations.models import Connection, RemoteRecord, SyncRun
from integrations.models.remote import ON_ITS_WAY, Priority
from integrations.models.run import RELEASED
from integrations.provider_kit.base import Can, Provider
from integrations.providers import all_providers
from integrations.troubles import Trouble, troubles_of
from integrations.words import lasting

State = Connection.State
Kind = SyncRun.Kind
LOOKS = {
    State.NOT_CONNECTED: ("plain", "link_off"),
    State.SETUP: ("info", "tune"),
    State.READY: ("info", "play_circle"),
    State.ACTIVE: ("good", "check_circle"),
    State.RECONNECT: ("bad", "error"),
}
NEXT_STEP = {
    State.NOT_CONNECTED: "Press Connect to allow Almoner in.",
    State.SETUP: "Next: review the settings and save them.",
    State.READY: "Next: press Sync and look at what would be sent. Nothing is sent before you confirm.",
    State.ACTIVE: "",
    State.RECONNECT: "Nothing is lost: changes made here wait, and go out after somebody has reconnected.",
}


@dataclass(frozen=True, slots=True)
class Question:
    """The brake's question about one list (L32)."""

    list_uid: str
    name: str
    going: int
    there: int


@dataclass(slots=True)
class Overview:
    """One integration as a person sees it."""

    provider: type[Provider]
    connection: Connection | None = None
    waiting: int = 0
    waiting_bulk: int = 0  # of these, what is neither an opt-out nor a single edit
    oldest: datetime | None = None
    set_aside: int = 0
    held: int = 0
    braked: int = 0
    asked: int = 0
    unfinished: SyncRun | None = None
    last_run: SyncRun | None = None
    questions: list[Question] = field(default_factory=list)
    checkup: Checkup | None = None  # what the last check found
    troubles: list[Trouble] = field(default_factory=list)
    allowance: Allowance | None = None  # where the vendor counts the calls of all organizations together

    @property
    def key(self) -> str:
        return self.provider.key

    @property
    def label(self) -> str:
        return self.provider.label

    @property
    def blurb(self) -> str:
        return self.provider.blurb

    @property
    def state(self) -> str:
        return self.connection.state if self.connection else State.NOT_CONNECTED

    @property
    def state_label(self) -> str:
        """The state as people read it."""
        if self.is_stopped:
            return "Connected, out of calls for now"
        if self.is_struggling:
            return "Connected, but not answering"
        if self.questions:
            return "Connected, waits for your answer"
        if self.is_alarmed:
            return "Connected, with an alarm"
        return str(State(self.state).label)

    @property
    def tone(self) -> str:
        if self.is_struggling or self.is_stopped or self.questions or self.is_alarmed:
            return "warn"
        return LOOKS[State(self.state)][0]

    @property
    def icon(self) -> str:
        if self.is_alarmed and not self.is_struggling:
            return "notifications_active"
        if self.questions and not self.is_struggling and not self.is_stopped:
            return "front_hand"
        return "hourglass_top" if self.is_struggling or self.is_stopped else LOOKS[State(self.state)][1]

    @property
    def is_connected(self) -> bool:
        return self.connection is not None and self.connection.is_connected

    @property
    def is_struggling(self) -> bool:
        """Whether calls fail on the way, from the second one on until the next good answer."""
        is_failing = self.connection is not None and self.connection.is_failing
        return is_failing and self.state == State.ACTIVE and not self.is_stopped

    @property
    def is_alarmed(self) -> bool:
        """Whether it is connected, and yet silent where it should have spoken (L36)."""
        return self.is_connected and any(one.is_urgent for one in self.troubles)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing at all may be called for want of calls (L29)."""
        return bool(
            self.state == State.ACTIVE and self.allowance and self.allowance.waits and self.allowance.is_stopped
        )

    @property
    def explanation(self) -> str:
        """Why it is in this state, as a sentence."""
        if self.connection is None:
            return ""
        if self.state == State.ACTIVE and self.allowance and self.allowance.waits and (self.waiting or self.is_stopped):
            return self.allowance.waits
        if self.is_struggling:
            at = self.connection.retry_at
            again = f"by itself at {timezone.localtime(at):%H:%M}" if at and at > timezone.now() else "right now"
            said = self.connection.last_error or f"{self.label} does not answer."
            return f"{said} Almoner tries again {again}. Nothing is lost."
        return self.connection.reason

    @property
    def rest(self) -> str:
        """When the large changes that wait will be out, where calls are short."""
        is_counted = self.allowance is not None and self.state == State.ACTIVE
        return self.allowance.rest(self.waiting_bulk, self.waiting) if is_counted and self.allowance else ""

    @property
    def next_step(self) -> str:
        if self.uses_key and self.state == State.NOT_CONNECTED:
            return f"Press Connect: the next page helps to ask {self.label} for a key, and takes it."
        return NEXT_STEP[State(self.state)]

    @property
    def oldest_age(self) -> str:
        """How long the oldest unsent change has been waiting."""
        return lasting((timezone.now() - self.oldest).total_seconds()) if self.oldest else ""

    @property
    def last_answer(self) -> str:
        """How long ago the service last answered as it should."""
        at = self.connection.last_success_at if self.connection else None
        return f"{lasting((timezone.now() - at).total_seconds())} ago" if at else ""

    @property
    def missing(self) -> str:
        """What whoever installed Almoner has to do before anybody can connect, or ""."""
        if self.provider.is_available():
            return ""
        name = self.key.upper()
        return (
            f"Almoner has no application key for {self.label} yet. Whoever installed Almoner registers an application "
            f"at {self.label} with the return address {redirect_uri(self.key)}, puts its id and secret into the "
            f"settings {name}_CLIENT_ID and {name}_CLIENT_SECRET, and starts Almoner again."
        )

    @property
    def uses_connect(self) -> bool:
        return Can.OAUTH in self.provider.can

    @property
    def uses_key(self) -> bool:
        return Can.KEY in self.provider.can

    @property
    def takes_lists(self) -> bool:
        """Whether there is anything to Sync."""
        return Can.PUSH_LISTS in self.provider.can

    @property
    def can_sync(self) -> bool:
        return self.takes_lists and self.state in (State.READY, State.ACTIVE) and self.is_free

    @property
    def can_check(self) -> bool:
        """Whether what is there can be compared with what is here (L31)."""
        return self.state == State.ACTIVE and Can.READ_MEMBERS in self.provider.can and self.is_free

    @property
    def is_free(self) -> bool:
        """Whether nothing is under way. What a check has found may wait: a Sync or another check takes its place."""
        unfinished = self.unfinished
        return unfinished is None or (unfinished.kind == Kind.CHECK and unfinished.state == SyncRun.State.READY)

    @property
    def to_open(self) -> str:
        """What the button to an unfinished run says."""
        if self.unfinished is None:
            return ""
        is_shown, kind = self.unfinished.state == SyncRun.State.READY, Kind(self.unfinished.kind)
        if kind == Kind.CHECK:
            return "Look at the differences" if is_shown else "See the check"
        return "Look at the preview" if is_shown else f"See the {self.unfinished.name}"


def overviews() -> list[Overview]:
    """Every integration of the active organization: six queries, however many rows there are, and three more for each
    whose vendor counts the calls of all organizations together."""
    connections = {c.provider: c for c in Connection.objects.select_related("connected_by")}
    found = [Overview(provider, connections.get(key)) for key, provider in all_providers().items()]
    ours = {o.connection.pk: o for o in found if o.connection}
    if not ours:
        return found
    checkups = of_connections(ours)
    for overview in ours.values():
        overview.checkup = checkups.get(overview.connection.pk) if overview.connection else None
        brake: dict[str, list[Any]] = overview.connection.brake if overview.connection else {}
        overview.questions = [Question(uid, *said) for uid, said in brake.items()]
        overview.allowance = allowance_of(overview.connection)
    for pk, troubles in troubles_of(ours).items():
        ours[pk].troubles = troubles
    records: Any = RemoteRecord.objects.filter(connection__in=list(ours)).order_by()
    # Kind and priority exclude nothing; named, they lead SQLite to the index of the outbox, past 100,000 settled rows.
    due = records.filter(ON_ITS_WAY, kind__in=RemoteRecord.Kind.values, priority__gte=Priority.LIST)
    counts = {"all": Count("pk"), "bulk": Count("pk", filter=Q(priority__gt=Priority.EDIT)), "since": Min("marked_at")}
    for pk, *found_due in due.values_list("connection").annotate(**counts):
        ours[pk].waiting, ours[pk].waiting_bulk, ours[pk].oldest = found_due
    counted = records.exclude(state=RemoteRecord.State.OK).values_list("connection", "state", "reason_code")
    for pk, state, code, count in counted.annotate(Count("pk")):
        if state == RemoteRecord.State.SET_ASIDE:
            ours[pk].set_aside += count
        elif state == RemoteRecord.State.HELD:
            ours[pk].held += count
            ours[pk].braked += count if code == "brake" else 0
        elif state == RemoteRecord.State.WAITING:
            ours[pk].asked += count
    _add_runs(ours)
    return found


def _add_runs(ours: dict[int, Overview]) -> None:
    runs: Any = SyncRun.objects.filter(connection__in=list(ours)).order_by("-created_at")
    latest: dict[int, list[SyncRun]] = defaultdict(list)
    for run in runs.filter(state__in=SyncRun.UNFINISHED):
        ours[run.connection_id].unfinished = run
    for run in runs.filter(state=SyncRun.State.DONE, kind=Kind.SYNC).exclude(cursor=RELEASED)[: 20 * len(ours)]:
        latest[run.connection_id].append(run)
    for pk, done in latest.items():
        ours[pk].last_run = done[0]


def overview_of(connection: Connection) -> Overview:
    """One integration."""
    return next(o for o in overviews() if o.connection and o.connection.pk == connection.pk)
