"""Rows of runs, of the ledger and of the history made ready to show: with names, links and words, a page at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, ContactList, EmailAddress
from integrations.check_words import Found, tell_found
from integrations.models import Delivery, RemoteRecord, RunItem
from integrations.words import (
    VERBS,
    Difference,
    Explained,
    VerbWords,
    differences,
    explain,
    lasting,
    verb_label,
)

LIST = RemoteRecord.Kind.LIST
ADD = (VERBS["create"].label, VERBS["adopt"].label)
STUCK = (RemoteRecord.State.SET_ASIDE, RemoteRecord.State.SKIPPED)
ALREADY_SAID = ("Email address", "State", "First name", "Last name")


class Names:
    """Names and links of contacts and lists by uid, in at most two queries."""

    def __init__(self, contacts: Iterable[UUID], lists: Iterable[UUID | str]) -> None:
        wanted, also = set(contacts), {str(uid) for uid in lists}
        self.contacts = {c.uid: c for c in Contact.objects.filter(uid__in=wanted)} if wanted else {}
        found = ContactList.objects.filter(uid__in=also) if also else []
        self.lists = {str(one.uid): one for one in found}

    @property
    def list_names(self) -> Mapping[str, str]:
        return {uid: one.name for uid, one in self.lists.items()}

    def of(self, kind: str, uid: UUID) -> tuple[str, str]:
        """(name, link); both empty for somebody who was deleted."""
        row: Any = self.lists.get(str(uid)) if kind == LIST else self.contacts.get(uid)
        if row is None:
            return "", ""
        return str(row), reverse(f"admin:contacts_{'contactlist' if kind == LIST else 'contact'}_change", args=[row.pk])


@dataclass(slots=True)
class Shown:
    """One row of a table."""

    name: str
    link: str
    row: Any
    verb: str = ""
    tone: str = "plain"
    changes: list[Difference] = field(default_factory=list)
    reason: Explained | None = None
    retry: bool = False
    address: str = ""
    found: Found | None = None  # of a check: how it differs

    @property
    def other_address(self) -> str:
        """The address known there, where it is another one."""
        return self.row.known_address if self.row.known_address != self.address.lower() else ""

    @property
    def brief(self) -> list[Difference]:
        """The changes without what stands beside them anyway: of somebody new, the lists are what is of interest."""
        is_new = self.verb in ADD or (self.found is not None and is_about_somebody_new(self.row))
        return [c for c in self.changes if c.label not in ALREADY_SAID] if is_new else self.changes


def is_about_somebody_new(item: RunItem) -> bool:
    """Whether nothing of this person is there yet."""
    return bool(item.operations) and all("after" in o and not o.get("before") for o in item.operations)


def lists_in(states: Iterable[Any]) -> set[str]:
    """The lists' uids that these states name."""
    return {uid for state in states if isinstance(state, dict) for uid in state.get("lists", [])}


def show_items(items: Iterable[RunItem], service: str, linked: bool = True) -> list[Shown]:
    """Rows of a preview or report; a file needs neither links nor *Retry*."""
    items = list(items)
    states = [o.get(end) for i in items for o in i.operations for end in ("before", "after")]
    lists = lists_in(states) | {str(i.subject_uid) for i in items if i.kind == LIST}
    names = Names((i.subject_uid for i in items if linked and i.kind != LIST), lists)
    return [_show_item(item, names, service, linked) for item in items]


def _show_item(item: RunItem, names: Names, service: str, linked: bool) -> Shown:
    changes: list[Difference] = []
    for operation in item.operations:
        for change in differences(operation.get("before"), operation.get("after"), names.list_names):
            if change not in changes:
                changes.append(change)
    reason = explain(item.reason_code, item.reason, service) if item.reason_code or item.reason else None
    words = VERBS.get(item.verb, VerbWords(item.verb, ""))
    found = tell_found(item, service) if item.difference else None
    return Shown(
        item.label, names.of(item.kind, item.subject_uid)[1], item, verb_label(item.verb), words.tone, changes, reason,
        retry=linked and helps_to_retry(item), found=found,
    )  # fmt: skip


def helps_to_retry(item: RunItem) -> bool:
    """Whether this row was not sent, is still not, and sending it again may help: neither what was done nor what was
    heard there is to be repeated."""
    record = item.record
    if record is None or record.is_on_its_way or record.state not in STUCK:
        return False
    is_over = item.state == RunItem.State.DONE or not item.reason_code
    return not is_over and all(explain(code).retry_helps for code in (item.reason_code, record.reason_code))


def show_records(records: Iterable[RemoteRecord]) -> list[Shown]:
    """Rows of the ledger that are not in step."""
    records = list(records)
    names = Names(
        (r.subject_uid for r in records if r.kind != LIST), (r.subject_uid for r in records if r.kind == LIST)
    )
    # What the service complains about is the address that was to go there, not the one that it knew before.
    emails: Any = EmailAddress.objects.filter(contact__in=names.contacts.values(), is_primary=True).order_by()
    now = dict(emails.values_list("contact__uid", "address")) if names.contacts else {}
    rows = []
    for record in records:
        name, link = names.of(record.kind, record.subject_uid)
        reason = explain(record.reason_code, record.reason, str(record.connection))
        if record.is_on_its_way:
            reason = on_its_way(record)
        retry = reason.retry_helps and record.state != RemoteRecord.State.HELD
        address = now.get(record.subject_uid, "") or record.known_address
        shown = Shown(name or address or "Deleted here", link, record, reason=reason, retry=retry, address=address)
        rows.append(shown)
    return rows


def on_its_way(record: RemoteRecord) -> Explained:
    """Why something has not been sent yet: since when it waits, because of what, and what happened so far."""
    since = lasting((timezone.now() - record.marked_at).total_seconds()) if record.marked_at else ""
    said = [f"{record.cause}." if record.cause else "", f"Waits for {since}." if since else "", record.reason]
    return Explained("due", "On the way", " ".join(filter(None, said)), "Nothing to do: it goes out by itself.", False)


def show_deliveries(deliveries: Iterable[Delivery]) -> list[Shown]:
    """Rows of the history of what was sent (L30)."""
    deliveries = list(deliveries)
    names = Names([], lists_in(end for d in deliveries for end in (d.before, d.after)))
    return [
        Shown(
            "", "", d, verb_label(d.verb), VERBS.get(d.verb, VerbWords("", "")).tone,
            differences(d.before, d.after, names.list_names),
        )
        for d in deliveries
    ]  # fmt: skip
