"""Everybody in one container there: who is met page by page, who is a stranger, and who was not met (L31, L33).

Called by checking, step by step; what is met goes to meeting.
"""

from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from contacts.models import EmailAddress, ListMembership
from contacts.models.contact import address_key
from contacts.models.recorded import chunks
from integrations.models import Delivery, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.states import Member, Standing
from integrations.sync import adopting, consent, outbox, slices
from integrations.sync.giving_way import giving_way
from integrations.sync.meeting import GONE, lose, meet
from integrations.sync.planning import HEARS_FROM_US
from integrations.sync.visit import Visit

# Questions about those who were not met, and one more for so many who were. The others are taken for gone: a call for
# each could be as many calls as people, and a repair looks at everybody before it brings them back.
LOOKS, FOR_EACH = 5, 5000


# --- everybody in a container ---


def read_page(visit: Visit) -> None:
    """One page of those who are there, applied and noted."""
    members, following = visit.provider.members_page(visit.container, visit.vendors_cursor, visit.places)
    visit.stay()
    by_address = {address_key(member.address): member for member in members if member.address}
    met: list[int] = []
    strangers: list[RunItem] = []
    others = 0
    for part in chunks(by_address.items()):
        page = dict(part)
        pairs = known_there(visit, page)
        pairs += wanted_there(visit, page, {address_key(member.address) for _, member in pairs})
        for record, member in pairs:
            if meet(visit, record, member):
                met.append(record.pk)
            visit.stay()
        unknown = page.keys() - {address_key(member.address) for _, member in pairs}
        offers = offers_of(visit, [page[key] for key in page if key in unknown])
        strangers += offers
        others += len(unknown) - len(offers)
    cursor = f"read:{visit.container}|{int(visit.at) + 1}" if following else f"unmet:{visit.container}|0"

    def write() -> None:
        for pks in chunks(met):
            RemoteRecord.objects.filter(pk__in=pks).update(seen=visit.mark)
        # Pages overlap, so that somebody may have been offered already.
        RunItem.objects.bulk_create(strangers, batch_size=500, ignore_conflicts=True)

    visit.commit(cursor, write, read=len(members), others=others, page=following)


Pair = tuple[RemoteRecord, Member]


def known_there(visit: Visit, page: dict[str, Member]) -> list[Pair]:
    """Whom of these we know there under that address."""
    rows = RemoteRecord.objects.filter(
        connection=visit.connection, kind=RemoteRecord.Kind.CONTACT, known_address__in=list(page)
    )
    return [(record, page[record.known_address]) for record in rows.order_by("pk")]


def wanted_there(visit: Visit, page: dict[str, Member], met: set[str]) -> list[Pair]:
    """Whom of the others we would write to at that address, or must not write to at all: they are here, and we did not
    know that they are there."""
    here: Any = EmailAddress.objects.filter(address_key__in=list(page.keys() - met), is_primary=True).order_by("pk")
    rows = list(here.values_list("address_key", "contact__uid", "contact__do_not_contact"))
    if not rows:
        return []
    uids = [uid for _, uid, _ in rows]
    on_lists: Any = ListMembership.objects.filter(contact__uid__in=uids, contact_list__synchronize=True).order_by()
    wanted = {
        uid for uid, of in on_lists.values_list("contact__uid", "contact_list__uid")
        if visit.policy.container_of(str(of)) == visit.container
    }  # fmt: skip
    silent = {uid for key, uid, dnc in rows if dnc and page[key].lists and page[key].standing in HEARS_FROM_US}
    outbox.note(visit.connection, RemoteRecord.Kind.CONTACT, silent)
    address_of = {uid: key for key, uid, _ in rows if uid in wanted | silent}
    records = RemoteRecord.objects.filter(
        connection=visit.connection, kind=RemoteRecord.Kind.CONTACT, subject_uid__in=list(address_of)
    )
    return [(record, page[address_of[record.subject_uid]]) for record in records.order_by("pk")]


# --- those who are there and whom nobody here is ---


def offers_of(visit: Visit, members: list[Member]) -> list[RunItem]:
    """A row for each of them who is on lists of ours; the others are nobody's business here (L33)."""
    on_ours = [member for member in members if member.lists]
    if not on_ours:
        return []
    keys = [address_key(member.address) for member in on_ours]
    here = adopting.holders(keys)
    by_uid, by_address = consent.load([row.contact.uid for row in here.values()], keys)
    offers = []
    for key, member in zip(keys, on_ours, strict=True):
        holder = here.get(key)
        words = consent.strictest(by_uid.get(str(holder.contact.uid)) if holder else None, by_address.get(key))
        offers.append(adopting.offer_of_stranger(visit.run, visit.container, member, member.lists, holder, words))
    return offers


# --- those who were not met ---


def look_for_unmet(visit: Visit) -> None:
    """Whom we knew there and did not meet: under another address, gone, or passed over while the pages moved."""
    rows = list(
        RemoteRecord.objects.filter(
            connection=visit.connection, kind=RemoteRecord.Kind.CONTACT, pk__gt=int(visit.at),
            known__containers__has_key=visit.container,
        ).exclude(seen=visit.mark).order_by("pk")[:500]
    )  # fmt: skip
    if not rows:
        visit.commit(visit.next_container, partial(clear_offers, visit), since=timezone.now().isoformat())
        return
    known = {row.pk: slices.members_known(row)[visit.container] for row in rows}
    came_lately = sent_since(visit, rows)
    left = []
    for row, member in moved_there(visit, rows, known):
        if member is not None:
            if not meet_again(visit, row, member):
                left.append(row)
        elif known[row.pk].standing in HEARS_FROM_US and row.subject_uid not in came_lately:
            left.append(row)
        visit.stay()
    looks = look_at(visit, left)
    visit.commit(f"unmet:{visit.container}|{rows[-1].pk}", looks=looks)


def moved_there(
    visit: Visit, rows: list[RemoteRecord], known: dict[int, Member]
) -> list[tuple[RemoteRecord, Member | None]]:
    """Each of these with the entry that was met under another address, found by its id there."""
    uids = {
        row.pk: adopting.stranger_uid(visit.connection, visit.container, known[row.pk].remote_id)
        for row in rows if known[row.pk].remote_id
    }  # fmt: skip
    items = RunItem.objects.filter(run=visit.run, kind=adopting.ADOPT, subject_uid__in=list(uids.values()))
    met = {item.subject_uid: Member.from_json(item.operations[0]["after"]) for item in items}
    return [(row, met.get(uids[row.pk]) if row.pk in uids else None) for row in rows]


def meet_again(visit: Visit, row: RemoteRecord, member: Member) -> bool:
    """Somebody has another address there: they are no stranger."""

    def write() -> bool:
        uid = adopting.stranger_uid(visit.connection, visit.container, member.remote_id)
        is_they = meet(visit, row, member)
        if is_they:
            RunItem.objects.filter(run=visit.run, kind=adopting.ADOPT, subject_uid=uid).delete()
        return is_they

    return giving_way(write)


def sent_since(visit: Visit, rows: list[RemoteRecord]) -> set[Any]:
    """Who was sent there while this container was being read: they may have come too late to be met."""
    since = datetime.fromisoformat(str(visit.run.found["since"]))
    sent: Any = Delivery.objects.filter(
        connection=visit.connection, subject_uid__in=[row.subject_uid for row in rows], container=visit.container,
        at__gte=since, outcome=Delivery.Outcome.DONE,
    ).order_by()  # fmt: skip
    return set(sent.values_list("subject_uid", flat=True))


def look_at(visit: Visit, rows: list[RemoteRecord]) -> int:
    """Ask the vendor for as many of these as a few calls allow, and take the others for removed there: a repair looks
    at each once more. Returns how many calls that were."""
    size = max(1, visit.provider.look_size)
    counts = visit.run.found
    calls = max(0, LOOKS + counts.get("read", 0) // FOR_EACH - counts.get("looks", 0))
    made = 0
    for part in chunks(rows[: calls * size], size):
        known = [slices.members_known(row)[visit.container] for row in part]
        asked = [(member.address, member.remote_id) for member in known]
        made += 1
        for row, member in zip(part, visit.provider.look_many(visit.container, asked, visit.places), strict=True):
            if member is None or member.standing in GONE or not meet(visit, row, member):
                giving_way(partial(lose, visit, row.pk))
        visit.stay()
    for row in rows[calls * size :]:
        giving_way(partial(lose, visit, row.pk))
        visit.stay()
    return made


def clear_offers(visit: Visit) -> None:
    """Keep the offers that somebody may take: those who are silent there were kept only to be found by their id, and by
    night nobody is there to choose, so that they are only counted."""
    offers = RunItem.objects.filter(run=visit.run, kind=adopting.ADOPT)
    offers.filter(reason_code__in=["opted_out", "cleaned_there", "removed_there"]).exclude(
        operations__0__after__standing=Standing.SUBSCRIBED
    ).delete()
    if visit.run.started_by_id is None:
        run = SyncRun.objects.select_for_update().get(pk=visit.run.pk)
        run.found["not_ours"] = run.found.get("not_ours", 0) + offers.count()
        run.save(update_fields=["found"])
        offers.delete()
