"""Theirs to us: apply what a vendor says about a person, in one transaction, so that our own mark plans to nothing.

A message is only a hint: the person is read at the vendor, and what is there now counts.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from contacts.models import ConsentEvent, Contact, EmailAddress, ListMembership, kept_words
from contacts.models.contact import address_key
from contacts.models.recorded import chunks
from contacts.tenancy.acting import By, acting
from integrations.models import Connection, Delivery, RemoteRecord
from integrations.models.remote import Priority
from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import Member, Standing
from integrations.sync import consent, owners, people, slices
from integrations.sync.corrections import corrected
from integrations.sync.giving_way import giving_way
from integrations.sync.own_words import say
from integrations.sync.planning import HEARS_FROM_US, same
from integrations.sync.taking_back import TAKEN_BACK, is_taken_back

Effect = RemoteRecord.Effect
NOBODY = "Nobody here has that address; left alone."
KNOWN = "No news: it is known here."
GONE = (Standing.ARCHIVED, Standing.REMOVED)


def records_of(connection: Connection, addresses: Iterable[str]) -> list[RemoteRecord]:
    """The rows of everybody known there, or having here, one of these addresses; locked until the transaction ends."""
    keys = [address_key(a) for a in addresses if a]
    uids = EmailAddress.objects.filter(address_key__in=keys).values("contact__uid")
    return list(
        RemoteRecord.objects.select_for_update()
        .filter(
            Q(known_address__in=keys) | Q(subject_uid__in=uids), connection=connection, kind=RemoteRecord.Kind.CONTACT
        )
        .order_by("pk")
    )


def apply(
    connection: Connection, container: str, member: Member | None, addresses: Iterable[str], entry: Member | None = None
) -> str:  # fmt: skip
    """Make what is so at the vendor known here, and act on it (L21, L22). Returns a sentence for the inbox.

    `entry`: what was known of them there through somebody who had the address before.
    """
    addresses = list(addresses)
    return giving_way(lambda: apply_now(connection, container, member, addresses, entry))


def apply_now(
    connection: Connection, container: str, member: Member | None, addresses: list[str], entry: Member | None = None
) -> str:  # fmt: skip
    """The same, within the transaction of whoever calls."""
    policy = slices.policy_of(connection)
    source = f"{connection}"
    records = records_of(connection, addresses)
    if not records:
        return NOBODY
    keys = {address_key(a) for a in addresses if a}
    if (
        member is not None
        and member.standing == Standing.UNSUBSCRIBED
        and was_our_doing(connection, container, member, records, entry)
    ):
        said = [left_out(connection, policy, container, record, member) for record in records]
    else:
        said = [apply_to(connection, policy, container, member, record, source, keys) for record in records]
    return "; ".join(dict.fromkeys(filter(None, said))) or KNOWN


def was_our_doing(
    connection: Connection, container: str, member: Member, records: Iterable[RemoteRecord], entry: Member | None
) -> bool:  # fmt: skip
    """Whether we unsubscribed this address there ourselves, for somebody who has it, without their own word."""
    known = [there for record in records if (there := slices.members_known(record).get(container))]
    known += [entry] if entry else []
    if not any(m.standing == Standing.UNSUBSCRIBED and same(m.address, member.address) for m in known):
        return False
    _, by_address = consent.load([], [address_key(member.address)])
    words = by_address.get(address_key(member.address), {})
    return not any(scope.endswith(f" {container}") and state != consent.FREE for scope, state in words.items())


def left_out(connection: Connection, policy: Policy, container: str, record: RemoteRecord, member: Member) -> str:
    """Somebody else's Do Not Contact unsubscribed the address they share: they are left out until staff say otherwise.

    That is nobody's own word, so clearing it is enough to bring them back.
    """
    known = slices.members_known(record)
    before = known.get(container)
    if before is None or before.standing == Standing.UNSUBSCRIBED or not same(before.address, member.address):
        return ""
    contact = Contact.objects.filter(uid=record.subject_uid).first()
    with acting(By.SYSTEM, f"{connection}"):
        places = on_lists_in(policy, container, contact)
        ListMembership.objects.filter(pk__in=[m.pk for m in places]).update(do_not_contact=True)
    now = before.but(standing=Standing.UNSUBSCRIBED, remote_id=member.remote_id)
    keep_known(record, known | {container: now})
    said = "Unsubscribed there because of Do Not Contact for somebody with the same address."
    heard(connection, record, container, before, now, said)
    mark_again(record, f"{connection} reported a change")
    return said


def apply_to(
    connection: Connection, policy: Policy, container: str, member: Member | None, record: RemoteRecord, source: str,
    keys: set[str],
) -> str:  # fmt: skip
    """Apply one person's state there to one contact here; `keys` are the addresses the news is about."""
    known = slices.members_known(record)
    before = known.get(container)
    contact = Contact.objects.filter(uid=record.subject_uid).first()
    if before is not None and not is_about(before, member, keys):
        return about_new_address(connection, policy, container, record, contact, member)
    if member is None or member.standing in GONE:
        return removed(connection, container, record, known, before, member)
    if before is None and not (has_address(contact, member) and on_lists_in(policy, container, contact)):
        return ""
    fields = owners.heard(before.fields if before else {}, member.fields, policy.fields)
    now = (before or member.but(ours=record.effect != RemoteRecord.Effect.NONE)).but(
        address=member.address, standing=member.standing, fields=fields, remote_id=member.remote_id,
        joint=before is not None and before.joint and fields == dict(before.fields),
    )  # fmt: skip
    said = ""
    sent = slices.members_maybe(record).get(container)
    # What we sent ourselves without a clear answer is nobody's word.
    is_echo = sent is not None and sent.standing == member.standing
    is_new = not is_echo and (before is None or before.standing != member.standing)
    with acting(By.PERSON, source):
        if member.standing == Standing.UNSUBSCRIBED and is_new:
            said = opted_out(connection, policy, container, record, contact, member)
        elif member.standing == Standing.SUBSCRIBED and before and is_new:
            said = came_back(connection, policy, container, record, contact, before, member)
            now = now.but(ours=before.ours and before.standing == Standing.PENDING)
    with acting(By.SYSTEM, source):
        if member.standing == Standing.CLEANED and (before is None or before.standing != Standing.CLEANED):
            said = bounced(contact, member)
        said = " ".join(filter(None, (said, corrected(connection, contact, before, member, sent))))
    if now != before:
        keep_known(record, known | {container: now})
        heard(connection, record, container, before, now, said)
        mark_again(record, f"{connection} reported a change")
    return said


def clear_up(
    connection: Connection, record: RemoteRecord, container: str, sent: Member, found: list[Member | None]
) -> None:
    """Replace the doubt about what was sent by what is there. `found`: who has the known and the new address there."""
    known, maybe = slices.members_known(record), slices.members_maybe(record)
    before = known.pop(container, None)
    there = [member for member in found if member is not None]
    now = next((m for m in there if m.standing in HEARS_FROM_US), there[0] if there else None)
    maybe.pop(container, None)
    own_word = False
    if now is not None:
        ours = (before or sent).ours and (before is None or before.remote_id in ("", now.remote_id))
        expected = {sent.standing, before.standing if before else Standing.SUBSCRIBED}
        if before is not None and before.standing == Standing.PENDING and before.address != sent.address:
            expected.add(Standing.UNSUBSCRIBED)  # an old address that was not confirmed is given up so
        own_word = now.standing in (Standing.UNSUBSCRIBED, Standing.CLEANED) and now.standing not in expected
        standing = sent.standing if own_word else now.standing
        if standing in GONE:
            standing = Standing.ARCHIVED if Standing.ARCHIVED in expected else Standing.REMOVED
        known[container] = now.but(standing=standing, ours=ours)
    tickets = {key: ticket for key, ticket in record.known.get("tickets", {}).items() if key in maybe}
    record.known = {key: value for key, value in record.known.items() if key not in ("maybe", "tickets")}
    if maybe:
        record.known |= {"maybe": {key: member.to_json() for key, member in maybe.items()}, "tickets": tickets}
    keep_known(record, known)
    if now is not None and now.standing not in GONE:
        contact = Contact.objects.filter(uid=record.subject_uid).first()
        with acting(By.SYSTEM, f"{connection}"):
            said = corrected(connection, contact, before, now, sent)
        if said:
            heard(connection, record, container, before, known[container], said)
    if now is not None and own_word:
        apply(connection, container, now, (now.address,))


def is_about(before: Member, member: Member | None, keys: set[str]) -> bool:
    """Whether the news is about the entry that we know there, or about another one with an address that is new here."""
    if address_key(before.address) in keys:
        return True
    return member is not None and bool(before.remote_id) and before.remote_id == member.remote_id


def has_address(contact: Contact | None, member: Member) -> bool:
    """Whether lists would be sent to this address."""
    primary = contact.primary_email if contact else None
    return primary is not None and primary.address_key == address_key(member.address)


def about_new_address(
    connection: Connection, policy: Policy, container: str, record: RemoteRecord, contact: Contact | None,
    member: Member | None,
) -> str:  # fmt: skip
    """News of an address that the contact was given here and has not been moved to there yet.

    What we know there stays; but whoever opted out under that address, or cannot be reached at it, is not sent on.
    """
    if member is None or not has_address(contact, member) or not on_lists_in(policy, container, contact):
        return ""
    if member.standing == Standing.UNSUBSCRIBED:
        by_uid, by_address = consent.load([record.subject_uid], [address_key(member.address)])
        words = consent.strictest(*by_uid.values(), *by_address.values())
        if consent.said_here(words, f"{people.place_of(connection)} {container}"):
            return ""  # said before
        with acting(By.PERSON, f"{connection}"):
            return opted_out(connection, policy, container, record, contact, member)
    if member.standing == Standing.CLEANED:
        with acting(By.SYSTEM, f"{connection}"):
            return bounced(contact, member)
    return ""


def on_lists_in(policy: Policy, container: str, contact: Contact | None) -> list[ListMembership]:
    """The contact's places on synchronized lists that live in this container."""
    if contact is None:
        return []
    places = contact.memberships.filter(contact_list__synchronize=True).select_related("contact_list", "contact")
    return [m for m in places if policy.container_of(str(m.contact_list.uid)) == container]


def opted_out(
    connection: Connection,
    policy: Policy,
    container: str,
    record: RemoteRecord,
    contact: Contact | None,
    member: Member,
) -> str:
    """The person unsubscribed there: Do Not Contact on every list that lives there, and their word in the ledger."""
    memberships = on_lists_in(policy, container, contact)
    ListMembership.objects.filter(pk__in=[m.pk for m in memberships]).update(do_not_contact=True)
    say(ConsentEvent.Kind.OPT_OUT, connection, container, record, contact, member)
    return "Unsubscribed there: Do Not Contact set on " + (
        ", ".join(f"“{m.contact_list}”" for m in memberships) or "no list here"
    )


def came_back(
    connection: Connection, policy: Policy, container: str, record: RemoteRecord, contact: Contact | None,
    before: Member, member: Member,
) -> str:  # fmt: skip
    """The person confirmed or subscribed again there; what they had taken away themself, they give back."""
    say(ConsentEvent.Kind.OPT_IN, connection, container, record, contact, member)
    kept_words.give_back(
        address_key(member.address), f"{people.place_of(connection)} {container}", record.subject_uid,
        lambda heir: {m.contact_list.uid for m in on_lists_in(policy, container, heir)},
    )  # fmt: skip
    # Whoever reported spam and now asks for mail takes that back; the complaint was noted for all who have the address.
    EmailAddress.objects.filter(
        address_key=address_key(member.address), state=EmailAddress.State.COMPLAINED
    ).update(state=EmailAddress.State.OK)  # fmt: skip
    cleared = []
    for membership in on_lists_in(policy, container, contact):
        list_uid = membership.contact_list.uid
        last = (
            ConsentEvent.objects.filter(contact_uid=record.subject_uid, list_uid=list_uid)
            .order_by("-at", "-pk")
            .first()
        )
        if membership.do_not_contact and last is not None and last.by == By.PERSON:
            cleared.append(membership)
        elif last is not None and last.by != By.PERSON and not membership.do_not_contact:
            say(ConsentEvent.Kind.OPT_IN, connection, "", record, contact, member, membership.contact_list)
    ListMembership.objects.filter(pk__in=[m.pk for m in cleared]).update(do_not_contact=False)
    return "Confirmed there." if before.standing == Standing.PENDING else "Subscribed again there."


def bounced(contact: Contact | None, member: Member) -> str:
    """The vendor found the address dead: marked here, and the contact is not eligible until it is mended."""
    if contact is not None:
        contact.email_addresses.filter(address_key=address_key(member.address), state=EmailAddress.State.OK).update(
            state=EmailAddress.State.BOUNCED
        )
    return "The address does not work any more: marked as bounced."


def removed(
    connection: Connection, container: str, record: RemoteRecord, known: dict[str, Member], before: Member | None,
    member: Member | None,
) -> str:  # fmt: skip
    """Archived or deleted there by somebody else: no opt-out, but nothing of ours brings them back by itself."""
    if before is None or before.standing in GONE:
        return ""
    if before.standing in (Standing.UNSUBSCRIBED, Standing.CLEANED):
        return ""
    now = before.but(standing=Standing.REMOVED)
    keep_known(record, known | {container: now})
    heard(connection, record, container, before, now, "Removed there by somebody else.")
    mark_again(record, f"{connection} reported a removal")
    return "Removed there by somebody else."


def keep_known(record: RemoteRecord, known: Mapping[str, Member]) -> None:
    """Write what is known there now."""
    record.known = record.known | {"containers": {key: m.to_json() for key, m in known.items()}}
    maybe = slices.members_maybe(record)
    record.known_address = next((m.address.lower() for m in [*known.values(), *maybe.values()]), "")
    record.effect = Effect.DONE if known else Effect.MAYBE if maybe else Effect.NONE
    RemoteRecord.objects.filter(pk=record.pk).update(
        known=record.known, known_address=record.known_address, effect=record.effect
    )


def heard(
    connection: Connection, record: RemoteRecord, container: str, before: Member | None, now: Member, said: str
) -> None:
    """A row of the contact's history (L30): heard from there."""
    Delivery.objects.create(
        tenant_id=record.tenant_id, connection=connection, kind=record.kind, subject_uid=record.subject_uid,
        verb="heard", container=container, before=before.to_json() if before else None, after=now.to_json(),
        outcome=Delivery.Outcome.HEARD, answer=said[:300], cause=f"Reported by {connection}",
    )  # fmt: skip


def mark_again(record: RemoteRecord, cause: str) -> None:
    """Have the row planned again: to nothing, if this side agrees with what was heard. What an undo put back stays."""
    if is_taken_back(record):
        return
    RemoteRecord.objects.filter(pk=record.pk).update(
        want_version=F("want_version") + 1, due_at=Now(), priority=Priority.OPT_OUT, cause=cause[:200], attempts=0,
        state=RemoteRecord.State.OK, brake_passed=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class News:
    """What was just learnt of one address in one container, and by whose row; `is_left`: that one gave it up; `held`:
    it was put back by an undo, as this sentence says."""

    source: uuid.UUID
    member: Member
    is_left: bool = False
    held: str = ""


Fresh = Mapping[tuple[str, str], News]  # by (address, container)


def share(connection: Connection, fresh: Fresh) -> None:
    """Tell everybody else who holds an address what was just learnt of it, and have them planned again (L8)."""
    for part in chunks(fresh.items()):
        here: Any = EmailAddress.objects.filter(address_key__in={address for (address, _), _ in part}, is_primary=True)
        sources = {(address, news.source) for (address, _), news in part}
        others = {uid: key for key, uid in here.values_list("address_key", "contact__uid") if (key, uid) not in sources}
        if not others:
            continue
        with transaction.atomic():
            mine = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.CONTACT)
            rows = mine.select_for_update().filter(subject_uid__in=list(others)).order_by("pk")
            for record in rows:
                catch_up_with(record, others[record.subject_uid], dict(part))


def catch_up_with(record: RemoteRecord, address: str, fresh: Fresh) -> None:
    """Bring one sharer's row up to what was learnt; mark it due if that is news to it.

    An entry that they are still known by under another address is theirs to give up, so the news is put beside it.
    """
    about = {container: news for (changed, container), news in fresh.items() if changed == address}
    before = slices.members_known(record)
    known, offered = dict(before), dict(record.known.get("offered", {}))
    for container, news in about.items():
        if container in known and known[container].address.lower() != address:
            offered[container] = news.member.to_json()
        else:
            known[container] = news.member
    if known != before or offered != record.known.get("offered", {}) or any(news.is_left for news in about.values()):
        record.known = record.known | {"offered": offered}
        keep_known(record, known)
        if held := next((news.held for news in about.values() if news.held), ""):
            in_step = RemoteRecord.objects.filter(
                pk=record.pk, due_at__isnull=True, reason_code__in=["", "not_on_a_list"]
            )
            in_step.exclude(state=RemoteRecord.State.SET_ASIDE).update(
                state=RemoteRecord.State.HELD, reason_code=TAKEN_BACK, reason=held
            )
        else:
            mark_again(record, "Shares an address with somebody who changed")
