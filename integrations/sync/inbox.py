"""Listening to a vendor: messages from the inbox, and full readings of who opted out. What is heard goes to pull."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from contacts.models import EmailAddress
from contacts.models.contact import address_key
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord, WebhookEvent
from integrations.provider_kit.base import Provider
from integrations.provider_kit.states import Member, Places
from integrations.sync import pull, slices

GIVE_UP_AFTER = 20  # attempts at one message; the daily reading of opt-outs makes up for it


def handle_inbox(connection: Connection, provider: Provider, stop: Any) -> None:
    """Act on stored messages, oldest first: read each person at the vendor and apply what is there now.

    Raises `CallFailed` when the vendor cannot be asked; the message stays and is taken up again.
    """
    while not stop():
        event = (
            WebhookEvent.objects.filter(connection=connection, handled_at__isnull=True)
            .order_by("received_at", "pk").first()
        )  # fmt: skip
        if event is None:
            return
        WebhookEvent.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1)
        outcome = "It could not be read several times; the next full reading makes up for it."
        if event.attempts < GIVE_UP_AFTER:
            outcome = act_on(connection, provider, event)
        WebhookEvent.objects.filter(pk=event.pk).update(handled_at=Now(), outcome=outcome[:250])


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


def listen(connection: Connection, provider: Provider) -> int:
    """Read everybody who is unsubscribed or bounced there, and apply what is news: lost messages are made up for.

    Returns how many were news.
    """
    policy = slices.policy_of(connection)
    places = slices.places_of(connection)
    containers = [policy.container] if policy.container else sorted({p for _, p in places if p.startswith("list:")})
    news = 0
    for container in containers:
        strangers: dict[str, Member] = {}
        for part in chunks(provider.opt_outs(container, places)):
            keys = {address_key(m.address): m for m in part}
            known = dict(
                RemoteRecord.objects.filter(connection=connection, known_address__in=list(keys)).values_list(
                    "known_address", "known"
                )
            )
            listed = EmailAddress.objects.filter(contact__memberships__contact_list__synchronize=True)
            here = set(listed.filter(address_key__in=list(keys)).values_list("address_key", flat=True))
            for key, member in keys.items():
                there = known.get(key, {}).get("containers", {}).get(container, {}).get("standing")
                if there is None and key not in here:
                    strangers[member.remote_id] = member
                elif there != member.standing:
                    pull.apply(connection, container, member, (member.address,))
                    news += 1
        news += hear_of_moved(connection, container, strangers)
    Connection.objects.filter(pk=connection.pk).update(listened_at=Now())
    return news


def hear_of_moved(connection: Connection, container: str, strangers: Mapping[str, Member]) -> int:
    """Who changed their address there before they left is known here by their id there. Returns how many were news."""
    records = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.CONTACT)
    moved = []
    for known in records.exclude(known_address="").values_list("known", flat=True).iterator() if strangers else ():
        there = known["containers"].get(container)
        member = strangers.get(there["remote_id"]) if there and there["remote_id"] else None
        if member is not None and member.standing != there["standing"]:
            moved.append((member, there["address"]))
    for member, address in moved:
        pull.apply(connection, container, member, (member.address, address))
    return len(moved)
