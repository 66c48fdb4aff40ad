"""What happened to a contact, newest first, from several sources read side by side: history and consent here, and
whatever apps above add, such as what was sent to a newsletter service.

A page is found by the place of its first entry, not by its number: the thousandth page costs as much as the first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest

from contacts.duplicates.identities import MERGING
from contacts.models import ConsentEvent, Contact, ContactList, HistoryEntry, Household
from contacts.tenancy.acting import By

PER_PAGE = 20
TOGETHER = timedelta(seconds=2)  # what one person did within so long is told as one thing


@dataclass(slots=True)
class Line:
    """One thing that was done: a sentence, and what changed from what to what."""

    sentence: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # (what, before, after)
    note: str = ""
    tone: str = ""  # good, warn or bad: shown as a badge with `badge` in it
    badge: str = ""


@dataclass(slots=True)
class Entry:
    """What one person, or one service, did at one moment."""

    at: datetime
    kind: str
    icon: str
    who: str
    lines: list[Line]
    source: str = ""
    place: tuple[int, int] = (0, 0)  # after its time: number of its source, key of its row


@dataclass(frozen=True, slots=True)
class Window:
    """Which part a source is asked for: at most `size` rows, older than an entry already shown."""

    size: int
    number: int
    at: datetime | None = None
    source: int = 0
    pk: int = 0

    def of(self, rows: Any) -> list[Any]:
        """The rows of this window, newest first; `rows` have `at`."""
        if self.at is not None:
            older = Q(at__lt=self.at)
            if self.number > self.source:
                older |= Q(at=self.at)
            elif self.number == self.source:
                older |= Q(at=self.at, pk__lt=self.pk)
            rows = rows.filter(older)
        return list(rows.order_by("-at", "-pk")[: self.size])


@dataclass(slots=True)
class Subject:
    """Whose timeline it is: a contact with everybody that was merged into it."""

    contact: Contact
    uids: list[UUID]
    addresses: list[str]


Read = Callable[[HttpRequest, Subject, Window], list[Entry]]


@dataclass(frozen=True, slots=True)
class Source:
    """Something that tells of a contact. `read` returns an entry for each row of its window, `place` filled in."""

    kind: str
    label: str
    read: Read


_sources: list[Source] = []


def add_source(kind: str, label: str, read: Read) -> None:
    """Have another app tell of contacts; called once, when it is ready. `label` names it in the filter."""
    if all(source.kind != kind for source in _sources):
        _sources.append(Source(kind, label, read))


_apart: set[str] = set()


def tell_apart(kind: str, label: str, icons: dict[str, str], words: dict[tuple[str, str], str]) -> None:
    """Have changes of an app's own rows told under a label of their own instead of under “Details”. `icons`: {kind of
    row: its icon}; `words`: {(kind of row, verb): the sentence, {} for the row's name} where the usual one will not do.
    """
    _apart.update(icons)
    ICONS.update(icons)
    WORDS.update(words)
    which = Q(what__in=list(icons))
    add_source(kind, label, lambda request, subject, window: from_history(subject, window, kind, which))


@dataclass(slots=True)
class Page:
    """One page of it; `older` is the address of the next, or ""."""

    entries: list[Entry]
    kinds: list[tuple[str, str]]
    kind: str
    older: str = ""


def page_of(request: HttpRequest, subject: Subject, kind: str = "", after: str = "") -> Page:
    """A page of the timeline, of one kind or of all. As many queries as there are sources, whatever the size."""
    kinds = [(source.kind, source.label) for source in _sources]
    kind = kind if kind in dict(kinds) else ""
    cursor = cursor_from(after)
    found: list[Entry] = []
    for number, source in enumerate(_sources):
        if kind in ("", source.kind):
            found += source.read(request, subject, Window(PER_PAGE + 1, number, *cursor))
    found.sort(key=lambda entry: (entry.at, -entry.place[0], entry.place[1]), reverse=True)
    shown, rest = found[:PER_PAGE], found[PER_PAGE:]
    older = ""
    if rest and shown:
        last = shown[-1]
        older = f"{last.at.astimezone(UTC).isoformat()}_{last.place[0]}_{last.place[1]}"
    return Page(list(grouped(shown)), kinds, kind, older)


def cursor_from(text: str) -> tuple[datetime | None, int, int]:
    """The place that an address names; nothing readable is the beginning."""
    parts = text.replace(" ", "+").split("_")
    try:
        at = datetime.fromisoformat(parts[0])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)), int(parts[1]), min(int(parts[2]), 2**62)
    except (ValueError, IndexError, OverflowError):
        return None, 0, 0


def grouped(entries: Iterable[Entry]) -> Iterable[Entry]:
    """What the same person did in one go becomes one entry; entries without a word for people are left out."""
    last: Entry | None = None
    for entry in entries:
        if not entry.lines:
            continue
        same = last is not None and (last.who, last.source, last.kind) == (entry.who, entry.source, entry.kind)
        if last is not None and same and entry.kind != "sent" and last.at - entry.at < TOGETHER:
            last.lines = entry.lines + last.lines
            continue
        if last is not None:
            yield last
        last = entry
    if last is not None:
        yield last


def subject_of(contact: Contact, uids: list[UUID]) -> Subject:
    """The contact with its addresses; `uids` are its own and those of everybody merged into it."""
    return Subject(contact, uids, [email.address_key for email in contact.email_addresses.all()])


# --- the history ---

LISTS, TAGS = "place on a list", "tag"
OF_LISTS = Q(what=LISTS)
ICONS = {"email address": "mail", "phone number": "call", "postal address": "home", LISTS: "lists", TAGS: "label"}
WORDS = {
    (LISTS, "added"): "Put on {}", (LISTS, "deleted"): "Taken off {}", (LISTS, "changed"): "Place on {} changed",
    (TAGS, "added"): "Tagged “{}”", (TAGS, "deleted"): "Tag “{}” taken off",
    ("contact", "added"): "Contact added", ("contact", "changed"): "Details changed",
    ("contact", "deleted"): "Contact deleted",
    ("merge", "added"): "Merged: {}", ("merge", "deleted"): "Merge undone: {}",
}  # fmt: skip


def read_details(request: HttpRequest, subject: Subject, window: Window) -> list[Entry]:
    """Changes of the contact and of what hangs on it, but for lists."""
    return from_history(subject, window, "details", ~OF_LISTS & ~Q(what__in=list(_apart)))


def read_lists(request: HttpRequest, subject: Subject, window: Window) -> list[Entry]:
    """On lists, and off them."""
    return from_history(subject, window, "lists", OF_LISTS)


def from_history(subject: Subject, window: Window, kind: str, which: Q) -> list[Entry]:
    """Entries of the history; what became of Do Not Contact is left to the ledger."""
    # What a merge did to the contact that went, such as deleting it, would read here as if it were about this one.
    of_the_other = ~Q(contact_uid=subject.contact.uid) & Q(source=MERGING)
    rows = window.of(HistoryEntry.objects.filter(which, contact_uid__in=subject.uids).exclude(of_the_other))
    names = Names(rows)
    name = str(subject.contact)
    return [
        Entry(
            row.at, kind, ICONS.get(row.what, "edit"), row.actor_label, list(line_of(row, name, names)),
            row.source if row.source not in ("Almoner", row.actor_label) else "", (window.number, row.pk),
        )
        for row in rows
    ]  # fmt: skip


class Names:
    """The present names of the households and lists that some entries mention, in at most two queries."""

    def __init__(self, rows: Iterable[HistoryEntry]) -> None:
        homes = {pk for row in rows for pk in row.changes.get("household_id", ()) if pk}
        lists = {row.list_uid for row in rows if row.list_uid}
        found: Any = Household.objects.filter(pk__in=homes).order_by().values_list("pk", "name") if homes else ()
        named: Any = ContactList.objects.filter(uid__in=lists).order_by().values_list("uid", "name") if lists else ()
        self.homes: dict[int, str] = dict(found)
        self.lists: dict[UUID, str] = dict(named)

    def home(self, pk: int) -> str:
        return f"“{self.homes[pk]}”" if pk in self.homes else "that was deleted since"

    def list_of(self, row: HistoryEntry) -> str:
        """A deleted list is known by what the entry said then: “Ana Ruiz on Newsletter”."""
        return self.lists.get(row.list_uid, row.label.rpartition(" on ")[2]) if row.list_uid else row.label


def line_of(row: HistoryEntry, name: str, names: Names) -> Iterable[Line]:
    """An entry as a sentence with its changes; nothing where there is nothing that a person would see."""
    from contacts.admin.history import changes_in_words

    before, after = row.changes.get("household_id", (None, None))
    if row.verb == HistoryEntry.Verb.CHANGED and before != after:
        if before:
            yield Line(f"Left the household {names.home(before)}")
        if after:
            yield Line(f"Joined the household {names.home(after)}")
    changes = [change for change in changes_in_words(row) if not change[0].casefold().startswith("do not contact")]
    if row.verb == HistoryEntry.Verb.CHANGED and not changes:
        return
    label = row.label
    if row.what == LISTS:
        label = f"“{names.list_of(row)}”"
    default = f"{row.what.capitalize()} {row.get_verb_display().lower()}" + ("" if label == name else f": {label}")
    sentence = WORDS.get((row.what, row.verb), default).format(label)
    yield Line(sentence, changes if row.verb == HistoryEntry.Verb.CHANGED else [])


# --- the consent ledger ---

TONES = {"opt_in": "good", "opt_out": "bad", "dnc_set": "bad", "dnc_cleared": ""}


def consent_of(subject: Subject) -> Any:
    """What the ledger says about this person (L35): under their name, and what was said under their addresses by
    somebody who shares them, because a service holds one entry for an address."""
    said_by_sharers = Q(address__in=subject.addresses, by=By.PERSON)
    return ConsentEvent.objects.filter(Q(contact_uid__in=subject.uids) | said_by_sharers)


def read_consent(request: HttpRequest, subject: Subject, window: Window) -> list[Entry]:
    """Every decision about being written to."""
    return [consent_entry(event, subject, window.number) for event in window.of(consent_of(subject))]


def consent_entry(event: ConsentEvent, subject: Subject, number: int = 0) -> Entry:
    """One decision with who said it, and from where."""
    source = event.source if event.source not in ("Almoner", event.actor_label) else ""
    line = consent_line(event, subject)
    return Entry(event.at, "consent", "verified_user", event.actor_label, [line], source, (number, event.pk))


def where(event: ConsentEvent) -> str:
    """Where a decision holds, for people, as part of a sentence."""
    if event.list_name:
        return f"on “{event.list_name}”"
    return f"for {holds(event)}" if event.place else holds(event)


def holds(event: ConsentEvent) -> str:
    """Where a decision holds, in the same words on every page: a list, everything at a service, or everywhere."""
    if event.list_name:
        return event.list_name
    if not event.place:
        return "everywhere"
    what = "one list" if event.place.partition(" ")[2].startswith("list:") else "everything"
    return f"{what} at {vendor_of(event.place)}"


def vendor_of(place: str) -> str:
    """Whose audience a place is: “Constant Contact” for “constant_contact account:…”."""
    return place.partition(" ")[0].replace("_", " ").title()


def consent_line(event: ConsentEvent, subject: Subject) -> Line:
    """One decision in words."""
    about = "" if event.contact_uid in subject.uids else f", said by {event.contact_name} under the same address"
    return Line(
        f"{event.get_kind_display()} {where(event)}{about}", note=event.detail, tone=TONES.get(event.kind, ""),
        badge="Consent",
    )  # fmt: skip


add_source("details", "Details", read_details)
add_source("lists", "Lists", read_lists)
add_source("consent", "Consent", read_consent)
