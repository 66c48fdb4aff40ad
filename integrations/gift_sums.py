"""How looking for gifts, and saving at a service, are doing, in words for the pages; a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Connection, GiftRun, RemoteRecord, Switch
from integrations.models.remote import ON_ITS_WAY
from integrations.provider_kit.base import SwitchKind
from integrations.providers import all_providers
from integrations.sync.interactions import events_of
from integrations.words import some

State = RemoteRecord.State


@dataclass(slots=True)
class SwitchFigures:
    """What stands beside one switch."""

    next_at: datetime | None = None
    under_way: GiftRun | None = None
    latest: GiftRun | None = None
    waiting: int = 0
    not_saved: int = 0
    is_of_gifts: bool = False
    is_of_watches: bool = False


def figures(connection: Connection, switches: list[tuple[SwitchKind, Switch]]) -> dict[str, SwitchFigures]:
    """{kind of switch: its figures}. Three queries."""
    kind = all_providers()[connection.provider]
    found = {each.key: SwitchFigures() for each, _ in switches}
    by_event = {event: key for event, key in kind.interaction_switches.items() if key in found}
    counted: Any = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.INTERACTION).filter(
        ON_ITS_WAY | ~Q(state=State.OK)
    ).order_by().values_list("known__kind", "state")  # fmt: skip
    for event, state, count in counted.annotate(Count("pk")):
        if event in by_event:
            name = "waiting" if state == State.OK else "not_saved"
            figure = found[by_event[event]]
            setattr(figure, name, getattr(figure, name) + count)
    for event, key in by_event.items():
        found[key].is_of_watches = event == "watched"
    for _, switch in switches:
        if switch.kind == kind.gift_switch:
            mine = found[switch.kind]
            mine.is_of_gifts = True
            runs = GiftRun.objects.filter(connection=connection)
            mine.latest = runs.exclude(state=GiftRun.State.RUNNING).first()
            mine.under_way = runs.filter(state=GiftRun.State.RUNNING).first()
            if switch.is_on:
                every = timedelta(minutes=settings.GIFTS_EVERY_MINUTES)
                mine.next_at = max(timezone.now(), (switch.looked_at or timezone.now()) + every)
    return found


def sum_up(run: GiftRun) -> str:
    """“3 new gifts, 2 to be thanked for; 1 skipped.” What is still under way has not found nothing."""
    if run.waits_for_word:
        return f"{some(run.missing, 'gift is', 'gifts are')} missing there: were they deleted?"
    said = []
    if run.new:
        thanked = "" if run.kind == GiftRun.Kind.HISTORY else f", {run.to_thank:,} to be thanked for"
        said.append(f"{some(run.new, 'new gift', 'new gifts')}{thanked}")
    said += [some(run.updated, "gift changed", "gifts changed")] if run.updated else []
    said += [some(run.gone, "gift deleted there", "gifts deleted there")] if run.gone else []
    said += [f"{run.skipped:,} skipped"] if run.skipped else []
    words = "; ".join(said)
    nothing = {GiftRun.State.RUNNING: "Looking …", GiftRun.State.STOPPED: "It stopped before anything was taken in."}
    return f"{words[:1].upper()}{words[1:]}." if words else nothing.get(GiftRun.State(run.state), "Nothing new.")


def not_saved(records: Any) -> list[dict[str, Any]]:
    """Rows of what was not saved, with the contact, the event and why."""
    from integrations.words import explain

    rows = list(records)
    events = events_of(rows)
    return [
        {
            "record": row, "event": events.get(row.known.get("event", 0)),
            "reason": explain(row.reason_code, row.reason, str(row.connection)),
        }
        for row in rows
    ]  # fmt: skip
