"""Reading who left, without being told: every hour those who left since, once a day everybody (L21, L23).

What is heard goes to pull. A reading that takes longer than a turn goes on where it was (`Connection.reading`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import EmailAddress
from contacts.models.contact import address_key
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord
from integrations.provider_kit.base import Can, Provider
from integrations.provider_kit.states import Member, Places, Standing
from integrations.sync import pull, slices
from integrations.sync.planning import HEARS_FROM_US

EVERYBODY_EVERY = timedelta(hours=23)  # so that the hourly bell comes to it once a day
AGAIN = timedelta(days=1)  # read once more each time: clocks differ, and what is known already is no news
WAITING = "waiting"  # in the place of a container: those who were asked to confirm


def listen(
    connection: Connection, provider: Provider, stay: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> int | None:  # fmt: skip
    """Read who is unsubscribed or bounced there, and apply what is news: lost messages are made up for.

    Returns how many were news, or None if `stop` said so before the end: how far it has come is kept, and the next
    call goes on there. `stay` keeps the lease.
    """
    policy = slices.policy_of(connection)
    places = slices.places_of(connection)
    stages = [policy.container] if policy.container else sorted({p for _, p in places if p.startswith("list:")})
    if Can.WEBHOOKS not in provider.can:
        stages.append(WAITING)
    started, _, came_to = connection.reading.partition("|")
    stage, _, cursor = came_to.partition("|")
    if stage in stages:
        stages = stages[stages.index(stage) :]
        since = datetime.fromisoformat(started) if started else None
    else:
        cursor, since = "", left_since(connection)
    news = 0
    for stage in stages:
        kind = Waiting if stage == WAITING else Reading
        reading = kind(connection, provider, stage, places, since, stay, stop)
        is_done = reading.read_from(cursor)
        news += reading.news
        if not is_done:
            return None
        cursor = ""
    keep_place(connection, "")
    swept = {"swept_at": Now()} if since is None else {}
    Connection.objects.filter(pk=connection.pk).update(listened_at=Now(), failing_since=None, **swept)
    return news


def left_since(connection: Connection) -> datetime | None:
    """From when on the next reading asks; None for everybody, once a day."""
    swept = connection.swept_at
    if connection.listened_at is None or swept is None or timezone.now() - swept > EVERYBODY_EVERY:
        return None
    return connection.listened_at - AGAIN


def keep_place(connection: Connection, place: str) -> None:
    """Note how far the reading has come; "" at its end."""
    connection.reading = place
    Connection.objects.filter(pk=connection.pk).update(reading=place)


@dataclass
class Reading:
    """Going through one container, page by page."""

    connection: Connection
    provider: Provider
    container: str
    places: Places
    since: datetime | None
    stay: Callable[[], None]
    stop: Callable[[], bool]
    news: int = 0
    strangers: dict[str, Member] = field(default_factory=dict)  # by their id there

    def read_from(self, cursor: str) -> bool:
        """Go on from here; returns whether the end was reached. Each call gets at least one step further."""
        is_over = False
        while not is_over:
            self.keep(cursor)
            members, cursor = self.provider.opt_outs_page(self.container, cursor, self.places, self.since)
            self.stay()
            if not self.apply(members):
                break
            is_over = not cursor
            if not is_over:
                self.keep(cursor)
                if self.stop():
                    break
        self.hear_of_moved()
        return is_over

    def keep(self, cursor: str) -> None:
        """Note that the reading goes on here."""
        keep_place(self.connection, f"{self.since.isoformat() if self.since else ''}|{self.container}|{cursor}")

    def apply(self, members: list[Member]) -> bool:
        """Apply the news of one page; returns whether all were. What was applied is no news the next time."""
        for part in chunks(members):
            keys = {address_key(m.address): m for m in part}
            rows = RemoteRecord.objects.filter(connection=self.connection, known_address__in=list(keys))
            known = dict(rows.values_list("known_address", "known"))
            listed = EmailAddress.objects.filter(contact__memberships__contact_list__synchronize=True)
            here = set(listed.filter(address_key__in=list(keys)).values_list("address_key", flat=True))
            for key, member in keys.items():
                there = known.get(key, {}).get("containers", {}).get(self.container, {}).get("standing")
                if there is None and key not in here:
                    self.strangers[member.remote_id] = member
                elif member.standing in pull.GONE:
                    if there in HEARS_FROM_US:  # otherwise it is known, or was our doing
                        self.news += 1
                        self.look(member, member.address)
                elif there != member.standing:
                    said = pull.apply(self.connection, self.container, member, (member.address,))
                    self.news += 1
                    self.stay()
                    if said not in (pull.KNOWN, pull.NOBODY) and self.stop():
                        return False
        return True

    def look(self, member: Member, *addresses: str) -> None:
        """Who is archived may have unsubscribed before, which shows only when one looks at them (L35)."""
        found = self.provider.look(self.container, member.address, member.remote_id, self.places)
        pull.apply(self.connection, self.container, found, addresses)
        self.stay()

    def hear_of_moved(self) -> None:
        """Who changed their address there before they left is known here by their id there."""
        records = RemoteRecord.objects.filter(connection=self.connection, kind=RemoteRecord.Kind.CONTACT)
        moved = []
        rows = records.exclude(known_address="").values_list("known", flat=True).iterator() if self.strangers else ()
        for known in rows:
            there = known["containers"].get(self.container)
            member = self.strangers.get(there["remote_id"]) if there and there["remote_id"] else None
            if member is not None and member.standing != there["standing"]:
                moved.append((member, there))
        for member, there in moved:
            if member.standing not in pull.GONE:
                self.news += 1
                pull.apply(self.connection, self.container, member, (member.address, there["address"]))
            elif there["standing"] in HEARS_FROM_US:
                self.news += 1
                self.look(member, member.address, there["address"])


class Waiting(Reading):
    """Where no message tells who has confirmed, those who were asked are looked at."""

    def read_from(self, cursor: str) -> bool:
        """The cursor is the row that was looked at last."""
        waiting = RemoteRecord.objects.filter(connection=self.connection, state=RemoteRecord.State.WAITING)
        size = max(1, self.provider.look_size)
        while True:
            rows = list(waiting.filter(pk__gt=int(cursor or 0)).order_by("pk")[:size])
            if not rows:
                return True
            self.keep(cursor)
            self.look_at(rows)
            cursor = str(rows[-1].pk)
            self.keep(cursor)
            self.stay()
            if self.stop():
                return False

    def look_at(self, rows: list[RemoteRecord]) -> None:
        """Apply what became of these."""
        asked: dict[str, list[Member]] = {}
        for row in rows:
            for container, member in slices.members_known(row).items():
                if member.standing == Standing.PENDING:
                    asked.setdefault(container, []).append(member)
        for container, members in asked.items():
            people = [(member.address, member.remote_id) for member in members]
            found = self.provider.look_many(container, people, self.places)
            for member, now in zip(members, found, strict=True):
                if now is None or now.standing != Standing.PENDING:
                    self.news += 1
                    pull.apply(self.connection, container, now, {member.address, *([now.address] if now else [])})
