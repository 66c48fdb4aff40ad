"""What people said themselves about being written to, as the consent ledger (L35) has it: who is out, and of what."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from contacts.duplicates.identities import UNDOING, Joined, joined
from contacts.models import ConsentEvent
from contacts.tenancy.acting import By

FREE, ASK, OUT = "free", "ask", "out"
STRICTNESS = [FREE, ASK, OUT]
EVERYWHERE = "*"
OPTING_OUT = {ConsentEvent.Kind.OPT_OUT, ConsentEvent.Kind.DNC_SET}
COUNTS = Q(by=By.PERSON) | Q(kind=ConsentEvent.Kind.DNC_CLEARED)


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of the ledger, as far as the check needs it."""

    kind: str
    by: str
    list_uid: str
    place: str

    @property
    def scope(self) -> str:
        """What it is about: a vendor's container, one list, or everything."""
        if self.place:
            return f"place:{self.place}"
        return f"list:{self.list_uid}" if self.list_uid else EVERYWHERE


Standing = Mapping[str, str]


def is_place(scope: str) -> bool:
    """Whether this was said at a vendor, where everybody lives together or where one list has its own place."""
    return scope.startswith("place:")


def is_shared(scope: str) -> bool:
    """Whether this is a place where everybody lives together, so that a word said there is about every list."""
    return is_place(scope) and " list:" not in scope


def standing(words: Iterable[Word | Standing]) -> dict[str, str]:
    """{scope: out, ask or free} after these words, oldest first; a scope that nobody opted out of does not appear.

    Only the person's own word opts out or in. When staff clear Do Not Contact after a person's opt-out, the person is
    asked, never subscribed. Who comes back in one place is free there, until they leave in another one where everybody
    lives. Where another contact was merged in, what it had said till then stands among the words: the stricter counts,
    until the person says something new.
    """
    now: dict[str, str] = {}
    for word in words:
        if not isinstance(word, Word):
            now = strictest(now, word)
        elif word.by == By.PERSON:
            if word.kind in OPTING_OUT:
                now = no_longer_free(now) if is_shared(word.scope) else now
                now[word.scope] = OUT
            elif word.scope in now or word.place:
                now[word.scope] = FREE
        elif word.kind == ConsentEvent.Kind.DNC_CLEARED:
            for scope, state in now.items():
                if state == OUT and (scope == word.scope or scope.startswith("place:")):
                    now[scope] = ASK
    return now


def no_longer_free(now: Standing) -> dict[str, str]:
    """Without the places where they had come back: what was said now is about every list, and later."""
    return {scope: state for scope, state in now.items() if state != FREE or not is_place(scope)}


def said_since(at: datetime, uids: Iterable[uuid.UUID]) -> dict[str, str]:
    """What these contacts withdrew from this moment on, and have not given back since. One query."""
    events = ConsentEvent.objects.filter(COUNTS, contact_uid__in=list(uids), at__gte=at).order_by("at", "pk")
    rows = events.exclude(kind=ConsentEvent.Kind.DNC_CLEARED, source=UNDOING)
    said = standing(Word(kind, by, str(of or ""), place) for kind, by, of, place in rows.values_list(
        "kind", "by", "list_uid", "place"
    ))  # fmt: skip
    return {scope: state for scope, state in said.items() if state != FREE}


Line = list[tuple[datetime, Word | Standing]]


def load(
    uids: Iterable[uuid.UUID], addresses: Iterable[str]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """The standings by contact uid and by address: a decision follows the person and the address alike, and through
    merges. Two queries."""
    lines, words_at = lines_of(uids, addresses)
    return (
        {str(uid): state for uid, line in lines.items() if (state := standing(step for _, step in line))},
        {key: state for key, line in words_at.items() if (state := standing(step for _, step in line))},
    )


def lines_of(uids: Iterable[uuid.UUID], addresses: Iterable[str]) -> tuple[dict[uuid.UUID, Line], dict[str, Line]]:
    """What was said by these contacts and under these addresses, each oldest first. Two queries."""
    uids = list(uids)
    merged = joined(uids) if uids else {}
    everybody = {*uids, *(gone for rows in merged.values() for gone in rows)}
    by_uid: defaultdict[uuid.UUID, Line] = defaultdict(list)
    by_address: defaultdict[str, Line] = defaultdict(list)
    wanted_addresses = {address for address in addresses if address}
    events: Any = (
        ConsentEvent.objects.filter(Q(contact_uid__in=list(everybody)) | Q(address__in=list(wanted_addresses)))
        .filter(COUNTS)
        .exclude(kind=ConsentEvent.Kind.DNC_CLEARED, source=UNDOING)
        .order_by("at", "pk")
        .values_list("at", "kind", "by", "list_uid", "place", "contact_uid", "address")
    )
    for at, kind, by, list_uid, place, contact_uid, address in events:
        word = Word(kind, by, str(list_uid or ""), place)
        by_uid[contact_uid].append((at, word))
        if address:
            by_address[address].append((at, word))
    # Only of those who are asked about: others said something under these addresses, which counts there.
    return {uid: line_of(uid, by_uid, merged) for uid in uids if uid in by_uid or uid in merged}, dict(by_address)


def line_of(uid: uuid.UUID, words: Mapping[uuid.UUID, Line], merged: Joined) -> Line:
    """What was said about a contact, oldest first. A contact that was merged in brings its standing of that moment;
    what is said about it later counts like a word about the one that it is part of now."""
    line = list(words.get(uid, ()))
    for gone, at in merged.get(uid, {}).items():
        theirs = line_of(gone, words, merged)
        before = standing(step for said, step in theirs if said <= at)
        line += [(at, before), *((said, step) for said, step in theirs if said > at)]
    return sorted(line, key=lambda pair: pair[0])


def strictest(*standings: Mapping[str, str] | None) -> dict[str, str]:
    """Several standings as one, the stricter word winning in each scope. Who came back in a place in one of them is no
    freer there by it in another, where they have left and not come back."""
    merged: dict[str, str] = {}
    for one in standings:
        for scope, state in (one or {}).items():
            merged[scope] = max(merged.get(scope, state), state, key=STRICTNESS.index)
    left = [one for one in standings if one and any(is_shared(key) and one[key] != FREE for key in one)]
    return {
        scope: state
        for scope, state in merged.items()
        if state != FREE or not is_place(scope) or all(scope in one for one in left)
    }
