"""Bulk changes of many contacts, carried out in turns of some seconds by the worker.

What is done stands in the row of the bulk change, written in the transaction of the work itself. So a turn may be
killed at any moment and may be repeated: the next one goes on behind the last contact that is done.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Now

from contacts import services, standing
from contacts.models import BulkChange, ConsentEvent, Contact, ContactList, Tag
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant

AT_ONCE = 500  # so many are done while the person waits
BATCH = 500
TURN_SECONDS = 15.0
LOST_AFTER = timedelta(seconds=60)  # a batch takes a few seconds
MOST_FAILURES = 5
STUCK = (
    "Something went wrong on our side, several times in a row. What was done until then stays. Try again with the rest."
)
UNKNOWN = (
    "This version of Almoner does not know how to do that, so nothing more was changed. Choose the contacts again."
)
State = BulkChange.State


def people(count: int) -> str:
    """“1 contact”, “2,500 contacts”."""
    return f"{count:,} contact{'' if count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Verb:
    """What can be done to many. `target` is what it takes besides contacts: a list or a tag; `others` says of whom it
    does not change why not."""

    do: Callable[..., int]
    ahead: str
    done: str
    others: tuple[str, str]
    target: type[Model] | None = None

    def of_others(self, count: int) -> str:
        """“4 contacts were on it already.”, or "" when there are none."""
        return f"{people(count)} {self.others[count > 1]}." if count > 0 else ""

    def run(self, rows: QuerySet[Contact], target: Any = None) -> int:
        """Do it, and return how many it changed."""
        return self.do(rows) if self.target is None else self.do(target, rows)


VERBS = {
    "add_to_list": Verb(
        services.add_to_list, "Add {0} to “{1}”", "{0} added to “{1}”",
        ("was on it already", "were on it already"), ContactList,
    ),
    "take_off_list": Verb(
        services.take_off_list, "Take {0} off “{1}”", "{0} taken off “{1}”",
        ("was not on it", "were not on it"), ContactList,
    ),
    "add_tag": Verb(
        services.add_tag, "Tag {0} with “{1}”", "{0} tagged with “{1}”", ("had it already", "had it already"), Tag
    ),
    "take_off_tag": Verb(
        services.take_off_tag, "Take “{1}” off {0}", "“{1}” taken off {0}", ("did not have it", "did not have it"), Tag
    ),
    "set_do_not_contact": Verb(
        lambda rows: services.set_do_not_contact(rows, True), "Mark {0} Do Not Contact", "{0} marked Do Not Contact",
        ("was marked already", "were marked already"),
    ),
    "clear_do_not_contact": Verb(
        lambda rows: services.set_do_not_contact(rows, False), "Clear Do Not Contact for {0}",
        "Do Not Contact cleared for {0}", ("was not marked", "were not marked"),
    ),
    "delete_contacts": Verb(
        services.delete_contacts, "Delete {0}", "{0} deleted",
        ("stays because of what they gave", "stay because of what they gave"),
    ),
}  # fmt: skip


class TurnLost(RuntimeError):
    """Somebody else works on it now; whoever had it before must stop."""


def begin(verb: str, rows: QuerySet[Contact], user: Any, uid: uuid.UUID, target: Any = None) -> tuple[BulkChange, bool]:
    """Note a bulk change of these contacts; the same form sent twice (`uid`) leads to the same one. (it, is it new)"""
    pks = list(rows.order_by("pk").values_list("pk", flat=True))
    sentence = VERBS[verb].ahead.format(people(len(pks)), target)[:300]
    params = {} if target is None else {"target": target.pk, "name": str(target)}
    values = {"verb": verb, "sentence": sentence, "params": params, "contact_pks": pks, "total": len(pks)}
    values["user"] = user
    return BulkChange.objects.get_or_create(uid=uid, defaults=values)


def waiting() -> list[int]:
    """Bulk changes of every organization that nobody seems to work on; asked by the sweep."""
    silent = Q(beat_at=None) | Q(beat_at__lt=Now() - LOST_AFTER)
    rows = BulkChange.objects.with_scopes_disabled().filter(silent, state=State.WORKING)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def turn(pk: int, seconds: float = TURN_SECONDS) -> bool:
    """Work on it for some seconds. Returns whether there is more to do."""
    tenants = BulkChange.objects.with_scopes_disabled().filter(pk=pk).values_list("tenant", flat=True)
    tenant = Tenant.objects.filter(pk__in=tenants).first()
    if tenant is None:
        return False
    with in_tenant(tenant):
        token = take(pk)
        if not token:
            return False
        change = BulkChange.objects.select_related("user").get(pk=pk)
        if change.failures > MOST_FAILURES:
            stop(change, token, STUCK)
            return False
        with acting(By.STAFF, "Bulk change", change.user):
            return work(change, token, monotonic() + seconds)


def take(pk: int) -> str:
    """The right to work on it, or "" while somebody else has it."""
    token = str(uuid.uuid4())
    free = Q(token="") | Q(beat_at=None) | Q(beat_at__lt=Now() - LOST_AFTER)  # noqa: S106  (no password)
    rows = BulkChange.objects.filter(free, pk=pk, state=State.WORKING)
    return token if rows.update(token=token, beat_at=Now(), failures=F("failures") + 1) else ""


def work(change: BulkChange, token: str, until: float) -> bool:
    """Batch after batch, until the time is over or everybody is done."""
    verb, target = VERBS.get(change.verb), None
    if verb is None:
        stop(change, token, UNKNOWN)
        return False
    if verb.target is not None:
        target = verb.target._default_manager.filter(pk=change.params["target"]).first()
        if target is None:
            name, kind = change.params.get("name", ""), verb.target._meta.verbose_name
            stop(change, token, f"The {kind} “{name}” was deleted meanwhile, so there was nothing left to do.")
            return False
    try:
        while change.rows_done < change.total:
            batch(change, token, lambda rows: verb.run(still_meant(change.verb, rows, change.created_at), target))
            if change.rows_done < change.total and monotonic() >= until:
                mine(change, token).update(token="", beat_at=Now())
                return True
    except TurnLost:
        return False
    mine(change, token).update(state=State.DONE, finished_at=Now(), token="")
    return False


def still_meant(verb: str, rows: QuerySet[Contact], since: datetime) -> QuerySet[Contact]:
    """Whoever was marked Do Not Contact after the page was shown, or the button pressed, is not cleared by it."""
    if verb != "clear_do_not_contact":
        return rows
    marked = ConsentEvent.objects.filter(at__gte=since, kind__in=standing.OPTING_OUT)
    return rows.exclude(uid__in=marked.order_by().values("contact_uid"))


def batch(change: BulkChange, token: str, do: Callable[[QuerySet[Contact]], int]) -> None:
    """One transaction of work, lost as a whole or kept as a whole, with the progress it makes."""
    pks = change.contact_pks[change.rows_done : change.rows_done + BATCH]
    with transaction.atomic():
        if not mine(change, token).update(beat_at=Now(), failures=0):
            raise TurnLost
        changed = do(Contact.objects.filter(pk__in=pks))
        mine(change, token).update(rows_done=F("rows_done") + len(pks), changed=F("changed") + changed)
    change.rows_done += len(pks)
    change.changed += changed


def mine(change: BulkChange, token: str) -> Any:
    """The row, while it is still ours to work on."""
    return BulkChange.objects.filter(pk=change.pk, token=token, state=State.WORKING)


def stop(change: BulkChange, token: str, why: str) -> None:
    """Give up, with a sentence."""
    mine(change, token).update(state=State.FAILED, error=why[:300], finished_at=Now(), token="")
