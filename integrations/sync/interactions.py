"""Remember: what is to be saved at a service of a thank-you video: sent, watched, replied to (D10, D11).

Noted in the transaction in which the event is counted, one row for each, so that it is saved once whatever comes. The
row says which event, and never what to send. The stop before is receivers; the stop after is saving.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from contacts.models import Contact
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord, Switch
from integrations.models.remote import Priority
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.sync.givers import of_service
from integrations.sync.outbox import listening
from tasks_app.models import VideoEvent

KIND = RemoteRecord.Kind.INTERACTION
State = RemoteRecord.State
CODES = "codes"  # in the connection's settings: {kind of switch: the vendor's code}
EVERY_WATCH = "every_watch"  # in the connection's settings: whether each watch of the same video is saved (D12)
NO_ID, BEFORE = "no_donor_id", "sent_before"
OURS = uuid.UUID("6f1d4a8e-3f0b-4e0e-9d0c-2a4f0f6c7b11")
UNSURE = timedelta(minutes=10)  # a watch may be told before the sending that it belongs to


def code_of(connection: Connection, kind: str) -> str:
    """Under which of the vendor's codes what this switch does is saved there; "" when none was chosen."""
    return str(connection.settings.get(CODES, {}).get(kind, ""))


def uid_of(event: VideoEvent, every_watch: bool) -> uuid.UUID:
    """What an event is called for ever. All watches of a video are one, unless each is wanted. No number of a row is
    in it: another installation has the same ones, and so has this one again after its database was restored."""
    if event.kind == VideoEvent.Kind.WATCHED and not every_watch:
        return uuid.uuid5(OURS, f"watched/{event.thank_you.uid}")
    return uuid.uuid5(OURS, f"event/{event.thank_you.uid}/{event.event_id}")


def note(tenant_id: int, event_pks: Iterable[int]) -> list[Connection]:
    """These events were counted just now. Returns the connections at which one of them is to be saved."""
    connections = listening(tenant_id, Can.WRITE_INTERACTIONS)
    if not connections:
        return []
    on = switches_on(connections)
    if not any(on.values()):
        return []
    events = list(VideoEvent.objects.filter(pk__in=list(event_pks)).select_related("thank_you__contact").order_by("pk"))
    concerned = []
    for connection in connections:
        since = on[connection.pk]
        wanted = [event for event in events if event.kind in since]
        if wanted:
            add(connection, wanted, since)
            concerned.append(connection)
    return concerned


def switches_on(connections: list[Connection]) -> dict[int, dict[str, datetime]]:
    """{connection: {kind of event: since when it is to be saved}}. One query."""
    found: dict[int, dict[str, datetime]] = {connection.pk: {} for connection in connections}
    rows = Switch.objects.filter(connection__in=connections, is_on=True).select_related("connection")
    for switch in rows:
        for kind, key in all_providers()[switch.connection.provider].interaction_switches.items():
            if key == switch.kind and switch.turned_on_at:
                found[switch.connection_id][kind] = switch.turned_on_at
    return found


def is_after(event: VideoEvent, since: datetime) -> bool:
    """Whether the video was sent after the switch was turned on (D11); where that is not told yet, the event was."""
    return bool((event.thank_you.sent_at or event.at) >= since)


def add(connection: Connection, events: list[VideoEvent], since: Mapping[str, datetime]) -> None:
    """A row for each, due now; those of videos sent before, and of donors without a number there, are shown as not
    saved."""
    ids = ids_there(connection, {event.thank_you.contact for event in events})
    every_watch = bool(connection.settings.get(EVERY_WATCH))
    rows = []
    for event in events:
        row = RemoteRecord(
            tenant_id=connection.tenant_id, connection=connection, kind=KIND, subject_uid=uid_of(event, every_watch),
            known={"event": event.pk, "kind": event.kind}, want_version=1, priority=Priority.EDIT, marked_at=Now(),
            due_at=Now(), cause=f"{event.get_kind_display()}: {event.thank_you.contact}"[:200],
        )  # fmt: skip
        if not is_after(event, since[event.kind]):
            row.due_at, row.state, row.reason_code = None, State.SKIPPED, BEFORE
        elif not ids[event.thank_you.contact.pk]:
            row.due_at, row.state, row.reason_code = None, State.SKIPPED, NO_ID
        elif event.thank_you.sent_at is None:
            row.due_at = Now() + UNSURE
        rows.append(row)
    RemoteRecord.objects.bulk_create(rows, ignore_conflicts=True)


def ids_there(connection: Connection, contacts: Collection[Contact]) -> dict[int, list[str]]:
    """{contact: the numbers that they may have there}: what the service calls them, then their custom user id, unless
    that is a number of a former account. One query."""
    kind = all_providers()[connection.provider]
    found: dict[int, list[str]] = {contact.pk: [] for contact in contacts}
    rows = of_service(connection).filter(contact__in=list(found)).order_by("pk").values_list("contact", "low", "value")
    known = [(pk, value) for pk, low, value in rows if low == connection.system.lower()]
    former = {(pk, value) for pk, low, value in rows} - set(known)
    custom = [(contact.pk, contact.custom_user_id) for contact in contacts]
    for pk, value in [*known, *(one for one in custom if one not in former)]:
        own = kind.person_id_of(value)  # people type them, too
        if own and own not in found[pk]:
            found[pk].append(own)
    return found


# --- what was not saved ---


def events_of(records: Iterable[RemoteRecord]) -> Mapping[int, VideoEvent]:
    """{number of an event: the event}, with its thank-you and contact. One query."""
    pks = [record.known.get("event") for record in records]
    return VideoEvent.objects.select_related("thank_you__contact").in_bulk([pk for pk in pks if pk])  # type: ignore[no-any-return]


def stuck() -> list[Connection]:
    """The connections of all organizations where something waits for a donor's number."""
    rows = RemoteRecord.objects.with_scopes_disabled().filter(kind=KIND, state=State.SKIPPED, reason_code=NO_ID)
    connections = Connection.objects.with_scopes_disabled().filter(
        pk__in=rows.values("connection"), state=Connection.State.ACTIVE
    )
    return list(connections.select_related("tenant").order_by("pk"))


def try_again(connection: Connection, rows: Any = None) -> int:
    """Have what was not saved saved now, as far as there is a number to save it under. Returns how many."""
    rows = RemoteRecord.objects.filter(connection=connection, kind=KIND) if rows is None else rows
    rows = rows.filter(state__in=[State.SKIPPED, State.SET_ASIDE]).exclude(reason_code=BEFORE)
    count = 0
    for part in chunks(list(rows.order_by("pk"))):
        events = events_of(part)
        contacts = {event.thank_you.contact for event in events.values()}
        ids = ids_there(connection, contacts)
        ready = [
            record.pk for record in part
            if (event := events.get(record.known.get("event", 0))) and ids[event.thank_you.contact.pk]
        ]  # fmt: skip
        count += RemoteRecord.objects.filter(pk__in=ready, state__in=[State.SKIPPED, State.SET_ASIDE]).update(
            state=State.OK, reason_code="", reason="", due_at=Now(), attempts=0, want_version=F("want_version") + 1
        )
    return count
