"""Adopt (L33): people on lists of ours there whom we did not put there, once staff have chosen them.

A check offers them; nothing of it happens before somebody confirms. Who is known here becomes ours; who is not is added
as a contact on those lists. Nothing is written to the vendor, and nobody is adopted who does not hear from us there
now: each is looked at once more, and the consent ledger is asked.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership, Tenant
from contacts.models.contact import address_key
from contacts.models.recorded import chunks
from contacts.tenancy.acting import By, acting, actor
from integrations.models import Connection, Delivery, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.base import Provider
from integrations.provider_kit.states import Member, Places, Standing
from integrations.sync import consent, people, pull, slices
from integrations.sync.giving_way import giving_way
from integrations.sync.planning import same
from integrations.sync.slices import Row

ADOPT = "adopt"  # the verb of these rows, and their kind: they are about somebody there, and have no record here
LOOKED_AT = 20  # people between two looks at the clock, where each look is a call
SILENT = {
    Standing.PENDING: "waiting_confirmation",
    Standing.UNSUBSCRIBED: "opted_out",
    Standing.CLEANED: "cleaned_there",
}


# --- offers, made by a check ---


def stranger_uid(connection: Connection, container: str, remote_id: str) -> uuid.UUID:
    """What stands for somebody there whom nobody here is: the same in every page of a reading."""
    return uuid.uuid5(connection.uid, f"{container}|{remote_id}")


def offer_of_stranger(
    run: SyncRun, container: str, member: Member, lists: frozenset[str], here: EmailAddress | None,
    words: Mapping[str, str],
) -> RunItem:  # fmt: skip
    """Somebody on these lists there whom nobody put there from here; `here` is their address, if it is somebody's."""
    fields = " ".join(filter(None, (member.fields.get("first_name"), member.fields.get("last_name"))))
    item = offer(run, stranger_uid(run.connection, container, member.remote_id or address_key(member.address)))
    item.label, item.address = (str(here.contact) if here else fields or member.address)[:250], member.address
    item.operations = [
        {"verb": ADOPT, "container": container, "before": None, "after": member.but(lists=lists).to_json()}
    ]
    item.reason_code = why_not(run.connection, container, member, lists, here, words)
    item.state = RunItem.State.SKIPPED if item.reason_code else RunItem.State.SHOWN
    return item


def offer_of_known(run: SyncRun, row: Row, others: Mapping[str, Member]) -> RunItem:
    """Somebody who is kept in step, but was there before we came: they can become ours altogether."""
    item = offer(run, row.record.subject_uid)
    item.label, item.address = row.label[:250], row.address
    item.operations = [
        {"verb": ADOPT, "container": key, "before": member.to_json(), "after": member.but(ours=True).to_json()}
        for key, member in others.items()
    ]
    return item


def offer(run: SyncRun, uid: uuid.UUID) -> RunItem:
    """A row of this kind."""
    return RunItem(
        tenant_id=run.tenant_id, run_id=run.pk, kind=ADOPT, subject_uid=uid, verb=ADOPT,
        difference=RunItem.Difference.NOT_OURS,
    )  # fmt: skip


def why_not(
    connection: Connection, container: str, member: Member, lists: Iterable[str], here: EmailAddress | None,
    words: Mapping[str, str],
) -> str:  # fmt: skip
    """Our reason code for leaving this person alone, or "": they have to hear from us there, of their own free will."""
    if member.standing != Standing.SUBSCRIBED:
        return SILENT.get(member.standing, "removed_there")
    place = f"{people.place_of(connection)} {container}"
    if any(consent.allows(words, uid, place) != consent.FREE for uid in lists):
        return "opted_out"
    if here is None:
        return ""
    if here.contact.do_not_contact:
        return "dnc_contact"
    if not here.is_primary:
        return "other_address"
    if here.state != EmailAddress.State.OK:
        return people.useless_address(here.state)
    return ""


def holders(addresses: Iterable[str]) -> dict[str, EmailAddress]:
    """Who here has these addresses: of several contacts one who may be written to there, if there is one."""
    rows = EmailAddress.objects.filter(address_key__in=list(addresses)).select_related("contact").order_by("pk")
    found: dict[str, EmailAddress] = {}
    for row in rows:
        other = found.get(row.address_key)
        if other is None or (row.is_primary, not row.contact.do_not_contact) > (
            other.is_primary, not other.contact.do_not_contact
        ):  # fmt: skip
            found[row.address_key] = row
    return found


# --- carrying out, once confirmed ---


def is_open(run: SyncRun) -> bool:
    """Whether anybody is still to be adopted."""
    return waiting(RunItem.objects.filter(run=run)).exists()


def waiting(items: Any) -> Any:
    """Of these rows, those that were confirmed and not carried out."""
    return items.filter(verb=ADOPT, state=RunItem.State.SHOWN, run__state=SyncRun.State.RUNNING)


def adopt_some(
    connection: Connection, provider: Provider, stay: Callable[[], None], stop: Callable[[], bool]
) -> None:  # fmt: skip
    """Adopt whoever was chosen, until all are or the turn is over. Raises `CallFailed`."""
    run = SyncRun.objects.filter(connection=connection, state=SyncRun.State.RUNNING, kind=SyncRun.Kind.CHECK).first()
    if run is None:
        return
    places = slices.places_of(connection)
    with acting(By.STAFF, f"Adopted from {connection}"[:100], run.started_by):
        while not stop() and (items := list(waiting(run.items).order_by("pk")[: max(LOOKED_AT, provider.look_size)])):
            for item, now in looked_at(items, provider, places):
                giving_way(partial(adopt, connection, item, now))
                stay()


def looked_at(
    items: Iterable[RunItem], provider: Provider, places: Places
) -> Iterator[tuple[RunItem, Member | None]]:  # fmt: skip
    """Each row with the person as they are there now; whoever is known here is kept in step, and needs no look."""
    strangers: dict[str, list[RunItem]] = {}
    for item in items:
        if item.operations[0]["before"] is not None:
            yield item, None
        else:
            strangers.setdefault(item.operations[0]["container"], []).append(item)
    for container, rows in strangers.items():
        for part in chunks(rows, max(1, provider.look_size)):
            asked = [(row.address, row.operations[0]["after"]["remote_id"]) for row in part]
            yield from zip(part, provider.look_many(container, asked, places), strict=True)


def adopt(connection: Connection, item: RunItem, now: Member | None) -> None:
    """Adopt one, or say why not; within the transaction of whoever calls."""
    item = RunItem.objects.select_for_update().get(pk=item.pk)
    if item.state != RunItem.State.SHOWN:
        return  # cancelled meanwhile
    known = item.operations[0]["before"] is not None
    reason = adopt_known(connection, item) if known else adopt_stranger(connection, item, now)
    item.state, item.reason_code = RunItem.State.SKIPPED if reason else RunItem.State.DONE, reason
    item.save(update_fields=["state", "reason_code"])


def adopt_known(connection: Connection, item: RunItem) -> str:
    """Somebody who is kept in step here is ours from now on."""
    record = (
        RemoteRecord.objects.select_for_update().filter(connection=connection, subject_uid=item.subject_uid).first()
    )
    known = slices.members_known(record) if record else {}
    chosen = {one["container"] for one in item.operations} & known.keys()
    if record is None or not chosen:
        return "not_found"
    pull.keep_known(record, known | {key: known[key].but(ours=True) for key in chosen})
    for key in chosen:
        tell(connection, record, key, known[key], known[key].but(ours=True))
    return ""


def adopt_stranger(connection: Connection, item: RunItem, now: Member | None) -> str:
    """Somebody there becomes a contact on the lists that they are on, or is put on them."""
    shown = Member.from_json(item.operations[0]["after"])
    container = item.operations[0]["container"]
    if now is None or not same(now.address, shown.address):
        return "not_found"
    # One at a time in an organization, or an import at the same moment would add the same person.
    Tenant.objects.select_for_update(no_key=True).get(pk=connection.tenant_id)
    key = address_key(now.address)
    lists = list(ContactList.objects.filter(uid__in=shown.lists & now.lists, synchronize=True))
    here = holders([key]).get(key)
    by_uid, by_address = consent.load([here.contact.uid] if here else [], [key])
    words = consent.strictest(*by_uid.values(), *by_address.values())
    if reason := why_not(connection, container, now, [str(one.uid) for one in lists], here, words):
        return reason
    if not lists:
        return "not_on_a_list"
    contact = here.contact if here else new_contact(now)
    on = set(contact.memberships.values_list("contact_list_id", flat=True))
    for one in lists:
        if one.pk not in on:
            ListMembership.objects.create(contact=contact, contact_list=one)
            say(connection, contact, key, one)
    take_over(connection, contact, container, now.but(ours=True))
    return ""


def new_contact(member: Member) -> Contact:
    """A contact with the name and the address that somebody has there."""
    names = {name: member.fields.get(name, "")[:100] for name in ("first_name", "last_name")}
    contact = Contact.objects.create(**names)
    EmailAddress.objects.create(contact=contact, address=member.address, is_primary=True)
    return contact


def say(connection: Connection, contact: Contact, address: str, contact_list: ContactList) -> None:
    """Why this person is written to from here, for the consent ledger (L35): no word of theirs, but what was there."""
    ConsentEvent.by_actor(
        ConsentEvent.Kind.OPT_IN, contact.uid, tenant_id=contact.tenant_id, contact_name=str(contact)[:250],
        address=address, list_uid=contact_list.uid, list_name=contact_list.name,
        detail=f"Was subscribed to “{contact_list}” at {connection} when adopted"[:250],
    ).save()  # fmt: skip


def take_over(connection: Connection, contact: Contact, container: str, member: Member) -> None:
    """What is there is known from now on, so that the new contact's own mark plans to nothing."""
    mine = RemoteRecord.objects.select_for_update()
    record, _ = mine.get_or_create(
        connection=connection, kind=RemoteRecord.Kind.CONTACT, subject_uid=contact.uid,
        defaults={"tenant_id": connection.tenant_id},
    )  # fmt: skip
    known = slices.members_known(record)
    pull.keep_known(record, known | {container: member})
    tell(connection, record, container, known.get(container), member)


def tell(connection: Connection, record: RemoteRecord, container: str, before: Member | None, now: Member) -> None:
    """A row of the contact's history (L30). It belongs to no run: nothing was changed there that could be undone."""
    Delivery.objects.create(
        tenant_id=record.tenant_id, connection=connection, kind=record.kind, subject_uid=record.subject_uid,
        verb=ADOPT, container=container, before=before.to_json() if before else None, after=now.to_json(),
        outcome=Delivery.Outcome.DONE, answer="Kept in step from now on.", cause=f"Adopted by {actor().label}"[:200],
    )  # fmt: skip
