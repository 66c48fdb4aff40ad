"""Messages from a vendor, taken from the inbox. Who is meant is read at the vendor, and what is there goes to pull."""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from contacts.models import EmailAddress
from contacts.models.contact import address_key
from integrations.models import Connection, WebhookEvent
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.provider_kit.states import Places, Standing
from integrations.sync import complaints, pull, slices
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
    said = pull.apply(connection, container, member, addresses)
    if hint.is_complaint and member is not None and member.standing in (Standing.UNSUBSCRIBED, Standing.CLEANED):
        return complaints.note(connection, container, addresses) or said
    return said


def home(connection: Connection, container: str, places: Places) -> str:
    """Our name for a container that the vendor named: the one that everybody lives in, or that of the list in it."""
    policy = slices.policy_of(connection)
    if policy.container:
        return container if container == policy.container else ""
    remote_id = container.partition(":")[2]
    return next((place for (_, place), found in places.items() if found == remote_id and place.startswith("list:")), "")
