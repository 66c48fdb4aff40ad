"""Turning a connection's switches on and off (D4): when, by whom, and where things stood at the vendor."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import HistoryEntry, User
from integrations.models import Connection, GiftRun, Switch
from integrations.provider_kit.base import SwitchKind
from integrations.providers import all_providers, provider_for
from integrations.sync.interactions import CODES, code_of

__all__ = [
    "CODES", "NotSwitched", "choose", "choose_codes", "code_of", "is_on", "kinds_of", "switches_of", "turn_all_off",
    "turn_off", "turn_on",
]  # fmt: skip


class NotSwitched(Exception):
    """It stays as it was; the text is a sentence for the person who pressed."""


def kinds_of(connection: Connection) -> dict[str, SwitchKind]:
    """{key: kind} of what this connection can be switched to do."""
    return {kind.key: kind for kind in all_providers()[connection.provider].switches}


def switches_of(connection: Connection) -> list[tuple[SwitchKind, Switch]]:
    """Every kind with its switch; one that was never turned on is off. One query."""
    found = {
        switch.kind: switch for switch in Switch.objects.filter(connection=connection).select_related("turned_on_by")
    }
    return [(kind, found.get(key) or Switch(connection=connection, kind=key))
            for key, kind in kinds_of(connection).items()]  # fmt: skip


def is_on(connection: Connection, kind: str) -> bool:
    """Whether this is to be done now."""
    return Switch.objects.filter(connection=connection, kind=kind, is_on=True).exists()


def choose_codes(connection: Connection, chosen: dict[str, str]) -> None:
    """Keep {kind of switch: code}; what is saved from now on has these."""
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        before = dict(connection.settings.get(CODES, {}))
        connection.settings = {**connection.settings, CODES: before | chosen}
        connection.save(update_fields=["settings"])
        remember_settings(connection, {f"code: {kind}": [before.get(kind), code] for kind, code in chosen.items()})


def remember_settings(connection: Connection, changes: dict[str, list[Any]]) -> None:
    """The history says who changed what."""
    real = {name: values for name, values in changes.items() if values[0] != values[1]}
    if real:
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.CHANGED, what="integration settings", label=str(connection)[:250], changes=real
        ).save()


def choose(connection: Connection, chosen: dict[str, Any]) -> None:
    """Keep {setting: value} of what a switch does; the history says who changed it."""
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        before = connection.settings
        connection.settings = {**before, **chosen}
        connection.save(update_fields=["settings"])
        remember_settings(connection, {name: [before.get(name), now] for name, now in chosen.items()})


def turn_on(connection: Connection, kind: str, user: User) -> Switch:
    """Switch it on from this moment. Raises `CallFailed` when the vendor cannot say where things stand there.

    One that is on already stays as it is: its moment is not moved.
    """
    if kinds_of(connection)[kind].needs_code and not code_of(connection, kind):
        words = all_providers()[connection.provider].code_words
        raise NotSwitched(f"Choose first under which {words} it is saved at {connection}.")
    with provider_for(connection) as provider:
        # Asked before the transaction: nobody waits for a vendor with rows locked.
        mark = {} if is_on(connection, kind) else provider.switch_mark(kind)
    with transaction.atomic():
        switch = _locked(connection, kind)
        if not switch.is_on:
            switch.is_on, switch.mark = True, mark
            switch.turned_on_at, switch.turned_on_by = timezone.now(), user
            switch.cursor, switch.looked_at, switch.changes_looked_at = "", None, None
            switch.save()
            _remember(connection, kind, "off", "on")
    return switch


def turn_off(connection: Connection, kind: str) -> None:
    """Nothing more is done from this moment."""
    with transaction.atomic():
        switch = _locked(connection, kind)
        if switch.is_on:
            switch.is_on, switch.turned_off_at = False, timezone.now()
            switch.save(update_fields=["is_on", "turned_off_at"])
            if kind == all_providers()[connection.provider].gift_switch:
                under_way = GiftRun.objects.filter(connection=connection, state=GiftRun.State.RUNNING)
                under_way.update(
                    state=GiftRun.State.STOPPED, finished_at=Now(), reason="The switch was turned off meanwhile."
                )
            _remember(connection, kind, "on", "off")


def turn_all_off(connection: Connection) -> None:
    """After Disconnect, or when another account is connected: what was meant was the one from before."""
    for kind in Switch.objects.filter(connection=connection, is_on=True).values_list("kind", flat=True):
        turn_off(connection, kind)


def _locked(connection: Connection, kind: str) -> Switch:
    """The switch, under the connection's lock; made if it was never touched."""
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    if (
        connection.state != Connection.State.ACTIVE
        and not Switch.objects.filter(connection=connection, kind=kind).exists()
    ):
        raise NotSwitched(f"{connection} is not connected.")
    switch: Any = Switch.objects.get_or_create(connection=connection, kind=kind)[0]
    return switch  # type: ignore[no-any-return]


def _remember(connection: Connection, kind: str, before: str, now: str) -> None:
    label = f"{connection}: {kinds_of(connection)[kind].label}"
    HistoryEntry.by_actor(
        verb=HistoryEntry.Verb.CHANGED, what="integration", label=label[:250], changes={"switch": [before, now]}
    ).save()
