"""Several changes in a row are told as one: whoever listens looks once, at what came of them.

What is recorded stays the same. The ledger is written with each change as ever; the lines of histories, and the message
that somebody was changed, wait for the last of them, in the same transaction.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from contacts import signals
from contacts.tenancy.acting import actor
from contacts.tenancy.walls import current_tenant


@dataclass(slots=True)
class Waiting:
    """What is told at the end: of whom, in the words of which changes; and of whom something is gone."""

    tenant_id: int
    whole: Any  # the sender for changes of several kinds
    changed: dict[uuid.UUID, list[tuple[Any, str, bool]]] = field(default_factory=dict)
    less: dict[uuid.UUID, None] = field(default_factory=dict)
    history: list[Any] = field(default_factory=list)


_waiting: ContextVar[Waiting | None] = ContextVar("telling", default=None)


def waiting_of(tenant_id: int | None = None) -> Waiting | None:
    """Whoever waits, if it is about this organization (the active one where none is named)."""
    found, here = _waiting.get(), current_tenant()
    wanted = tenant_id if tenant_id is not None else (here.pk if here else None)
    return found if found is not None and found.tenant_id == wanted else None


@contextmanager
def as_one(whole: Any) -> Iterator[None]:
    """Tell of everything that is changed inside at its end. Inside a transaction; fails this, nothing is told, and the
    transaction has to be taken back: rows inside are saved without savepoints of their own."""
    here = current_tenant()
    if here is None or waiting_of(here.pk):
        yield
        return
    waiting = Waiting(here.pk, whole)
    token = _waiting.set(waiting)
    try:
        yield
        tell(waiting)
    finally:
        _waiting.reset(token)


@contextmanager
def each_by_itself() -> Iterator[None]:
    """Inside, every change is told at once: where contacts are deleted, and have to be read before."""
    now()
    token = _waiting.set(None)
    try:
        yield
    finally:
        _waiting.reset(token)


def now() -> None:
    """Tell of what has waited till now; what comes afterwards waits for the end again."""
    if (waiting := waiting_of()) is not None:
        tell(waiting)


def write_down(entries: list[Any]) -> None:
    """These lines of histories, as they are: now or at the end."""
    waiting = waiting_of()
    if waiting is None:
        type(entries[0]).objects.bulk_create(entries, batch_size=500)
    else:
        waiting.history += entries


def changed(sender: Any, tenant_id: int, uids: list[uuid.UUID], cause: str, is_opt_out: bool) -> None:
    """These contacts were changed: `contacts_changed`, now or at the end."""
    waiting = waiting_of(tenant_id)
    if waiting is None:
        signals.contacts_changed.send(sender, tenant_id=tenant_id, uids=uids, cause=cause, is_opt_out=is_opt_out)
        return
    for uid in uids:
        waiting.changed.setdefault(uid, []).append((sender, cause, is_opt_out))


def parts_gone(sender: Any, uids: Iterable[uuid.UUID]) -> None:
    """Something of these contacts is gone: `parts_deleted`, now or at the end."""
    waiting = waiting_of()
    if waiting is None:
        signals.parts_deleted.send(sender, uids=list(uids))
    else:
        waiting.less |= dict.fromkeys(uids)


def tell(waiting: Waiting) -> None:
    """One message for all contacts with whom the same happened."""
    entries, said_of, less = waiting.history, waiting.changed, list(waiting.less)
    waiting.history, waiting.changed, waiting.less = [], {}, {}
    if entries:
        type(entries[0]).objects.bulk_create(entries, batch_size=500)
    alike: dict[tuple[Any, str, bool], list[uuid.UUID]] = {}
    for uid, said in said_of.items():
        alike.setdefault(summed_up(said, waiting.whole), []).append(uid)
    for (sender, cause, is_opt_out), uids in alike.items():
        signals.contacts_changed.send(
            sender, tenant_id=waiting.tenant_id, uids=uids, cause=cause, is_opt_out=is_opt_out
        )
    if less:
        signals.parts_deleted.send(waiting.whole, uids=less)


def summed_up(said: list[tuple[Any, str, bool]], whole: Any) -> tuple[Any, str, bool]:
    """(sender, cause, whether Do Not Contact was set) of several changes of one contact. An opt-out gives its cause;
    whoever was added was added."""
    senders, causes = list(dict.fromkeys(one for one, _, _ in said)), list(dict.fromkeys(cause for _, cause, _ in said))
    out = next((cause for _, cause, is_out in said if is_out), "")
    cause = causes[0] if len(causes) == 1 or causes[0].startswith("Contact added") else ""
    cause = out or cause or f"Contact changed by {actor().label}"[:200]
    return (senders[0] if len(senders) == 1 else whole), cause, bool(out)
