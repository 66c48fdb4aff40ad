"""Listening to a vendor: messages from the inbox, and full readings of who opted out. What is heard goes to pull."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from contacts.models import EmailAddress
from contacts.models.contact import address_key
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord, WebhookEvent
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.provider_kit.states import Member, Places, Standing
from integrations.sync import pull, slices
from integrations.sync.planning import HEARS_FROM_US
from integrations.sync.settle import backoff

log = logging.getLogger(__name__)
GIVE_UP_AFTER = 20  # attempts at one message, over some hours; the reading of opt-outs makes up for it
GIVEN_UP = "It could not be read several times; the next full reading makes up for it."


def waiting(events: Any) -> Any:
    """Of these messages, those that may be acted on now: one that could not be read waits longer each time."""
    now, wait, due = Now(), 0.0, Q(attempts=0)
    for attempts in range(1, GIVE_UP_AFTER + 1):
        wait += backoff(attempts - 1)
        last = Q(attempts__gte=attempts) if attempts == GIVE_UP_AFTER else Q(attempts=attempts)
        due |= last & Q(received_at__lte=now - timedelta(seconds=wait))
    return events.filter(due, handled_at__isnull=True)


def handle_inbox(connection: Connection, provider: Provider, stop: Any) -> None:
    """Act on stored messages, oldest first: read each person at the vendor and apply what is there now.

    One that cannot be read waits, while the others, and what is to be sent, go on. Raises `CallFailed` when it is the
    vendor that cannot be asked; the messages stay and are taken up again.
    """
    failed: list[int] = []
    in_a_row = 0
    while not stop():
        events = waiting(WebhookEvent.objects.filter(connection=connection)).exclude(pk__in=failed)
        event = events.order_by("attempts", "received_at", "pk").first()
        if event is None:
            return
        mine = WebhookEvent.objects.filter(pk=event.pk)
        mine.update(attempts=F("attempts") + 1)
        try:
            outcome = GIVEN_UP if event.attempts >= GIVE_UP_AFTER else act_on(connection, provider, event)
        except CallFailed as failure:
            is_vendor = isinstance(failure.outcome, Reconnect) or getattr(failure.outcome, "after", None) is not None
            if is_vendor:
                mine.update(attempts=event.attempts)
            in_a_row += 1
            if is_vendor or in_a_row > 1:
                raise
            failed.append(event.pk)
        except Exception:  # noqa: BLE001  a bug of ours about one message must not stop the others; attempts bound it
            log.exception("message failed", extra={"connection": connection.pk, "event": event.pk})
            failed.append(event.pk)
        else:
            in_a_row = 0
            mine.update(handled_at=Now(), outcome=outcome[:250])


def act_on(connection: Connection, provider: Provider, event: WebhookEvent) -> str:
    """What one message leads to, as a sentence."""
    hint = provider.hear(event.body)
    if hint.kind != "look":
        return hint.sentence or "Nothing to do."
    places = slices.places_of(connection)
    container = home(connection, hint.container, places)
    if not container:
        return "About an audience that is not used here."
    with transaction.atomic():
        known = any(container in record.containers for record in pull.records_of(connection, hint.addresses))
        held = known or EmailAddress.objects.filter(address_key__in=[address_key(a) for a in hint.addresses]).exists()
    if not held:
        return "Nobody here has that address; left alone."
    member = None
    for address in hint.addresses:
        member = provider.look(container, address, hint.remote_id, places)
        if member is not None:
            break
    addresses = {*hint.addresses, *([member.address] if member else [])}
    return pull.apply(connection, container, member, addresses)


def home(connection: Connection, container: str, places: Places) -> str:
    """Our name for a container that the vendor named: the one that everybody lives in, or that of the list in it."""
    policy = slices.policy_of(connection)
    if policy.container:
        return container if container == policy.container else ""
    remote_id = container.partition(":")[2]
    return next((place for (_, place), found in places.items() if found == remote_id and place.startswith("list:")), "")


def listen(
    connection: Connection, provider: Provider, stay: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> int | None:  # fmt: skip
    """Read everybody who is unsubscribed or bounced there, and apply what is news: lost messages are made up for.

    Returns how many were news, or None if `stop` said so before the end: how far it has come is kept, and the next
    call goes on there. `stay` keeps the lease.
    """
    policy = slices.policy_of(connection)
    places = slices.places_of(connection)
    containers = [policy.container] if policy.container else sorted({p for _, p in places if p.startswith("list:")})
    came_to, _, cursor = connection.reading.partition("|")
    if came_to in containers:
        containers = containers[containers.index(came_to) :]
    else:
        cursor = ""
    news = 0
    for container in containers:
        reading = Reading(connection, provider, container, places, stay, stop)
        is_done = reading.read_from(cursor)
        news += reading.news
        if not is_done:
            return None
        cursor = ""
    keep_place(connection, "")
    Connection.objects.filter(pk=connection.pk).update(listened_at=Now())
    return news


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
    stay: Callable[[], None]
    stop: Callable[[], bool]
    news: int = 0
    strangers: dict[str, Member] = field(default_factory=dict)  # by their id there

    def read_from(self, cursor: str) -> bool:
        """Go on from here; returns whether the end was reached. Each call gets at least one step further."""
        is_over = False
        while not is_over:
            keep_place(self.connection, f"{self.container}|{cursor}")
            members, cursor = self.provider.opt_outs_page(self.container, cursor, self.places)
            self.stay()
            if not self.apply(members):
                break
            is_over = not cursor
            if not is_over:
                keep_place(self.connection, f"{self.container}|{cursor}")
                if self.stop():
                    break
        self.hear_of_moved()
        return is_over

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
                elif member.standing == Standing.ARCHIVED:
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
            if member.standing != Standing.ARCHIVED:
                self.news += 1
                pull.apply(self.connection, self.container, member, (member.address, there["address"]))
            elif there["standing"] in HEARS_FROM_US:
                self.news += 1
                self.look(member, member.address, there["address"])
