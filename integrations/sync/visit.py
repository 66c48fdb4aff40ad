"""One step of a check at the vendor: where it is, what it needs, and how it notes that it went on (L31).

Used by checking and roll_call. Each step is applied in a transaction with its cursor, so that a killed worker repeats
nothing but one question.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.models import Connection, SyncRun
from integrations.provider_kit.base import Provider
from integrations.provider_kit.states import Places
from integrations.sync import slices
from integrations.sync.giving_way import giving_way


class Cancelled(Exception):
    """Somebody cancelled the check while it was reading."""


@dataclass
class Visit:
    """A step: the run, the open line, and the place that its cursor names (`phase:container|at`)."""

    run: SyncRun
    provider: Provider
    stay: Callable[[], None]
    container: str = ""
    at: str = ""  # the number of the page, or the last row that was looked at
    places: Places = field(default_factory=Places)

    def __post_init__(self) -> None:
        self.connection: Connection = self.run.connection
        self.policy = slices.policy_of(self.connection)
        self.places = slices.places_of(self.connection)
        self.container, _, self.at = self.run.cursor.partition(":")[2].partition("|")

    @property
    def vendors_cursor(self) -> str:
        """Where the vendor goes on; kept apart, as nobody knows how long it may be."""
        return str(self.run.found.get("page", ""))

    @property
    def mark(self) -> str:
        """What those get who were met in this container by this check."""
        return f"{self.run.pk} {self.container}"

    @property
    def containers(self) -> list[str]:
        """Where our people live there."""
        if self.policy.container:
            return [self.policy.container]
        return sorted({place for _, place in self.places if place.startswith("list:")})

    @property
    def next_container(self) -> str:
        """The cursor at which it goes on after this container: the next one, or the comparison."""
        following = [one for one in self.containers if one > self.container]
        return f"read:{following[0]}|0" if following else "compare_lists:"

    def commit(self, cursor: str, work: Callable[[], None] = lambda: None, **counts: int | str) -> None:
        """Do the last of a step together with its progress. Numbers are added to those so far."""

        def write() -> None:
            work()
            self._keep(cursor, counts)

        giving_way(write)
        self.run.refresh_from_db(fields=["cursor", "found"])

    def _keep(self, cursor: str, counts: dict[str, int | str]) -> None:
        fresh = SyncRun.objects.select_for_update().get(pk=self.run.pk)
        if fresh.state != SyncRun.State.PLANNING or fresh.cursor != self.run.cursor:
            raise Cancelled
        for name, value in counts.items():
            fresh.found[name] = fresh.found.get(name, 0) + value if isinstance(value, int) else value
        fresh.cursor = cursor
        fresh.save(update_fields=["cursor", "found"])
