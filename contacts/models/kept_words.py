"""What people have said themselves outlives the rows that it was said about (L35): an opt-out stays with every address
of a contact that is deleted, a complaint about spam with the address that it came from. What staff had marked is kept
by kept_marks.py."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django.db.models import Q

from contacts.models.consent import ConsentEvent
from contacts.models.history import HistoryEntry
from contacts.models.kept_marks import ADDRESS_LEFT, LEFT, TAKEN_OVER, gained, rows_of
from contacts.tenancy.acting import By, acting

COMPLAINT = "Reported our mail as spam"  # how the ledger's word about one begins
COMPLAINED_BEFORE = "Kept from when this address was here before"  # where such a change in the history comes from
COMPLAINED = "complained"
Kind, Verb = ConsentEvent.Kind, HistoryEntry.Verb
Changes = list[Any]


# --- on the way out ---


def leave_words(changes: Changes) -> None:
    """Before contacts are deleted: what they have withdrawn themselves goes into the ledger under each of their
    addresses. It is told there by Almoner: it stops nobody who has one of these addresses already, such as a spouse."""
    gone = {row.pk: row for row, _, verb in changes if verb == Verb.DELETED and row.pk}
    if not gone:
        return
    from contacts import standing  # it stands on top of the models

    said, _ = standing.load([row.uid for row in gone.values()], [])
    mail = rows_of("EmailAddress").filter(contact__in=list(gone)).order_by("pk")
    events: list[ConsentEvent] = []
    complained = []
    names = names_of(scope for states in said.values() for scope in states)
    for pk, key, state in mail.values_list("contact_id", "address_key", "state"):
        row = gone[pk]
        if state == COMPLAINED:
            complained.append((row, key))
        events += [
            opt_out(row, LEFT, address=key, **about(scope, names))
            for scope, now in said.get(str(row.uid), {}).items() if now != standing.FREE
        ]  # fmt: skip
    ConsentEvent.objects.bulk_create([*events, *complaints_of(complained, LEFT)], batch_size=500)


def leave_complaints(changes: Changes) -> None:
    """Before an address goes, or becomes another one: the complaint that came from it goes into the ledger."""
    complained = []
    for row, diff, verb in changes:
        before, after = diff.get("address", ("", ""))
        was = diff["state"][0] if "state" in diff else row.state
        if before and was == COMPLAINED and (verb == Verb.DELETED or before.lower() != after.lower()):
            complained.append((row.contact, before.lower()))
    ConsentEvent.objects.bulk_create(complaints_of(complained, ADDRESS_LEFT), batch_size=500)


def leave_addresses(changes: Changes) -> None:
    """Before an address goes, or becomes another one: what the person has withdrawn stays with it. They may have taken
    it on after they said so, and it is theirs still when somebody sends it again."""
    gone: list[tuple[Any, str]] = []
    for row, diff, verb in changes:
        before, after = diff.get("address", ("", ""))
        if before and (verb == Verb.DELETED or before.lower() != (after or "").lower()):
            gone.append((row.contact, before.lower()))
    if not gone:
        return
    from contacts import standing  # it stands on top of the models

    said, known = standing.load({contact.uid for contact, _ in gone}, {key for _, key in gone})
    names = names_of(scope for states in said.values() for scope in states) if said else {}
    ConsentEvent.objects.bulk_create(
        [
            opt_out(contact, ADDRESS_LEFT, address=key, **about(scope, names))
            for contact, key in gone
            for scope, now in said.get(str(contact.uid), {}).items()
            if now != standing.FREE and known.get(key, {}).get(scope, standing.FREE) == standing.FREE
        ],
        batch_size=500,
    )  # fmt: skip


def complaints_of(found: list[tuple[Any, str]], source: str) -> list[ConsentEvent]:
    """An entry for each (contact, address) of which the ledger knows no complaint. At most one query."""
    known = complained_from(words_at({key for _, key in found})) if found else set()
    return [opt_out(contact, source, address=key, detail=COMPLAINT) for contact, key in found if key not in known]


def opt_out(contact: Any, source: str, by: str = By.SYSTEM, **values: Any) -> ConsentEvent:
    """An unsaved entry of the ledger about this contact."""
    with acting(by, source):
        return ConsentEvent.by_actor(
            Kind.OPT_OUT, contact.uid, tenant_id=contact.tenant_id, contact_name=str(contact)[:250], **values
        )


# --- and back ---


def keep_words(changes: Changes) -> None:
    """Who gets an address that a deleted contact had has opted out as they had, until they say otherwise; and an
    address that was complained from is marked so again."""
    contacts, new = gained(changes)
    words = words_at({key for keys in new.values() for key in keys}) if new else []
    if not words:
        return
    if keys := complained_from(words):
        pks = [row.pk for row, _, _ in changes if row.address_key in keys and row.contact_id in new]
        with acting(By.SYSTEM, COMPLAINED_BEFORE):
            rows_of("EmailAddress").filter(pk__in=pks).exclude(state=COMPLAINED).update(state=COMPLAINED)
    if left := left_at(words):
        from contacts import standing

        own, _ = standing.load([contact.uid for contact in contacts.values()], [])
        ConsentEvent.objects.bulk_create(
            opt_out(contacts[pk], TAKEN_OVER, By.PERSON, **about(scope, {str(word.list_uid): word.list_name}))
            for pk, keys in new.items()
            for scope, word in {scope: word for (key, scope), word in left.items() if key in keys}.items()
            if scope not in own.get(str(contacts[pk].uid), {})
        )  # fmt: skip


def give_back(
    address: str, place: str, said_by: uuid.UUID, lists_there: Callable[[Any], Collection[uuid.UUID]]
) -> None:
    """The person, who is acting, asks for mail again at a vendor: whoever has this address now, and took over the word
    of a deleted contact, gives it back for that place and for their lists there. `said_by` has been told already.

    A word that was taken over from another place stays there; but as it is about every list (contacts/standing.py),
    that they have come back in this place is said of the heir as well, or they would be unsubscribed here again.
    """
    from contacts.duplicates.identities import uids_of  # it stands on top of the models

    here = rows_of("EmailAddress").filter(address_key=address, is_primary=True).exclude(contact__uid=said_by)
    for heir in [email.contact for email in here.select_related("contact")]:
        taken = ConsentEvent.objects.filter(
            contact_uid__in=uids_of(heir), kind=Kind.OPT_OUT, by=By.PERSON, source=TAKEN_OVER
        ).order_by("at", "pk")  # fmt: skip
        words = {scope_of(word): word for word in taken}
        lists = lists_there(heir) if words else ()
        names = {str(word.list_uid): word.list_name for word in words.values() if word.list_uid in lists}
        given = [scope for scope in words if scope.removeprefix("list:") in names]
        given += [f"place:{place}"] if any(word.place for word in words.values()) else []
        for scope in given:
            ConsentEvent.by_actor(
                Kind.OPT_IN, heir.uid, tenant_id=heir.tenant_id, contact_name=str(heir)[:250], address=address,
                **about(scope, names),
            ).save()  # fmt: skip


def words_at(addresses: Iterable[str]) -> list[ConsentEvent]:
    """What the ledger keeps under these addresses, oldest first: complaints, what deleted contacts have left, and the
    words by which people have taken them back. One query."""
    kept = Q(kind=Kind.OPT_OUT, source__in=[LEFT, ADDRESS_LEFT]) | Q(kind=Kind.OPT_OUT, detail__startswith=COMPLAINT)
    rows = ConsentEvent.objects.filter(kept | Q(kind=Kind.OPT_IN, by=By.PERSON), address__in=set(addresses))
    return list(rows.order_by("at", "pk"))


def kept_at(addresses: Iterable[str]) -> set[str]:
    """Those of these addresses to which nothing will be sent for whoever gets them. One query."""
    words = words_at(addresses)
    return complained_from(words) | {address for address, _ in left_at(words)}


def complained_from(words: Iterable[ConsentEvent]) -> set[str]:
    """The addresses from which somebody complained, and has not asked for mail since."""
    found: set[str] = set()
    for word in words:
        if word.kind == Kind.OPT_IN:
            found.discard(word.address)
        elif word.detail.startswith(COMPLAINT):
            found.add(word.address)
    return found


def left_at(words: Iterable[ConsentEvent]) -> dict[tuple[str, str], ConsentEvent]:
    """{(address, scope): what a deleted contact left there}, but for what was given back since."""
    found: dict[tuple[str, str], ConsentEvent] = {}
    for word in words:
        if word.kind == Kind.OPT_IN:
            found.pop((word.address, scope_of(word)), None)
        elif word.source in (LEFT, ADDRESS_LEFT) and not word.detail:
            found[word.address, scope_of(word)] = word
    return found


# --- what an entry is about ---


def scope_of(word: ConsentEvent) -> str:
    """As contacts/standing.py names it."""
    if word.place:
        return f"place:{word.place}"
    return f"list:{word.list_uid}" if word.list_uid else "*"


def about(scope: str, names: Mapping[str, str]) -> dict[str, Any]:
    """The columns of an entry about this; `names` are those of the lists, by uid."""
    kind, _, rest = scope.partition(":")
    if kind == "list":
        return {"list_uid": uuid.UUID(rest), "list_name": names.get(rest, "")}
    return {"place": rest} if kind == "place" else {}


def names_of(scopes: Iterable[str]) -> dict[str, str]:
    """{uid: name} of the lists among these."""
    uids = [scope.removeprefix("list:") for scope in scopes if scope.startswith("list:")]
    rows = rows_of("ContactList").filter(uid__in=uids).order_by().values_list("uid", "name") if uids else ()
    return {str(uid): name for uid, name in rows}
