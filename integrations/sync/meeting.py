"""One person as a check meets them there: what they said counts at once, the rest becomes known (L31, L35).

Called by roll_call for everybody who is there, and for those whom it did not meet.
"""

from collections.abc import Iterable
from functools import partial

from contacts.models import Contact
from contacts.tenancy.acting import By, acting
from integrations.models import Delivery, RemoteRecord, RunItem
from integrations.provider_kit.states import Member, Standing
from integrations.sync import owners, pull, runs, slices
from integrations.sync.corrections import corrected
from integrations.sync.giving_way import giving_way
from integrations.sync.planning import HEARS_FROM_US, same
from integrations.sync.pull import GONE
from integrations.sync.visit import Visit


def meet(visit: Visit, record: RemoteRecord, member: Member) -> bool:
    """Take in how one person stands there. Returns whether it was they themselves."""
    before = slices.members_known(record).get(visit.container)
    if before is not None and not is_entry(before, member):
        if is_word(None, member):  # of the address that they were given here and have not been moved to there yet
            hear(visit, record, member, {member.address})
        return False
    if before is not None and is_silent_stranger(before) and member.standing == Standing.ARCHIVED:
        return True  # on none of our lists as before: a vendor may know no difference
    if before is not None and before.standing in HEARS_FROM_US and member.standing in GONE:
        if visit.provider.archived_have_not_left:
            giving_way(partial(lose, visit, record.pk))
            return True
        return False  # looked at with those who were not met: they may have unsubscribed before (L35)
    if is_word(before, member):
        hear(visit, record, member, {member.address, *([before.address] if before else [])})
    elif now_known(visit, record, before, member) != before:
        giving_way(partial(learn, visit, record.pk, member))
    return True


def is_silent_stranger(member: Member) -> bool:
    """Whether somebody else put them there, and they are on no list of ours."""
    return member.standing == Standing.SUBSCRIBED and not member.ours and not member.lists


def is_entry(before: Member, member: Member) -> bool:
    """Whether this is the entry that we know, maybe under another address."""
    return same(before.address, member.address) or bool(before.remote_id and before.remote_id == member.remote_id)


def is_word(before: Member | None, member: Member) -> bool:
    """Whether this is something that the person, or their mailbox, has said. That somebody is subscribed again where
    they had left is not: nobody knows by whom, so it is shown, and left to people."""
    was = before.standing if before else None
    if member.standing in (Standing.UNSUBSCRIBED, Standing.CLEANED):
        return was != member.standing
    return member.standing == Standing.SUBSCRIBED and was == Standing.PENDING


def hear(visit: Visit, record: RemoteRecord, member: Member, addresses: Iterable[str]) -> None:
    """What was said there counts here at once (L21), and the check tells of it."""

    def write() -> None:
        said = pull.apply_now(visit.connection, visit.container, member, sorted(addresses))
        if said in (pull.KNOWN, pull.NOBODY):
            return
        contact = Contact.objects.filter(uid=record.subject_uid).first()
        item = runs.item(visit.run, record, str(contact or member.address), member.address, "heard", [])
        item.state, item.reason, item.difference = RunItem.State.DONE, said[:300], RunItem.Difference.CONSENT
        RunItem.objects.bulk_create([item], ignore_conflicts=True)

    giving_way(write)


def now_known(visit: Visit, record: RemoteRecord, before: Member | None, member: Member) -> Member | None:
    """What is known of an entry after it was read; spaces and capitals alone are no difference."""
    if member.standing in GONE:
        return before
    fields = owners.heard(before.fields if before else {}, member.fields, visit.policy.fields)
    if before is None:
        return member.but(fields=fields, ours=record.effect != RemoteRecord.Effect.NONE)
    hears = member.standing in HEARS_FROM_US
    return before.but(
        address=before.address if same(before.address, member.address) else member.address,
        standing=member.standing,
        fields=fields,
        joint=before.joint and fields == dict(before.fields),
        lists=member.lists if hears else before.lists,
        remote_id=member.remote_id or before.remote_id,
        # Whom somebody else subscribed there is not ours any more (L33).
        ours=before.ours and (before.standing in HEARS_FROM_US or not hears),
    )


def learn(visit: Visit, pk: int, member: Member) -> None:
    """Make what was read known; it is planned from, and nothing of it is sent by itself. A name or address that the
    service may decide about is taken over (L22)."""
    record = RemoteRecord.objects.select_for_update().get(pk=pk)
    known = slices.members_known(record)
    before = known.get(visit.container)
    now = now_known(visit, record, before, member)
    if now is None or now == before:
        return
    said = ""
    contact = Contact.objects.filter(uid=record.subject_uid).first()
    if contact is not None:
        was = name_and_address(contact)
        with acting(By.SYSTEM, f"{visit.connection}"):
            said = corrected(visit.connection, contact, before, member)
        said = said if name_and_address(contact) != was else ""  # what ours is, a repair puts back
    pull.keep_known(record, known | {visit.container: now})
    found(visit, record, before, now, said)


def name_and_address(contact: Contact) -> tuple[str, str, str]:
    """What a service may change here."""
    return contact.first_name, contact.last_name, str(contact.primary_email or "")


def found(visit: Visit, record: RemoteRecord, before: Member | None, now: Member, said: str) -> None:
    """A row of the contact's history (L30)."""
    Delivery.objects.create(
        tenant_id=record.tenant_id, connection=visit.connection, kind=record.kind, subject_uid=record.subject_uid,
        verb="heard", container=visit.container, before=before.to_json() if before else None, after=now.to_json(),
        outcome=Delivery.Outcome.HEARD, answer=(said or "Found to be so there.")[:300], cause="Found by a check",
    )  # fmt: skip


def lose(visit: Visit, pk: int) -> None:
    """Somebody else removed this person there."""
    record = RemoteRecord.objects.select_for_update().get(pk=pk)
    known = slices.members_known(record)
    before = known.get(visit.container)
    if before is None or before.standing not in HEARS_FROM_US:
        return
    now = before.but(standing=Standing.REMOVED)
    pull.keep_known(record, known | {visit.container: now})
    found(visit, record, before, now, "")
